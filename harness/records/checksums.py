"""SHA-256 sums of files: taken when they are written, checked before they are used."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

from harness.errors import CorruptRecord
from harness.records import files


def verify(folder: Path, checksums: Mapping[str, str]) -> None:
    """Check array files against their SHA-256.

    Args:
        folder: where they lie. checksums: the expected SHA-256, by file name.

    Raises:
        CorruptRecord: a file is missing, truncated, altered, or was written broken.
    """
    for name, expected in checksums.items():
        path = folder / name
        if Path(name).name != name:
            raise CorruptRecord(f"{folder}: the record lists '{name}', which is no file's name.")
        if not path.is_file():
            raise CorruptRecord(f"{path} is missing. Run the job again.")
        if checksum(path) != expected:
            raise CorruptRecord(
                f"{path} has {path.stat().st_size} bytes that do not match the checksum the worker"
                " gave: it is truncated or was altered. Run the job again."
            )
        if path.suffix == ".npz" and not zipfile.is_zipfile(path):
            raise CorruptRecord(
                f"{path} was broken when its checksum was taken: it is no .npz. Run the job again."
            )


def checksums_below(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below a folder, by its path from there."""
    return {
        path.relative_to(folder).as_posix(): checksum(path)
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or not path.is_dir()
    }


def verify_below(folder: Path, checksums: Mapping[str, str]) -> None:
    """Check the files below a folder against what `checksums_below` gave.

    Args:
        folder: where they lie. checksums: by path; without any, nothing was promised.

    Raises:
        CorruptRecord: a file is missing, is not what was written, or is one more.
    """
    for name, expected in checksums.items():
        path = folder / name
        try:
            same = checksum(path) == expected
        except FileNotFoundError:
            raise CorruptRecord(f"{path} is missing.") from None
        if not same:
            raise CorruptRecord(
                f"{path} does not match the SHA-256 that was taken when it was written: it is"
                " truncated or was altered."
            )
    if checksums:
        for path in sorted(folder.rglob("*")):
            own = path.relative_to(folder).as_posix() in checksums
            if not own and (path.is_symlink() or not path.is_dir()):
                raise CorruptRecord(f"{path} is none of the files that were written there.")


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with files.opened(path) as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()
