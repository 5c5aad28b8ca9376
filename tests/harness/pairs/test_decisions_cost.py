"""What deciding by data costs: runs of the second side are counted, and layers that cannot matter
are not tried."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from harness.pairs import decisions
from harness.pairs.agreement import INPUTS
from harness.pairs.matches import OPEN
from tests.harness.pairs import scenes
from tests.harness.pairs.scenes import FLAT, WIDTH, Model, square


class Chain:
    """Models of dense layers that are all alike.

    Args:
        names: of the layers. shown: of those that show what they return.

    Attributes:
        runs: of the models with a mistake.
    """

    def __init__(self, names: Sequence[str], shown: Sequence[str]) -> None:
        self.names, self.shown, self.runs = names, shown, 0

    def model(self, wrong: int | None = None) -> Model:
        """Return one of them.

        Args:
            wrong: which layer has a mistake.
        """
        pieces = [scenes.piece(name, "kernel", (WIDTH, WIDTH)) for name in self.names]
        one = square(self.names[0], "dense").survey.layers[0]
        layers = [
            dataclasses.replace(one, name=name, outputs=one.outputs if name in self.shown else ())
            for name in self.names
        ]

        def run(own: scenes.Values, x: np.ndarray) -> dict[str, np.ndarray]:
            self.runs += wrong is not None
            returned = {}
            for number, name in enumerate(self.names):
                x = np.tanh(x @ own[f"{name}/kernel"]) + (number == wrong)
                returned[name] = x
            return {name: returned[name] for name in self.shown}

        return Model(scenes.survey(pieces, layers), run, {part.name: part.shape for part in pieces})


def test_runs_are_counted():
    """A deep model of layers that are all alike costs no more than it may; what was not tried is
    not claimed."""
    names = [f"layer_{number}" for number in range(40)]
    chain = Chain(names, names)
    decided = scenes.decide(chain.model(), chain.model(20), FLAT)
    assert "layer_20" == decided.first_open
    assert chain.runs <= INPUTS * decisions.MOST_RUNS
    assert all(scenes.chosen(decided)[name] == name for name in scenes.chosen(decided))
    assert OPEN == scenes.ways(decided)["layer_30/kernel"]


def test_layers_that_run_behind_are_not_tried():
    """What is wrong in the first layer is no matter of which of the later ones is which, though
    these show nothing."""
    names = [f"layer_{number}" for number in range(12)]
    chain = Chain(names, names[:1])
    decided = scenes.decide(chain.model(), chain.model(0), FLAT)
    assert names[0] == decided.first_open
    # Of the kernel that departs every exchange is tried, of those behind it none.
    assert chain.runs <= INPUTS * (1 + len(names))
