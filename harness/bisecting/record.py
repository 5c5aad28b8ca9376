"""What a bisection has found so far, on disk: `bisect.json`.

History of `SCHEMA`: 1 (first).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.bisecting.verdicts import Judged
from harness.environments.releases import Release
from harness.errors import CorruptRecord
from harness.records import store

FILE, SCHEMA = "bisect.json", 1


@dataclasses.dataclass(frozen=True)
class Tried:
    """One release that had its turn.

    Attributes:
        versions: what its environment has installed; empty where there is none. folder: of its
            comparison, beside bisect.json, or empty.
    """

    release: Release
    judged: Judged
    versions: Mapping[str, str]
    folder: str


def write(
    folder: Path, key: str, command: str, series: Sequence[Release], tried: Mapping[int, Tried]
) -> None:
    """Keep the list of releases and what became of those that were tried."""
    document = {
        "schema": SCHEMA,
        "key": key,
        "command": command,
        "releases": [dataclasses.asdict(release) for release in series],
        "tried": {str(number): dataclasses.asdict(tried[number]) for number in sorted(tried)},
    }
    store.write_json(folder / FILE, document)


def read(folder: Path, key: str) -> tuple[tuple[Release, ...], dict[int, Tried]]:
    """Return the list of releases and what was tried, if the same work lies there; else nothing.

    Raises:
        CorruptRecord, NewerSchema: what lies there cannot be used. It may have cost hours, so
            nothing is written over it.
    """
    path = folder / FILE
    try:
        document = store.read_json(path, "bisection", SCHEMA)
    except FileNotFoundError:
        return (), {}
    try:
        if document["key"] != key:
            return (), {}
        series = tuple(Release(**release) for release in document["releases"])
        tried = {}
        for number, entry in document["tried"].items():
            tried[int(number)] = _tried(entry, series[int(number)])
        return series, tried
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise CorruptRecord(
            f"{path}: not a bisection ({error!r}). Delete it and run again; comparisons that are"
            " finished are kept."
        ) from error


def _tried(document: Mapping[str, Any], expected: Release) -> Tried:
    release = Release(**document["release"])
    judged = Judged(**document["judged"])
    tried = Tried(release, judged, dict(document["versions"]), str(document["folder"]))
    if release != expected:
        raise ValueError(f"{release.version} stands in the place of {expected.version}")
    return tried
