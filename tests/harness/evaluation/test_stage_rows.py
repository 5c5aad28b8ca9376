"""From evidences to rows: who is compared, what is said of what could not be, and what is never
a PASS."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from backends.contract import OPTIONAL
from harness import plan
from harness.errors import CorruptRecord
from harness.evaluation import stage_rows
from harness.evaluation.pair_evidence import JobEvidence
from harness.fidelity.evidence import LossScale, TensorEntry
from harness.plan import LOCKSTEP_STAGES, Request, Side
from harness.workloads.cnn import WORKLOAD

NAMES = {
    "weights": "w",
    "forward": "training/x",
    "loss": "train/total",
    "gradients": "train/w",
    "update": "step 1/train/slot/adam/w/m",
    "trajectory": "step 1/loss/total",
}
TF1, TF2, TORCH = (Side(name, name, name) for name in ("tf1", "tf2", "torch"))


@dataclasses.dataclass
class Evidence:
    """One tensor a stage, and `generate` in forward; `changed` replaces some by (stage, name)."""

    changed: dict = dataclasses.field(default_factory=dict)
    share: float = 1e-12
    digested: bool = False

    def tensors(self, stage):
        found = {NAMES[stage]: np.linspace(0.5, 1.0, 32)}
        if stage == "forward":
            found["generate"] = np.ones(32)
        if stage == "update":
            found["step 1/train/parameter/w"] = np.ones(3)
        return {
            **found,
            **{name: value for (where, name), value in self.changed.items() if where == stage},
        }

    def entries(self, stage):
        largest = {
            name: (value, float(np.max(np.abs(value))))
            for name, value in self.tensors(stage).items()
        }
        return [
            TensorEntry(
                stage,
                name,
                value.shape,
                str(value.dtype),
                size if "/parameter/" in name else 0.0,
                size,
            )
            for name, (value, size) in largest.items()
        ]

    def read(self, stage, name):
        return self.tensors(stage)[name]

    def noise(self, stage, name):
        return {"ulp": [self.share]}


class Unreadable(Evidence):
    """A record whose file has been altered since it was checked."""

    def read(self, stage, name):
        raise CorruptRecord("forward.npz is not what it was")


def witness(evidence=None, **changed):
    return dataclasses.replace(
        JobEvidence(evidence or Evidence(), "ok", "", OPTIONAL, "log"), **changed
    )


def make(*sides, precisions=("fp64",), stages=LOCKSTEP_STAGES):
    return plan.make(
        Request(
            (WORKLOAD,),
            sides or (TF2, TORCH),
            precisions,
            stages,
            None,
            "cpu",
            "default",
            (0,),
            threads=1,
            fidelity_threads=1,
            speed=False,
        )
    )


def judge(planned, **by_side):
    """Return the rows, each job's witness chosen by its side and, if given, its precision."""
    found = {
        job.name: by_side.get(f"{job.side}_{job.precision}", by_side.get(job.side, witness()))
        for job in planned.jobs
    }
    return stage_rows.stage_rows(planned, found)


def test_training_that_moves_nothing_is_no_pass():
    """Of what a pair says that it trains; see `harness.fidelity.unseen_updates`."""
    planned = make()
    still = (("the phase train", ("elsewhere",)),)
    pairs = tuple(dataclasses.replace(pair, trained=still) for pair in planned.pairs)
    rows = judge(dataclasses.replace(planned, pairs=pairs))
    assert {"update", "trajectory"} == {row.stage for row in rows if row.verdict == "INCONCLUSIVE"}
    assert any("no update was seen of the phase train" in row.reason for row in rows)


def test_a_pair_has_one_row_a_stage_in_the_order_of_the_ladder():
    """Each with the numbers of its worst tensor, its logs and the command that gives it again."""
    rows = judge(make())
    assert [(stage, "PASS", "tf2", "torch") for stage in LOCKSTEP_STAGES] == [
        (row.stage, row.verdict, row.a, row.b) for row in rows
    ]
    assert all(
        row.logs == ("log", "log") and row.error == 0.0 and f"--stages {row.stage}" in row.command
        for row in rows
    )
    assert rows == judge(make())


