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
from collections.abc import Sequence

import numpy as np

from backends.contract import Stage
from harness.fidelity import difference_tests, equivalence, permutation
from harness.fidelity.difference_tests import DIVERGED, SPREAD, DifferenceTest
from harness.fidelity.equivalence import ALPHA, MARGIN, MIN_SEEDS, Comparison
from harness.fidelity.summaries import Draw, quantities, sample_rows
from harness.fidelity.verdict import StageVerdict, TensorVerdict
from harness.results.verdicts import Fidelity

STAGE = Stage.DISTRIBUTION
#: A quantity of which nothing is known but that both builds have it.
NO_DIFFERENCE = Comparison(
    name="",
    mean_a=0.0,
    mean_b=0.0,
    spread=1.0,
    effect=0.0,
    bound=0.0,
    equivalent=False,
    constant=False,
    large=False,
    p=1.0,
)


@dataclasses.dataclass(frozen=True)
class JudgedDistribution:
    """The verdict, how many seeds of each build it rests on, and how many would do where they were
    too few (None: unknown).

    `tests` are the difference tests over which the false discovery rate was held, with their
    p-values as they were before.
    """

    verdict: StageVerdict
    seeds: tuple[int, int]
    needed: int | None = None
    tests: tuple[DifferenceTest, ...] = ()


def judge_distribution(
    a: Sequence[Draw], b: Sequence[Draw], requested: int, channels: Sequence[str] = ()
) -> JudgedDistribution:
    """Judge what the seeds of two builds left.

    Args:
        a, b: one draw a seed; a is the original, whose spread between seeds is the margin's unit.
        requested: how many seeds a build there should be: fewer draws never pass.
        channels: names of the samples' channels; numbered if there are none.
    """
    problem = _mismatch(a, b)
    if problem is not None:
        return _closed(*problem, a, b)
    names = _names(channels, a)
    seedless = _seedless(a, b)
    if seedless is not None:
        return _closed(*seedless, a, b)
    if min(len(a), len(b)) < MIN_SEEDS:
        count = sum(1 for _ in quantities(a, b, names))
        needed = equivalence.seeds_needed([NO_DIFFERENCE] * count, 1)
        reason = (
            f"{min(len(a), len(b))} seeds a build say nothing about a spread: about {needed} seeds"
            " a build are needed"
        )
        return dataclasses.replace(_closed(Fidelity.INCONCLUSIVE, reason, a, b), needed=needed)
    return _judge(a, b, requested, names)


def _closed(
    verdict: Fidelity, reason: str, a: Sequence[Draw], b: Sequence[Draw]
) -> JudgedDistribution:
    return JudgedDistribution(StageVerdict(STAGE, verdict, reason, None, ()), (len(a), len(b)))


def _mismatch(a: Sequence[Draw], b: Sequence[Draw]) -> tuple[Fidelity, str] | None:
    """Return why two builds cannot be compared, or None."""
    for side, draws in (("a", a), ("b", b)):
        if not draws:
            return Fidelity.INCONCLUSIVE, f"side {side} left no trained model"
        unsampled = any(draw.samples is None or not draw.samples.size for draw in draws)
        if unsampled or not draws[0].losses:
            return Fidelity.INCONCLUSIVE, f"side {side} has no losses or no samples of a seed"
    names = _odd_terms([*a, *b])
    if names:
        reason = "the loss curves of the two sides are not the same terms and steps: "
        return Fidelity.FAIL, reason + ", ".join(names[:5])
    shapes = {draw.samples.shape for draw in (*a, *b) if draw.samples is not None}
    if len(shapes) > 1:
        listed = ", ".join(str(list(shape)) for shape in sorted(shapes))
        return Fidelity.FAIL, f"samples differ in shape: {listed}"
    return None


def _odd_terms(draws: Sequence[Draw]) -> list[str]:
    """Return the loss terms that not every draw has with the same number of steps."""
    curves = [_lengths(draw) for draw in draws]
    odd = curves[0].union(*curves) - curves[0].intersection(*curves)
    return sorted({name for name, _ in odd})


def _lengths(draw: Draw) -> set[tuple[str, int]]:
    return {(name, len(curve)) for name, curve in draw.losses.items()}


def _names(channels: Sequence[str], draws: Sequence[Draw]) -> list[str]:
    first = draws[0].samples
    assert first is not None
    count = first.shape[2]
    if len(channels) == count:
        return list(channels)
    return [f"channel {number}" for number in range(count)]


def _seedless(a: Sequence[Draw], b: Sequence[Draw]) -> tuple[Fidelity, str] | None:
    """Return the verdict on a side whose seeds all give the same run, or None."""
    alike_a, alike_b = _all_alike(a), _all_alike(b)
    if alike_a and alike_b:
        return (
            Fidelity.INCONCLUSIVE,
            "on both sides every seed gives the same run: there is no spread to judge by",
        )
    if alike_a or alike_b:
        reason = "gives the same run for every seed: its seed has no effect"
        return Fidelity.FAIL, f"side {'a' if alike_a else 'b'} {reason}"
    return None


def _all_alike(draws: Sequence[Draw]) -> bool:
    return len(draws) > 1 and all(_same(draws[0], draw) for draw in draws[1:])


def _same(draw: Draw, other: Draw) -> bool:
    assert draw.samples is not None
    assert other.samples is not None
    losses = all(
        np.array_equal(curve, other.losses[name], equal_nan=True)
        for name, curve in draw.losses.items()
    )
    return losses and np.array_equal(draw.samples, other.samples, equal_nan=True)


