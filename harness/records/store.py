"""Every versioned read and write of records; the only module that knows file formats.

A job's folder holds `<stage>.npz` (arrays, never pickles), `worker.log`, and `manifest.json`, which
is written last and atomically: a folder without a manifest is a job that did not finish. The
manifest carries the SHA-256 of every array file; a record is only handed out after they have been
checked.

History of `SCHEMA`: 1 (first).
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import threading
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from backends.contract import Status
from harness.errors import CorruptRecord, NewerSchema
from harness.records import contents
from harness.records.decoding import NOT_FINITE
from harness.records.decoding import decode as decode_contents

SCHEMA = 1
MANIFEST = "manifest.json"
Contents = TypeVar("Contents")


@dataclasses.dataclass(frozen=True)
class Record:
    """What one job left on disk; arrays are read lazily, one tensor at a time.

    Attributes:
        folder: where it lies.
        job: the job's own description, as `plan` made it.
        status, reason: how it ended.
        result: what the worker answered, plain JSON with NaN and infinities as floats; whoever
            reads it takes one of the typed views below.
    """

    folder: Path
    job: dict[str, Any]
    status: Status
    reason: str
    result: dict[str, Any]
    duration_s: float

    @property
    def ok(self) -> bool:
        """Whether there is something to judge."""
        return self.status == Status.OK

    @functools.cached_property
    def recorded(self) -> contents.Recorded:
        """What a job of the lockstep stages has left."""
        return self._as(contents.Recorded)

    @functools.cached_property
    def tensors(self) -> contents.Tensors:
        """The tensors of any job that records some."""
        return self._as(contents.Tensors)

    @functools.cached_property
    def sampled(self) -> contents.Sampled:
        """What a training from a seed of its own has left."""
        return self._as(contents.Sampled)

    @functools.cached_property
    def forced(self) -> contents.TeacherForced:
        """What a teacher-forced forward pass has left."""
        return self._as(contents.TeacherForced)

    @functools.cached_property
    def first_run(self) -> contents.FirstRun:
        """How the first short run of a side's ports has ended."""
        return self._as(contents.FirstRun)

    @functools.cached_property
    def repeated(self) -> contents.Repeated:
        """What a run of `harness repeat` has left."""
        return self._as(contents.Repeated)

    @functools.cached_property
    def round(self) -> contents.Round:
        """What a round of timed turns has measured."""
        return self._as(contents.Round)

    @functools.cached_property
    def whole(self) -> contents.Contents:
        """What such a job leaves, whatever it is."""
        return contents.read(self.job, self.result, str(self.folder / MANIFEST))

    def _as(self, kind: type[Contents]) -> Contents:
        if issubclass(contents.kind(self.job), kind):
            assert isinstance(self.whole, kind)
            return self.whole
        return decode_contents(kind, self.result, f"{self.folder / MANIFEST}: result")

    def read(self, stage: str, name: str) -> NDArray[Any]:
        """Return one tensor.

        Raises:
            CorruptRecord: the file is missing or is not what the manifest says.
        """
        return read_tensor(self.folder, stage, name)


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What `manifest.json` holds, whatever the job."""

    job: dict[str, Any]
    status: Status
    reason: str
    result: dict[str, Any]
    duration_s: float


@functools.lru_cache(maxsize=32)
def _archive(path: Path) -> Any:
    """Return an open .npz, whose members are read one at a time; its directory of hundreds of names
    is parsed once."""
    return np.load(path, allow_pickle=False)


def read_tensor(folder: Path, stage: str, name: str) -> NDArray[Any]:
    """Return one tensor of a job's folder.

    Raises:
        CorruptRecord: the file is missing or is not what the manifest says.
    """
    path = folder / f"{stage}.npz"
    try:
        return np.asarray(_archive(path)[name])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise CorruptRecord(
            f"{path}: tensor '{name}' cannot be read ({error}). Run the job again."
        ) from error


def write_record(
    folder: Path,
    job: Mapping[str, Any],
    status: Status,
    reason: str,
    result: Mapping[str, Any],
    duration_s: float,
) -> Record:
    """Write a job's manifest, last and atomically, and return the record.

    Args:
        folder: the job's. job: its description, plain JSON.
        status, reason: how it ended; the reason is empty where it ended well.
        result: what the worker answered; empty where it did not end well.
        duration_s: how long it took, seconds.

    Raises:
        OSError: the manifest cannot be written.
    """
    document = {
        "schema": SCHEMA,
        "job": dict(job),
        "status": status,
        "reason": reason,
        "duration_s": duration_s,
        "result": dict(result),
    }
    write_json(folder / MANIFEST, document)
    return Record(folder, dict(job), status, reason, dict(result), duration_s)


def read_record(folder: Path) -> Record:
    """Return a finished job's record after checking its files against the manifest.

    Raises:
        FileNotFoundError: the job has not finished.
        CorruptRecord, NewerSchema: what lies there cannot be used.
    """
    record = read_manifest(folder)
    if record.ok:
        verify(folder, contents.files(record.whole))
    return record


def read_manifest(folder: Path) -> Record:
    """Return a finished job's record without a look at its arrays, which may have been deleted.

    Raises:
        FileNotFoundError: the job has not finished.
        CorruptRecord, NewerSchema: what lies there cannot be used.
    """
    where = str(folder / MANIFEST)
    document = read_json(folder / MANIFEST, "record", SCHEMA)
    try:
        manifest = decode_contents(Manifest, document, where)
        record = Record(
            folder,
            manifest.job,
            manifest.status,
            manifest.reason,
            manifest.result,
            manifest.duration_s,
        )
        if record.ok:
            _ = record.whole  # decoded here, so that nothing damaged gets further
    except CorruptRecord as error:
        raise CorruptRecord(f"{error}. Delete the folder and run the job again.") from error
    return record


def verify(folder: Path, files: Mapping[str, str]) -> None:
    """Check array files against their SHA-256.

    Args:
        folder: where they lie. files: the expected SHA-256, by file name.

    Raises:
        CorruptRecord: a file is missing, truncated, altered, or was written broken.
    """
    for name, expected in files.items():
        path = folder / name
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


def write_json(path: Path, document: Mapping[str, Any], indent: int | None = 1) -> None:
    """Write strict JSON atomically: a reader sees the old file or the whole new one.

    Args:
        path: its folder is made if there is none.
        document: NaN and infinities are written as strings, keys sorted.
        indent: as in `json.dumps`; None for one line.

    Raises:
        OSError: the file cannot be written.
    """
    write_text(
        path, json.dumps(_encode(document), allow_nan=False, indent=indent, sort_keys=True) + "\n"
    )


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8 to a path, atomically, in a folder that is made if there is none.

    Raises:
        OSError: the file cannot be written.
    """
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write the content of a file to its path, atomically, in a folder that is made if there is
    none.

    Raises:
        OSError: the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def unwritable(path: Path) -> str:
    """Return why `write_text` could not write a file there, or an empty string.

    It is tried, beside the file, which is left as it is: what a system will allow cannot be told
    from permissions alone.
    """
    if path.is_dir():
        return "it is a folder"
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.touch()
    except OSError as error:
        return f"no file can be made in {path.parent} ({error.strerror})"
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
    return ""


