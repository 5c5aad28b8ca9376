"""Weights that only one side of a pair has, through its port."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from backends.adapter.port import Port
from backends.contract import Setting
from backends.survey import Piece

PLAN = ("taps", "outputs", "draws", "losses", "optimizers", "slots")


class Side:
    """A side with two weights, and nothing else."""

    def __init__(self):
        self.held = {"a": np.zeros(2), "b": np.arange(3.0), "zero": np.zeros(3)}

    def parameters(self):
        return {name: np.array(value) for name, value in self.held.items()}

    def assign(self, values):
        self.held = {name: np.array(value) for name, value in values.items()}

    def reset(self):
        pass


@pytest.mark.parametrize("alone", [[], ["b", "zero"]])
def test_they_begin_every_run_where_they_began(alone):
    """A weight in no piece must not begin with what an earlier run has left of it; one that is
    trained, and all alike, is moved apart first, so that a bias which the other side has not is
    seen at once."""
    piece = Piece("a", "", "a", (2,), True, ("a",))
    plan = dict({name: {} for name in PLAN}, taps=[], pieces=[dataclasses.asdict(piece)])
    plan["alone"] = alone
    config = {"pair": plan, "parameters": [{"name": "a", "trainable": True}], "workload": "mine"}
    side = Side()
    port = Port(config, Setting(), side)
    begun = []
    for _ in range(2):
        port.load_parameters({"a": np.ones(2)})
        assert [1.0, 1.0] == side.held["a"].tolist()
        assert [0.0, 1.0, 2.0] == side.held["b"].tolist()
        begun.append(side.held["zero"])
        assert (len(set(begun[-1].tolist())) > 1) is bool(alone)
        assert np.array_equal(begun[0], begun[-1]) and np.abs(begun[0]).max() <= 0.1
        side.held = {name: value + 5.0 for name, value in side.held.items()}