def _judge(
    a: Sequence[Draw], b: Sequence[Draw], requested: int, names: Sequence[str]
) -> JudgedDistribution:
    items = [difference_tests.divergence(a, b)]
    tests: list[DifferenceTest] = []
    compared: list[Comparison] = []
    whole_a, whole_b = _not_diverged(a), _not_diverged(b)
    if min(len(whole_a), len(whole_b)) >= MIN_SEEDS:
        for quantity in quantities(whole_a, whole_b, names):
            if not np.all(np.isfinite([*quantity.a, *quantity.b])):
                reason = "not defined: a channel is constant"
                items.append(TensorVerdict(quantity.name, Fidelity.NULL, reason))
                continue
            comparison, means, spreads = difference_tests.of_quantity(quantity)
            compared.append(comparison)
            tests += [means, spreads]
        rows_a, rows_b = sample_rows(whole_a), sample_rows(whole_b)
        row_tests = permutation.two_sample(rows_a, rows_b, names, MARGIN)
        tests += [difference_tests.of_rows(test) for test in row_tests]
    items += _discoveries(tests)
    return dataclasses.replace(_sum_up(a, b, requested, items, compared), tests=tuple(tests))


def _not_diverged(draws: Sequence[Draw]) -> list[Draw]:
    return [draw for draw in draws if not draw.diverged]


def _discoveries(tests: Sequence[DifferenceTest]) -> list[TensorVerdict]:
    """Return what each difference test says once the false discovery rate over all is held."""
    items = []
    for test, p in zip(tests, equivalence.adjusted([test.p for test in tests]), strict=True):
        item = test.item
        if p <= ALPHA and test.large:
            reason = f"{item.reason}; shown, and beyond the margin"
            item = dataclasses.replace(item, verdict=Fidelity.FAIL, reason=reason)
        items.append(item)
    return items


def _sum_up(
    a: Sequence[Draw],
    b: Sequence[Draw],
    requested: int,
    items: list[TensorVerdict],
    compared: list[Comparison],
) -> JudgedDistribution:
    seeds = (len(a), len(b))
    # A difference of means says more than one of spreads, whose unit is another.
    failed = sorted(
        (item for item in items if item.verdict == Fidelity.FAIL),
        key=lambda item: (item.name.endswith(SPREAD), -item.margin),
    )
    if failed:
        reason = (
            f"{len(failed)} differences shown at a false discovery rate of {ALPHA:.0%} and beyond"
            f" the margin, the largest in {failed[0].name} ({failed[0].reason})"
        )
        return JudgedDistribution(
            StageVerdict(STAGE, Fidelity.FAIL, reason, failed[0], tuple(items)), seeds
        )
    shown = [item for item in items if item.verdict == Fidelity.PASS]
    unsure = sorted(
        (item for item in items if item.verdict == Fidelity.INCONCLUSIVE),
        key=lambda item: -item.margin,
    )
    if unsure or min(seeds) < requested or not shown:
        return _undecided(seeds, requested, items, unsure, compared)
    worst = max(shown, key=lambda item: item.margin)
    uncounted = sum(item.verdict == Fidelity.NULL for item in items)
    reason = (
        f"{len(shown)} quantities equivalent over {seeds[0]} and {seeds[1]} seeds,"
        f" the furthest apart {worst.name} ({worst.reason})"
    )
    if uncounted:
        reason += f"; {uncounted} more are constant or, with a constant channel, not defined"
    return JudgedDistribution(
        StageVerdict(STAGE, Fidelity.PASS, reason, worst, tuple(items)), seeds
    )


def _undecided(
    seeds: tuple[int, int],
    requested: int,
    items: Sequence[TensorVerdict],
    unsure: Sequence[TensorVerdict],
    compared: Sequence[Comparison],
) -> JudgedDistribution:
    """Return what is left where no difference is shown and not all is equivalent; `unsure`: the
    undecided items, the worst first."""
    diverged = any(item.name == DIVERGED for item in unsure)
    needed = equivalence.seeds_needed(compared, min(seeds)) if compared and not diverged else None
    worst = unsure[0] if unsure else None
    parts = []
    if min(seeds) < requested:
        parts.append(
            f"{requested} seeds a build were asked for, {seeds[0]} of a and {seeds[1]} of b left a"
            " model"
        )
    if worst is not None:
        shown = sum(item.verdict == Fidelity.PASS for item in items)
        parts += [
            f"{len(unsure)} of {len(unsure) + shown} quantities not shown to be equivalent",
            f"first {worst.name} ({worst.reason})",
        ]
    if needed:
        parts.append(f"about {needed} seeds a build would tell")
    elif compared and not diverged:
        parts.append(_hopeless(compared))
    reason = "; ".join(parts) or "nothing could be compared"
    verdict = StageVerdict(STAGE, Fidelity.INCONCLUSIVE, reason, worst, tuple(items))
    return JudgedDistribution(verdict, seeds, needed)


def _hopeless(compared: Sequence[Comparison]) -> str:
    """Say of which quantity more seeds may not help."""
    worst = max(compared, key=lambda item: item.effect)
    return (
        f"the difference in {worst.name} is so near the margin or beyond it that no number of seeds"
        " is foreseen to show equivalence"
    )
