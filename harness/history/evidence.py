"""What a run's folder tells beyond its report: rounds, the sources that were measured, builds that
were only timed.

A folder may have lost its records, or be none at all; then there is less, and nothing fails.
Records are read one at a time: a round's raw step times take megabytes, what is kept of it are
three numbers a pair.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import RecordError
from harness.history.model import Host, SpeedRound
from harness.records import store
from harness.results.model import Report, SpeedRow
from harness.speed import estimate

ROUND = re.compile(r"(?P<before>.*-round)(?P<number>\d{3,})(?P<after>.*)")
#: A report tells so many digits of a source's hash; so many are kept, wherever one comes from.
DIGITS = 12
SHIPPED = re.compile(r".*/worker/[0-9a-f]{16}/")
TOLD = re.compile(r"(?P<path>.*), sha256 (?P<hash>[0-9a-f]+)")


@dataclasses.dataclass(frozen=True)
class Port:
    """The port that a side used, and the first digits of its sources' hash."""

    path: str
    source_hash: str


@dataclasses.dataclass
class Evidence:
    """What was found.

    Attributes:
        identities: what builds say of themselves, by label (`backends.protocol.fingerprint`).
        ports: by label and workload. specs: hash of a workload's specification and data, by
            workload and preset.
        accelerators: names of GPUs that were used.
        rounds: of each speed row, by its place in the report. records: how many records were read.
    """

    identities: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    ports: dict[tuple[str, str], Port] = dataclasses.field(default_factory=dict)
    specs: dict[tuple[str, str], str] = dataclasses.field(default_factory=dict)
    accelerators: set[str] = dataclasses.field(default_factory=set)
    rounds: dict[int, list[SpeedRound]] = dataclasses.field(default_factory=dict)
    records: int = 0

    def host(self) -> Host | None:
        """Return the machine; None if no record tells. All workers of a run see the same one."""
        for _, one in sorted(self.identities.items()):
            if one.get("processor") or one.get("cpus"):
                told = (
                    str(one.get("processor", "")),
                    int(one.get("cpus") or 0),
                    str(one.get("machine", "")),
                    str(one.get("platform", "")).partition("-")[0],
                    ", ".join(sorted(self.accelerators)),
                )
                return Host(hashlib.sha256(repr(told).encode()).hexdigest()[:12], *told)
        return None


def gather(report: Report, folder: Path | None) -> Evidence:
    """Return what the report and the run's folder tell of its sources, hosts and rounds."""
    found = Evidence()
    if folder is not None:
        for name in _lockstep(report):
            for document in _read(folder, name):
                found.records += 1
                _note(
                    found, document["job"], str(document["job"].get("side", "")), document["result"]
                )
                _note_device(found, document["result"])
        for name, rows in sorted(_timed(report).items()):
            for document in _read(folder, name):
                found.records += 1
                for label, opened in document["result"].get("opened", {}).items():
                    _note(found, document["job"], label, opened)
                for measured in document["result"].get("actions", {}).values():
                    for prepared in measured.get("prepared", {}).values():
                        _note_device(found, prepared)
                for place in rows:
                    found.rounds.setdefault(place, []).append(_round(document, report.speed[place]))
    for build in report.builds:
        for workload, text in build.port.items():
            told = TOLD.fullmatch(text)
            if told:
                found.ports[build.build, workload] = Port(told["path"], told["hash"][:DIGITS])
    return found


def _read(run: Path, name: str) -> Iterator[Mapping[str, Any]]:
    """Yield a job's manifest, if there is one that can be read; its tensors may have gone. What a
    report names lies below its run."""
    if Path(name).is_absolute() or ".." in Path(name).parts:
        return
    with contextlib.suppress(RecordError, FileNotFoundError):
        document = store.read_json(run / name / store.MANIFEST, "record", store.SCHEMA)
        if (
            document.get("status") == "ok"
            and isinstance(document.get("job"), dict)
            and isinstance(document.get("result"), dict)
        ):
            yield document


def _lockstep(report: Report) -> list[str]:
    """Return the folders of jobs, one for each build, workload and preset: all of them tell the
    same of their sources."""
    found: dict[tuple[str, str, str], str] = {}
    for row in report.stages:
        for label, log in zip((row.a, row.b), row.logs, strict=False):
            found.setdefault((label, row.workload, row.preset), str(Path(log).parent))
    return sorted(set(found.values()))


def _timed(report: Report) -> dict[str, list[int]]:
    """Return the folders of all rounds behind the report's speed rows, and the places of the rows
    that each belongs to."""
    found: dict[str, list[int]] = {}
    for place, row in enumerate(report.speed):
        last = Path(row.logs[0]).parent if row.logs else Path()
        named = ROUND.fullmatch(last.name)
        for number in range(row.rounds if named else 0):
            assert named is not None
            name = f"{named['before']}{number:03d}{named['after']}"
            found.setdefault(str(last.parent / name), []).append(place)
    return found


def _note(found: Evidence, job: Mapping[str, Any], label: str, opened: Mapping[str, Any]) -> None:
    """Keep what one opened port tells."""
    if isinstance(opened.get("identity"), dict):
        found.identities.setdefault(label, opened["identity"])
    workload, preset = str(job.get("workload", "")), str(job.get("preset", ""))
    if opened.get("source_hash"):
        path = SHIPPED.sub("", str(opened.get("port", "")))
        found.ports.setdefault((label, workload), Port(path, str(opened["source_hash"])[:DIGITS]))
    if opened.get("spec_hash"):
        found.specs.setdefault((workload, preset), str(opened["spec_hash"]))


def _note_device(found: Evidence, told: Mapping[str, Any]) -> None:
    """Keep the name of an accelerator; a place like "/device:GPU:0" is no name."""
    name = str(told.get("effective", {}).get("device", "cpu"))
    if name != "cpu" and not name.startswith("/"):
        found.accelerators.add(name)


def _round(document: Mapping[str, Any], row: SpeedRow) -> SpeedRound:
    """Return what one round measured of a row's two sides."""
    number = int(document["job"].get("round", 0))
    palindromes = document["result"].get("actions", {}).get(row.action, {}).get("palindromes", ())
    one = estimate.Round(tuple(estimate.Palindrome(steps) for steps in palindromes))
    usable = not estimate.unusable(one, row.a, row.b)
    ratio = estimate.log_ratio(one, row.a, row.b) if usable else None
    return SpeedRound(
        number, ratio, estimate.step_time([one], row.a), estimate.step_time([one], row.b)
    )
