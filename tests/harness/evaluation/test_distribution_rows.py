"""The distribution stage as a row: what it is judged on, and how it is repeated."""

from __future__ import annotations

import numpy as np

from harness import plan
from harness.evaluation import stage_rows
from harness.fidelity.distribution import judge_distribution
from harness.fidelity.summaries import Draw
from harness.plan import Request, Side
from harness.workloads.ehr_mgan import WORKLOAD as EHR_MGAN

TF2, TORCH = (Side(name, name, name) for name in ("tf2", "torch"))


def test_the_distribution_stage_is_a_row_with_its_seeds_and_its_command():
    """The means over seeds beside each other, and how many seeds would do."""
    asked = Request(
        (EHR_MGAN,),
        (TF2, TORCH),
        ("fp32",),
        ("distribution",),
        None,
        "cpu",
        "default",
        (4, 5, 6),
        threads=1,
        fidelity_threads=1,
        speed=False,
        models=3,
    )
    (pair,) = plan.make(asked).distributions
    generator = np.random.RandomState(0)

    def drawn(place):
        return [
            Draw(
                {"joint/total": place + generator.normal(size=10)}, generator.normal(size=(9, 4, 2))
            )
            for _ in range(3)
        ]

    draws = [drawn(0), drawn(900)]
    row = stage_rows.distribution_row(pair, judge_distribution(*draws, 3), ("a.log", ""))
    assert ("FAIL", "distribution", "fp32", 4, 3, "tf2", "torch") == (
        row.verdict,
        row.stage,
        row.precision,
        row.seed,
        row.seeds,
        row.a,
        row.b,
    )
    assert (
        row.worst.startswith("joint/total")
        and row.value_b - row.value_a > 800
        and row.error > row.threshold
        and row.place is None
    )
    assert (
        "--stages distribution --seeds 3" in row.command
        and "--seed 4" in row.command
        and row.logs == ("a.log",)
    )
    few = stage_rows.distribution_row(pair, judge_distribution(draws[0][:2], draws[0][1:], 3), ())
    assert ("INCONCLUSIVE", 2) == (few.verdict, few.seeds) and few.needed >= 3