@pytest.mark.parametrize("stage", LOCKSTEP_STAGES)
def test_a_fault_is_a_fail_of_its_own_stage_with_both_values(stage):
    """The other stages keep their verdicts."""
    name = NAMES[stage]
    value = np.linspace(0.5, 1.0, 32)
    value[3] += 0.25
    rows = {
        row.stage: row for row in judge(make(), torch=witness(Evidence({(stage, name): value})))
    }
    assert {"FAIL"} == {row.verdict for row in rows.values() if row.stage == stage}
    assert {"PASS"} == {row.verdict for row in rows.values() if row.stage != stage}
    row = rows[stage]
    assert (name, "[3]", value[3], value[3] - 0.25) == (
        row.worst,
        row.place,
        row.value_b,
        row.value_a,
    )


@pytest.mark.parametrize("status", ["error", "timeout", "crashed", "out of memory", "corrupt"])
def test_a_side_that_left_nothing_is_inconclusive_with_its_reason(status):
    """Never a PASS, never silently left out."""
    rows = judge(make(), torch=JobEvidence(None, status, "it was so", (), "log"))
    assert ["INCONCLUSIVE"] * 6 == [row.verdict for row in rows]
    assert all(f"torch left nothing to judge: {status}: it was so" == row.reason for row in rows)


def test_an_unsupported_side_has_no_rows():
    """It is listed with the jobs."""
    assert [] == judge(make(), torch=JobEvidence(None, "unsupported", "no such device", (), ""))


def test_a_record_that_cannot_be_read_is_inconclusive():
    """And says which file."""
    rows = judge(make(stages=("forward",)), tf2=witness(Unreadable()))
    assert [("INCONCLUSIVE", "forward.npz is not what it was")] == [
        (row.verdict, row.reason) for row in rows
    ]


def test_what_a_port_lacks_is_said_stage_by_stage():
    """Required methods only: weights, what it generates and the trajectory are judged."""
    rows = {row.stage: row for row in judge(make(), tf2=witness(abilities=()))}
    assert {"loss", "gradients", "update"} == {
        stage for stage, row in rows.items() if row.verdict == "INFO"
    }
    assert "not looked at: the port of tf2 has no `losses`" == rows["loss"].reason
    assert ["loss", "gradients", "update"] == [
        name for name, row in rows.items() if row.not_looked_at
    ]
    assert ("PASS", "generate", 1) == (
        rows["forward"].verdict,
        rows["forward"].worst,
        rows["forward"].tensors,
    )
    assert rows["forward"].reason.endswith(
        "not looked at: activations, the port of tf2 has no `forward`"
    )


def test_slots_are_left_out_where_a_side_has_none_to_show():
    """Also when only the other side has them."""
    rows = {row.stage: row for row in judge(make(), torch=witness(abilities=("train_step",)))}
    assert ("PASS", 1) == (rows["update"].verdict, rows["update"].tensors)
    assert rows["update"].reason.endswith(
        "not looked at: optimizer slots, the port of torch has no `optimizer_state`"
    )


def test_a_lower_precision_takes_its_zeros_from_float64():
    """Noise in float32 is zero because float64 says so too; without a float64 record its own
    noise has to tell."""
    planned = make(precisions=("fp64", "fp32"), stages=("gradients",))
    null = {("gradients", "train/bias"): np.full(3, 1e-13)}
    noisy = [{("gradients", "train/bias"): sign * np.full(3, 1e-7)} for sign in (1, -1)]
    sides = {"tf2_fp64": witness(Evidence(null)), "torch_fp64": witness(Evidence(null))}
    low = {
        "tf2_fp32": witness(Evidence(noisy[0], 1e-7)),
        "torch_fp32": witness(Evidence(noisy[1], 1e-7)),
    }
    row = next(
        row
        for row in judge(planned, **sides, **low)
        if row.precision == "fp32" and row.stage == "gradients"
    )
    assert ("PASS", ("train/bias",)) == (row.verdict, row.null)
    absent = {
        "tf2_fp64": JobEvidence(None, "crashed", "", (), ""),
        "torch_fp64": JobEvidence(None, "crashed", "", (), ""),
    }
    for share, verdict in ((1e-12, "FAIL"), (1e-7, "PASS")):
        low = {
            f"{side}_fp32": witness(Evidence(tensors, share))
            for side, tensors in zip(("tf2", "torch"), noisy, strict=True)
        }
        row = next(
            row
            for row in judge(planned, **absent, **low)
            if row.precision == "fp32" and row.stage == "gradients"
        )
        assert verdict == row.verdict


