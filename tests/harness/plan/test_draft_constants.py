"""Which side of a pair varies the constants of its optimizers."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import pytest

from harness import plan
from harness.plan import Side
from harness.workloads.linear import WORKLOAD as LINEAR
from tests.harness.plan.test_draft import TF1, TF2, TORCH, request


@pytest.mark.parametrize(
    ("sides", "pair", "varied"),
    [
        ((TF2, TORCH), "mine.py", ["torch"]),
        ((TORCH, TF1), "mine.py", ["torch"]),
        ((TORCH, dataclasses.replace(TORCH, label="torch#2")), "mine.py", []),
        ((TF2, TORCH), "", []),
    ],
)
def test_the_constants_of_a_pair_s_optimizers_are_varied_where_another_framework_has_float32(
    sides: tuple[Side, ...], pair: str, varied: list[str]
):
    """On torch's side, in float64, where updates are looked at."""
    workload = copy.copy(LINEAR)
    workload.pair = pair
    made = plan.make(request(*sides, workloads=(workload,), precisions=("fp64", "fp32")))
    kinds: dict[str, list[dict[str, Any]]] = {}
    for job in made.jobs:
        variants = [dict(item) for item in job.variants if job.precision == "fp64"]
        kinds.setdefault(job.side, []).extend(
            item for item in variants if item["kind"].startswith("constants")
        )
    assert varied == [side for side, items in kinds.items() if items]
    for side in varied:
        assert ["constants:rates", "constants:others", "constants:powers"] == [
            item["kind"] for item in kinds[side]
        ]
        assert all(("update", "trajectory") == item["stages"] for item in kinds[side])
    low = [job for job in made.jobs if job.precision == "fp32"]
    assert low and not any("constants" in str(job.variants) for job in low)
