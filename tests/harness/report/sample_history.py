"""Thirty-six series over three runs, as a history looks after a few days of a migration."""

from __future__ import annotations

import dataclasses
import itertools

from harness.results.series import RATIO, JudgedHistory

WHEN = ("2026-11-19T03:00:00Z", "2026-11-20T03:00:00Z", "2026-11-21T03:00:00Z")
NIGHTS = {when[:10]: {"PASS": 11, "FAIL": 1} for when in WHEN}
SPEED = {when[:10]: {"FASTER": 3, "SLOWER": 2, "SAME": 1} for when in WHEN}
WORKLOADS = ("linear", "cnn", "ehr_mgan")


def _series(workload: str, figure: str, values: tuple[float, ...]) -> JudgedHistory:
    columns = (values, values, values)
    return JudgedHistory(workload, "tf2", "torch", "fp32", figure, "", 3, WHEN, *columns)


def _ratio(workload: str, action: str) -> JudgedHistory:
    item = _series(workload, f"{RATIO}, {action}, small", (1.01, 1.02, 1.3))
    return dataclasses.replace(item, verdict="SLOWER")


def _build(workload: str, figure: str, build: str) -> JudgedHistory:
    unit, size = ("s", 1e-3) if figure.startswith("step") else ("bytes", 4e8)
    item = _series(workload, figure, (size, 1.1 * size, 1.05 * size))
    return dataclasses.replace(item, a=build, b="", unit=unit)


def _error(workload: str, stage: str) -> JudgedHistory:
    fails = workload == "cnn" and stage == "gradients"
    item = _series(
        workload,
        f"error of the tensor nearest to its threshold, {stage}, tiny",
        (2e-16, 3e-16, 4e-3 if fails else 0.0),
    )
    return dataclasses.replace(
        item, floor=(1e-15,) * 3, threshold=(8e-15,) * 3, verdict="FAIL" if fails else "PASS"
    )


HISTORIES = (
    *(_ratio(*what) for what in itertools.product(WORKLOADS, ("train", "generate"))),
    *(
        _build(*what)
        for what in itertools.product(
            WORKLOADS, ("step time, train, small", "peak memory, train, small"), ("tf2", "torch")
        )
    ),
    *(
        _error(*what)
        for what in itertools.product(WORKLOADS, ("forward", "loss", "gradients", "update"))
    ),
)
