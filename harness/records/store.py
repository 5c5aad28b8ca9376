"""Every versioned read and write of records; the only module that knows file formats.

A job's folder holds `<stage>.npz` (arrays, never pickles), `worker.log`, and `manifest.json`, which
is written last and atomically: a folder without a manifest is a job that did not finish. The
manifest carries the SHA-256 of every array file; a record is only handed out after they have been
checked.

History of `SCHEMA`: 1 (first), 2 (a seal).
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from backends.contract import Status
from harness.errors import CorruptRecord, NewerSchema, UnreadableRecord
from harness.records import archives, checksums, contents, files
from harness.records.decoder import NOT_FINITE, parse
from harness.records.decoder import decode as decode_contents

SCHEMA = 2
MANIFEST = "manifest.json"
#: What manifests carry since schema 2: the SHA-256 of all else in them.
SEAL, SEALED_SINCE = "seal", 2
Contents = TypeVar("Contents")


@dataclasses.dataclass(frozen=True)
class Record:
    """What one job left on disk; arrays are read lazily, one tensor at a time.

    Attributes:
        folder: where it lies.
        job: the job's own description, as `plan` made it, plain JSON: what it is compared by.
            Whoever reads it takes `described`.
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
    sealed: bool = True

    @property
    def ok(self) -> bool:
        """Whether there is something to judge."""
        return self.status == Status.OK

    @functools.cached_property
    def described(self) -> contents.Description:
        """What the job was."""
        return contents.described(self.job, str(self.folder / MANIFEST))

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
        return contents.read(self.described, self.result, str(self.folder / MANIFEST))

    def _as(self, kind: type[Contents]) -> Contents:
        if issubclass(contents.kind(self.described), kind):
            assert isinstance(self.whole, kind)
            return self.whole
        return decode_contents(kind, self.result, f"{self.folder / MANIFEST}: result")

    def read(self, stage: str, name: str) -> NDArray[Any]:
        """Return one tensor.

        Raises:
            CorruptRecord: the file is missing or is not what the manifest says.
        """
        left = self.whole if self.ok else None
        shapes = left.shapes if isinstance(left, contents.Tensors) else {}
        return archives.read_tensor(self.folder, stage, name, shapes)


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What `manifest.json` holds, whatever the job."""

    job: dict[str, Any]
    status: Status
    reason: str
    result: dict[str, Any]
    duration_s: float


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
    write_sealed(folder / MANIFEST, document)
    return Record(folder, dict(job), status, reason, dict(result), duration_s)


def read_record(folder: Path) -> Record:
    """Return a finished job's record after checking its files against the manifest.

    Raises:
        FileNotFoundError: the job has not finished.
        CorruptRecord, NewerSchema: what lies there cannot be used.
    """
    record = read_manifest(folder)
    if record.ok:
        unlisted = contents.unlisted(record.whole)
        if unlisted:
            raise CorruptRecord(
                f"{folder / MANIFEST}: result: files has no checksum of {', '.join(unlisted)}; the"
                " file was altered. Delete the folder and run the job again."
            )
        checksums.verify(folder, contents.files(record.whole))
    return record


def read_manifest(folder: Path) -> Record:
    """Return a finished job's record without a look at its arrays, which may have been deleted.

    Raises:
        FileNotFoundError: the job has not finished.
        CorruptRecord, NewerSchema: what lies there cannot be used.
    """
    where = str(folder / MANIFEST)
    document = read_sealed(folder / MANIFEST, "record", SCHEMA, SEALED_SINCE)
    try:
        manifest = decode_contents(Manifest, document, where)
        record = Record(
            folder,
            manifest.job,
            manifest.status,
            manifest.reason,
            manifest.result,
            manifest.duration_s,
            sealed=document["schema"] >= SEALED_SINCE,
        )
        # decoded here, so that nothing damaged gets further
        _ = record.described
        if record.ok:
            _ = record.whole
    except UnreadableRecord:
        raise
    except CorruptRecord as error:
        raise CorruptRecord(f"{error}. Delete the folder and run the job again.") from error
    return record


def write_json(path: Path, document: Mapping[str, Any], indent: int | None = 1) -> None:
    """Write strict JSON, whole or not at all.

    Args:
        path: of the file. document: NaN and infinities are written as strings.
        indent: as in `json.dumps`.

    Raises:
        OSError: it cannot be written.
    """
    text = json.dumps(_encode(document), allow_nan=False, indent=indent, sort_keys=True)
    files.write_text(path, text + "\n")


def write_sealed(path: Path, document: Mapping[str, Any], indent: int | None = 1) -> None:
    """Write strict JSON with a seal: the SHA-256 of all else in it, so that `read_sealed` notices
    any change.

    Args:
        path, document, indent: as in `write_json`.

    Raises:
        OSError: it cannot be written.
    """
    write_json(path, {**document, SEAL: seal(document)}, indent)


def seal(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a document's JSON, but for its seal."""
    content = {name: value for name, value in document.items() if name != SEAL}
    text = json.dumps(_encode(content), allow_nan=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def read_sealed(path: Path, kind: str, schema: int, since: int) -> dict[str, Any]:
    """Return a JSON object that this program wrote, checked against its seal.

    Args:
        path: of the file. kind: what it is, for messages. schema: the newest that is known.
        since: the first schema whose documents are sealed.

    Raises:
        FileNotFoundError, CorruptRecord, NewerSchema: as `read_json`; also CorruptRecord where
            anything in it was changed.
    """
    document = read_json(path, kind, schema)
    if document["schema"] >= since or SEAL in document:
        check_seal(document, kind, str(path))
    return document


def check_seal(document: Mapping[str, Any], kind: str, where: str) -> None:
    """Check that a document is what was sealed.

    Args:
        document: with its seal. kind: what it is, for messages. where: it lies, for messages.

    Raises:
        CorruptRecord: anything in it was changed.
    """
    expected = seal(document)
    if document.get(SEAL) != expected:
        raise CorruptRecord(
            f"{where}: '{SEAL}' is {document.get(SEAL)!r}, and the SHA-256 of this {kind}'s content"
            f" is {expected}: the file was altered"
        )


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
        document = decode(parse(files.read_text(path)))
    except UnreadableRecord:
        raise
    except CorruptRecord as error:
        raise CorruptRecord(f"{error} It should be a {kind}: delete it and run again.") from error
    except ValueError as error:
        raise CorruptRecord(
            f"{path}: this {kind} cannot be read ({error}). Delete it and run again."
        ) from error
    number = document.get("schema") if isinstance(document, dict) else None
    if not isinstance(document, dict) or type(number) is not int or number < 1:
        raise CorruptRecord(f"{path}: this {kind} has no schema number. Delete it and run again.")
    if document["schema"] > schema:
        raise NewerSchema(
            f"{path}: this {kind} has schema {document['schema']}, this harness reads up to"
            f" {schema}. Upgrade parity-harness, or run again with this version."
        )
    return document


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
