"""What a bisection has found so far, on disk: `bisect.json`.

History of `SCHEMA`: 1 (first), 2 (a seal).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.bisecting.verdicts import JudgedRelease
from harness.environments.releases import Release
from harness.errors import CorruptRecord, UnreadableRecord
from harness.records import store
from harness.records.decoder import decode

FILE, SCHEMA, SEALED_SINCE = "bisect.json", 2, 2


@dataclasses.dataclass(frozen=True)
class TriedRelease:
    """One release that had its turn.

    Attributes:
        versions: what its environment has installed; empty where there is none. folder: of its
            comparison, beside bisect.json, or empty.
    """

    release: Release
    judged: JudgedRelease
    versions: dict[str, str]
    folder: str


@dataclasses.dataclass(frozen=True)
class Stored:
    """What the file holds; `tried` by the index in the list of releases."""

    key: str
    releases: tuple[Release, ...]
    tried: dict[str, TriedRelease]


def write(
    folder: Path,
    key: str,
    command: str,
    series: Sequence[Release],
    tried: Mapping[int, TriedRelease],
) -> None:
    """Keep the list of releases and what became of those that were tried."""
    document = {
        "schema": SCHEMA,
        "key": key,
        "command": command,
        "releases": [dataclasses.asdict(release) for release in series],
        "tried": {str(number): dataclasses.asdict(tried[number]) for number in sorted(tried)},
    }
    store.write_sealed(folder / FILE, document)


def read(folder: Path, key: str) -> tuple[tuple[Release, ...], dict[int, TriedRelease]]:
    """Return the list of releases and what was tried, if the same work lies there; else nothing.

    Raises:
        CorruptRecord, NewerSchema: what lies there cannot be used. It may have cost hours, so
            nothing is written over it.
    """
    path = folder / FILE
    try:
        document = store.read_sealed(path, "bisection", SCHEMA, SEALED_SINCE)
        stored = decode(Stored, document, str(path))
        if stored.key != key:
            return (), {}
        return stored.releases, _in_place(stored, str(path))
    except FileNotFoundError:
        return (), {}
    except UnreadableRecord:
        raise
    except CorruptRecord as error:
        raise CorruptRecord(
            f"{error}. Delete it and run again; comparisons that are finished are kept."
        ) from error


def _in_place(stored: Stored, where: str) -> dict[int, TriedRelease]:
    """Return what was tried by its index in the list of releases.

    Raises:
        CorruptRecord: an index or a release is another one.
    """
    by_index = {}
    for number, tried in stored.tried.items():
        index = int(number) if number.isdecimal() else -1
        if not 0 <= index < len(stored.releases) or stored.releases[index] != tried.release:
            raise CorruptRecord(
                f"{where}: tried.{number} is {tried.release.version}, which is not the release at"
                " that place of the list"
            )
        by_index[index] = tried
    return by_index
