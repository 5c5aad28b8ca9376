"""From honest comparisons to `harness/fidelity/honest_spread.py`: how far honest ports lie
apart, in units of the measured floor."""

from __future__ import annotations

import dataclasses
import math
import pprint
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from backends.contract import Stage
from harness.fidelity import noise
from harness.fidelity.grades import DIRECT
from harness.results.verdicts import Bounds
from tests.evaluation.zoo.honest import Comparison

TARGET = Path(__file__).parents[3] / "harness/fidelity/honest_spread.py"
HEADER = '''\
"""How far honest ports lie apart, in units of the measured floor: what thresholds rest on.

Written by `python -m tests.evaluation.zoo --measure`; docs/zoo.md says what was compared. Not to be
edited by hand.
"""

from __future__ import annotations

from backends.contract import Stage
from harness.results.verdicts import Bounds

'''


@dataclasses.dataclass(frozen=True)
class Ratio:
    """Error in units of the floor, of one tensor of one honest comparison."""

    precision: str
    stage: str
    workload: str
    kind: str
    value: float
    name: str


@dataclasses.dataclass(frozen=True)
class Measured:
    """What the comparisons say.

    Attributes:
        comparisons, tensors: how many were looked at.
        largest: by precision and stage, the largest error in units of the floor.
        surprise: by how much a workload, or a kind of comparison, exceeds what all others would
            have made one expect: the largest quotient over stages and over what is left out; at
            least 1.
        float64_floor: the largest floor of a float64 tensor before rounding had steps to grow.
        least_cost: by precision, the smallest error of a low-precision run in units of what the
            precision necessarily costs.
    """

    comparisons: int
    tensors: int
    largest: dict[str, dict[str, float]]
    surprise: float
    float64_floor: float
    least_cost: dict[str, float]

    def factor(self, stage: str) -> float:
        """Return threshold / floor of a stage, as `harness.fidelity.noise.coverage` will once
        this is written."""
        return self.surprise * max(1.0, *(row.get(stage, 0.0) for row in self.largest.values()))


def measure(comparisons: Sequence[Comparison]) -> Measured:
    """Sum up honest comparisons."""
    ratios = [ratio for one in comparisons for ratio in _ratios(one)]
    largest: dict[str, dict[str, float]] = defaultdict(dict)
    for ratio in ratios:
        row = largest[ratio.precision]
        row[ratio.stage] = max(ratio.value, row.get(ratio.stage, 0.0))
    return Measured(
        len(comparisons),
        len(ratios),
        {key: dict(sorted(row.items())) for key, row in sorted(largest.items())},
        max(_surprise(ratios, "workload"), _surprise(ratios, "kind")),
        _float64_floor(comparisons),
        _least_cost(comparisons),
    )


def _ratios(one: Comparison) -> list[Ratio]:
    return [
        Ratio(
            one.precision,
            verdict.stage,
            one.workload,
            one.kind,
            noise.coverage(verdict.stage) * item.error / item.threshold,
            item.name,
        )
        for verdict in one.verdicts
        for item in verdict.tensors
        if item.verdict in ("PASS", "FAIL")
        and item.threshold
        and item.error is not None
        and math.isfinite(item.error)
    ]


def _surprise(ratios: Iterable[Ratio], what: str) -> float:
    """Leave one workload, or kind, out at a time: how much larger is its largest ratio than that
    of all the others?"""
    tops: dict[str, dict[str, float]] = defaultdict(dict)
    for ratio in ratios:
        row, group = tops[ratio.stage], getattr(ratio, what)
        row[group] = max(ratio.value, row.get(group, 0.0))
    found = [1.0]
    for row in tops.values():
        ordered = sorted(row.values())
        # Below one floor nothing is a surprise: no threshold is lower.
        found += [ordered[-1] / max(ordered[-2], 1.0)] if len(ordered) > 1 else []
    return max(found)


def _float64_floor(comparisons: Iterable[Comparison]) -> float:
    return max(
        (
            item.floor
            for one in comparisons
            if one.precision == "fp64"
            for verdict in one.verdicts
            if verdict.stage in DIRECT
            for item in verdict.tensors
            if item.verdict == "PASS" and item.floor is not None
        ),
        default=0.0,
    )


def _least_cost(comparisons: Iterable[Comparison]) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in comparisons:
        for item in (
            item
            for verdict in one.verdicts
            if verdict.stage == "precision"
            for item in verdict.tensors
        ):
            if item.necessary and item.error is not None:
                found[one.precision] = min(
                    item.error / item.necessary, found.get(one.precision, math.inf)
                )
    return dict(sorted(found.items()))


def text(found: Measured) -> str:
    """Return the module."""
    rounded = {precision: _rounded_up(row) for precision, row in found.largest.items()}
    least_cost = {key: float(f"{value:.2g}") for key, value in found.least_cost.items()}
    return HEADER + "\n".join(
        [
            "#: Honest comparisons, and the tensors in them.",
            f"COMPARISONS, TENSORS = {found.comparisons}, {found.tensors}",
            "#: Largest error of a tensor in units of its floor, by precision and stage.",
            f"LARGEST: dict[str, dict[Stage | Bounds, float]] = {_table(rounded)}",
            (
                "#: How much a workload or a kind of comparison that was left out exceeds what the"
                " others made one expect."
            ),
            f"SURPRISE = {_up(found.surprise)}",
            "#: Largest floor of a float64 activation, loss or gradient.",
            f"FLOAT64_FLOOR = {found.float64_floor:.2e}",
            (
                "#: Smallest error of a run in a lower precision, in units of what rounding the"
                " weights and inputs alone costs."
            ),
            f"LEAST_COST = {pprint.pformat(least_cost)}",
            "",
        ]
    )


def _table(rows: Mapping[str, Mapping[str, float]]) -> str:
    """Return the largest ratios as code, the stages by their members."""
    lines = []
    for precision, row in rows.items():
        members = ", ".join(f"{_member(stage)}: {value}" for stage, value in row.items())
        lines.append(f'    "{precision}": {{{members}}},')
    return "\n".join(["{", *lines, "}"])


def _rounded_up(row: Mapping[str, float]) -> dict[str, float]:
    return {stage: _up(value) for stage, value in row.items()}


def _member(word: str) -> str:
    kind = Bounds if word in [*Bounds] else Stage
    return f"{kind.__name__}.{kind(word).name}"


def _up(value: float) -> float:
    """Round up to hundredths: a bound must not become smaller on its way into a file."""
    return math.ceil(value * 100.0) / 100.0
