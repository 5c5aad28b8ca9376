"""A judged report as other programs take it: parameters, single figures and loss curves, under
names that all of them accept.

Pure. A name is a path of parts. Programs differ in what they allow, and stores in files or in
databases too: letters, digits, `_`, `-`, `.` and spaces are what MLflow takes on every system, and
no name is the beginning of another's path.
"""

from __future__ import annotations

import collections
import dataclasses
import datetime
import hashlib
import re
from collections.abc import Iterator, Sequence

from harness.errors import CorruptRecord
from harness.results.model import BuildRow, QualityRow, Report, SpeedRow, StageRow
from harness.results.series import Column, Curve
from harness.results.verdicts import Fidelity

Name = tuple[str, ...]
#: MLflow's greatest length of a name is 250; a caller may put a few letters before one.
MOST = 240
UNSAFE = re.compile(r"[^A-Za-z0-9_.\- ]+")
DIGEST = 8
STAGE = ("error", "floor", "threshold", "max_error")
SPEED = ("ratio", "low", "high", "rounds")
SIDE = ("step_s", "rate", "warmup_s", "build_s", "first_step_s", "peak_bytes")
COST = (
    "baseline_bytes",
    "device_peak_bytes",
    "trace_s",
    "p50_s",
    "p95_s",
    "p99_s",
    "flops",
    "peak_rate",
    "utilisation",
    "energy_j",
)
QUALITY = ("mean", "low", "high", "baseline")


@dataclasses.dataclass(frozen=True)
class CurveGroup:
    """The loss curves of one build in one setting.

    Attributes:
        name: workload, preset, precision, mode and build.
    """

    name: Name
    curves: tuple[Curve, ...]


def part(text: str) -> str:
    """Return a part of a name that is accepted everywhere; another text may give the same."""
    safe = UNSAFE.sub("_", text.replace("/", ".")).strip(" ")
    return safe if safe.strip(".") else "_"


def keys(names: Sequence[Name]) -> dict[Name, str]:
    """Return a path for each name, different also to stores that do not distinguish a from A."""
    paths = {name: _path(name) for name in names}
    counts = collections.Counter(path.lower() for path in paths.values())
    return {
        name: _marked(path, name) if counts[path.lower()] > 1 or len(path) > MOST else path
        for name, path in paths.items()
    }


def _path(name: Name) -> str:
    return "/".join(part(item) for item in name)


def _marked(key: str, name: Name) -> str:
    """Return a path that carries the hash of its name."""
    digest = hashlib.sha256("\0".join(name).encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST]
    return f"{key[: MOST - DIGEST - 1].rstrip('/ ')}-{digest}"


def created(report: Report) -> datetime.datetime:
    """Return when a run began.

    Raises:
        CorruptRecord: the report says no time.
    """
    try:
        # Python 3.10 does not know the Z.
        return datetime.datetime.fromisoformat(report.created.replace("Z", "+00:00")).astimezone()
    except ValueError:
        raise CorruptRecord(
            f"the report's 'created' is {report.created!r}, and has to be a time as"
            " 2026-11-21T10:17:20+00:00"
        ) from None


def title(report: Report) -> str:
    """Return a name for a run that sorts by time, and then by what it compares.

    Raises:
        CorruptRecord: the report says no time.
    """
    created(report)
    moment = report.created[:19].replace(":", "").replace("T", "_")
    what = part(report.title).replace(" ", "-")
    return f"{moment}_{what}"[:100].rstrip(". ")


