"""The data and the tape of a run: drawn once, written under their hashes, and verified before every
job that uses them.

A large model's tape is as large as itself: one is drawn at a time, onto the disk, and what lies
there is verified, both array by array.
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from backends.contract import Status
from harness.errors import CorruptRecord, JobFailed
from harness.records import archives, tape
from harness.workloads.spec import Arrays, Workload


@dataclasses.dataclass(frozen=True)
class Files:
    """Where the data and the tape of one workload, preset and seed lie, and their hashes."""

    data: Path
    tape: Path
    data_hash: str
    tape_hash: str

    def hold(self) -> bool:
        """Return whether they are what was drawn."""
        return holds(self.data, self.data_hash) and holds(self.tape, self.tape_hash)


@dataclasses.dataclass
class Tapes:
    """What a run has drawn already.

    Attributes:
        lock: of drawing. known: what lies where, by folder, workload, preset, seed and steps.
    """

    lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)
    known: dict[tuple[Path, str, str, int, int], Files] = dataclasses.field(default_factory=dict)

    def of(self, folder: Path, workload: Workload, which: tuple[str, int, int]) -> Files:
        """Return where data and tape lie, drawn and written unless they lie there already; what an
        earlier run left of them is used only if it is what is drawn.

        Args:
            folder: that holds them. workload: what declares them.
            which: the preset, the seed, and how many batches there are.

        Raises:
            JobFailed: the workload's own code raised. OSError: they cannot be written.
        """
        preset, seed, steps = which
        key = (folder, workload.name, preset, seed, steps)
        with self.lock:
            lying = self.known.get(key)
            if lying is not None and lying.hold():
                return lying
            with _drawing(workload):
                config = workload.config(preset)
                data = workload.data(config)
            data_hash = tape.content_hash(data)
            rows = folder / f"data-{workload.name}-{preset}-{data_hash[:12]}.npz"
            keep(rows, data, data_hash)
            place = folder / f"tape-{workload.name}-{preset}-seed{seed}.npz"
            archives.write_each(place, _drawn(workload, config, data, seed, steps))
            drawn = archives.taken(place)
            tape_hash = tape.content_hash(drawn)
            noise = place.with_name(f"{place.stem}-{tape_hash[:12]}.npz")
            keep(noise, drawn, tape_hash)
            self.known[key] = Files(rows.resolve(), noise.resolve(), data_hash, tape_hash)
            return self.known[key]


def _drawn(
    workload: Workload, config: dict[str, Any], data: Arrays, seed: int, steps: int
) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield a tape, as `tape.drawn` does."""
    with _drawing(workload):
        yield from tape.drawn(workload, config, data, seed, steps)


@contextlib.contextmanager
def _drawing(workload: Workload) -> Iterator[None]:
    """Have what a workload's own code raises end the job."""
    try:
        yield
    except Exception as error:
        raise JobFailed(
            Status.ERROR,
            f"the data or the tape of {workload.name} cannot be made:"
            f" {type(error).__name__}: {error}",
        ) from error


def keep(path: Path, arrays: Mapping[str, NDArray[Any]], content_hash: str) -> None:
    """Write arrays unless they lie there already; a file that is truncated or holds others is
    written anew.

    Args:
        path: of the .npz. arrays: what it has to hold. content_hash: theirs (`tape.content_hash`).

    Raises:
        OSError: it cannot be written.
    """
    if not holds(path, content_hash):
        archives.write_arrays(path, arrays)


def holds(path: Path, content_hash: str) -> bool:
    """Return whether an .npz holds certain arrays; they are read one at a time.

    Args:
        path: of the file. content_hash: theirs (`tape.content_hash`).
    """
    with contextlib.suppress(FileNotFoundError, CorruptRecord), archives.arrays(path) as lying:
        return tape.content_hash(lying) == content_hash
    return False
