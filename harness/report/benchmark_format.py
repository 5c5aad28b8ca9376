"""Paired results in pytest-benchmark's format, so that `pytest-benchmark compare` and what else
reads its files can show them.

A round of fresh processes is the unit: a benchmark's `data` are one step time a round, never the
thousands of correlated steps inside it, so that its standard deviation is the one that means
something. The ratio with its interval, which that format has no place for, stands in `extra_info`.

The format is that of pytest-benchmark 3.1 to 5.3: machine_info, commit_info, benchmarks with group,
name, fullname, params, param, extra_info, options and stats, datetime, version.
"""

from __future__ import annotations

import dataclasses
import json
import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from harness.results.model import SpeedRow

#: The version of the tool that wrote files like these first; a reader only wants one that it knows.
VERSION = "4.0.0"
#: Stands for the precision in the group of one build's precisions.
PRECISIONS = "precisions"


@dataclasses.dataclass(frozen=True)
class MeasuredSide:
    """One side of one action of one speed job.

    Attributes:
        group: what is compared with each other, e.g. `cnn small fp32 train`.
        build: the side's label.
        step_s: one step time a round, seconds.
        steps_a_sample: how many steps a sample was the mean of.
        identity: what the worker said of its build.
    """

    group: str
    build: str
    step_s: tuple[float, ...]
    steps_a_sample: int
    identity: Mapping[str, Any]


def render(measured: Sequence[MeasuredSide], rows: Sequence[SpeedRow], created: str) -> str:
    """Return the file's text.

    Args:
        measured: the sides; those without step times are left out.
        rows: the judged pairs; each is written with the side that it judges, b.
        created: ISO 8601.
    """
    judged: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        judged.setdefault((group(row), row.b), {})[row.a] = {
            "ratio": row.ratio,
            "low": row.low,
            "high": row.high,
            "confidence": 0.99,
            "verdict": row.verdict,
            "material": row.material,
            "settings_that_differ": list(row.differences),
        }
    document = {
        "machine_info": _machine(measured),
        "commit_info": {
            "id": "unversioned",
            "time": None,
            "author_time": None,
            "dirty": False,
            "project": None,
            "branch": "(unknown)",
        },
        "benchmarks": [
            _benchmark(side, judged.get((side.group, side.build), {}))
            for side in measured
            if side.step_s
        ],
        "datetime": created,
        "version": VERSION,
    }
    return json.dumps(document, indent=4, allow_nan=False) + "\n"


def group(row: SpeedRow) -> str:
    """Return the group of a row's benchmarks; one build's precisions are a group of their own."""
    return f"{row.workload} {row.preset} {PRECISIONS if row.gain else row.precision} {row.action}"


def _benchmark(side: MeasuredSide, against: Mapping[str, Any]) -> dict[str, Any]:
    name = f"{side.group.replace(' ', '-')}[{side.build}]"
    return {
        "group": side.group,
        "name": name,
        "fullname": f"harness compare::{name}",
        "params": {"build": side.build},
        "param": side.build,
        "extra_info": {
            "versions": dict(side.identity.get("versions", {})),
            "python": side.identity.get("python", ""),
            "against": dict(against),
        },
        "options": {
            "disable_gc": True,
            "timer": "perf_counter",
            "min_rounds": len(side.step_s),
            "warmup": True,
        },
        "stats": statistics_of(side.step_s, side.steps_a_sample),
    }


def statistics_of(data_s: Sequence[float], iterations: int) -> dict[str, Any]:
    """Return the statistics that the format has, by its names.

    `q1` and `q3`: quartiles, inclusive; `ld15iqr` and `hd15iqr`: the outermost values within 1.5
    interquartile ranges of them; `outliers`: how many lie beyond one standard deviation, and beyond
    those.
    """
    mean, ordered = statistics.fmean(data_s), sorted(data_s)
    spread, quartiles = 0.0, [ordered[0]] * 3
    if len(data_s) > 1:
        spread = statistics.stdev(data_s)
        quartiles = statistics.quantiles(data_s, n=4, method="inclusive")
    q1, median, q3 = quartiles
    fence = 1.5 * (q3 - q1)
    inside = [value for value in ordered if q1 - fence <= value <= q3 + fence]
    far = sum(abs(value - mean) > spread for value in data_s)
    beyond = len(ordered) - len(inside)
    return {
        "min": ordered[0],
        "max": ordered[-1],
        "mean": mean,
        "stddev": spread,
        "rounds": len(data_s),
        "median": median,
        "iqr": q3 - q1,
        "q1": q1,
        "q3": q3,
        "iqr_outliers": beyond,
        "stddev_outliers": far,
        "outliers": f"{far};{beyond}",
        "ld15iqr": inside[0],
        "hd15iqr": inside[-1],
        "ops": 1.0 / mean if mean else 0.0,
        "total": math.fsum(data_s),
        "data": list(data_s),
        "iterations": iterations,
    }


def _machine(measured: Sequence[MeasuredSide]) -> dict[str, Any]:
    """Return what the tool compares two machines by; each build has its own Python."""
    first = measured[0].identity if measured else {}
    return {
        "node": "",
        "processor": str(first.get("processor", "")),
        "machine": str(first.get("machine", "")),
        "system": "",
        "release": str(first.get("platform", "")),
        "python_version": "",
        "python_implementation": "",
        "cpu": {"count": first.get("cpus")},
    }
