"""What the words of a report mean, a sentence each, for the pages that use them."""

from __future__ import annotations

from harness.results.model import Report
from harness.speed.verdict import MARGIN

TERMS = {
    "floor": (
        "how far honest variations - one unit in the last place, another order of summation - move"
        " a tensor on either build: what rounding alone does."
    ),
    "threshold": (
        "the largest error that is still taken for rounding, made from the floor with room to"
        " spare; beyond it, a tensor departs."
    ),
    "horizon": (
        "late in training honest variations alone can differ by as much as the values do; what lies"
        " beyond that is not judged."
    ),
    "null": (
        "a tensor that is zero by mathematics, as the gradient of a bias before a batch"
        " normalisation: what is computed of it is rounding, neither agreement nor fault."
    ),
    "tape": (
        "the noise tape: weights, batches and every random number, drawn once and given to both"
        " sides, so that they train on the same draws."
    ),
    "teacher forcing": (
        "each layer is computed again from the other side's values of those before it, so that a"
        " wrong layer is found and those behind it are not blamed."
    ),
    "margin": (
        f"a difference in step time within {100 * MARGIN:g} % is called as fast; a material one"
        " lies outside it with its whole 99 % interval."
    ),
}


def used(report: Report) -> dict[str, str]:
    """Return the terms that a report uses, in the order in which a reader meets them."""
    stages = report.stages
    present = {
        "floor": bool(stages),
        "threshold": bool(stages),
        "horizon": any(row.beyond for row in stages),
        "null": any(row.null for row in stages),
        "tape": bool(report.tapes) or bool(report.curves),
        "teacher forcing": any(row.wrong_layers for row in stages),
        "margin": bool(report.speed),
    }
    return {name: text for name, text in TERMS.items() if present[name]}
