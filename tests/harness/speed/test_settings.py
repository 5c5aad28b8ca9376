"""Settings in effect: what refuses a comparison, what is labelled, and that nothing that differs
is silent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.speed.settings import LABELLED, REFUSED, RULES, differences, refusal

EFFECTIVE = {
    "execution": "graph",
    "threads": 2,
    "inter_threads": 1,
    "device": "cpu",
    "tf32": False,
    "xla": False,
    "deterministic": False,
    "dtype_policy": "variables float32, contractions float32",
    "output_dtype": "float32",
    "observed_dtypes": {"logits": "float32", "loss": "float32"},
    "versions": {"tensorflow": "2.21.0"},
    "matmul_precision": "float32",
    "convolution_precision": "float32",
    "contractions": "float32",
    "parameter_dtypes": "float32",
    "denormals": "kept",
    "framework_denormals": "flushed",
    "onednn": True,
    "cores": 2,
    "affinity": "0,1",
    "nice": 0,
    "environment": {"OMP_NUM_THREADS": "2"},
    "debugging": False,
    "python_tracing": False,
    "threads_that_ran": 3,
}
CHANGES = [
    ("threads", 1, "threads: a 2, b 1", REFUSED),
    ("inter_threads", 2, "inter_threads: a 1, b 2", REFUSED),
    ("cores", 1, "cores: a 2, b 1", REFUSED),
    ("affinity", "2,3", "affinity: a 0,1, b 2,3", LABELLED),
    ("nice", 10, "nice: a 0, b 10", LABELLED),
    ("tf32", True, "tf32: a off, b on", REFUSED),
    ("matmul_precision", "bfloat16", "matmul_precision: a float32, b bfloat16", REFUSED),
    ("convolution_precision", "tf32", "convolution_precision: a float32, b tf32", REFUSED),
    ("contractions", "bfloat16+float32", "contractions: a float32, b bfloat16+float32", REFUSED),
    ("contractions", "float32+float64", "contractions: a float32, b float32+float64", LABELLED),
    ("contractions", "unknown", "contractions: a float32, b unknown", LABELLED),
    ("parameter_dtypes", "float64", "parameter_dtypes: a float32, b float64", REFUSED),
    ("denormals", "flushed", "denormals: a kept, b flushed", REFUSED),
    ("framework_denormals", "kept", "framework_denormals: a flushed, b kept", LABELLED),
    ("debugging", True, "debugging: a off, b on", REFUSED),
    ("python_tracing", True, "python_tracing: a off, b on", REFUSED),
    ("xla", True, "xla: a off, b on", LABELLED),
    ("onednn", False, "onednn: a on, b off", LABELLED),
    ("deterministic", True, "deterministic: a off, b on", LABELLED),
    ("device", "NVIDIA H200", "device: a cpu, b gpu", REFUSED),
    ("execution", "eager", "execution: a graph, b eager", LABELLED),
    (
        "dtype_policy",
        "torch.float32, autocast torch.bfloat16",
        "dtype_policy: a float32, b bfloat16+float32",
        LABELLED,
    ),
    ("output_dtype", "float64", "output_dtype: a float32, b float64", LABELLED),
    (
        "observed_dtypes",
        {"logits": "bfloat16"},
        "observed_dtypes logits: a float32, b bfloat16",
        LABELLED,
    ),
    ("versions", {"tensorflow": "1.15.5"}, "versions tensorflow: a 2.21.0, b 1.15.5", LABELLED),
    ("environment", {}, "environment OMP_NUM_THREADS: a 2, b unset", LABELLED),
    (
        "environment",
        {"OMP_NUM_THREADS": "2", "NVIDIA_TF32_OVERRIDE": "1"},
        "environment NVIDIA_TF32_OVERRIDE: a unset, b 1",
        REFUSED,
    ),
    ("threads_that_ran", 9, "threads_that_ran: a 3 of 2+1, b 9 of 2+1", LABELLED),
]


@pytest.mark.parametrize(("name", "value", "label", "kind"), CHANGES)
def test_each_setting_in_effect_is_compared(name, value, label, kind):
    """One changed: one difference, of its kind; and a refusal names both values and what to do."""
    found = differences(EFFECTIVE, {**EFFECTIVE, name: value})
    assert [(label, kind)] == [(str(one), one.rule.kind) for one in found]
    assert found[0].rule.why
    why = refusal(found)
    assert (kind == REFUSED) == bool(why)
    assert not why or (label in why and found[0].rule.mend in why and "--allow-settings" in why)


@pytest.mark.parametrize("rule", RULES.values(), ids=str)
def test_every_rule_has_a_reason_and_every_refusal_says_what_to_do(rule):
    """The table is read by users."""
    assert rule.why
    assert (rule.kind == REFUSED) == bool(rule.mend)


def test_spelling_is_no_difference():
    """Frameworks word their policies, versions and devices differently; and their own switches
    are their own business."""
    other = {
        **EFFECTIVE,
        "dtype_policy": "torch.float32",
        "cudnn_benchmark": False,
        "versions": {"torch": "2.13"},
    }
    assert differences(EFFECTIVE, other) == ()
    assert (
        differences(
            {**EFFECTIVE, "device": "/device:GPU:0"}, {**EFFECTIVE, "device": "NVIDIA H200"}
        )
        == ()
    )


def test_a_switch_that_both_tell_is_compared_even_if_the_table_does_not_know_it():
    """And then labelled."""
    found = differences({**EFFECTIVE, "new_switch": 1}, {**EFFECTIVE, "new_switch": 2})
    assert [("new_switch: a 1, b 2", LABELLED)] == [(str(one), one.rule.kind) for one in found]


def test_a_setting_that_one_side_does_not_tell_is_unknown():
    """Labelled, never silent, and no reason to refuse."""
    for name in ("xla", "threads", "denormals"):
        found = differences(
            EFFECTIVE, {key: value for key, value in EFFECTIVE.items() if key != name}
        )
        assert [name] == [one.name for one in found]
        assert [("unknown", LABELLED)] == [(one.b, one.rule.kind) for one in found]


def test_precisions_that_were_asked_for_refuse_nothing():
    """The gain of a lower precision is the ratio that was asked for; other settings still have
    to be equal."""
    low = {**EFFECTIVE, "contractions": "bfloat16", "matmul_precision": "tf32", "tf32": True}
    assert refusal(differences(EFFECTIVE, low))
    assert refusal(differences(EFFECTIVE, low), precisions=True) == ""
    assert "threads" in refusal(differences(EFFECTIVE, {**low, "threads": 1}), precisions=True)


VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.text())
KEYS = st.one_of(st.sampled_from(sorted(EFFECTIVE)), st.text(max_size=3))


@given(st.dictionaries(KEYS, VALUES))
def test_a_side_does_not_differ_from_itself(effective):
    """Whatever it holds."""
    assert differences(effective, dict(effective)) == ()


@given(st.dictionaries(KEYS, VALUES), st.dictionaries(KEYS, VALUES))
def test_exchanging_the_sides_exchanges_the_values(one, other):
    """And what is refused one way is refused the other way."""
    found, back = differences(one, other), differences(other, one)
    assert [(item.name, item.a, item.b, item.rule) for item in found] == [
        (item.name, item.b, item.a, item.rule) for item in back
    ]
