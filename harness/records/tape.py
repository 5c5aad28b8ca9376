"""Draw a tape: all randomness of a run, recorded once with NumPy, from a seed.

The legacy `RandomState` stream is frozen by NumPy's policy (NEP 19), and only uniform draws and
permutations are used, so a seed gives the same bits under every NumPy and on every platform;
recorded references rely on it.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
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
    """Return the data and a tape of `steps` steps: `weights/<name>`, `batches` [steps, batch],
    `noise/<phase>/<site>`.

    What the forward stage and `generate` consume is drawn once, [1, ...]; a site that several
    phases share is drawn once a step.

    Args:
        workload: what declares data, weights and noise.
        config: of one of its presets (`Workload.config`).
        seed: of all draws; the data do not depend on it. steps: how many batches there are.
    """
    data = workload.data(config)
    generator = np.random.RandomState(seed)
    tape = _weights(workload, config, generator)
    rows = len(next(value for name, value in data.items() if not name.startswith("eval_")))
    tape["batches"] = np.stack(
        [generator.permutation(rows)[: config["batch"]] for _ in range(steps)]
    ).astype(np.int64)
    for item in workload.noise(config):
        once = {*item.phases} <= {FORWARD, GENERATE}
        values = item.draw(generator, 1 if once else steps)
        tape.update({f"noise/{phase}/{item.site}": values for phase in item.phases})
    return Inputs(data, tape, content_hash(data), content_hash(tape))


def initial(workload: Workload, config: dict[str, Any], seed: int) -> Arrays:
    """Return `weights/<name>` alone, as a tape of this seed begins.

    Args:
        workload: what declares the weights. config: of one of its presets (`Workload.config`).
        seed: of the draws.
    """
    return _weights(workload, config, np.random.RandomState(seed))


def _weights(
    workload: Workload, config: dict[str, Any], generator: np.random.RandomState
) -> Arrays:
    return {f"weights/{item.name}": item.draw(generator) for item in workload.parameters(config)}


def content_hash(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Return the SHA-256 over names, dtypes, shapes and bytes, in the order of names."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        value = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {value.dtype.str} {value.shape}\n".encode())
        digest.update(value.tobytes())
    return digest.hexdigest()