def test_a_dynamic_loss_scale_is_told_with_the_stages_that_it_touches():
    """Where it came down for gradients, and how many updates it has skipped, on each side; and
    nothing of it in other precisions."""
    count = {("trajectory", "step 9/slot/adam/skipped"): np.array(3)}
    side = witness(Evidence(count), loss_scales={"train": LossScale(2.0**14, 1)})
    for precision, gradients, trajectory in (
        (
            "fp16",
            (
                "the loss scale came down: in 1 of 1 phases on tf2, to 16384 for train; not told by"
                " the port of torch"
            ),
            "updates skipped by the loss scale: 3 on tf2, 3 on torch",
        ),
        ("fp32", "scale", "scale"),
    ):
        rows = judge(make(precisions=(precision,)), tf2=side, torch=witness(Evidence(count)))
        found = {
            row.stage: row.reason
            for row in rows
            if row.stage != "precision" and row.precision == precision
        }
        assert (
            (precision == "fp16")
            == (gradients in found["gradients"])
            == (trajectory in found["trajectory"])
        )
        assert not any("scale" in found[stage] for stage in ("weights", "forward", "loss"))


def test_a_port_that_never_skips_fails_by_its_count():
    """The losses may look alike for a while; the counts have parted."""
    honest = witness(Evidence({("trajectory", "step 9/slot/adam/skipped"): np.array(3)}))
    eager = witness(Evidence({("trajectory", "step 9/slot/adam/skipped"): np.array(0)}))
    rows = {row.stage: row for row in judge(make(precisions=("fp16",)), tf2=honest, torch=eager)}
    assert ("FAIL", "step 9/slot/adam/skipped") == (
        rows["trajectory"].verdict,
        rows["trajectory"].worst,
    )
    assert "updates skipped by the loss scale: 3 on tf2, 0 on torch" in rows["trajectory"].reason


def test_bounds_of_a_lower_precision_are_rows_of_their_own():
    """One a side; without a float64 run they are inconclusive."""
    planned = make(precisions=("bf16",), stages=("forward",))
    rows = [row for row in judge(planned) if row.stage == "precision"]
    assert [("tf2", "tf2 fp64"), ("torch", "torch fp64")] == [(row.a, row.b) for row in rows]
    assert [("tf2", "tf2"), ("torch", "torch")] == [row.sides for row in rows]
    rows = judge(planned, tf2_fp64=JobEvidence(None, "timeout", "too long", (), ""))
    assert ["INCONCLUSIVE"] == [
        row.verdict for row in rows if row.stage == "precision" and row.a == "tf2"
    ]


def test_the_cost_of_tf1s_chain_is_information():
    """However large, it is neither a PASS nor a FAIL."""
    planned = make(TF1, TORCH)
    chain = {job.name: witness() for job in planned.jobs}
    plain = next(job for job in planned.jobs if job.powers == "variable")
    chain[plain.name] = witness(Evidence({("trajectory", NAMES["trajectory"]): np.zeros(32)}))
    (row,) = [row for row in stage_rows.stage_rows(planned, chain) if row.verdict == "INFO"]
    assert ("trajectory", "torch fp32 powers", "torch fp64 powers") == (row.stage, row.a, row.b)
    assert ("torch", "torch") == row.sides and not row.not_looked_at
    assert NAMES["trajectory"] == row.worst and "not judged" in row.reason
