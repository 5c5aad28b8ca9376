"""The scale of a GradScaler: read back, and begun where Keras begins if the user accepts that."""

from __future__ import annotations

import importlib

import pytest
from linear_step import ROWS, errors, maker

from backends.adapter.draws import Draws

pytestmark = [pytest.mark.backends("torch"), pytest.mark.workloads("linear")]
KERAS, TORCHS = 2.0**15, 2.0**16


@pytest.fixture
def scaled(kit):
    """A function that makes a side with a scaler, whose steps return the scale, too."""
    torch = importlib.import_module("torch")

    def side(**options):
        def program(net):
            optimizer = torch.optim.SGD(net.parameters(), 0.125)
            scaler = torch.amp.GradScaler("cpu", **options)

            def step(batch):
                optimizer.zero_grad()
                value = errors(torch, net, batch)
                scaler.scale(value).backward()
                scale = scaler.get_scale()
                scaler.step(optimizer)
                scaler.update()
                return {"value": value, "scale": torch.tensor(scale)}

            return optimizer, step

        return maker(torch)(program)

    return side


def test_it_is_read_back(scaled):
    words = scaled(growth_interval=7).survey(ROWS).optimizers[0].hyperparameters
    expected = {"": TORCHS, "_interval": 7, "_growth": 2.0, "_backoff": 0.5}
    assert {"loss_scale" + end: value for end, value in expected.items()} == {
        word: value for word, value in words.items() if word.startswith("loss_scale")
    }


def test_one_that_is_off_is_none(scaled):
    words = scaled(enabled=False).survey(ROWS).optimizers[0].hyperparameters
    assert not [word for word in words if word.startswith("loss_scale")]


def test_it_begins_where_keras_begins_and_goes_on_by_itself(scaled):
    """Once a run, not at each step: what it has grown to stays; a timed run has the user's own."""
    side = scaled(growth_interval=1)
    side.accept({"loss-scale-start": {"": KERAS}})
    for _ in range(2):
        side.reset()
        steps = [side.step("train", ROWS, Draws("train")) for _ in range(3)]
        assert [step.losses["scale"] for step in steps] == [KERAS, 2 * KERAS, 4 * KERAS]
    side.reset()
    assert side.step("train", ROWS, None, watch=False).losses["scale"] == TORCHS
