"""Noise and batches as tensors of the graph: fed in lockstep, drawn by the graph itself where
nothing is fed.

Every site is a `tf.placeholder_with_default` of its native draw, so one graph serves both modes.
Draws are stateless functions of (seed, step, number of the site's entry in `config["noise"]`), and
an epoch's order of (seed, epoch): a run that stops and goes on at a step draws what an
uninterrupted one does. Sites of the same name and distribution in several phases are one tensor, so
that phases that compute the same share their part of the graph; which entry it draws then follows
from the phase that is fed.
"""

from __future__ import annotations

import collections
from typing import Any, Dict, List, Mapping, Optional, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from backends import schedule

GENERATE = "generate"


def fed_or(default: Any, shape: List[Optional[int]]) -> Tuple[Any, Any]:
    """Return a tensor that is `default` unless it is fed, and where to feed it.

    They are two ops: Grappler hangs control edges on whatever is asked for its shape, and where a
    `PlaceholderWithDefault` is fed such edges would still run the default.
    """
    entry = tf.placeholder_with_default(default, shape)
    return tf.placeholder_with_default(entry, shape), entry


class Noise:
    """All sites of a workload.

    Attributes:
        key: int64 [3], fed wherever noise is drawn: seed, step and number of the phase (see
            `number`).
        sites, entries: for each phase and pseudo-phase its tensors by site, and where to feed them.
    """

    def __init__(self, config: Mapping[str, Any], dtype: Any, batch: Optional[int]) -> None:
        """Args: dtype: of the tensors. batch: their batch axis as the graph knows it; None leaves
        it open."""
        self.key = tf.placeholder(tf.int64, [3], "key")
        entries = config["noise"]
        self._numbers: Dict[str, int] = collections.OrderedDict()
        for number, phase in enumerate(config["phases"]):
            self._numbers[phase] = number
        for entry in entries:
            for phase in entry["phases"]:
                self._numbers.setdefault(phase, len(self._numbers))
        self.sites: Dict[str, Dict[str, Any]] = {phase: {} for phase in self._numbers}
        self.entries: Dict[str, Dict[str, Any]] = {phase: {} for phase in self._numbers}
        shared: Dict[Tuple[Any, ...], List[int]] = collections.OrderedDict()
        for index, entry in enumerate(entries):
            shared.setdefault(self._identity(entry), []).append(index)
        if not shared:
            return
        table = np.zeros([len(shared), len(self._numbers)], np.int64)
        for row, indices in enumerate(shared.values()):
            for index in indices:
                columns = [self._numbers[phase] for phase in entries[index]["phases"]]
                table[row, columns] = index
        drawn = self.key[1] * len(entries) + tf.gather(tf.constant(table), self.key[2], axis=1)
        seeds = tf.unstack(tf.stack([tf.fill([len(shared)], self.key[0]), drawn], axis=1))
        for seed, indices in zip(seeds, shared.values()):
            entry = entries[indices[0]]
            tensor, feedable = fed_or(_draw(entry, seed, dtype), [batch] + entry["shape"][1:])
            for index in indices:
                for phase in entries[index]["phases"]:
                    self.sites[phase][entry["site"]] = tensor
                    self.entries[phase][entry["site"]] = feedable

    def number(self, phase: str) -> int:
        """Return the number by which `key` names a phase or pseudo-phase."""
        return self._numbers.get(phase, 0)

    @staticmethod
    def _identity(entry: Mapping[str, Any]) -> Tuple[Any, ...]:
        return tuple(entry["shape"]) + tuple(
            entry[name] for name in ("site", "kind", "keep", "low", "high")
        )


def _draw(entry: Mapping[str, Any], seed: Any, dtype: Any) -> Any:
    """Return one site's draw. A mask is compared in float32 whatever the dtype: half the bits to
    draw, exact enough."""
    shape = entry["shape"]
    if entry["kind"] == "normal":
        return tf.random.stateless_normal(shape, seed, dtype=dtype)
    if entry["kind"] == "uniform":
        return tf.random.stateless_uniform(shape, seed, entry["low"], entry["high"], dtype=dtype)
    if entry["kind"] == "keep_mask":
        return tf.cast(tf.random.stateless_uniform(shape, seed) < entry["keep"], dtype)
    site, kind = entry["site"], entry["kind"]
    raise ValueError(f"noise {site}: kind {kind!r} is not one of keep_mask, uniform, normal")


class Rows:
    """The training rows in the graph's own memory, and the batches that are gathered from them.

    Attributes:
        numbers: int64 [batch], fed in native mode: which rows make the batch.
        arrays, entries: by name a batch of the rows held, unless one is fed, and where to feed it.
    """

    def __init__(
        self, inputs: Mapping[str, Tuple[Any, List[Optional[int]]]], config: Mapping[str, Any]
    ) -> None:
        self._config = config
        self.numbers = tf.placeholder(tf.int64, [None], "rows")
        self.arrays: Dict[str, Any] = {}
        self.entries: Dict[str, Any] = {}
        self._held: Dict[str, Any] = {}
        for name, (dtype, shape) in inputs.items():
            open_shape = [None] + shape[1:]
            empty = tf.placeholder_with_default(tf.zeros([0] + shape[1:], dtype), open_shape)
            self._held[name] = tf.Variable(
                empty,
                trainable=False,
                validate_shape=False,
                use_resource=True,
                shape=tf.TensorShape(open_shape),
                name="rows/" + name,
            )
            batch = tf.gather(self._held[name], self.numbers)
            self.arrays[name], self.entries[name] = fed_or(batch, shape)
        self._total = tf.placeholder(tf.int32, [], "total")
        self._seed = tf.placeholder(tf.int64, [2], "epoch")
        keys = tf.random.stateless_uniform([self._total], self._seed, dtype=tf.float64)
        self._order = tf.argsort(keys)
        self._source: Any = None
        self._epoch = (-1, np.zeros(0, np.int64))

    def assignments(self, source: Any) -> List[Tuple[Any, np.ndarray]]:
        """Return what to assign to the variables that hold the rows, where they do not hold this
        source's yet."""
        if self._source is source:
            return []
        rows = source.training_rows()
        self._source, self._epoch = source, (-1, self._epoch[1])
        return [(variable, rows[name]) for name, variable in self._held.items()]

    def batch(self, session: Any, cursor: int) -> np.ndarray:
        """Return the row numbers of step `cursor`: a new permutation each epoch of its segment,
        partial batches dropped."""
        total = len(next(iter(self._source.training_rows().values())))
        size = self._source.batch_size
        epoch, index = schedule.epoch_at(self._config, cursor, total // size)
        if self._epoch[0] != epoch:
            # Negative counters: no step has one, so no site of noise draws from the same stream.
            feed = {self._total: total, self._seed: [self._source.seed, -1 - epoch]}
            self._epoch = epoch, session.run(self._order, feed).astype(np.int64)
        return self._epoch[1][index * size : (index + 1) * size]
