"""The verdict on the speed of b against a.

FASTER / SLOWER: the interval of the ratio excludes 1 (detected); *material* when it lies outside
the margin as a whole. SAME: not detected, and the interval lies inside the margin. Everything else
is UNCLEAR, with what would settle it; so is an interval wider than `WIDEST`, which a disturbed
machine gives. The margin is symmetric in the logarithm: 3 % is 1/1.03 to 1.03, so exchanging a and
b never changes a verdict's kind.
"""

from __future__ import annotations

import dataclasses
import math

from harness.results.verdicts import Speed
from harness.speed.estimate import Estimate, alpha, half_width
from harness.speed.schedule import MIN_ROUNDS, looks

#: The change that a user should act on. Two identical processes differ by 2-4 % for their whole
#: life, hence not less.
MARGIN = 0.03
#: A half-width of the interval, relative, below which more rounds are not worth their time.
SHARP = 0.005
#: An interval whose ends differ by more than this factor decides nothing, wherever it lies: rounds
#: that disagree so much have measured something else than the builds.
WIDEST = 2.0
#: Beyond this many rounds a settling time is an extrapolation nobody would wait for.
MAX_ROUNDS = 5000


@dataclasses.dataclass(frozen=True)
class SpeedVerdict:
    """What the rounds say about b against a.

    Attributes:
        verdict: FASTER, SLOWER, SAME, UNCLEAR or REFUSED.
        material: the whole interval lies outside the margin.
        more_rounds: about how many rounds in all would settle an UNCLEAR one; would halve the
            interval of another, which the reason says too. None where that cannot be told.
        more_s: how long those rounds take in all, seconds.
    """

    verdict: Speed
    material: bool
    reason: str
    more_rounds: int | None = None
    more_s: float | None = None


def judge(estimate: Estimate, margin: float = MARGIN, round_s: float | None = None) -> SpeedVerdict:
    """Judge an estimate.

    Args:
        estimate: of time of b over time of a.
        margin: a relative change that matters, e.g. 0.03.
        round_s: what a round takes with its processes' start, seconds.
    """
    low, high = estimate.low, estimate.high
    if low is None or high is None or estimate.ratio is None or not _are_finite(low, high):
        more = MIN_ROUNDS if estimate.rounds < MIN_ROUNDS else None
        reason = estimate.reason or "no interval"
        return SpeedVerdict(Speed.UNCLEAR, False, reason, more, _seconds(more, round_s))
    if too_wide(estimate):
        more = rounds_to_narrow(estimate, 0.5 * math.log(WIDEST))
        reason = f"the interval is wider than a factor of {WIDEST:g}: the rounds disagree"
        return SpeedVerdict(Speed.UNCLEAR, False, reason, more, _seconds(more, round_s))
    edge = 1.0 + margin
    percent = f"{100 * margin:g} %"
    if low > 1.0 or high < 1.0:
        material = low > edge or high < 1.0 / edge
        where = "lies outside" if material else "reaches into"
        reason = f"the interval excludes 1 and {where} the margin of {percent}"
        verdict = SpeedVerdict(Speed.SLOWER if low > 1.0 else Speed.FASTER, material, reason)
    elif low >= 1.0 / edge and high <= edge:
        reason = f"the interval holds 1 and lies inside the margin of {percent}"
        verdict = SpeedVerdict(Speed.SAME, False, reason)
    else:
        more = rounds_to_settle(estimate, margin)
        reason = f"the interval holds 1 and reaches out of the margin of {percent}"
        return SpeedVerdict(Speed.UNCLEAR, False, reason, more, _seconds(more, round_s))
    return _with_price(verdict, rounds_to_narrow(estimate, 0.5 * _half_width(estimate)), round_s)


def _are_finite(low: float, high: float) -> bool:
    return math.isfinite(low) and math.isfinite(high)


def _with_price(verdict: SpeedVerdict, more: int | None, round_s: float | None) -> SpeedVerdict:
    """Add what an interval half as wide would take."""
    seconds = _seconds(more, round_s)
    takes = f" and {seconds:.0f} s" if seconds is not None else ""
    price = f"; half as wide after about {more} rounds{takes} in all" if more is not None else ""
    return dataclasses.replace(
        verdict, reason=verdict.reason + price, more_rounds=more, more_s=seconds
    )


def settled(estimate: Estimate, margin: float = MARGIN) -> bool:
    """Whether a run can end with what a look shows (not a final one), before its time is used up.

    It can when the interval says on which side of the margin the change lies (outside as a whole,
    or detected and inside as a whole), or when its half-width is below `SHARP`. That 1 is not
    excluded ends no run before that: a difference smaller than the margin could still be found.

    Args:
        estimate: of the look; one without an interval settles nothing.
        margin: as a share, 0.03 for 3 %.
    """
    low, high = estimate.low, estimate.high
    if low is None or high is None or not _are_finite(low, high) or too_wide(estimate):
        return False
    edge = 1.0 + margin
    outside = low > edge or high < 1.0 / edge
    inside = low >= 1.0 / edge and high <= edge
    detected = low > 1.0 or high < 1.0
    sharp = _half_width(estimate) <= math.log1p(SHARP)
    return outside or (inside and detected) or sharp


def too_wide(estimate: Estimate) -> bool:
    """Whether an interval is so wide that it decides nothing."""
    return 2.0 * _half_width(estimate) > math.log(WIDEST)


def _half_width(estimate: Estimate) -> float:
    """Return half the width of an interval in the logarithm; infinity if an end of it is no
    positive number."""
    low, high = estimate.low, estimate.high
    if low and high and 0.0 < low <= high < math.inf and high / low < math.inf:
        return 0.5 * math.log(high / low)
    return math.inf


def _seconds(rounds: int | None, round_s: float | None) -> float | None:
    if rounds is None or round_s is None or not math.isfinite(round_s):
        return None
    return rounds * round_s


def rounds_to_settle(estimate: Estimate, margin: float = MARGIN) -> int | None:
    """Return about how many rounds in all would end UNCLEAR, if ratio and spread stay as they are;
    None if too many.

    The interval must get so narrow that it either excludes 1 or fits into the margin, whichever
    comes first.
    """
    if estimate.ratio is None:
        return None
    distance = abs(math.log(estimate.ratio))
    return rounds_to_narrow(estimate, max(distance, math.log1p(margin) - distance))


def rounds_to_narrow(estimate: Estimate, wanted: float) -> int | None:
    """Return after which later look the interval's half-width would be below `wanted` (in the
    logarithm), if the spread stays as it is; None if that is too far. Assumes a run that is planned
    to end there, looked at on the way.
    """
    if estimate.spread is None or not math.isfinite(wanted):
        return None
    for rounds in looks(MAX_ROUNDS):
        if rounds <= estimate.rounds:
            continue
        if half_width(estimate.spread, rounds, alpha(rounds, final=True)) < wanted:
            return rounds
    return None
