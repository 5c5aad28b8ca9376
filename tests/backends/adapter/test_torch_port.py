"""The port that is made of a side of `nn.Module`s: the contract, by the names of its own survey."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import os
import sys

import numpy as np
import pytest

from backends.adapter.port import Port
from backends.contract import Setting, Stage
from backends.source import Batch, TapeSource

pytestmark = [pytest.mark.backends("torch"), pytest.mark.workloads("linear")]
STEPS = 3


def configuration(survey, rows):
    """Return a configuration whose canonical names are the side's own."""
    sites, draws, noise = [], {}, []
    for draw in survey.draws:
        site = f"{draw.phase}/{draw.index}"
        draws.setdefault(draw.phase, []).append({"site": site if draw.served else None})
        sites.append((draw, site))
    phases = [phase.name for phase in survey.phases]
    plan = {
        "pieces": [dataclasses.asdict(piece) for piece in survey.pieces],
        "taps": [
            {"name": layer.name, "layer": layer.name, "axes": layer.axes}
            for layer in survey.layers
            if layer.calls and layer.outputs
        ],
        "outputs": {name: {"own": name} for name in survey.outputs},
        "draws": draws,
        "losses": {phase.name: dict(zip(phase.losses, phase.losses)) for phase in survey.phases},
        "optimizers": {f"optimizer{item.name}": item.name for item in survey.optimizers},
        "slots": {f"optimizer{item.name}": list(item.slots) for item in survey.optimizers},
    }
    parameters = [
        {"name": piece.name, "shape": list(piece.shape), "trainable": piece.trainable}
        for piece in survey.pieces
    ]
    config = {
        "workload": "pair",
        "batch": rows,
        "pair": plan,
        "parameters": parameters,
        "phases": phases,
        "updates": [
            {"phase": phase.name, "parameters": list(phase.gradients)} for phase in survey.phases
        ],
        "schedule": [{"steps": None, "phases": phases}],
        "noise": noise,
    }
    return config, sites


def taped(sites, phase, generator):
    """Return numbers for the draws of a phase."""
    return {
        site: generator.normal(size=draw.shape)
        if draw.kind == "normal"
        else generator.uniform(size=draw.shape)
        for draw, site in sites
        if draw.phase == phase and draw.served
    }


def programs():
    """Return the programs by name; their modules import PyTorch, and the second the first."""
    for name in ("torch_nets", "torch_generators"):
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py")
        spec = importlib.util.spec_from_file_location(name, path)
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module.CASES


@pytest.fixture(params=["perceptron", "images", "sequences", "gan_phases", "autoencoder"])
def program(request, kit):
    case = programs()[request.param]()
    side = importlib.import_module("backends.torch.adapter").Side(
        case.side, Setting(precision="fp64")
    )
    config, sites = configuration(side.survey(case.arrays), len(case.arrays["x"]))
    return Port(config, Setting(precision="fp64"), side), case, sites


def test_the_port_keeps_the_contract(program):
    port, case, sites = program
    generator = np.random.RandomState(0)
    start = {
        name: generator.uniform(0.1, 0.5, size=value.shape)
        for name, value in port.parameters().items()
    }
    port.load_parameters(start)
    for name, value in port.parameters().items():
        np.testing.assert_allclose(value, start[name], rtol=1e-15)
    forward = Batch(case.arrays, taped(sites, "forward", generator))
    shown = port.forward(forward, True)
    forced = port.forward_from(forward, True, shown)
    assert set(forced.values) <= set(shown) and forced.rooted
    for name, value in forced.values.items():
        np.testing.assert_array_equal(value, shown[name])
    for phase in port.config["phases"]:
        batch = Batch(case.arrays, taped(sites, phase, generator))
        losses, gradients = port.losses(phase, batch), port.gradients(phase, batch)
        assert port.losses(phase, batch) == losses
        assert set(gradients) == set(_updated(port, phase))
        trained = port.train_step(phase, batch)
        assert list(trained)[-1] == "total" and trained == losses
    first, state = port.parameters(), port.optimizer_state()
    assert any(name.endswith("/step") and value == 1 for name, value in state.items())
    port.load_parameters(start)
    assert all(value == 0 for name, value in port.optimizer_state().items() if name[-5:] == "/step")
    assert [name for name in first if not np.array_equal(first[name], port.parameters()[name])]


def _updated(port, phase):
    updates = {item["phase"]: item["parameters"] for item in port.config["updates"]}
    return updates[phase]


def test_a_gradient_of_the_port_is_the_slope_of_its_loss(program):
    """By differences: the canonical layouts of weights and gradients are the same."""
    port, case, sites = program
    generator = np.random.RandomState(2)
    phase = port.config["phases"][0]
    batch = Batch(case.arrays, taped(sites, phase, generator))
    start = port.parameters()
    gradients = port.gradients(phase, batch)
    direction = {name: generator.normal(size=value.shape) for name, value in gradients.items()}
    values = []
    for sign in (1.0, -1.0):
        moved = dict(start)
        for name, value in direction.items():
            moved[name] = start[name] + sign * 1e-6 * value
        port.load_parameters(moved)
        values.append(port.losses(phase, batch)["total"])
    slope = (values[0] - values[1]) / 2e-6
    expected = sum(float((gradients[name] * direction[name]).sum()) for name in gradients)
    assert slope == pytest.approx(expected, rel=1e-4, abs=1e-7)


def test_the_port_trains_on_a_tape_and_generates(program):
    port, case, sites = program
    generator = np.random.RandomState(4)
    data = dict(case.arrays, **{"eval_" + name: value for name, value in case.arrays.items()})
    rows = len(case.arrays["x"])
    tape = {"batches": np.stack([generator.permutation(rows) for _ in range(STEPS)])}
    for draw, site in sites:
        if draw.served:
            values = generator.uniform(size=(STEPS, *draw.shape))
            tape[f"noise/{draw.phase}/{site}"] = values
    histories = []
    start = port.parameters()
    for _ in range(2):
        port.load_parameters(start)
        histories.append((port.train(TapeSource(data, tape, rows), STEPS), port.parameters()))
    assert histories[0][0] == histories[1][0]
    for name, value in histories[0][1].items():
        np.testing.assert_array_equal(value, histories[1][1][name])
    assert len(port.generate(TapeSource(data, tape, rows), rows)) == rows
    assert Stage.LOSS in port.observed_dtypes
