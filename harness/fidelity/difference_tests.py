"""The differences that two builds' trainings may show, each one test of the distribution stage: of
how many diverge, of a quantity's means and of its spreads, of the generated rows.

A test alone never fails a stage: `distribution` holds the false discovery rate over all of them.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import scipy

from harness.fidelity import equivalence, permutation
from harness.fidelity.equivalence import MARGIN, Comparison
from harness.fidelity.measure import TensorDifference
from harness.fidelity.summaries import Draw, Quantity
from harness.fidelity.verdict import TensorVerdict
from harness.results.verdicts import Fidelity

DIVERGED = "diverged trainings"
SPREAD = ", spread between seeds"
#: Two spreads between seeds are different in a way that matters if one is so many times the other.
SPREAD_MARGIN = 3.0
#: And two shares of trainings that diverge, if they are so far apart. One question about whole
#: trainings is not lost among a hundred about their numbers: it has a level of its own.
DIVERGED_MARGIN, DIVERGED_ALPHA = 0.25, 0.01


@dataclasses.dataclass(frozen=True)
class DifferenceTest:
    """A difference test: FAIL if it is discovered and `large`."""

    item: TensorVerdict
    p: float
    large: bool


def divergence(a: Sequence[Draw], b: Sequence[Draw]) -> TensorVerdict:
    """Compare how many trainings diverge; one that does is evidence, and keeps a PASS away."""
    count_a, count_b = sum(draw.diverged for draw in a), sum(draw.diverged for draw in b)
    p = float(
        scipy.stats.fisher_exact([[count_a, len(a) - count_a], [count_b, len(b) - count_b]]).pvalue
    )
    share = abs(count_a / len(a) - count_b / len(b))
    if p < DIVERGED_ALPHA and share > DIVERGED_MARGIN:
        verdict = Fidelity.FAIL
    elif count_a or count_b:
        verdict = Fidelity.INCONCLUSIVE
    else:
        verdict = Fidelity.INFO
    reason = f"{count_a} of {len(a)} trainings of a and {count_b} of {len(b)} of b are not finite"
    return TensorVerdict(DIVERGED, verdict, f"{reason}, p = {p:.2g}", share, None, DIVERGED_MARGIN)


def of_quantity(quantity: Quantity) -> tuple[Comparison, DifferenceTest, DifferenceTest]:
    """Return the comparison of one quantity, and the two differences that it may show: of the means
    and of the spreads."""
    comparison = equivalence.compare(quantity.name, quantity.a, quantity.b, quantity.negligible)
    means = DifferenceTest(_means(quantity.name, comparison), comparison.p, comparison.large)
    return comparison, means, _spreads(quantity)


def _means(name: str, comparison: Comparison) -> TensorVerdict:
    reason = (
        f"means differ by {comparison.effect:.2g} spreads between seeds, margin {MARGIN:g},"
        f" equivalent below {comparison.bound:.2g}"
    )
    if comparison.constant and comparison.equivalent:
        reason = "the same for every seed of both sides"
    elif comparison.constant:
        reason = "constant on both sides, and not the same"
    if not comparison.equivalent:
        verdict = Fidelity.INCONCLUSIVE
    elif comparison.constant:
        verdict = Fidelity.NULL
    else:
        verdict = Fidelity.PASS
    return TensorVerdict(
        name,
        verdict,
        reason,
        error=comparison.effect,
        # What the seeds' own noise takes off the margin: error <= threshold - floor is an
        # equivalence.
        floor=MARGIN - comparison.bound,
        threshold=MARGIN,
        difference=_values(comparison.mean_a, comparison.mean_b, comparison.effect),
    )


def _spreads(quantity: Quantity) -> DifferenceTest:
    ratio, p = equivalence.spread_differs(quantity.a, quantity.b)
    spread_a, spread_b = (float(np.std(side, ddof=1)) for side in (quantity.a, quantity.b))
    item = TensorVerdict(
        f"{quantity.name}{SPREAD}",
        Fidelity.INFO,
        f"one spread is {ratio:.2g} times the other",
        error=ratio,
        floor=1.0,
        threshold=SPREAD_MARGIN,
        difference=_values(spread_a, spread_b, ratio),
    )
    matters = abs(spread_a - spread_b) > quantity.negligible
    return DifferenceTest(item, p, ratio > SPREAD_MARGIN and matters)


def _values(a: float, b: float, error: float) -> TensorDifference:
    return TensorDifference(
        error,
        index=(),
        value_a=a,
        value_b=b,
        norm_error=math.nan,
        cosine=math.nan,
        finite=True,
        same_mask=True,
    )


def of_rows(test: permutation.SampleTest) -> DifferenceTest:
    """Return a test on generated rows as one of the stage's difference tests."""
    reason = (
        f"effect {test.effect:.2g}, large beyond {test.margin:.2g}, p = {test.p:.2g} by permuting"
        " the seeds' labels"
    )
    item = TensorVerdict(test.name, Fidelity.INFO, reason, test.effect, None, test.margin)
    return DifferenceTest(item, test.p, test.effect > test.margin)
