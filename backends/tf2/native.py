"""Native randomness: batches and noise that the framework draws, as functions of (seed, step, site)
alone.

Nothing here has state, so a run that stops goes on exactly where it was, and draws fit into any
graph. What a phase needs is drawn up front, as tensors under the names of their sites: the model
then computes the same on a tape and on its own draws.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Tuple

import tensorflow as tf

from backends import schedule

#: The orders of so many rows are drawn in one go: for small data a permutation costs more to ask
#: for than to make.
ROWS_ORDERED_AT_ONCE = 1 << 16

Site = Tuple[int, Mapping[str, Any]]


class Noise:
    """The sites of `config["noise"]`, each with a random stream of its own.

    Args:
        config: the workload's configuration.
        consumes: whether a phase computes with a site that is declared for it.
        dtype: of the draws.
    """

    def __init__(
        self, config: Mapping[str, Any], consumes: Callable[[str, str], bool], dtype: Any
    ) -> None:
        self.config, self.dtype, self.streams = config, dtype, len(config["noise"]) + 1
        self.sites: Dict[str, List[Site]] = {}
        for index, site in enumerate(config["noise"]):
            for phase in site["phases"]:
                if consumes(phase, site["site"]):
                    self.sites.setdefault(phase, []).append((index, site))

    def names(self, phase: str) -> List[str]:
        """Return the sites that a phase computes with."""
        return [site["site"] for _, site in self.sites.get(phase, [])]

    def streams_of(self, phase: str) -> List[int]:
        """Return the numbers of a phase's streams: an argument, so that phases which differ in
        nothing else share a trace."""
        return [index for index, _ in self.sites.get(phase, [])]

    def draw(self, phase: str, streams: Any, clock: Any) -> Dict[str, Any]:
        """Return the noise of one phase of one step.

        Args:
            phase: decides names, shapes and distributions.
            streams: of `streams_of`, for the phase itself or one with the same sites.
            clock: (seed, step), int64.
        """
        noise = {}
        for index, (_, site) in enumerate(self.sites.get(phase, [])):
            seed = tf.stack([clock[0], clock[1] * self.streams + streams[index]])
            noise[site["site"]] = draw(site, seed, self.dtype)
        return noise

    def permutations(self, rows: int, seed: int, block: int, epochs: int) -> Any:
        """Return the orders of the rows in a block of epochs, [epochs, rows]; they have the last
        stream, which no site has."""
        clock = tf.constant([seed, block * self.streams + self.streams - 1], tf.int64)
        keys = tf.random.stateless_uniform([epochs, rows], clock, dtype=tf.float64)
        return tf.argsort(keys, stable=True)


def draw(site: Mapping[str, Any], seed: Any, dtype: Any) -> Any:
    """Return one draw of a site; the kinds are those of `harness/workloads/spec.py`."""
    if site["kind"] == "normal":
        return tf.random.stateless_normal(site["shape"], seed, dtype=dtype)
    low, high = (0.0, 1.0) if site["kind"] == "keep_mask" else (site["low"], site["high"])
    values = tf.random.stateless_uniform(site["shape"], seed, low, high, dtype=dtype)
    return tf.cast(values < site["keep"], dtype) if site["kind"] == "keep_mask" else values


class Rows:
    """The rows of a native source on the device, and the order of its batches: each epoch has one
    permutation, partial batches are dropped.

    Args:
        rows: tensors by name.
        source: gives the size of a batch and the seed.
        noise: draws.
    """

    def __init__(self, rows: Mapping[str, Any], source: Any, noise: Noise) -> None:
        self.rows, self.noise = dict(rows), noise
        self.batch, self.seed = source.batch_size, source.seed
        self.total = int(next(iter(self.rows.values())).shape[0])
        self.epochs = max(1, ROWS_ORDERED_AT_ONCE // self.total)
        self.steps = self.epochs * (self.total // self.batch)
        self.block = -1
        self.order: Any = None

    def at(self, step: int) -> Tuple[Any, int]:
        """Return the row numbers of a block of steps [steps, batch], and which of them a step
        has."""
        batches = self.total // self.batch
        epoch, index = schedule.epoch_at(self.noise.config, step, batches)
        block, index = divmod(epoch * batches + index, self.steps)
        if block != self.block:
            order = self.noise.permutations(self.total, self.seed, block, self.epochs)
            whole = batches * self.batch
            self.block, self.order = block, tf.reshape(order[:, :whole], [-1, self.batch])
        return self.order, index
