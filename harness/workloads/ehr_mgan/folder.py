"""A cohort of the user's own: a folder with the four files that the original reads, checked before
anything starts.

`vital_sign_24hrs.pkl` [N, T, C] in [0, 1], `med_interv_24hrs.pkl` [N, T, D] of 0 and 1,
`statics.pkl` [N, ...] whose column 0 is the class (0 to 3), and `norm_stats.npz` with `min_val` and
`max_val` [C]. The last name misleads: values turn back into their units as `x * max_val + min_val`,
so `max_val` holds the range. The pickles are read by `pickles`, which runs nothing.
"""

from __future__ import annotations

import functools
import io
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import UsageError
from harness.workloads.ehr_mgan.cohort import CLASSES, Cohort
from harness.workloads.ehr_mgan.pickles import BROKEN, KINDS, content, read_array, unreadable

VITALS, INTERVENTIONS = "vital_sign_24hrs.pkl", "med_interv_24hrs.pkl"
STATICS, NORMS = "statics.pkl", "norm_stats.npz"
FILES = (VITALS, INTERVENTIONS, STATICS, NORMS)
#: What `norm_stats.npz` may unpack to: two short vectors, and whatever else lies beside them.
MAX_NORM_BYTES = 16 * 2**20
#: How NumPy packs the arrays of an archive.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
#: What a damaged or forged archive makes `zipfile` and NumPy raise; an array's header is read as
#: Python's text.
DAMAGED = (
    *BROKEN,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    tokenize.TokenError,
    SyntaxError,
    OSError,
)
#: A float32 that was scaled to [0, 1] may miss an end by rounding; it is moved onto it.
SLACK = 2.0**-20


def cohort(folder: Path) -> Callable[[str], Cohort]:
    """Return what gives the cohort of a folder for any preset; it reads the files once for as long
    as they do not change.

    Raises:
        UsageError: there is no such folder, a file is missing, or one cannot be read.
    """
    try:
        if not folder.is_dir():
            kind = "this is no folder" if folder.exists() else "there is no such folder"
            raise UsageError(
                f"--data {folder}: {kind}. Give the folder that holds {', '.join(FILES)}."
            )
        missing = [name for name in FILES if not (folder / name).is_file()]
    except OSError as error:  # a folder that may not be entered
        raise unreadable(folder, error) from error
    if missing:
        raise UsageError(
            f"--data {folder}: the folder lacks {', '.join(missing)}. It must hold"
            f" {', '.join(FILES)}."
        )

    def read(_preset: str) -> Cohort:
        try:
            states = [(folder / name).stat() for name in FILES]
        except OSError as error:
            raise unreadable(folder, error) from error
        return _read(folder, tuple((state.st_mtime_ns, state.st_size) for state in states))

    return read


@functools.lru_cache(maxsize=1)
def _read(folder: Path, _stamps: tuple[tuple[int, int], ...]) -> Cohort:
    continuous = _series(folder / VITALS, "stays, hours, vital signs")
    discrete = _series(folder / INTERVENTIONS, "stays, hours, interventions")
    for axis, what in enumerate(("stays", "hours")):
        if continuous.shape[axis] != discrete.shape[axis]:
            raise UsageError(
                f"{folder}: {VITALS} has {continuous.shape[axis]} {what}, {INTERVENTIONS} has"
                f" {discrete.shape[axis]}. Row for row and hour for hour they must be the same"
                " stays; write both from the same table."
            )
    label = _labels(folder / STATICS, len(continuous))
    minimum, spread = _norms(folder / NORMS, continuous.shape[2])
    outside = (continuous < -SLACK) | (continuous > 1.0 + SLACK)
    if outside.any():
        raise UsageError(
            f"{folder / VITALS}: {_first(outside, continuous)}; values must lie in [0, 1]. Scale"
            " each vital sign as (x - min_val) / max_val, with max_val the range, and keep both in"
            f" {NORMS}."
        )
    odd = (discrete != 0.0) & (discrete != 1.0)
    if odd.any():
        raise UsageError(
            f"{folder / INTERVENTIONS}: {_first(odd, discrete)}; an intervention must be 0 or 1 in"
            " each hour."
        )
    return Cohort(
        name=str(folder),
        continuous=np.clip(continuous, 0.0, 1.0),
        discrete=discrete,
        label=label,
        minimum=minimum,
        range=spread,
        channels=tuple(f"vital {index + 1}" for index in range(continuous.shape[2])),
        interventions=tuple(f"intervention {index + 1}" for index in range(discrete.shape[2])),
    )


