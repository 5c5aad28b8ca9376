"""What is not finite is never a PASS, and the reason says whether the port, the precision or the
model overflows."""

from __future__ import annotations

import numpy as np
import pytest

from harness.fidelity.evidence import LossScale
from harness.fidelity.judge import judge_stage
from harness.fidelity.overflow import is_scaled, note, skipped
from harness.fidelity.precision import judge_precision

SCALE_1 = "even with the loss at scale 1"


def tensor(value: float, place: int = 3) -> dict[str, np.ndarray]:
    """Return one gradient with a value at a place."""
    found = np.linspace(0.5, 1.0, 32)
    found[place] = value
    return {"train/w": found}


def judged(memory, a, b, stage="gradients", precision="fp16"):
    return judge_stage(memory(a), memory(b), stage, precision)


def test_a_dynamic_loss_scale_is_float16s_alone():
    """bfloat16 has float32's range."""
    assert ["fp16"] == [
        precision for precision in ("fp64", "fp32", "tf32", "bf16", "fp16") if is_scaled(precision)
    ]


@pytest.mark.parametrize("side", ["a", "b"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_side_that_overflows_fails(memory, side, value):
    """Its gradients were taken at the smallest scale, and the other side's are finite: the two
    have parted."""
    bad, good = tensor(value), tensor(0.5)
    found = judged(memory, *((bad, good) if side == "a" else (good, bad)))
    assert "FAIL" == found.verdict
    assert f"not finite on one side, {SCALE_1}" in found.reason
    assert (
        "1 of 32 values of a and 0 of b" if side == "a" else "0 of 32 values of a and 1 of b"
    ) in found.reason


@pytest.mark.parametrize(
    ("a", "b"),
    [((np.inf, 3), (np.inf, 3)), ((np.nan, 3), (np.inf, 3)), ((np.inf, 3), (-np.inf, 9))],
)
def test_both_sides_that_overflow_say_nothing_of_the_port(memory, a, b):
    """Which element overflows first is rounding's choice in float16: the original overflows, and
    the verdict says so."""
    found = judged(memory, tensor(*a), tensor(*b))
    assert "INCONCLUSIVE" == found.verdict
    assert f"not finite on both sides, {SCALE_1}" in found.reason
    assert "the original itself overflows fp16 here, and so no port can be judged" in found.reason


@pytest.mark.parametrize("precision", ["fp64", "fp32", "bf16"])
def test_without_a_loss_scale_nan_and_infinity_are_not_the_same(memory, precision):
    """There the range is wide: two sides that differ in what is not finite differ; two alike
    cannot be judged."""
    assert "FAIL" == judged(memory, tensor(np.nan), tensor(np.inf), precision=precision).verdict
    found = judged(memory, tensor(np.nan), tensor(np.nan), precision=precision)
    assert "INCONCLUSIVE" == found.verdict
    assert (
        f"the original itself is not finite in {precision} here" in found.reason
        and "scale" not in found.reason
    )


def test_only_gradients_have_been_tried_at_a_smaller_scale(memory):
    """A loss or an activation has no scale."""
    for values in ((np.inf, 0.5), (np.inf, np.inf)):
        assert (
            SCALE_1
            not in judged(memory, *(tensor(value) for value in values), stage="forward").reason
        )


def bound(memory, low, full, precision="fp16"):
    """Judge a low run, one tensor a stage, against a float64 run."""
    base = memory(tensor(full))
    base.noise = lambda stage, name: {f"ulp:{precision}": [1e-3], f"round:{precision}": [1e-3]}
    return judge_precision(
        memory({name: np.asarray(value, np.float32) for name, value in tensor(low).items()}),
        base,
        precision,
    )


@pytest.mark.parametrize("precision", ["fp16", "bf16", "fp32"])
def test_a_precision_whose_range_overflowed_is_named(memory, precision):
    """Not a bare "not finite": what stands there, and what float64 has in its place."""
    found = bound(memory, np.inf, 0.25, precision)
    assert ("FAIL", "forward train/w") == (found.verdict, found.worst.name)
    assert (
        f"forward train/w: not finite, the range of {precision} overflowed: inf at [3], where the"
        " float64 run has 0.25" == found.reason
    )


def test_gradients_of_a_bound_say_that_scale_1_was_tried(memory):
    """In float16 alone."""
    for precision, said in (("fp16", True), ("bf16", False)):
        tensors = {
            verdict.name: verdict.reason
            for verdict in bound(memory, np.nan, 0.25, precision).tensors
        }
        assert said == (f"overflowed, {SCALE_1}: nan at [3]" in tensors["gradients train/w"])
        assert SCALE_1 not in tensors["forward train/w"]


@pytest.mark.parametrize("full", [np.nan, np.inf])
@pytest.mark.parametrize("low", [np.nan, np.inf, 0.5])
def test_a_model_that_overflows_float64_is_no_fault_of_the_precision(memory, low, full):
    """And no PASS either; such a tensor is not left out."""
    found = bound(memory, low, full)
    assert "INCONCLUSIVE" == found.verdict
    assert (
        f"not finite in float64 either, {full} at [3]: the model overflows, not the precision"
        in found.reason
    )


def counts(memory, *steps):
    """Return a side that recorded how many updates two optimizers had skipped, after each of
    some steps."""
    return memory(
        {
            f"step {step}/slot/{name}/skipped": np.array(count)
            for step, pair in enumerate(steps, 1)
            for name, count in zip(("vae/a", "gan"), pair, strict=True)
        }
    )


def test_the_last_count_of_each_optimizer_is_what_it_skipped(memory):
    """They are counts since the start, not of a step."""
    assert {"vae/a": 3, "gan": 1} == skipped(counts(memory, (1, 0), (3, 1)), "trajectory")
    assert {} == skipped(memory({"step 1/loss/total": np.array(1.0)}), "trajectory")


def test_skipped_updates_are_told_for_each_side(memory):
    """In float16, of the stages that update; a side that counts nothing is not said to have
    skipped nothing."""
    sides = {"tf2": (counts(memory, (2, 1)), {}), "torch": (counts(memory, (0, 0)), {})}
    for stage in ("update", "trajectory"):
        assert ["updates skipped by the loss scale: 3 on tf2, 0 on torch"] == note(
            stage, "fp16", sides
        )
        assert [] == note(stage, "bf16", sides)
    assert [] == note("trajectory", "fp16", {"tf2": (memory({}), {}), "torch": (memory({}), {})})
    assert [] == note("loss", "fp16", {"tf2": (memory({}), {}), "torch": (memory({}), {})})


def test_halved_scales_are_told_for_each_side(memory):
    """How many phases, and the lowest; a port that keeps no account is named."""
    scales = {
        "a": LossScale(2.0**15, 0),
        "b": LossScale(2.0**13, 2),
        "c": LossScale(2.0**14, 1),
    }
    sides = {
        "tf2": (memory({}), scales),
        "torch": (memory({}), {"a": scales["a"]}),
        "mine": (memory({}), {}),
    }
    said = (
        "the loss scale came down: in 2 of 3 phases on tf2, to 8192 for b; in 0 of 1 phases on"
        " torch; not told by the port of mine"
    )
    assert [said] == note("gradients", "fp16", sides)


@pytest.mark.parametrize("faulty", [(0, 0), (7, 1)])
def test_counts_that_differ_fail(memory, faulty):
    """A port that never skips, and one that never halves and so skips for ever."""
    honest = counts(memory, (2, 1))
    for a, b in ((counts(memory, faulty), honest), (honest, counts(memory, faulty))):
        found = judge_stage(a, b, "trajectory", "fp16")
        assert ("FAIL", "step 1/slot/vae/a/skipped") == (found.verdict, found.worst.name)
    assert "PASS" == judge_stage(honest, counts(memory, (2, 1)), "trajectory", "fp16").verdict
