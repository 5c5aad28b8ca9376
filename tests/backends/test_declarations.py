"""What the base classes tell of a port agrees with its specification, in every backend."""

from __future__ import annotations

import pytest


@pytest.mark.workloads("linear", "cnn", "ehr_mgan", "ehr_mgan_conditional")
def test_every_port_has_as_many_trainable_values_as_the_specification(kit):
    """So they agree with each other: no port has a copy of a weight, or two where others have
    one."""
    trainable = {item["name"] for item in kit.config["parameters"] if item["trainable"]}
    expected = sum(value.size for name, value in kit.weights.items() if name in trainable)
    assert expected == kit.port().trainable_values()


@pytest.mark.workloads("cnn", "ehr_mgan")
def test_what_a_contraction_is_upstream_of_is_told(kit):
    """Everything that a layer has made, in loops and fused kernels, too."""
    port = kit.port()
    batch = kit.lockstep().batch(0, kit.config["forward"]["phase"])
    assert list(port.forward(batch, True)) == port.contracted(batch, True)


@pytest.mark.workloads("linear", "cnn")
def test_shipped_ports_show_all_and_move_nothing_that_is_not_declared(kit):
    """Nothing is left out of what they show, and no state but the parameters moves."""
    port = kit.port()
    kit.look(port)
    port.train(kit.lockstep(), 2)
    assert ((), [], False) == (
        tuple(port.not_shown),
        port.undeclared_state(),
        port.training_is_own(),
    )
