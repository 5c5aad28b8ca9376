"""The original's names: a bilateral cell is made of twelve matrices, in the order of the
canonical gates."""

from __future__ import annotations

from harness.workloads.ehr_mgan import WORKLOAD
from harness.workloads.ehr_mgan.original import OPTIMIZERS, naming


def test_gates_stand_in_canonical_order():
    """i, f, o, c; a shape would not tell."""
    scope = "Discrete_generator/cell_1/Discrete_generator/RNNCell_1"
    expected = [
        f"{scope}{gate}"
        for gate in ("Input_gate/Ui", "Forget_gate/Uf", "Output_gate/Uo", "Cell_gate/Uc")
    ]
    assert expected == naming({"conditional": False})["weights"]["generator/discrete/layer2/U"]


def test_trainable_states_are_c_and_then_h():
    """As TF1's `LSTMStateTuple` has them, under a scope that both discriminators call by the
    same name."""
    weights = naming({"conditional": False})["weights"]
    assert (
        "Discrete_discriminator/continuous_discriminator/layer0_initial_state1"
        == weights["discriminator/discrete/layer1/initial_c"]
    )
    assert (
        "Discrete_discriminator/continuous_discriminator/layer0_initial_state2"
        == weights["discriminator/discrete/layer1/initial_h"]
    )


def test_its_optimizers_are_the_workloads():
    """All eight, in the original's order."""
    assert sorted(WORKLOAD.config("tiny")["optimizers"]) == sorted(OPTIMIZERS)
