"""Run by the interpreter of build torch: what `torch.testing.assert_close` and TorchDynamo's `same`
say of saved pairs.

python torch_rules.py FOLDER    prints {pair: {rule: whether it calls the pair different}} as its
last line
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.lib.npyio import NpzFile
from torch._dynamo.utils import same


def _tensors(archive: NpzFile, side: str, keys: Sequence[str]) -> dict[str, torch.Tensor]:
    return {key: torch.as_tensor(archive[f"{side}|{key}"]) for key in keys}


def different(path: Path) -> dict[str, bool]:
    """Return what both rules say of one pair."""
    with np.load(path, allow_pickle=False) as archive:
        keys = [name[2:] for name in archive.files if name.startswith("a|")]
        a, b, full = (_tensors(archive, side, keys) for side in ("a", "b", "full"))
    return {
        "`torch.testing.assert_close`": any(
            _apart(a[key], b[key]) for key in keys if key.startswith("forward/")
        ),
        # The tolerance that torch's own benchmarks use for training in float32.
        "TorchDynamo `same`, float64 baseline": not all(
            same(a[key], b[key], fp64_ref=full[key].double(), tol=1e-3)
            for key in keys
            if a[key].shape == b[key].shape
        ),
    }


def _apart(a: torch.Tensor, b: torch.Tensor) -> bool:
    try:
        torch.testing.assert_close(b, a)
    except AssertionError:
        return True
    return False


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    print(
        json.dumps({path.stem: different(path) for path in sorted(Path(sys.argv[1]).glob("*.npz"))})
    )
