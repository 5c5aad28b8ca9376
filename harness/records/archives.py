"""Arrays on disk: `.npz` without pickles, read as damaged as they may be, and whole or not at all.

An archive that is no archive, an array whose header does not parse, whose shape no memory holds or
that is of text or objects, is a `CorruptRecord` with the file and the array.
"""

from __future__ import annotations

import contextlib
import functools
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import CorruptRecord
from harness.records import files

#: What NumPy and the standard library raise for a damaged .npz, whatever was done to it: a name
#: that is missing, a header that does not parse, a shape that no memory holds, a bad deflate
#: stream, a compression method that is none.
DAMAGES = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    MemoryError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


@functools.lru_cache(maxsize=32)
def _archive(path: Path) -> Any:
    """Return an open .npz, whose members are read one at a time; its directory of hundreds of names
    is parsed once."""
    return _loaded(files.opened(path))


def _loaded(file: IO[bytes]) -> Any:
    """Return an open file's .npz, which owns it.

    Raises:
        ValueError: it is none.
    """
    try:
        archive = np.load(file, allow_pickle=False)
    except BaseException:
        file.close()
        raise
    if not isinstance(archive, np.lib.npyio.NpzFile):
        file.close()
        raise ValueError("it is no .npz")
    # NumPy leaves a file that it has not opened itself to its owner, which nobody else is.
    owner: Any = archive
    owner.fid = file
    return archive


def _numbers(value: NDArray[Any]) -> NDArray[Any]:
    """Return an array, which has to be of numbers.

    Raises:
        ValueError: it is of text, dates or records.
    """
    if value.dtype.kind not in "biufc":
        raise ValueError(f"its dtype is {value.dtype}, and has to be one of numbers")
    return value


def read_tensor(
    folder: Path, stage: str, name: str, shapes: Mapping[tuple[str, str], tuple[int, ...]]
) -> NDArray[Any]:
    """Return one tensor of a job's folder.

    Args:
        folder: the job's. stage, name: of the tensor.
        shapes: which one the record says that each has; of others, any will do.

    Raises:
        CorruptRecord: the file is missing or is not what the manifest says.
    """
    path = folder / f"{stage}.npz"
    try:
        value = _numbers(np.asarray(_archive(path)[name]))
    except DAMAGES as error:
        raise CorruptRecord(
            f"{path}: tensor '{name}' cannot be read ({error}). Run the job again."
        ) from error
    shape = shapes.get((stage, name), value.shape)
    if value.shape != shape:
        raise CorruptRecord(
            f"{path}: tensor '{name}' has the shape {value.shape}, and the record says {shape}. Run"
            " the job again."
        )
    return value


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], compress: bool = False) -> None:
    """Write an .npz atomically, in a folder that is made if there is none.

    Args:
        path: the file. arrays: by the names that they have in it.
        compress: smaller, and slower to write.

    Raises:
        TypeError: an array holds Python objects.
        OSError: the file cannot be written.
    """
    write_each(path, arrays.items(), compress)


def write_each(
    path: Path, arrays: Iterable[tuple[str, NDArray[Any]]], compress: bool = False
) -> None:
    """Write an .npz as `write_arrays` does, of arrays that are made one at a time: no two of them
    are held.

    Args:
        path, compress: as there. arrays: with their names, in order.

    Raises:
        TypeError, OSError: as there; and whatever the making of an array raises.
    """
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED

    def fill(file: IO[bytes]) -> None:
        with zipfile.ZipFile(file, "w", method) as archive:
            for name, value in arrays:
                if value.dtype.hasobject:
                    raise TypeError(
                        f"{path}: '{name}' holds Python objects; only plain arrays are written"
                    )
                # How large it is cannot be known before it is compressed.
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, np.asanyarray(value), allow_pickle=False)

    files.write(path, fill)


class _Lazy(Mapping[str, NDArray[Any]]):
    """The arrays of an open .npz, each read, and checked, when it is asked for.

    Args:
        path: for messages. archive: open; it is closed with the last that holds this.
    """

    def __init__(self, path: Path, archive: Any) -> None:
        self._path, self._archive = path, archive
        self._names = frozenset(archive.files)

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self._names:
            raise KeyError(name)
        try:
            return _numbers(np.asarray(self._archive[name]))
        except DAMAGES as error:
            raise _unreadable(self._path, error) from error

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._archive.files)

    def __len__(self) -> int:
        return len(self._archive.files)


def _unreadable(path: Path, error: BaseException) -> CorruptRecord:
    return CorruptRecord(f"{path} cannot be read ({error}). Delete it and run again.")


@contextlib.contextmanager
def arrays(path: Path) -> Iterator[Mapping[str, NDArray[Any]]]:
    """Open an .npz whose arrays are read one at a time.

    Raises:
        CorruptRecord: it cannot be read, or holds something else than arrays; also while the block
            reads.
    """
    with _opened(path) as archive:
        yield _Lazy(path, archive)


def taken(path: Path) -> Mapping[str, NDArray[Any]]:
    """Return the arrays of an .npz, read one at a time, and take its name away: nobody else gets at
    it, and the disk has its room back once nobody holds what is returned.

    Raises:
        CorruptRecord: as `arrays`; also later, when an array is read.
    """
    lying = _Lazy(path, _opened(path))
    path.unlink()
    return lying


def _opened(path: Path) -> Any:
    """Return an open .npz.

    Raises:
        CorruptRecord: it cannot be read.
    """
    try:
        return _loaded(files.opened(path))
    except DAMAGES as error:
        raise _unreadable(path, error) from error


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return all arrays of an .npz.

    Raises:
        CorruptRecord: it cannot be read, or holds something else than arrays.
    """
    with arrays(path) as lying:
        return dict(lying)
