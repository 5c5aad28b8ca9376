"""Recorded references: what the real TF 1.15.5 computed, digested, with provenance and checksums.

Owns the folder `reference_outputs/`: `<workload>-<preset>-<precision>-seed<n>.json` (provenance,
entries, noise) beside an `.npz` of digests (see `fidelity.digest`). `compare` judges against them
where the `tf1` build cannot be had.

History of `SCHEMA`: 1 (an array a digest), 2 (all digests of a reference in one array, in the order
of its tensors).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import CorruptRecord, RecordError
from harness.fidelity.digest import digest
from harness.fidelity.evidence import Entry
from harness.plan import LOCKSTEP_STAGES, Job, Request
from harness.records import store

SCHEMA = 2
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
class Reference:
    """One recorded reference, checked on reading; a side of a comparison
    (`fidelity.evidence.Evidence`)."""

    path: Path
    document: dict[str, Any]
    digests: dict[str, NDArray[Any]]
    digested: bool = True

    @property
    def provenance(self) -> dict[str, Any]:
        """Versions, platform, tape, data and source hashes."""
        return dict(self.document["provenance"])

    @property
    def abilities(self) -> tuple[str, ...]:
        """Return the optional methods of the recorded port."""
        return tuple(self.document["abilities"])

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
            for item in self.document["tensors"]
            if item["stage"] == stage
        ]

    def read(self, stage: str, name: str) -> NDArray[Any]:
        """Return the digest of one tensor."""
        return self.digests[f"{stage}/{name}"]

    def noise(self, stage: str, name: str) -> dict[str, list[float]]:
        """Return the largest movement by kind, as measured when the reference was recorded."""
        found = self.document["noise"].get(f"{stage}/{name}", {})
        return {kind: [float(value)] for kind, value in found.items()}


def _pack(digests: list[NDArray[Any]], precision: str) -> dict[str, NDArray[Any]]:
    """Return all digests end to end, and their lengths: thousands of arrays of their own would be
    headers for the most part."""
    dtype = (
        np.float64 if precision == "fp64" else np.float32
    )  # counts of steps are small enough for either
    return {
        "values": np.concatenate(digests).astype(dtype),
        "lengths": np.array([len(item) for item in digests]),
    }


def _unpack(
    tensors: list[dict[str, Any]], arrays: dict[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    parts = np.split(arrays["values"], np.cumsum(arrays["lengths"])[:-1])
    return {
        f"{item['stage']}/{item['name']}": part for item, part in zip(tensors, parts, strict=True)
    }


def write(record: store.Record, job: Job, folder: Path) -> Path:
    """Write a record of the real TF1 as a reference and return the path of its JSON."""
    path = folder / f"{stem(job.workload, job.preset, job.precision, job.seed)}.json"
    tensors = [item for stage in LOCKSTEP_STAGES for item in record.tensors(stage)]
    digests = [digest(record.read(item["stage"], item["name"])) for item in tensors]
    store.write_arrays(path.with_suffix(".npz"), _pack(digests, job.precision), compress=True)
    result = record.result
    noise = {
        # Three digits of a noise floor are more than enough; a reference has thousands of them.
        name: {
            kind: float(f"{max(float(value) for value in values):.2e}")
            for kind, values in kinds.items()
        }
        for name, kinds in result["noise"].items()
    }
    store.write_json(
        path,
        {
            "schema": SCHEMA,
            "workload": job.workload,
            "preset": job.preset,
            "precision": job.precision,
            "seed": job.seed,
            "steps": job.steps,
            "powers": job.powers,
            "abilities": result["abilities"],
            "tensors": tensors,
            "noise": noise,
            "files": {path.with_suffix(".npz").name: store.checksum(path.with_suffix(".npz"))},
            "provenance": {
                "identity": {
                    key: value for key, value in result["identity"].items() if key != "executable"
                },
                "effective": result["effective"],
                "source_hash": result["source_hash"],
                "tape_hash": result["tape_hash"],
                "data_hash": result["data_hash"],
            },
        },
        indent=None,
    )
    return path


def read(path: Path) -> Reference:
    """Return a reference after checking its digests against the checksum.

    Raises:
        FileNotFoundError: there is none.
        CorruptRecord, NewerSchema: it cannot be used.
    """
    document = store.read_json(path, "reference", SCHEMA)
    try:
        if document["schema"] != SCHEMA:
            raise CorruptRecord(f"its schema is {document['schema']}, this harness reads {SCHEMA}")
        store.verify(path.parent, document["files"])
        str(document["provenance"]["tape_hash"] + document["provenance"]["data_hash"])
        return Reference(
            path,
            document,
            _unpack(document["tensors"], store.read_arrays(path.with_suffix(".npz"))),
        )
    except KeyError as error:
        raise CorruptRecord(
            f"{path}: not a reference (no {error}). Record it again: harness reference record."
        ) from error
    except CorruptRecord as error:
        raise CorruptRecord(
            f"the reference {path.stem} is damaged; record it again: harness reference record."
            f" ({error})"
        ) from error


def stands_for(build: str, request: Request) -> bool:
    """Whether references may take the place of a build: the shipped TF1 ports on the CPU, run as
    TF1 is run, and nothing else."""
    own = any(side.folders for side in request.sides if side.build == build)
    return (
        build == BUILD
        and request.device == "cpu"
        and request.execution in ("default", "graph")
        and not own
    )


def find(job: Job, folder: Path, tape_hash: str, data_hash: str) -> Reference:
    """Return the reference that stands for a job of the TF1 build.

    Raises:
        RecordError: there is none for this preset, precision, seed or tape, with what there is.
    """
    path = folder / f"{stem(job.workload, job.preset, job.precision, job.seed)}.json"
    if not path.is_file():
        known = ", ".join(item.stem for item in sorted(folder.glob("*.json"))) or "none"
        raise RecordError(f"no recorded reference {path.name} in {folder}; there are: {known}")
    found = read(path)
    hashes = (found.provenance["tape_hash"], found.provenance["data_hash"])
    if hashes != (tape_hash, data_hash):
        raise RecordError(
            f"{path} was recorded on another tape or other data than this run's; record it again"
            " with TF 1.15.5"
        )
    if found.document["powers"] != job.powers:
        raise RecordError(
            f"{path} was recorded with {found.document['powers']} powers of beta, this job has"
            f" {job.powers}"
        )
    if found.document["steps"] != job.steps:
        raise RecordError(
            f"{path} was recorded over {found.document['steps']} steps, this run has {job.steps}"
        )
    return found


def names(folder: Path) -> Iterator[Path]:
    """Yield the paths of all references of a folder."""
    for path in sorted(folder.glob("*.json")):
        if re.fullmatch(r".+-seed\d+", path.stem):
            yield path
