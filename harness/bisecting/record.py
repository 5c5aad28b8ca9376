"""What a bisection has found so far, on disk: `bisect.json`.

History of `SCHEMA`: 1 (first).
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness import store
from harness.bisecting.releases import Release
from harness.bisecting.verdicts import Judged
from harness.errors import CorruptRecord, RecordError

FILE, SCHEMA = "bisect.json", 1


@dataclasses.dataclass(frozen=True)
class Tried:
    """One release that had its turn.

    Attributes:
        versions: what its environment has installed; empty where there is none. folder: of its comparison, beside bisect.json, or empty.
    """

    release: Release
    judged: Judged
    versions: Mapping[str, str]
    folder: str


def write(folder: Path, key: str, command: str, series: Sequence[Release], tried: Mapping[int, Tried]) -> None:
    """Keep the list of releases and what became of those that were tried."""
    store.write_json(folder / FILE, {
        "schema": SCHEMA, "key": key, "command": command, "releases": [dataclasses.asdict(release) for release in series],
        "tried": {str(number): dataclasses.asdict(one) for number, one in sorted(tried.items())},
    })


def read(folder: Path, key: str) -> tuple[tuple[Release, ...], dict[int, Tried]]:
    """Return the list of releases and what was tried, if the same work lies there; else nothing."""
    with contextlib.suppress(FileNotFoundError, RecordError):
        document = store.read_json(folder / FILE, "bisection", SCHEMA)
        if document.get("key") == key:
            try:
                series = tuple(Release(**one) for one in document["releases"])
                tried = {
                    int(number): Tried(Release(**one["release"]), Judged(**one["judged"]), dict(one["versions"]), str(one["folder"]))
                    for number, one in document["tried"].items()
                }
            except (KeyError, TypeError, ValueError) as error:
                raise CorruptRecord(f"{folder / FILE}: not a bisection ({error!r})") from error
            return series, tried
    return (), {}