def parameters(report: Report) -> dict[Name, str]:
    """Return what a run was made of."""
    rows: list[StageRow | SpeedRow] = [*report.stages, *report.speed]
    sides = [side for row in rows for side in (row.a, row.b)]
    properties: dict[Name, Sequence[object]] = {
        ("workloads",): [row.workload for row in rows],
        ("builds",): [row.build for row in report.builds] or sides,
        ("precisions",): [row.precision for row in rows],
        ("presets",): [row.preset for row in rows],
        ("stages",): [row.stage for row in report.stages],
        ("seeds",): [row.seed for row in rows],
        ("threads",): [row.threads for row in report.speed],
        ("command",): [report.command],
        ("commit",): [report.commit],
        ("harness_version",): [report.harness_version],
    }
    words = {name: _listed(values) for name, values in properties.items()}
    words.update({("tape", name): digest for name, digest in report.tapes.items()})
    for row in report.builds:
        words.update({("build", row.build, *name): value for name, value in versions(row).items()})
    return {name: value for name, value in words.items() if value}


def _listed(values: Sequence[object]) -> str:
    """Return different values, each once; what is empty is left out."""
    return ", ".join(dict.fromkeys(str(value) for value in values if value != ""))


def versions(row: BuildRow) -> dict[Name, str]:
    """Return what a build turned out to be."""
    return {
        ("python",): row.python,
        ("platform",): row.platform,
        **{(f"version {name}",): value for name, value in row.versions.items()},
    }


def figures(report: Report) -> dict[Name, float]:
    """Return the judged numbers; what could not be had is left out, what is not finite stays."""
    values: dict[Name, float] = {}
    for name, value in _figures(report):
        if value is not None:
            unique, number = name, 2
            while unique in values:  # rows that differ in nothing that names them
                unique, number = (*name[:-2], f"{name[-2]} {number}", name[-1]), number + 1
            values[unique] = float(value)
    return values


def _figures(report: Report) -> Iterator[tuple[Name, float | None]]:
    for verdict in (Fidelity.PASS, Fidelity.FAIL, Fidelity.INCONCLUSIVE):
        count = sum(row.verdict == verdict for row in report.stages)
        yield ("summary", "stages", verdict.lower()), float(count)
    yield ("summary", "run", "exit_code"), float(report.exit_code)
    for stage in report.stages:
        yield from _stage(stage)
    for row in report.speed:
        yield from _speed(row)
    for metric in report.quality:
        yield from _quality(metric)


def _stage(row: StageRow) -> Iterator[tuple[Name, float | None]]:
    where = (
        "fidelity",
        row.workload,
        row.preset or "preset",
        row.precision,
        f"seed {row.seed}",
        f"{row.a} - {row.b}",
        row.stage,
    )
    for name in STAGE:
        yield (*where, name), getattr(row, name)


def _quality(row: QualityRow) -> Iterator[tuple[Name, float | None]]:
    where = ("quality", row.workload, row.preset, row.precision, row.build, row.metric)
    for name in QUALITY:
        yield (*where, name), getattr(row, name)


def _speed(row: SpeedRow) -> Iterator[tuple[Name, float | None]]:
    where = (
        "speed",
        row.workload,
        row.preset,
        row.precision,
        f"seed {row.seed}",
        f"{row.a} - {row.b}",
        row.action,
    )
    for name in SPEED:
        yield (*where, name), getattr(row, name)
    for side, cost in (("a", row.a_cost), ("b", row.b_cost)):
        for name in SIDE:
            yield (*where, f"{side}_{name}"), getattr(row, f"{side}_{name}")
        for name in COST if cost is not None else ():
            yield (*where, f"{side}_{name}"), getattr(cost, name)


def groups(report: Report) -> list[CurveGroup]:
    """Return the loss curves by workload, preset, precision, mode and build."""
    by_name: dict[Name, list[Curve]] = {}
    for curve in report.curves:
        name = (curve.workload, curve.preset, curve.precision, curve.mode, curve.build)
        by_name.setdefault(name, []).append(curve)
    return [CurveGroup(name, tuple(curves)) for name, curves in by_name.items()]


def points(steps: Sequence[int], column: Column) -> dict[int, float]:
    """Return the values of a column by step; steps without one are left out."""
    return {step: value for step, value in zip(steps, column, strict=False) if value is not None}
