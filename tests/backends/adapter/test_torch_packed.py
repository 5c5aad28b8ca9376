"""Packed sequences are shown padded, each step in its row's place, and are packed again behind a
teacher's value."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from backends.adapter.draws import Draws
from backends.adapter.side import FORWARD, Tap
from backends.contract import Setting

pytestmark = [pytest.mark.backends("torch"), pytest.mark.workloads("linear")]
ROWS, STEPS, WIDTH, UNITS = 3, 6, 4, 5
#: Not in order, and none as long as the batch.
LENGTHS = (2, 5, 4)


@pytest.fixture(params=[True, False], ids=["batch_first", "time_first"])
def batch_first(request):
    return request.param


@pytest.fixture
def nets(kit, batch_first):
    """A net that packs, the same layer without packing, and the net's side."""
    import torch
    from torch import nn
    from torch.nn.utils.rnn import pack_padded_sequence

    from backends import pair

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.LSTM(WIDTH, UNITS, batch_first=batch_first, bidirectional=True)
            self.top = nn.GRU(2 * UNITS, UNITS, batch_first=batch_first)
            self.out = nn.Linear(UNITS, 1)

        def forward(self, x):
            rows = x if batch_first else x.transpose(0, 1)
            lengths = torch.tensor(LENGTHS)
            packed = pack_padded_sequence(
                rows, lengths, batch_first=batch_first, enforce_sorted=False
            )
            _, last = self.top(self.encoder(packed)[0])
            return self.out(last[0])

    torch.manual_seed(0)
    net = Net().double()

    def side():
        optimizer = torch.optim.SGD(net.parameters(), 0.1)
        return pair.torch(net, optimizer, loss=lambda out, batch: (out**2).mean())

    adapter = importlib.import_module("backends.torch.adapter")
    return net, adapter.Side(side, Setting(precision="fp64", threads=1))


@pytest.fixture
def rows():
    return {"x": np.random.RandomState(3).normal(size=(ROWS, STEPS, WIDTH))}


def expected(layer, x, batch_first):
    """Return what a layer makes of each row alone, cut to its length; zeros behind that."""
    import torch

    whole = np.zeros((ROWS, STEPS, 2 * UNITS))
    for row, length in enumerate(LENGTHS):
        own = torch.from_numpy(x[row : row + 1, :length])
        made = layer(own if batch_first else own.transpose(0, 1))[0].detach().numpy()
        whole[row, :length] = made[0] if batch_first else made[:, 0]
    return whole


def test_a_packed_sequence_is_shown_padded_to_the_length_of_its_batch(nets, rows, batch_first):
    net, side = nets
    wanted = expected(net.encoder, rows["x"], batch_first)
    shown = side.look(rows, True, Draws(FORWARD), [Tap("encoder", "encoder")])["encoder"]
    np.testing.assert_allclose(
        shown if batch_first else shown.swapaxes(0, 1), wanted, rtol=0, atol=1e-14
    )


def test_a_teacher_s_value_is_packed_again(nets, rows):
    """What goes on is the teacher's, step by step and row by row: with its own values the layer
    above returns what it returned, with others it does not."""
    _, side = nets
    taps = [Tap("encoder", "encoder"), Tap("top", "top")]
    own = side.look(rows, True, Draws(FORWARD), taps)
    given = {name: own[name] for name in ("encoder", "top")}
    forced = side.look_from(rows, True, Draws(FORWARD), taps, given)
    np.testing.assert_array_equal(forced.values["top"], own["top"])
    assert "encoder" in forced.read["top"]
    moved = dict(given, encoder=given["encoder"] + (given["encoder"] != 0))
    other = side.look_from(rows, True, Draws(FORWARD), taps, moved)
    np.testing.assert_array_equal(other.values["encoder"], own["encoder"])
    changed = other.values["top"] != own["top"]
    np.testing.assert_array_equal(changed, own["top"] != 0)


def test_the_survey_says_how_the_axes_of_a_packed_sequence_lie(nets, rows, batch_first):
    _, side = nets
    (encoder,) = (layer for layer in side.survey(rows).layers if layer.name == "encoder")
    sizes = (ROWS, STEPS) if batch_first else (STEPS, ROWS)
    assert encoder.outputs[0] == (*sizes, 2 * UNITS)
    assert (encoder.axes is None) == batch_first
