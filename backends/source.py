"""Where a port's batches and noise come from: a tape (lockstep) or the framework's own generators
(native).

Owns no randomness: a `TapeSource` replays what the harness drew, a `NativeSource` hands over data
and a seed.
"""

from __future__ import annotations

import itertools
from typing import Any, Callable, Dict, Iterator, Mapping, Optional

import numpy as np


class Batch:
    """The input of one update.

    Attributes:
        arrays: the workload's named data arrays, first axis the batch.
        noise: arrays of the tape by site, for the phase at hand; None in native mode, where the
            port draws its own.
    """

    __slots__ = ("arrays", "noise")

    def __init__(
        self, arrays: Mapping[str, np.ndarray], noise: Optional[Mapping[str, np.ndarray]]
    ) -> None:
        self.arrays = dict(arrays)
        self.noise = None if noise is None else dict(noise)


class Source:
    """Base of both sources.

    Attributes:
        data: the workload's arrays; names that begin with `eval_` are evaluation inputs, all others
            are training rows.
        lockstep: whether batches and noise come from a tape.
    """

    lockstep = False

    def __init__(self, data: Mapping[str, np.ndarray], batch: int) -> None:
        self.data = dict(data)
        self.batch_size = batch
        self.cursor = 0

    def training_rows(self) -> Dict[str, np.ndarray]:
        """Return the arrays that batches are made of."""
        return {name: array for name, array in self.data.items() if not name.startswith("eval_")}

    def evaluation_rows(self, count: int) -> Dict[str, np.ndarray]:
        """Return `count` rows of the evaluation inputs, in order, starting again at their end.

        Their names lose `eval_`.
        """
        rows = {}
        for name, array in self.data.items():
            if name.startswith("eval_"):
                rows[name[len("eval_") :]] = array[np.arange(count) % len(array)]
        return rows

    def generation(self, count: int) -> Batch:
        """Return what `generate` consumes for `count` rows: evaluation inputs, and on a tape the
        noise; else noise is None."""
        return Batch(self.evaluation_rows(count), None)


class TapeSource(Source):
    """Lockstep: every batch and every draw of noise was recorded by the harness.

    Args:
        data: the workload's arrays.
        tape: `batches` [steps, batch] row numbers; `noise/<phase>/<site>` [steps, ...], and [1,
            ...] of the pseudo-phases `forward` and `generate`.
        batch: rows a batch.
        first: the training step that the tape's first one is, for a run that goes on from a
            checkpoint.

    Example:
        >>> data = {"x": np.arange(4.0), "eval_x": np.array([7.0, 8.0])}
        >>> tape = {
        ...     "batches": np.array([[2, 0], [1, 3]]),
        ...     "noise/train/dropout": np.array([[1, 0], [1, 1]]),
        ... }
        >>> source = TapeSource(data, tape, batch=2)
        >>> batch = source.batch(0, "train")
        >>> batch.arrays["x"].tolist(), batch.noise["dropout"].tolist()
        ([2.0, 0.0], [1, 0])
        >>> source.generation(3).arrays["x"].tolist()
        [7.0, 8.0, 7.0]
    """

    lockstep = True

    def __init__(
        self,
        data: Mapping[str, np.ndarray],
        tape: Mapping[str, np.ndarray],
        batch: int,
        first: int = 0,
    ) -> None:
        Source.__init__(self, data, batch)
        self.tape = tape
        self.steps = len(tape["batches"])
        self.cursor = self.first = first

    def batch(self, step: int, phase: str) -> Batch:
        """Return the batch and the noise of one phase of one step.

        Args:
            step: of the training, counted from 0.
            phase: whose noise is wanted; the rows are the same for all phases of a step.

        Raises:
            IndexError: the tape does not hold that step.
        """
        step -= self.first
        if not 0 <= step < self.steps:
            raise IndexError(f"the tape holds {self.steps} steps, step {step} was asked for")
        rows = self.tape["batches"][step]
        return Batch(
            {name: array[rows] for name, array in self.training_rows().items()},
            self._noise(phase, step),
        )

    def generation(self, count: int) -> Batch:
        noise = {
            site: self._for_rows(values, count)
            for site, values in self._noise("generate", 0).items()
        }
        return Batch(self.evaluation_rows(count), noise)

    def _for_rows(self, values: np.ndarray, count: int) -> np.ndarray:
        """Return the noise of so many rows, starting again at its end: row by row, in blocks where
        a row has several (batch * heads); one draw for all rows, and what is no multiple of the
        batch, as it is."""
        rows = values.shape[0] if values.ndim else 0
        if rows <= 1 or rows % self.batch_size:
            return values
        blocks = values.reshape((self.batch_size, rows // self.batch_size) + values.shape[1:])
        return blocks[np.arange(count) % self.batch_size].reshape((-1,) + values.shape[1:])

    def _noise(self, phase: str, step: int) -> Dict[str, np.ndarray]:
        prefix = f"noise/{phase}/"
        # Copies: a port may change what it is given, and the tape is read again.
        return {
            name[len(prefix) :]: np.array(values[step])
            for name, values in self.tape.items()
            if name.startswith(prefix)
        }


class NativeSource(Source):
    """Native: the port draws batch order and noise with its framework's generators, from a seed.

    Args:
        data: the workload's arrays.
        seed: what everything that the port draws is a function of.
        batch: rows a batch.

    Example:
        >>> source = NativeSource({"x": np.arange(10.0)}, seed=3, batch=4)
        >>> source.batches()
        2
        >>> rows = np.concatenate([source.shuffled(epoch=0, place=place) for place in (0, 1)])
        >>> len(set(rows.tolist()))
        8
        >>> source.stream("pipeline", lambda own: ["made once, from seed", own.seed])
        ['made once, from seed', 3]
    """

    def __init__(self, data: Mapping[str, np.ndarray], seed: int, batch: int) -> None:
        Source.__init__(self, data, batch)
        self.seed = seed
        self._streams: Dict[str, Any] = {}
        self._order = (-1, np.zeros(0, np.int64))  # the last epoch's

    def stream(self, key: str, make: Callable[[NativeSource], Any]) -> Any:
        """Return what `make(self)` gave on the first call with this key.

        A port keeps its input pipeline here.
        """
        if key not in self._streams:
            self._streams[key] = make(self)
        return self._streams[key]

    def batches(self) -> int:
        """Return how many whole batches an epoch has; partial ones are dropped."""
        return len(next(iter(self.training_rows().values()))) // self.batch_size

    def shuffled(self, epoch: int, place: int) -> np.ndarray:
        """Return the row numbers of batch number `place` of an epoch; each epoch has a permutation
        of its own, a function of (seed, epoch) alone.

        For ports whose framework has no generators of its own (numpy); the others use theirs.
        """
        if self._order[0] != epoch:
            total = len(next(iter(self.training_rows().values())))
            self._order = epoch, np.random.RandomState([self.seed, epoch]).permutation(total)
        return self._order[1][place * self.batch_size : (place + 1) * self.batch_size]

    def shuffled_rows(self) -> Iterator[np.ndarray]:
        """Yield the row numbers of successive batches, epoch after epoch."""
        for epoch in itertools.count():
            for place in range(self.batches()):
                yield self.shuffled(epoch, place)
