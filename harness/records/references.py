"""Recorded references: what the real TF 1.15.5 computed, digested, with provenance and checksums.

Owns the folder `reference_outputs/`: `<workload>-<preset>-<precision>-seed<n>.json` (provenance,
entries, noise) beside an `.npz` of digests (see `fidelity.digest`). `compare` judges against them
where the `tf1` build cannot be had.

History of `SCHEMA`: 1 (an array a digest), 2 (all digests of a reference in one array, in the order
of its tensors), 3 (a seal).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import CorruptRecord, RecordError, UnreadableRecord
from harness.fidelity.digest import digest
from harness.fidelity.evidence import TensorEntry
from harness.plan import LOCKSTEP_STAGES, Job, Request
from harness.records import archives, checksums, store
from harness.records.contents import Identity
from harness.records.decoder import decode

SCHEMA = 3
BUILD = "tf1"
PRECISIONS = ("fp64", "fp32")
PRESET = "tiny"
SEED = 0


def shipped() -> Path:
    """Return the folder of the references: inside the package when installed, beside it in a
    checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "reference_outputs"
    return inside if inside.is_dir() else package.parent / "reference_outputs"


def stem(workload: str, preset: str, precision: str, seed: int) -> str:
    """Return the name of a reference's files without suffix."""
    return f"{workload}-{preset}-{precision}-seed{seed}"


@dataclasses.dataclass(frozen=True)
class Provenance:
    """What recorded a reference, and on what."""

    identity: Identity
    effective: dict[str, Any]
    source_hash: str
    tape_hash: str
    data_hash: str


@dataclasses.dataclass(frozen=True)
class Document:
    """The JSON of a reference; `noise` holds the largest movement by `stage/name` and variation."""

    workload: str
    preset: str
    precision: str
    seed: int
    steps: int
    powers: str
    abilities: tuple[str, ...]
    tensors: tuple[TensorEntry, ...]
    noise: dict[str, dict[str, float]]
    files: dict[str, str]
    provenance: Provenance


@dataclasses.dataclass(frozen=True)
class Reference:
    """One recorded reference, checked on reading; a side of a comparison
    (`fidelity.evidence.Evidence`)."""

    path: Path
    document: Document
    digests: dict[str, NDArray[Any]]
    digested: bool = True

    @property
    def provenance(self) -> Provenance:
        """Versions, platform, tape, data and source hashes."""
        return self.document.provenance

    @property
    def abilities(self) -> tuple[str, ...]:
        """Return the optional methods of the recorded port."""
        return self.document.abilities

    def entries(self, stage: str) -> list[TensorEntry]:
        """Return the tensors of a stage in recorded order."""
        return [item for item in self.document.tensors if item.stage == stage]

    def read(self, stage: str, name: str) -> NDArray[Any]:
        """Return the digest of one tensor."""
        return self.digests[f"{stage}/{name}"]

    def noise(self, stage: str, name: str) -> dict[str, list[float]]:
        """Return the largest movement by kind, as measured when the reference was recorded."""
        moved = self.document.noise.get(f"{stage}/{name}", {})
        return {variation: [value] for variation, value in moved.items()}


def _pack(digests: list[NDArray[Any]], precision: str) -> dict[str, NDArray[Any]]:
    """Return all digests end to end, and their lengths: thousands of arrays of their own would be
    headers for the most part."""
    # Counts of steps are small enough for either.
    dtype = np.float64 if precision == "fp64" else np.float32
    return {
        "values": np.concatenate(digests).astype(dtype),
        "lengths": np.array([len(item) for item in digests]),
    }


def _unpack(
    tensors: Sequence[TensorEntry], arrays: Mapping[str, NDArray[Any]], where: Path
) -> dict[str, NDArray[Any]]:
    """Return the digest of each tensor, by `stage/name`.

    Raises:
        CorruptRecord: the arrays are not those of so many tensors.
    """
    columns = [np.asarray(arrays.get(name)) for name in ("values", "lengths")]
    values, lengths = columns
    if (
        any(column.ndim != 1 for column in columns)
        or lengths.dtype.kind not in "iu"
        or len(lengths) != len(tensors)
        or np.any(lengths < 0)
        or int(lengths.sum()) != len(values)
    ):
        raise CorruptRecord(f"{where}: its arrays are not the digests of {len(tensors)} tensors")
    parts = np.split(arrays["values"], np.cumsum(arrays["lengths"])[:-1])
    return {f"{item.stage}/{item.name}": part for item, part in zip(tensors, parts, strict=True)}