def read_json(path: Path, kind: str, schema: int) -> dict[str, Any]:
    """Return a JSON object that this program wrote, NaN and infinities decoded.

    Args:
        path: the file. kind: what it is, for messages, e.g. "record".
        schema: the newest that is understood.

    Raises:
        FileNotFoundError: there is none.
        CorruptRecord: it cannot be read, is not JSON, or not an object with a schema.
        NewerSchema: a newer harness wrote it.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise CorruptRecord(
            f"{path}: this {kind} cannot be read ({error}). Delete it and run again."
        ) from error
    if not isinstance(document, dict) or not isinstance(document.get("schema"), int):
        raise CorruptRecord(f"{path}: this {kind} has no schema number. Delete it and run again.")
    if document["schema"] > schema:
        raise NewerSchema(
            f"{path}: this {kind} has schema {document['schema']}, this harness reads up to"
            f" {schema}. Upgrade parity-harness, or run again with this version."
        )
    decoded = decode(document)
    assert isinstance(decoded, dict)
    return decoded


def _encode(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _encode(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encode(item) for item in value]
    if isinstance(value, float) and not np.isfinite(value):
        return "NaN" if np.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return value


def decode(value: Any) -> Any:
    """Return JSON with the strings "NaN", "Infinity" and "-Infinity" turned back into floats."""
    if isinstance(value, dict):
        return {key: decode(item) for key, item in value.items()}
    if isinstance(value, list):
        return [decode(item) for item in value]
    return NOT_FINITE.get(value, value) if isinstance(value, str) else value


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], compress: bool = False) -> None:
    """Write an .npz atomically, in a folder that is made if there is none.

    Args:
        path: the file. arrays: by the names that they have in it.
        compress: smaller, and slower to write.

    Raises:
        TypeError: an array holds Python objects.
        OSError: the file cannot be written.
    """
    for name, value in arrays.items():
        if value.dtype.hasobject:
            raise TypeError(f"{path}: '{name}' holds Python objects; only plain arrays are written")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        with temporary.open("wb") as file:
            (np.savez_compressed if compress else np.savez)(file, **dict[str, Any](arrays))
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return all arrays of an .npz.

    Raises:
        CorruptRecord: it cannot be read, or holds something else than arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: np.asarray(archive[name]) for name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise CorruptRecord(f"{path} cannot be read ({error}). Delete it and run again.") from error


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()
