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
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import CorruptRecord, NewerSchema
from harness.fidelity.evidence import Entry

SCHEMA = 1
MANIFEST = "manifest.json"
SPECIAL = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


@dataclasses.dataclass(frozen=True)
class Record:
    """What one job left on disk; arrays are read lazily, one tensor at a time.

    Attributes:
        folder: where it lies.
        job: the job's own description, as `plan` made it.
        status, reason: how it ended.
        result: what the worker answered, plain JSON with NaN and infinities as floats.
    """

    folder: Path
    job: dict[str, Any]
    status: str
    reason: str
    result: dict[str, Any]
    duration_s: float

    @property
    def ok(self) -> bool:
        """Whether there is something to judge."""
        return self.status == "ok"

    def tensors(self, stage: str) -> list[dict[str, Any]]:
        """Return the entries (`name`, `shape`, `dtype`, `scale`) of one stage in recorded order."""
        return [item for item in self.result.get("tensors", ()) if item["stage"] == stage]

    def read(self, stage: str, name: str) -> NDArray[Any]:
        """Return one tensor.

        Raises:
            CorruptRecord: the file is missing or is not what the manifest says.
        """
        path = self.folder / f"{stage}.npz"
        try:
            return np.asarray(_archive(path)[name])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise CorruptRecord(
                f"{path}: tensor '{name}' cannot be read ({error}). Run the job again."
            ) from error

    def noise(self, stage: str, name: str) -> dict[str, list[float]]:
        """Return the largest movement of a tensor by kind of variation."""
        found = self.result.get("noise", {}).get(f"{stage}/{name}", {})
        return {str(kind): [float(value) for value in values] for kind, values in found.items()}


@functools.lru_cache(maxsize=32)
def _archive(path: Path) -> Any:
    """Return an open .npz, whose members are read one at a time; its directory of hundreds of names
    is parsed once."""
    return np.load(path, allow_pickle=False)


def write_record(
    folder: Path,
    job: Mapping[str, Any],
    status: str,
    reason: str,
    result: Mapping[str, Any],
    duration_s: float,
) -> Record:
    """Write a job's manifest, last and atomically, and return the record."""
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
    document = read_json(folder / MANIFEST, "record", SCHEMA)
    try:
        record = Record(
            folder,
            dict(document["job"]),
            str(document["status"]),
            str(document["reason"]),
            dict(document["result"]),
            float(document["duration_s"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptRecord(
            f"{folder / MANIFEST}: not a record ({error!r}). Delete the folder and run the job"
            " again."
        ) from error
    if record.ok:
        verify(folder, record.result.get("files", {}))
    return record


def verify(folder: Path, files: Mapping[str, str]) -> None:
    """Check array files against their SHA-256.

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
    """Write strict JSON atomically: a reader sees the old file or the whole new one. `indent` as in
    `json.dumps`."""
    write_text(
        path, json.dumps(_encode(document), allow_nan=False, indent=indent, sort_keys=True) + "\n"
    )


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically, in a folder that is made if there is none."""
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

    Raises:
        FileNotFoundError: there is none.
        CorruptRecord: it is not JSON, or not an object with a schema.
        NewerSchema: a newer harness wrote it.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
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
    return SPECIAL.get(value, value) if isinstance(value, str) else value


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], compress: bool = False) -> None:
    """Write an .npz atomically."""
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


def finished(run: Path) -> Iterator[Record]:
    """Yield the readable records of a run's folder, in the order of their names."""
    for manifest in sorted((run / "jobs").glob(f"*/{MANIFEST}")):
        with contextlib.suppress(CorruptRecord, NewerSchema, FileNotFoundError):
            yield read_record(manifest.parent)


@dataclasses.dataclass(frozen=True)
class RecordEvidence:
    """A record as one side of a comparison (`harness.fidelity.evidence.Evidence`)."""

    record: Record
    digested: bool = False

    def entries(self, stage: str) -> list[Entry]:
        """Return the tensors of a stage in recorded order."""
        return [
            Entry(
                stage,
                item["name"],
                tuple(item["shape"]),
                item["dtype"],
                float(item["scale"]),
                float(item["largest"]),
            )
            for item in self.record.tensors(stage)
        ]

    def read(self, stage: str, name: str) -> NDArray[Any]:
        """Return one tensor."""
        return self.record.read(stage, name)

    def noise(self, stage: str, name: str) -> dict[str, list[float]]:
        """Return the tensor's movements by kind of variation."""
        return self.record.noise(stage, name)
