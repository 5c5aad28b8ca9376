"""Recurrent cells that a builder of graphs calls hour by hour, outside of TensorFlow's loops."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = [pytest.mark.backends("tf1"), pytest.mark.workloads("linear")]
HOURS = 5


def test_an_unrolled_lstm_shows_its_state_of_every_hour(made, graphs):
    """Before what is wrapped around it, as other frameworks' cells return it; it returns no
    sequences."""
    from backends.adapter import pieces
    from backends.adapter.side import Tap

    side = made("unrolled")
    survey = side.survey(graphs.SERIES)
    cell = survey.layers[0]
    assert ("lstm", False) == (cell.kind, cell.attributes["return_sequences"])
    assert ((4, 4),) == cell.outputs[:1]
    own = side.parameters()
    values = {
        piece.role: pieces.canonical(piece, own)
        for piece in survey.pieces
        if piece.layer == cell.name
    }
    taps = [Tap(str(hour), cell.name, hour) for hour in range(HOURS)]
    shown = side.look(graphs.SERIES, True, graphs.tape_of("forward"), taps)
    h = c = np.zeros((4, 4))
    for hour in range(HOURS):
        gates = graphs.SERIES["x"][:, hour] @ values["kernel"] + values["bias"]
        i, f, g, o = np.split(gates + h @ values["recurrent_kernel"], 4, 1)
        i, f, o = (1.0 / (1.0 + np.exp(-gate)) for gate in (i, f, o))
        c = f * c + i * np.tanh(g)
        h = o * np.tanh(c)
        np.testing.assert_allclose(shown[str(hour)], h, 1e-12, 1e-14)
