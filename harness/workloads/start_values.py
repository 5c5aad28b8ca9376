"""Start values of the user's own for a parameter: an array, or a NumPy file that holds one. Nothing
is unpickled.

A value is checked where it is read, against the shape that the workload declares: a kernel in
another layout is no start value.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.errors import UsageError

SUFFIXES = (".npy", ".npz")


def holds_values(initial: object) -> bool:
    """Whether a parameter's `initial` is values or a file, and not the name of a distribution."""
    return not isinstance(initial, str) or initial.endswith(SUFFIXES)


def values(
    name: str, shape: tuple[int, ...], initial: ArrayLike | os.PathLike[str]
) -> NDArray[np.float64]:
    """Return a parameter's start values, float64.

    Args:
        name: of the parameter, and of its array in an .npz.
        shape: as declared.
        initial: an array, or the path of an .npy or .npz.

    Raises:
        UsageError: the file or the array in it does not exist, or the values are of another shape,
            no numbers, or not finite.
    """
    where = f"parameter {name}"
    content: Any = initial
    if isinstance(initial, str | os.PathLike):
        where = f"{where}: {os.fspath(initial)}"
        content = _read(name, Path(initial))
    try:
        array = np.asarray(content)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"{where}: no array of numbers can be made of it ({error}). Give one of the shape"
            f" {shape}."
        ) from error
    if array.dtype.kind not in "fiub":
        raise UsageError(
            f"{where}: the start values are {array.dtype}. Give real numbers: float64, float32 or"
            " integers."
        )
    if array.shape != tuple(shape):
        raise UsageError(
            f"{where}: the start values have the shape {array.shape}, declared is {tuple(shape)}"
            " (kernels are [in, out])."
        )
    if not np.all(np.isfinite(array)):
        raise UsageError(
            f"{where}: {int(np.sum(~np.isfinite(array)))} of {array.size} start values are NaN or"
            " infinite. Give finite ones."
        )
    return np.array(array, np.float64)


def digest(array: NDArray[np.float64]) -> str:
    """Return what tells two start values apart."""
    return hashlib.sha256(array.tobytes()).hexdigest()[:16]


def _read(name: str, path: Path) -> NDArray[Any]:
    where = f"parameter {name}: {path}"
    if path.suffix not in SUFFIXES:
        raise UsageError(
            f"{where}: start values are read from {' and '.join(SUFFIXES)} files. Save them with"
            " numpy.save or numpy.savez."
        )
    if path.exists() and not path.is_file():  # a device or a FIFO, which may never end
        raise UsageError(f"{where} is no file, so nothing is read from it.")
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded as archive:
            if name in archive.files:
                return np.asarray(archive[name])
            held = ", ".join(sorted(archive.files)) or "nothing"
    except FileNotFoundError:
        raise UsageError(
            f"{where}: there is no such file. Name it from the workload's own:"
            " Path(__file__).with_name(...)."
        ) from None
    except (OSError, ValueError, EOFError) as error:
        # ValueError: an array of objects would have to be unpickled.
        raise UsageError(f"{where} cannot be read as NumPy's arrays: {error}") from error
    raise UsageError(f"{where} holds no array of the parameter's name; it holds {held}.")
