"""Runs that do not repeat are found and named, in real builds; honest ones repeat bit by bit."""

from __future__ import annotations

import datetime
import logging
import os

import pytest

from harness.commands import repeated_runs
from harness.context import Context
from harness.execution import runner
from harness.results.verdicts import Repeat

LOG = logging.getLogger(__name__)
STEPS = 4
HEAD = """
import os
import torch
from backends.ports.torch.linear import Port as Shipped


class Port(Shipped):
"""
#: Draws from the system's own randomness wherever it computes.
URANDOM = (
    HEAD
    + """
    def activations(self, arrays, noise):
        seen = self.new_record()
        found = Shipped.activations(self, arrays, noise)["prediction"]
        seen["prediction"] = found + 1e-3 * int.from_bytes(os.urandom(4), "big") / 2**32
        return seen
"""
)
#: Draws once a process: it repeats there, and in no other.
ONCE = URANDOM.replace('int.from_bytes(os.urandom(4), "big")', "DRAWN").replace(
    "class Port",
    'DRAWN = int.from_bytes(os.urandom(4), "big")\n\n\nclass Port',
)
#: Follows the tape, and draws its own batches from a seed that nobody gave.
SEEDLESS = (
    HEAD
    + """
    def _rows(self, source):
        rows = Shipped._rows(self, source)
        rows.seed = int.from_bytes(os.urandom(3), "big")
        return rows
"""
)
#: Adds products in the order in which threads happen to finish.
UNORDERED = (
    HEAD
    + """
    def activations(self, arrays, noise):
        import concurrent.futures, time
        x, weight = arrays["x"], self.model.weight

        def ready(column):
            time.sleep(os.urandom(1)[0] / 255 * 2e-3)
            return column

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            futures = [pool.submit(ready, column) for column in range(x.shape[1])]
            found = self.model.bias.expand(len(x), 1)
            for future in concurrent.futures.as_completed(futures):
                column = future.result()
                found = found + x[:, column:column + 1] * weight[:, column:column + 1].t()
        seen = self.new_record()
        seen["prediction"] = found
        return seen
"""
)


@pytest.fixture
def case(laboratory, tmp_path):
    """Return a function from a build, a port's source and the mode to the rows of two runs, by
    lockstep and native."""
    stand = laboratory.stand
    run_context = runner.RunContext(
        tmp_path,
        stand.staging,
        stand.interpreters,
        stand.environment,
        stand.workloads,
        stand.limits,
    )
    context = Context(
        dict(os.environ),
        datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
        "harness repeat",
        LOG.info,
    )

    def run(build, source=None, deterministic=False):
        folder = None
        if source is not None:
            folder = tmp_path / "ports"
            (folder / build).mkdir(parents=True)
            (folder / build / "linear.py").write_text(source, encoding="utf-8")
        planned = laboratory.plan(
            "linear",
            [laboratory.side(build, folder)],
            precisions=("fp32",),
            steps=STEPS,
            fidelity_threads=2,
        )
        job = next(job for job in planned.jobs if job.precision == "fp32")
        rows = repeated_runs.case_rows(run_context, job, deterministic, 2, context)
        for row in rows:
            LOG.info(f"{row.mode}: {row.verdict}: {row.reason}")
        return {row.mode: row for row in rows}

    return run


@pytest.mark.parametrize("deterministic", [False, True])
@pytest.mark.parametrize("build", ["tf2", "torch"])
def test_honest_builds_repeat_bit_by_bit(case, build, deterministic):
    """In lockstep and natively, on two threads."""
    found = case(build, deterministic=deterministic)
    assert {"lockstep": Repeat.IDENTICAL, "native": Repeat.IDENTICAL} == {
        mode: row.verdict for mode, row in found.items()
    }
    assert all(row.ok and row.tensors > 10 and row.runs == 2 for row in found.values())


@pytest.mark.parametrize("source", [URANDOM, ONCE], ids=["each time", "once a process"])
def test_draws_from_the_system_are_found_in_the_first_tensor_that_has_them(case, source):
    """The prediction, with its place and both values; natively the first loss."""
    found = case("torch", source)
    assert {"lockstep": Repeat.DIFFERENT, "native": Repeat.DIFFERENT} == {
        mode: row.verdict for mode, row in found.items()
    }
    first = found["lockstep"]
    assert ("forward", "training/prediction") == (first.stage, first.tensor)
    assert first.place and first.first != first.second and not first.ok
    assert found["native"].tensor.startswith("step 1/loss/")


def test_a_native_seed_that_nobody_gave_shows_natively_alone(case):
    """The tape gives batches in lockstep."""
    found = case("torch", SEEDLESS)
    assert {"lockstep": Repeat.IDENTICAL, "native": Repeat.DIFFERENT} == {
        mode: row.verdict for mode, row in found.items()
    }
    assert ("trajectory", True) == (
        found["native"].stage,
        found["native"].tensor.startswith("step 1/"),
    )


@pytest.mark.parametrize(("deterministic", "ok"), [(False, True), (True, False)])
def test_sums_in_the_order_of_threads_are_within_rounding_and_no_deterministic_mode(
    case, deterministic, ok
):
    """Where the framework promises the same bits, rounding is a fault."""
    found = case("torch", UNORDERED, deterministic)["lockstep"]
    assert (Repeat.ROUNDING, ok) == (found.verdict, found.ok)
    assert ("forward", "training/prediction") == (found.stage, found.tensor)
    assert 0 < found.differing < found.tensors
