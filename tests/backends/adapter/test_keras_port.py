"""The port that is made of a side of Keras models."""

from __future__ import annotations

import numpy as np
import pytest

from backends import pair
from backends.adapter.port import Port
from backends.source import Batch, NativeSource, TapeSource

pytestmark = [pytest.mark.backends("tf2"), pytest.mark.workloads("linear")]
GENERATOR = np.random.RandomState(4)
ROWS = {"x": GENERATOR.normal(size=(8, 5)), "y": GENERATOR.normal(size=(8, 2))}


def test_the_port_of_a_side(keras, make):
    """The ladder: forward, losses, gradients, updates, state, training, inference."""

    def function():
        x = keras.Input((5,))
        h = keras.layers.Dropout(0.5, name="drop")(keras.layers.Dense(4, name="h")(x))
        model = keras.Model(x, keras.layers.Dense(2, name="out")(h))
        model.compile(keras.optimizers.Adam(2.0**-6), "mse")
        return pair.keras(model)

    side = make(function)
    survey = side.survey(ROWS).plain()
    draws = {}
    for draw in survey["draws"]:
        entry = {"site": f"{draw['phase']}/{draw['index']}", "axes": None}
        draws.setdefault(draw["phase"], []).append(entry)
    names = [piece["name"] for piece in survey["pieces"]]
    taps = [{"name": row["name"], "layer": row["name"]} for row in survey["layers"]]
    config = {
        "workload": "mine",
        "batch": 8,
        "parameters": [
            {"name": p["name"], "shape": list(p["shape"]), "trainable": True}
            for p in survey["pieces"]
        ],
        "phases": ["train"],
        "schedule": [{"steps": None, "phases": ["train"]}],
        "updates": [{"phase": "train", "optimizer": "adam", "parameters": names}],
        "pair": {
            "pieces": survey["pieces"],
            "taps": taps,
            "outputs": {"output": {"own": "output", "axes": None}},
            "draws": draws,
            "losses": {"train": {"total": "total"}},
            "optimizers": {"adam": ""},
            "slots": {"adam": ["m", "v"]},
        },
    }
    port = Port(config, side.setting, side)
    port.load_parameters(port.parameters())
    mask = np.zeros((8, 4))
    batch = Batch(ROWS, {"forward/0": mask, "train/0": mask})
    shown = port.forward(batch, True)
    assert list(shown) == ["h", "drop", "out", "output"]
    np.testing.assert_array_equal(shown["drop"], 2.0 * shown["h"])
    forced = port.forward_from(batch, True, {"h": 3.0 * shown["h"]})
    np.testing.assert_allclose(forced.values["drop"], 6.0 * shown["h"])
    assert forced.read["drop"] == ["h"] and forced.rooted[0] == "h"
    loss = port.losses("train", batch)
    assert set(port.gradients("train", batch)) == set(names) == set(port.parameters())
    assert loss == port.train_step("train", batch)
    state = port.optimizer_state()
    assert state["adam/step"] == 1 and np.any(state["adam/h/kernel/m"])
    data = dict(ROWS, eval_x=ROWS["x"])
    tape = {"batches": np.arange(8)[np.newaxis].repeat(2, 0)}
    port.load_parameters(port.parameters())
    history = port.train(
        TapeSource(data, dict(tape, **{"noise/train/train/0": mask[None].repeat(2, 0)}), 8), 2
    )
    assert len(history["total"]) == 2
    native = port.train(NativeSource(data, 0, 8), 2)
    assert np.all(np.isfinite(native["total"]))
    assert port.generate(TapeSource(data, tape, 8), 3).shape == (3, 2)
    assert (
        port.effective()["execution"] == "graph" and "float64" in port.effective()["dtype_policy"]
    )
