"""One side of a pair, run on weights that the harness gives it, to see what its layers return.

Weights and activations of a large model are as large as it is: they stay on the disk, and one array
is read at a time. Of weights, a run is sent those alone that its worker does not have from the run
before: a look puts back whatever it changes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.adapter.pieces import apply
from backends.survey import Piece
from harness.execution import verbs
from harness.execution.processes import WorkerProcess
from harness.pairs.agreement import Walk
from harness.pairs.inference import SurveyedSide, plain
from harness.records import archives

#: A side's draws in a forward pass in training mode, as `draws.entries` has them, and their values.
Training = tuple[list[dict[str, Any]], Walk]
#: Where the data are, the rows of each run, and a side's draws in inference.
Inputs = tuple[Path, list[list[int]], list[dict[str, Any]]]


@dataclasses.dataclass(frozen=True)
class Weight:
    """What a piece is given.

    Attributes:
        piece: of the side, under its canonical name. source: the first side's piece that it comes
            from, and `part` the steps from there.
        times: what its values are multiplied by.
    """

    piece: Piece
    source: str
    part: tuple[tuple[object, ...], ...] = ()
    times: float = 1.0


@dataclasses.dataclass
class Place:
    """Where one side is looked at.

    Attributes:
        side: what is known of it. worker: its own. folder: of its own.
        held: the weights of the last run, by the names of the pieces.
    """

    side: SurveyedSide
    worker: WorkerProcess
    folder: Path
    held: dict[str, Weight] = dataclasses.field(default_factory=dict)

    def walk(
        self,
        weights: Sequence[Weight],
        start: Mapping[str, NDArray[Any]],
        inputs: Inputs,
        training: Training | None = None,
    ) -> Walk:
        """Run the side and return what its layers return on two inputs, and, with the plan and the
        values of its draws, in training mode on the first.

        Args:
            weights: of the run; one that does not fit is left out, and its piece as it is.
            start: the first side's, by piece. inputs, training: see there.

        Raises:
            JobFailed: the side cannot be run. CorruptRecord: the worker has left something else.
        """
        data, rows, inference = inputs
        values, out = self.folder / "held.npz", self.folder / "walk.npz"
        sent: list[Piece] = []
        archives.write_each(values, _made(_differing(weights, self.held), start, sent))
        drawn: dict[str, Any] = {"inference": inference}
        if training is not None:
            drawn["training"], noise = training
            archives.write_arrays(self.folder / "noise.npz", dict(noise))
            drawn["noise"] = str(self.folder / "noise.npz")
        self.worker.request(
            verbs.WALK,
            parts=[plain(piece) for piece in sent],
            values=str(values),
            data=str(data),
            rows=rows,
            out=str(out),
            draws=drawn,
        )
        self.held = {weight.piece.name: weight for weight in weights}
        return archives.taken(out)


def _differing(weights: Sequence[Weight], held: Mapping[str, Weight]) -> list[Weight]:
    """Return the weights that a side does not have, and those that share a parameter of the side
    with one of them: of two values for one, the later is the one that counts."""
    chosen = {weight.piece.name for weight in weights if held.get(weight.piece.name) != weight}
    while True:
        written = {
            source
            for weight in weights
            if weight.piece.name in chosen
            for source in weight.piece.sources
        }
        more = {
            weight.piece.name for weight in weights if not written.isdisjoint(weight.piece.sources)
        }
        if more <= chosen:
            return [weight for weight in weights if weight.piece.name in chosen]
        chosen |= more


def _made(
    weights: Sequence[Weight], start: Mapping[str, NDArray[Any]], sent: list[Piece]
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield the values of those that fit, and note their pieces in `sent`."""
    for weight in weights:
        value = apply(start[weight.source], weight.part)
        if tuple(weight.piece.shape) == value.shape:
            sent.append(weight.piece)
            yield weight.piece.name, value if weight.times == 1.0 else weight.times * value
