"""What steps cost beside time, as one table for all renderers: a line for each build and action,
with the reasons of what is missing.

The files show every column; a terminal those that a reader asks for first. A pair's two sides are
two lines, and a build that is in several pairs has one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

from harness.report import format as spell
from harness.report.labels import of_machine
from harness.results.model import Cost, SpeedRow


@dataclasses.dataclass(frozen=True)
class CostLine:
    """One build's step.

    Attributes:
        row: names the workload, preset and action.
        precision: this side's own.
    """

    row: SpeedRow
    build: str
    precision: str
    first_s: float | None
    build_s: float | None
    peak_bytes: int | None
    cost: Cost


#: Heads and cells of every column, in the order in which they are shown.
COLUMNS: dict[str, Callable[[CostLine], str]] = {
    "building": lambda line: spell.seconds(line.build_s),
    "first step": lambda line: spell.seconds(line.first_s),
    "of it trace, compile": lambda line: spell.seconds(line.cost.trace_s),
    "p50": lambda line: spell.seconds(line.cost.p50_s),
    "p95": lambda line: spell.seconds(line.cost.p95_s),
    "p99": lambda line: spell.seconds(line.cost.p99_s),
    "peak memory": lambda line: spell.memory(line.peak_bytes),
    "baseline": lambda line: spell.memory(line.cost.baseline_bytes),
    "on the GPU": lambda line: spell.memory(line.cost.device_peak_bytes),
    "operations": lambda line: spell.operations(line.cost.flops),
    "square product": lambda line: spell.operations(line.cost.peak_rate, "/s"),
    "utilisation": lambda line: spell.share(line.cost.utilisation),
    "energy": lambda line: spell.joules(line.cost.energy_j),
}
#: What a terminal of 80 columns has room for.
NARROW = ("first step", "p50", "p99", "peak memory", "baseline")
EXPLAINED = (
    "A step of each build. Baseline: memory of the process tree once the port was open. p50, p95,"
    " p99: single calls of generate. Operations: of a step's matrix products and convolutions;"
    " utilisation: their rate as a share of a large square product's."
)


def lines(rows: Sequence[SpeedRow]) -> list[CostLine]:
    """Return a line for each workload, precision, action and build, in the order of the rows."""
    by_key: dict[tuple[str, ...], CostLine] = {}
    for row in rows:
        for line in () if row.by_phase else _sides(row):
            key = (row.workload, row.preset, row.action, str(row.seed), line.build, line.precision)
            of_one = dataclasses.replace(line, precision=f"{line.precision}{of_machine(row)}")
            by_key.setdefault((*key, row.machine), of_one)
    return list(by_key.values())


def _sides(row: SpeedRow) -> Iterator[CostLine]:
    """Yield the line of each side whose cost is known."""
    precisions = row.precisions
    if row.a_cost is not None:
        yield CostLine(
            row=row,
            build=row.a,
            precision=precisions.a,
            first_s=row.a_first_step_s,
            build_s=row.a_build_s,
            peak_bytes=row.a_peak_bytes,
            cost=row.a_cost,
        )
    if row.b_cost is not None:
        yield CostLine(
            row=row,
            build=row.b,
            precision=precisions.b,
            first_s=row.b_first_step_s,
            build_s=row.b_build_s,
            peak_bytes=row.b_peak_bytes,
            cost=row.b_cost,
        )


def ordered(rows: Sequence[SpeedRow]) -> tuple[SpeedRow, ...]:
    """Return rows whose costs name what is missing in the order of report.json.

    Rendering a report that was read back then gives the same bytes.
    """
    return tuple(
        dataclasses.replace(row, a_cost=_ordered(row.a_cost), b_cost=_ordered(row.b_cost))
        for row in rows
    )


def _ordered(cost: Cost | None) -> Cost | None:
    if cost is None:
        return None
    return dataclasses.replace(cost, missing=dict(sorted(cost.missing.items())))


def reasons(cost_lines: Sequence[CostLine]) -> list[str]:
    """Return why numbers are missing, each reason once; where not of all builds, with theirs."""
    without: dict[tuple[str, str], list[str]] = {}
    for line in cost_lines:
        for name, reason in line.cost.missing.items():
            without.setdefault((_names(name), reason), []).append(line.build)
    everybody = {line.build for line in cost_lines}
    grouped: dict[tuple[str, str], list[str]] = {}
    for (name, reason), builds in without.items():
        whose = "" if set(builds) == everybody else " of " + ", ".join(dict.fromkeys(builds))
        grouped.setdefault((reason, whose), []).append(name)
    return [
        f"no {', '.join(dict.fromkeys(names))}{whose}: {reason}"
        for (reason, whose), names in grouped.items()
    ]


def _names(name: str) -> str:
    """Return the word by which a table knows an attribute of `Cost`."""
    words = {
        "device_peak_bytes": "memory on the GPU",
        "energy_j": "energy",
        "flops": "operations",
        "peak_rate": "square product",
        "p50_s": "p50",
        "p95_s": "p95",
        "p99_s": "p99",
        "baseline_bytes": "baseline",
        "peak_bytes": "peak of the action alone",
        "private_bytes": "peak without mapped files",
    }
    return words.get(name, name)


def sources(cost_lines: Sequence[CostLine]) -> list[str]:
    """Return who counted the operations, by build."""
    counted: dict[str, list[str]] = {}
    for line in cost_lines:
        if line.cost.flops_source:
            counted.setdefault(line.cost.flops_source, []).append(line.build)
    return [
        f"operations of {', '.join(dict.fromkeys(builds))}: {source}"
        for source, builds in counted.items()
    ]
