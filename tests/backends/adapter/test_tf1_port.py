"""The port that is made of a TF1 side: the contract, on the user's own graph."""

from __future__ import annotations

import importlib.util
import os
import sys

import numpy as np
import pytest

from backends.contract import Setting
from backends.source import Batch, NativeSource, TapeSource

pytestmark = [pytest.mark.backends("tf1"), pytest.mark.workloads("linear")]
HERE = os.path.dirname(os.path.abspath(__file__))
#: As in `conftest`: sessions share the threads of the process.
THREADS = 2


@pytest.fixture
def graphs(workload, backend):
    """The graphs; imported where TensorFlow is."""
    name = "tf1_graphs"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, os.path.join(HERE, name + ".py"))
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


def config_of(survey, batch):
    """Return a configuration in which a side is its own counterpart."""
    pieces = [dict(vars(piece)) for piece in survey.pieces]
    plan = {
        "pieces": list(pieces),
        "taps": [
            {"name": layer.name, "layer": layer.name, "axes": layer.axes}
            for layer in survey.layers
            if layer.calls
        ],
        "outputs": {name: {"own": name, "axes": None} for name in survey.outputs},
        "draws": {},
        "losses": {},
        "optimizers": {item.name or "optimizer": item.name for item in survey.optimizers},
        "slots": {item.name or "optimizer": list(item.slots) for item in survey.optimizers},
    }
    updates = []
    for phase in survey.phases:
        plan["losses"][phase.name] = {name: name for name in phase.losses}
        updates.append({"phase": phase.name, "parameters": list(phase.gradients)})
    for draw in survey.draws:
        rows = plan["draws"].setdefault(draw.phase, [])
        rows.append({"site": f"{draw.phase}{len(rows)}", "axes": None})
    phases = [phase.name for phase in survey.phases]
    return {
        "pair": plan,
        "updates": updates,
        "phases": phases,
        "schedule": [{"name": "all", "steps": None, "phases": phases}],
        "parameters": [
            {"name": item["name"], "shape": list(item["shape"]), "trainable": item["trainable"]}
            for item in pieces
        ],
        "batch": batch,
    }


@pytest.fixture
def port(graphs):
    from backends.adapter.port import Port
    from backends.tf1.adapter import Side

    side = Side(graphs.classifier(), Setting(precision="fp64", threads=THREADS))
    survey = side.survey(graphs.ROWS)
    return Port(config_of(survey, 8), Setting(precision="fp64", threads=THREADS), side)


def batch_of(graphs):
    noise = np.random.RandomState(2).uniform(size=(8, 5))
    return Batch(graphs.ROWS, {"train0": noise, "forward0": noise})


def test_a_port_shows_its_loss_and_gradients_and_nothing_moves(port, graphs):
    batch = batch_of(graphs)
    weights = port.parameters()
    port.load_parameters(weights)
    losses = port.losses("train", batch)
    gradients = port.gradients("train", batch)
    forward = port.forward(batch, True)
    forced = port.forward_from(batch, True, forward)
    for name, value in forward.items():
        np.testing.assert_allclose(forced.values[name], value, 1e-13, 1e-15)
    assert set(gradients) < set(weights) and "output" == list(forward)[-1]
    for name, value in port.parameters().items():
        np.testing.assert_array_equal(value, weights[name])
    assert losses == port.train_step("train", batch)
    assert losses != port.losses("train", batch)
    state = port.optimizer_state()
    norm = np.sqrt(sum((value**2).sum() for value in gradients.values()))
    for name, value in gradients.items():
        clipped = value * min(1.0, 0.3 / norm)
        np.testing.assert_allclose(state[f"optimizer/{name}/m"], 0.1 * clipped, 1e-9, 1e-15)
    assert 1 == state["optimizer/step"]
    port.load_parameters(weights)
    assert losses == port.losses("train", batch) and 0 == port.optimizer_state()["optimizer/step"]


def test_a_port_trains_on_a_tape_and_natively(port, graphs):
    weights = port.parameters()
    data = dict(graphs.ROWS, eval_x=graphs.ROWS["x"])
    noise = np.random.RandomState(2).uniform(size=(3, 8, 5))
    tape = {"batches": np.stack([np.arange(8)] * 3), "noise/train/train0": noise}
    histories = []
    for _ in range(2):
        port.load_parameters(weights)
        histories.append(port.train(TapeSource(data, tape, 8), 3))
    assert histories[0] == histories[1] and 3 == len(histories[0]["total"])
    port.load_parameters(weights)
    native = port.train(NativeSource(data, 0, 4), 4)
    assert np.isfinite(native["total"]).all() and 4 == port.steps_trained
    assert (5, 3) == port.generate(NativeSource(data, 0, 4), 5).shape


@pytest.mark.parametrize("count", [3, 8, 19])
def test_a_graph_of_a_fixed_batch_generates_any_number_of_rows(graphs, count):
    """In whole batches, the last filled up; each row has its own draws, which begin again at the
    tape's end."""
    from backends.adapter.port import Port
    from backends.tf1.adapter import Side

    setting = Setting(precision="fp64", threads=THREADS)
    side = Side(graphs.fixed, setting)
    port = Port(config_of(side.survey(graphs.ROWS), 8), setting, side)
    x = np.random.RandomState(3).normal(size=(11, 6))
    data = dict(graphs.ROWS, eval_x=x, eval_y=np.zeros(11, np.int64))
    noise = np.random.RandomState(4).uniform(size=(1, 8, 6))
    tape = {"batches": np.arange(8)[None], "noise/generate/generate0": noise}
    made = port.generate(TapeSource(data, tape, 8), count)
    weights = port.parameters()
    rows = np.arange(count)
    expected = (x[rows % 11] * noise[0, rows % 8]) @ weights["out/kernel"] + weights["out/bias"]
    np.testing.assert_allclose(made, expected, 1e-12, 1e-14)
    assert (count, 3) == port.generate(NativeSource(data, 0, 8), count).shape
