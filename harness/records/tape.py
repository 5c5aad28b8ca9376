"""Draw a tape: all randomness of a run, recorded once with NumPy, from a seed.

The legacy `RandomState` stream is frozen by NumPy's policy (NEP 19), and only uniform draws and
permutations are used, so a seed gives the same bits under every NumPy and on every platform;
recorded references rely on it.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.workloads.spec import FORWARD, GENERATE, Arrays, Workload


@dataclasses.dataclass(frozen=True)
class Inputs:
    """The data and the tape of one workload, preset and seed, with their SHA-256."""

    data: Arrays
    tape: Arrays
    data_hash: str
    tape_hash: str


def draw(workload: Workload, config: dict[str, Any], seed: int, steps: int) -> Inputs:
    """Return the data and a tape, see `drawn`.

    Args:
        workload, config, seed, steps: as there.
    """
    data = workload.data(config)
    tape = dict(drawn(workload, config, data, seed, steps))
    return Inputs(data, tape, content_hash(data), content_hash(tape))


def drawn(
    workload: Workload, config: dict[str, Any], data: Arrays, seed: int, steps: int
) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield a tape of `steps` steps, in the order of the draws: `weights/<name>`, `batches` [steps,
    batch], `noise/<phase>/<site>`.

    What the forward stage and `generate` consume is drawn once, [1, ...]; a site that several
    phases share is drawn once a step.

    Args:
        workload: what declares weights and noise.
        config: of one of its presets (`Workload.config`). data: the workload's.
        seed: of all draws; the data do not depend on it. steps: how many batches there are.
    """
    generator = np.random.RandomState(seed)
    yield from _weights(workload, config, generator)
    rows = len(next(value for name, value in data.items() if not name.startswith("eval_")))
    batches = [generator.permutation(rows)[: config["batch"]] for _ in range(steps)]
    yield "batches", np.stack(batches).astype(np.int64)
    for item in workload.noise(config):
        once = {*item.phases} <= {FORWARD, GENERATE}
        values = item.draw(generator, 1 if once else steps)
        for phase in item.phases:
            yield f"noise/{phase}/{item.site}", values


def initial(workload: Workload, config: dict[str, Any], seed: int) -> Arrays:
    """Return `weights/<name>` alone, as a tape of this seed begins.

    Args:
        workload: what declares the weights. config: of one of its presets (`Workload.config`).
        seed: of the draws.
    """
    return dict(_weights(workload, config, np.random.RandomState(seed)))


def _weights(
    workload: Workload, config: dict[str, Any], generator: np.random.RandomState
) -> Iterator[tuple[str, NDArray[Any]]]:
    for item in workload.parameters(config):
        yield f"weights/{item.name}", item.draw(generator)


def content_hash(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Return the SHA-256 over names, dtypes, shapes and bytes, in the order of names."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        value = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {value.dtype.str} {value.shape}\n".encode())
        digest.update(value.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
