"""Judge the last stage: two builds whose models were trained from independent seeds, by the
distributions of what came of it.

PASS only if *every* quantity (`summaries`) is shown to be equivalent (`equivalence`): an
intersection-union test, which needs no correction. FAIL if a difference is shown, with the false
discovery rate over all difference tests controlled, and is larger than the margin. Anything else is
INCONCLUSIVE, with the seeds that would tell. "Not significantly different" is never a PASS, nor are
too few seeds, a value that is not finite, a job that left nothing.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from harness.fidelity import equivalence, permutation
from harness.fidelity.equivalence import ALPHA, MARGIN, MIN_SEEDS, Comparison
from harness.fidelity.measure import Difference
from harness.fidelity.summaries import Draw, Quantity, quantities
from harness.fidelity.verdict import StageVerdict, TensorVerdict
from harness.results.verdicts import Fidelity

STAGE = "distribution"
DIVERGED = "diverged trainings"
SPREAD = ", spread between seeds"
#: Two spreads between seeds are different in a way that matters if one is so many times the other.
SPREAD_MARGIN = 3.0
#: And two shares of trainings that diverge, if they are so far apart. One question about whole
#: trainings is not lost among a hundred about their numbers: it has a level of its own.
DIVERGED_MARGIN, DIVERGED_ALPHA = 0.25, 0.01


@dataclasses.dataclass(frozen=True)
class Suspect:
    """A difference test: FAIL if it is discovered and `large`."""

    item: TensorVerdict
    p: float
    large: bool


@dataclasses.dataclass(frozen=True)
class Judged:
    """The verdict, how many seeds of each build it rests on, and how many would do where they were
    too few (None: unknown).

    `tests` are the difference tests over which the false discovery rate was held, with their
    p-values as they were before.
    """

    verdict: StageVerdict
    seeds: tuple[int, int]
    needed: int | None = None
    tests: tuple[Suspect, ...] = ()


def judge_distribution(
    a: Sequence[Draw], b: Sequence[Draw], asked: int, channels: Sequence[str] = ()
) -> Judged:
    """Judge what the seeds of two builds left.

    Args:
        a, b: one draw a seed; a is the original, whose spread between seeds is the margin's unit.
        asked: how many seeds a build there should be: fewer draws never pass.
        channels: names of the samples' channels; numbered if there are none.
    """
    problem = _mismatch(a, b)
    if problem is not None:
        verdict, reason = problem
        return _closed(verdict, reason, a, b)
    names = _names(channels, a)
    same = _seedless(a, b)
    if same:
        return _closed(*same, a, b)
    if min(len(a), len(b)) < MIN_SEEDS:
        count = sum(1 for _ in quantities(a, b, names))
        needed = equivalence.seeds_needed([_nothing()] * count, 1)
        reason = (
            f"{min(len(a), len(b))} seeds a build say nothing about a spread: about {needed} seeds"
            " a build are needed"
        )
        return dataclasses.replace(_closed(Fidelity.INCONCLUSIVE, reason, a, b), needed=needed)
    return _judge(a, b, asked, names)


def _nothing() -> Comparison:
    return Comparison("", 0.0, 0.0, 1.0, 0.0, 0.0, False, False, False, 1.0)


def _closed(verdict: Fidelity, reason: str, a: Sequence[Draw], b: Sequence[Draw]) -> Judged:
    return Judged(StageVerdict(STAGE, verdict, reason, None, ()), (len(a), len(b)))


def _mismatch(a: Sequence[Draw], b: Sequence[Draw]) -> tuple[Fidelity, str] | None:
    """Return why two builds cannot be compared, or None."""
    for side, draws in (("a", a), ("b", b)):
        if not draws:
            return Fidelity.INCONCLUSIVE, f"side {side} left no trained model"
        if (
            any(draw.samples is None or not draw.samples.size for draw in draws)
            or not draws[0].losses
        ):
            return (
                Fidelity.INCONCLUSIVE,
                f"side {side} has no losses or no samples of a seed",
            )
    terms = [{(name, len(value)) for name, value in draw.losses.items()} for draw in (*a, *b)]
    odd = {item for term in terms for item in term if any(item not in other for other in terms)}
    if odd:
        names = sorted({name for name, _ in odd})
        return (
            Fidelity.FAIL,
            "the loss curves of the two sides are not the same terms and steps: "
            + ", ".join(names[:5]),
        )
    shapes = {draw.samples.shape for draw in (*a, *b) if draw.samples is not None}
    if len(shapes) > 1:
        return Fidelity.FAIL, "samples differ in shape: " + ", ".join(
            str(list(shape)) for shape in sorted(shapes)
        )
    return None


def _names(channels: Sequence[str], draws: Sequence[Draw]) -> list[str]:
    first = draws[0].samples
    assert first is not None
    count = first.shape[2]
    return (
        list(channels)
        if len(channels) == count
        else [f"channel {number}" for number in range(count)]
    )


def _seedless(a: Sequence[Draw], b: Sequence[Draw]) -> tuple[Fidelity, str] | None:
    """Return the verdict on a side whose seeds all give the same run, or None."""
    alike = [len(side) > 1 and all(_same(side[0], other) for other in side[1:]) for side in (a, b)]
    if all(alike):
        return (
            Fidelity.INCONCLUSIVE,
            "on both sides every seed gives the same run: there is no spread to judge by",
        )
    if any(alike):
        return (
            Fidelity.FAIL,
            (
                f"side {'a' if alike[0] else 'b'} gives the same run for every seed: its seed has"
                " no effect"
            ),
        )
    return None


def _same(one: Draw, other: Draw) -> bool:
    assert one.samples is not None
    assert other.samples is not None
    losses = all(
        np.array_equal(value, other.losses[name], equal_nan=True)
        for name, value in one.losses.items()
    )
    return losses and np.array_equal(one.samples, other.samples, equal_nan=True)


def _judge(a: Sequence[Draw], b: Sequence[Draw], asked: int, names: Sequence[str]) -> Judged:
    whole = [[draw for draw in side if not draw.diverged] for side in (a, b)]
    suspects: list[Suspect] = []
    compared: list[Comparison] = []
    items = [_divergence(a, b)]
    if min(len(side) for side in whole) >= MIN_SEEDS:
        for quantity in quantities(whole[0], whole[1], names):
            if not np.all(np.isfinite([*quantity.a, *quantity.b])):
                items.append(
                    TensorVerdict(
                        quantity.name, Fidelity.NULL, "not defined: a channel is constant"
                    )
                )
                continue
            found, judged, spread = _quantity(quantity)
            compared.append(found)
            suspects += [judged, spread]
        rows = [[draw.samples for draw in side if draw.samples is not None] for side in whole]
        suspects += [
            _sample_test(test) for test in permutation.two_sample(rows[0], rows[1], names, MARGIN)
        ]
    discovered = [p <= ALPHA for p in equivalence.adjusted([suspect.p for suspect in suspects])]
    for suspect, shown in zip(suspects, discovered, strict=True):
        item = suspect.item
        items.append(
            dataclasses.replace(
                item,
                verdict=Fidelity.FAIL,
                reason=f"{item.reason}; shown, and beyond the margin",
            )
            if shown and suspect.large
            else item
        )
    return dataclasses.replace(_sum_up(a, b, asked, items, compared), tests=tuple(suspects))


def _divergence(a: Sequence[Draw], b: Sequence[Draw]) -> TensorVerdict:
    """Compare how many trainings diverge; one that does is evidence, and keeps a PASS away."""
    count_a, count_b = (sum(draw.diverged for draw in side) for side in (a, b))
    p = float(stats.fisher_exact([[count_a, len(a) - count_a], [count_b, len(b) - count_b]]).pvalue)
    share = abs(count_a / len(a) - count_b / len(b))
    verdict = (
        Fidelity.FAIL
        if p < DIVERGED_ALPHA and share > DIVERGED_MARGIN
        else Fidelity.INCONCLUSIVE
        if count_a or count_b
        else Fidelity.INFO
    )
    reason = f"{count_a} of {len(a)} trainings of a and {count_b} of {len(b)} of b are not finite"
    return TensorVerdict(DIVERGED, verdict, f"{reason}, p = {p:.2g}", share, None, DIVERGED_MARGIN)


def _quantity(quantity: Quantity) -> tuple[Comparison, Suspect, Suspect]:
    """Return the comparison of one quantity, and the two differences that it may show: of the means
    and of the spreads."""
    found = equivalence.compare(quantity.name, quantity.a, quantity.b, quantity.negligible)
    reason = (
        f"means differ by {found.effect:.2g} spreads between seeds, margin {MARGIN:g}, equivalent"
        f" below {found.bound:.2g}"
    )
    if found.constant:
        reason = (
            "the same for every seed of both sides"
            if found.equivalent
            else "constant on both sides, and not the same"
        )
    verdict = (
        Fidelity.INCONCLUSIVE
        if not found.equivalent
        else Fidelity.NULL
        if found.constant
        else Fidelity.PASS
    )
    # The floor is what the seeds' own noise takes off the margin: error <= threshold - floor is an
    # equivalence.
    item = TensorVerdict(
        quantity.name,
        verdict,
        reason,
        found.effect,
        MARGIN - found.bound,
        MARGIN,
        _values(found.mean_a, found.mean_b, found.effect),
    )
    ratio, p = equivalence.spread_differs(quantity.a, quantity.b)
    spreads = _values(float(np.std(quantity.a, ddof=1)), float(np.std(quantity.b, ddof=1)), ratio)
    spread = TensorVerdict(
        f"{quantity.name}{SPREAD}",
        Fidelity.INFO,
        f"one spread is {ratio:.2g} times the other",
        ratio,
        1.0,
        SPREAD_MARGIN,
        spreads,
    )
    matters = (
        abs(float(np.std(quantity.a, ddof=1)) - float(np.std(quantity.b, ddof=1)))
        > quantity.negligible
    )
    return (
        found,
        Suspect(item, found.p, found.large),
        Suspect(spread, p, ratio > SPREAD_MARGIN and matters),
    )


def _values(a: float, b: float, error: float) -> Difference:
    return Difference(error, (), a, b, math.nan, math.nan, True, True)


def _sample_test(test: permutation.SampleTest) -> Suspect:
    reason = (
        f"effect {test.effect:.2g}, large beyond {test.margin:.2g}, p = {test.p:.2g} by permuting"
        " the seeds' labels"
    )
    return Suspect(
        TensorVerdict(test.name, Fidelity.INFO, reason, test.effect, None, test.margin),
        test.p,
        test.effect > test.margin,
    )


def _sum_up(
    a: Sequence[Draw],
    b: Sequence[Draw],
    asked: int,
    items: list[TensorVerdict],
    compared: list[Comparison],
) -> Judged:
    seeds = (len(a), len(b))
    # A difference of means says more than one of spreads, whose unit is another.
    failed = sorted(
        (item for item in items if item.verdict == Fidelity.FAIL),
        key=lambda item: (item.name.endswith(SPREAD), -item.margin),
    )
    if failed:
        reason = (
            f"{len(failed)} differences shown at a false discovery rate of {ALPHA:.0%} and beyond"
            " the margin, the largest in "
        )
        return Judged(
            StageVerdict(
                STAGE,
                Fidelity.FAIL,
                f"{reason}{failed[0].name} ({failed[0].reason})",
                failed[0],
                tuple(items),
            ),
            seeds,
        )
    shown = [item for item in items if item.verdict == Fidelity.PASS]
    unsure = sorted(
        (item for item in items if item.verdict == Fidelity.INCONCLUSIVE),
        key=lambda item: -item.margin,
    )
    short = (
        ""
        if min(seeds) >= asked
        else (
            f"{asked} seeds a build were asked for, {seeds[0]} of a and {seeds[1]} of b left a"
            " model"
        )
    )
    if unsure or short or not shown:
        diverged = any(item.name == DIVERGED for item in unsure)
        needed = (
            equivalence.seeds_needed(compared, min(seeds)) if compared and not diverged else None
        )
        open_ones = (
            f"{len(unsure)} of {len(unsure) + len(shown)} quantities not shown to be equivalent"
            if unsure
            else ""
        )
        worst = unsure[0] if unsure else None
        first = f"first {worst.name} ({worst.reason})" if worst else ""
        hint = (
            f"about {needed} seeds a build would tell"
            if needed
            else ""
            if diverged
            else _hopeless(compared)
        )
        reason = (
            "; ".join(part for part in (short, open_ones, first, hint) if part)
            or "nothing could be compared"
        )
        return Judged(
            StageVerdict(STAGE, Fidelity.INCONCLUSIVE, reason, worst, tuple(items)),
            seeds,
            needed,
        )
    worst = max(shown, key=lambda item: item.margin)
    uncounted = sum(item.verdict == Fidelity.NULL for item in items)
    also = (
        f"; {uncounted} more are constant or, with a constant channel, not defined"
        if uncounted
        else ""
    )
    furthest = f"the furthest apart {worst.name} ({worst.reason})"
    reason = (
        f"{len(shown)} quantities equivalent over {seeds[0]} and {seeds[1]} seeds, {furthest}{also}"
    )
    return Judged(StageVerdict(STAGE, Fidelity.PASS, reason, worst, tuple(items)), seeds)


def _hopeless(compared: Sequence[Comparison]) -> str:
    """Say that more seeds may not help, where there was something to compare."""
    if not compared:
        return ""
    worst = max(compared, key=lambda item: item.effect)
    return (
        f"the difference in {worst.name} is so near the margin or beyond it that no number of seeds"
        " is foreseen to show equivalence"
    )
