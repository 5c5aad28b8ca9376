"""What is asked of a port is in effect, or refused with a reason: precision, execution, optimizer,
device; nothing is replaced in silence."""

from __future__ import annotations

import pytest

from backends.contract import Setting, Unsupported


@pytest.mark.parametrize("precision", ["fp64", "fp32", "tf32", "bf16", "fp16"])
def test_a_precision_is_in_effect_or_refused_with_a_reason(kit, precision):
    """A port either runs a step in the precision, and says in which dtype, or raises
    Unsupported: no silent fallback."""
    try:
        port = kit.port(precision)
        port.train(kit.lockstep(), 1)
        port.generate(kit.lockstep(), kit.config["batch"])
        kit.look(port)
    except Unsupported as reason:
        assert precision not in ("fp64", "fp32")
        assert len(str(reason)) > 10
        return
    rest = "float64" if precision == "fp64" else "float32"
    assert {str(value.dtype) for value in port.parameters().values()} == {rest}
    assert (port.observed_dtypes["loss"], port.observed_dtypes["output"]) == (rest, rest)
    low = {"bf16": "bfloat16", "fp16": "float16", "fp64": "float64"}.get(precision, "float32")
    if kit.workload != "linear":
        assert low in set(port.observed_dtypes.values()), port.observed_dtypes


def test_an_execution_is_in_effect_or_refused_with_a_reason(kit, execution):
    """What trains and generates runs as asked, by the framework's own account, and computes what
    the default does."""
    default, phase = kit.port(), kit.config["phases"][0]
    steps = (
        1 if kit.workload == "ehr_mgan" else 3
    )  # its compilers take a minute for all twelve phases
    try:
        port = kit.port(execution=execution)
        terms, output = (
            port.train(kit.lockstep(), steps),
            port.generate(kit.lockstep(), kit.config["batch"]),
        )
        found = port.gradients(phase, kit.lockstep().batch(3, phase))
    except Unsupported as reason:
        assert execution == "compiled"
        assert len(str(reason)) > 10
        return
    assert port.effective()["execution"] == execution
    for name, values in default.train(kit.lockstep(), steps).items():
        kit.close(terms[name], values, 1e-12, name)
    kit.close(output, default.generate(kit.lockstep(), kit.config["batch"]), 1e-12)
    for name, value in default.gradients(phase, kit.lockstep().batch(3, phase)).items():
        kit.close(found[name], value, 1e-11, name)


@pytest.mark.workloads("linear", "cnn")
def test_an_execution_shows_the_same_activations(kit, execution):
    """The forward stage is looked at in the execution asked for."""
    default = kit.port()
    try:
        found = kit.look(kit.port(execution=execution))["training"]
    except Unsupported as reason:
        assert len(str(reason)) > 10
        return
    for name, value in kit.look(default)["training"].items():
        kit.close(found[name], value, 1e-11, name)


def test_effective_settings_are_read_back(kit):
    """What a report needs to call a comparison fair is there."""
    port = kit.port("fp32")
    effective = port.effective()
    for name in (
        "execution",
        "threads",
        "inter_threads",
        "device",
        "tf32",
        "xla",
        "deterministic",
        "dtype_policy",
    ):
        assert name in effective, name
    # NumPy's BLAS library has its own number of threads.
    assert effective["threads"] == port.setting.threads or kit.backend == "numpy"


def test_an_optimizer_that_does_not_exist_is_refused(kit):
    """A port builds exactly the optimizer asked for, or none."""
    with pytest.raises(Unsupported, match="adamax"):
        kit.port(
            config={
                "optimizers": {
                    name: dict(item, kind="adamax")
                    for name, item in kit.config["optimizers"].items()
                }
            }
        )


def test_a_device_that_is_not_there_is_refused(kit):
    """It is said, not replaced by another; no machine has both a TPU and a GPU."""
    port_class = kit.port_class()
    with pytest.raises(Unsupported):
        port_class(kit.config, Setting(device="gpu" if kit.device == "tpu" else "tpu"))