def write(record: store.Record, job: Job, folder: Path) -> Path:
    """Write a record of the real TF1 as a reference and return the path of its JSON.

    Args:
        record: of a job that ended well. job: what was asked; the files are named after it.
        folder: of all references; one of the same name is replaced.

    Raises:
        CorruptRecord: an array of the record cannot be read.
    """
    path = folder / f"{stem(job.workload, job.preset, job.precision, job.seed)}.json"
    left = record.recorded
    tensors = [item for stage in LOCKSTEP_STAGES for item in left.tensors if item.stage == stage]
    digests = [digest(record.read(item.stage, item.name)) for item in tensors]
    archives.write_arrays(path.with_suffix(".npz"), _pack(digests, job.precision), compress=True)
    identity = dataclasses.asdict(left.identity)
    del identity["executable"]
    store.write_sealed(
        path,
        {
            "schema": SCHEMA,
            "workload": job.workload,
            "preset": job.preset,
            "precision": job.precision,
            "seed": job.seed,
            "steps": job.steps,
            "powers": job.powers,
            "abilities": list(left.abilities),
            "tensors": [dataclasses.asdict(item) for item in tensors],
            "noise": {name: _largest(moved) for name, moved in left.noise.items()},
            "files": {path.with_suffix(".npz").name: checksums.checksum(path.with_suffix(".npz"))},
            "provenance": {
                "identity": identity,
                "effective": left.effective,
                "source_hash": left.source_hash,
                "tape_hash": left.tape_hash,
                "data_hash": left.data_hash,
            },
        },
        indent=None,
    )
    return path


def _largest(moved: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Return the largest movement by variation. Three digits of a noise floor are more than enough;
    a reference has thousands of them."""
    return {variation: float(f"{max(values):.2e}") for variation, values in moved.items()}


def read(path: Path) -> Reference:
    """Return a reference after checking its digests against the checksum.

    Raises:
        FileNotFoundError: there is none.
        CorruptRecord, NewerSchema: it cannot be used.
    """
    try:
        flat = store.read_sealed(path, "reference", SCHEMA, SCHEMA)
    except UnreadableRecord:
        raise
    except CorruptRecord as error:
        raise CorruptRecord(_damaged(path, error)) from error
    if flat["schema"] != SCHEMA:
        older = "other elements" if flat["schema"] == 1 else "the same elements, without a seal"
        raise CorruptRecord(
            f"{path}: this reference has schema {flat['schema']}, with digests of {older}; this"
            f" harness reads schema {SCHEMA}. Record it again: harness reference record."
        )
    try:
        document = decode(Document, flat, str(path))
        checksums.verify(path.parent, document.files)
        arrays = archives.read_arrays(path.with_suffix(".npz"))
        return Reference(path, document, _unpack(document.tensors, arrays, path))
    except UnreadableRecord:
        raise
    except CorruptRecord as error:
        raise CorruptRecord(_damaged(path, error)) from error


def _damaged(path: Path, error: CorruptRecord) -> str:
    return (
        f"the reference {path.stem} is damaged; record it again: harness reference record."
        f" ({error})"
    )


def stands_for(build: str, request: Request) -> bool:
    """Whether references may take the place of a build: the shipped TF1 ports on the CPU, run as
    TF1 is run, and nothing else.

    Args:
        build: its name.
        request: where and how all builds run, and which of them have ports of the user's.
    """
    own = any(side.folders for side in request.sides if side.build == build)
    return (
        build == BUILD
        and request.device == "cpu"
        and request.execution in ("default", "graph")
        and not own
    )


def find(job: Job, folder: Path, tape_hash: str, data_hash: str) -> Reference:
    """Return the reference that stands for a job of the TF1 build.

    Args:
        job: that would have run. folder: of all references.
        tape_hash, data_hash: of what this run computes on.

    Raises:
        RecordError: there is none for this preset, precision, seed or tape, with what there is.
        CorruptRecord, NewerSchema: there is one that cannot be used.
    """
    path = folder / f"{stem(job.workload, job.preset, job.precision, job.seed)}.json"
    if not path.is_file():
        known = ", ".join(item.stem for item in sorted(folder.glob("*.json"))) or "none"
        raise RecordError(f"no recorded reference {path.name} in {folder}; there are: {known}")
    reference = read(path)
    hashes = (reference.provenance.tape_hash, reference.provenance.data_hash)
    if hashes != (tape_hash, data_hash):
        raise RecordError(
            f"{path} was recorded on another tape or other data than this run's; record it again"
            " with TF 1.15.5"
        )
    if reference.document.powers != job.powers:
        raise RecordError(
            f"{path} was recorded with {reference.document.powers} powers of beta, this job has"
            f" {job.powers}"
        )
    if reference.document.steps != job.steps:
        raise RecordError(
            f"{path} was recorded over {reference.document.steps} steps, this run has {job.steps}"
        )
    return reference


def names(folder: Path) -> Iterator[Path]:
    """Yield the paths of all references of a folder."""
    for path in sorted(folder.glob("*.json")):
        if re.fullmatch(r".+-seed\d+", path.stem):
            yield path