def _series(path: Path, axes: str) -> NDArray[np.float64]:
    """Return a file's array [stays, hours, channels], float64 and finite."""
    array = read_array(path)
    if array.ndim != 3 or 0 in array.shape:
        raise UsageError(
            f"{path}: the array has the shape {_shape(array)}; it must have three axes ({axes}),"
            " none of them empty."
        )
    series = array.astype(np.float64)
    _finite(path, series, "Fill what is missing first, for instance with the last value known.")
    return series


def _labels(path: Path, stays: int) -> NDArray[np.int64]:
    """Return the classes [stays]: column 0 of a table, or a vector."""
    table = read_array(path)
    if table.ndim not in (1, 2) or 0 in table.shape:
        raise UsageError(
            f"{path}: the array has the shape {_shape(table)}; it must have the axes stays and"
            " columns, the class first."
        )
    if len(table) != stays:
        raise UsageError(
            f"{path}: {len(table)} rows, but {VITALS} has {stays} stays. Write one row for each, in"
            " the same order."
        )
    label = table.reshape(stays, -1)[:, 0].astype(np.float64)
    _finite(path, label, "Every stay needs a class.")
    odd = ~np.isin(label, range(CLASSES))
    if odd.any():
        raise UsageError(
            f"{path}: {_first(odd, label)}; the class, column 0, must be a whole number from 0 to"
            f" {CLASSES - 1}."
        )
    return label.astype(np.int64)


def _norms(path: Path, channels: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the minimum and the range of each vital sign."""
    only = "It must hold min_val and max_val alone."
    data = io.BytesIO(content(path, MAX_NORM_BYTES, only))
    try:
        with zipfile.ZipFile(data) as archive:
            size = sum(item.file_size for item in archive.infolist())
            if any(item.compress_type not in METHODS for item in archive.infolist()):
                raise ValueError("it is packed in a way that NumPy does not use")
        if size > MAX_NORM_BYTES:
            raise UsageError(
                f"{path}: {size} bytes when unpacked; at most {MAX_NORM_BYTES}. {only}"
            )
        with np.load(data, allow_pickle=False) as loaded:
            # A member that is no array comes as its bytes.
            norms = {
                name: np.asarray(loaded[name])
                for name in ("min_val", "max_val")
                if name in loaded.files
            }
            names = ", ".join(loaded.files) or "nothing"
    except DAMAGED as error:
        raise UsageError(
            f"{path} is not an archive of arrays of numbers ({type(error).__name__}: {error}). "
            "Write it with numpy.savez(path, min_val=minimum, max_val=range)."
        ) from error
    for name in ("min_val", "max_val"):
        if name not in norms:
            raise UsageError(
                f"{path}: there is no {name}; it has {names}. Write it: numpy.savez(path,"
                " min_val=minimum, max_val=range)."
            )
        values = norms[name]
        if values.dtype.kind not in KINDS or values.size != channels:
            raise UsageError(
                f"{path}: {name} has the shape {_shape(values)} and the dtype {values.dtype}; "
                f"it must hold {channels} numbers, one for each vital sign of {VITALS}."
            )
        norms[name] = values.reshape(channels).astype(np.float64)
        _finite(path, norms[name], f"{name} must hold a number for each vital sign.")
    flat = norms["max_val"] <= 0
    if flat.any():
        raise UsageError(
            f"{path}: max_val: {_first(flat, norms['max_val'])}; it must hold the range of each"
            " vital sign, maximum less minimum, which is above 0: x * max_val + min_val is in the"
            " sign's own unit. Leave out a vital sign that never changes."
        )
    return norms["min_val"], norms["max_val"]


def _finite(path: Path, values: NDArray[np.float64], advice: str) -> None:
    bad = ~np.isfinite(values)
    if bad.any():
        count = int(bad.sum())
        what = f"{count} values are" if count > 1 else "1 value is"
        raise UsageError(
            f"{path}: {what} missing or infinite, the first at {_index(bad)}. {advice}"
        )


def _first(wrong: NDArray[np.bool_], values: NDArray[np.float64]) -> str:
    """Return the first wrong value, where it stands, and how many there are."""
    index = np.unravel_index(int(wrong.argmax()), wrong.shape)
    others = int(wrong.sum()) - 1
    more = f" (and {others} more)" if others else ""
    return f"the value {float(values[index]):g} at {_index(wrong)}{more}"


def _index(wrong: NDArray[np.bool_]) -> str:
    """Return the index of the first wrong value, as it is written in Python."""
    return str([int(axis) for axis in np.unravel_index(int(wrong.argmax()), wrong.shape)])


def _shape(values: NDArray[Any]) -> str:
    return str(list(values.shape))
