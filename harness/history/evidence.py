"""What a run's folder tells beyond its report: rounds, measured sources, builds only timed.

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
from harness.records import contents, store
from harness.records.contents import Identity
from harness.records.store import Record
from harness.results.model import Report, SpeedRow
from harness.speed import estimate

ROUND = re.compile(r"(?P<before>.*-round)(?P<number>\d{3,})(?P<after>.*)")
#: A report tells so many digits of a source's hash; so many are kept, wherever one comes from.
DIGITS = 12
SHIPPED = re.compile(r".*/worker/[0-9a-f]{16}/")
#: A port as the report names it.
NAMED_PORT = re.compile(r"(?P<path>.*), sha256 (?P<hash>[0-9a-f]+)")


@dataclasses.dataclass(frozen=True)
class UsedPort:
    """The port that a side used, and the first digits of its sources' hash."""

    path: str
    source_hash: str


@dataclasses.dataclass
class RunEvidence:
    """What was found.

    Attributes:
        identities: what builds say of themselves, by label (`backends.protocol.fingerprint`).
        ports: by label and workload.
        specs: hash of a workload's specification and data, by workload and preset.
        accelerators: names of GPUs that were used.
        rounds: of each speed row, by its index in the report.
        records: how many records were read.
    """

    identities: dict[str, Identity] = dataclasses.field(default_factory=dict)
    ports: dict[tuple[str, str], UsedPort] = dataclasses.field(default_factory=dict)
    specs: dict[tuple[str, str], str] = dataclasses.field(default_factory=dict)
    accelerators: set[str] = dataclasses.field(default_factory=set)
    rounds: dict[int, list[SpeedRound]] = dataclasses.field(default_factory=dict)
    records: int = 0

    def host(self) -> Host | None:
        """Return the machine; None if no record tells. All workers of a run see the same one."""
        for _, identity in sorted(self.identities.items()):
            if identity.processor or identity.cpus:
                machine = (
                    identity.processor,
                    identity.cpus or 0,
                    identity.machine,
                    identity.platform.partition("-")[0],
                    ", ".join(sorted(self.accelerators)),
                )
                return Host(hashlib.sha256(repr(machine).encode()).hexdigest()[:12], *machine)
        return None


def gather(report: Report, folder: Path | None) -> RunEvidence:
    """Return what the report and the run's folder tell of its sources, hosts and rounds.

    Args:
        folder: the run's; None where there is none, and the report tells alone.
    """
    evidence = RunEvidence()
    if folder is not None:
        for name in _lockstep(report):
            for record in _read(folder, name):
                _note_lockstep(evidence, record)
        for name, indices in sorted(_timed(report).items()):
            for record in _read(folder, name):
                _note_round(evidence, record)
                for index in indices:
                    measured = _round(record, report.speed[index])
                    evidence.rounds.setdefault(index, []).append(measured)
    for build in report.builds:
        for workload, text in build.port.items():
            port = NAMED_PORT.fullmatch(text)
            if port:
                evidence.ports[build.build, workload] = UsedPort(
                    port["path"], port["hash"][:DIGITS]
                )
    return evidence


def _note_lockstep(evidence: RunEvidence, record: Record) -> None:
    """Keep what a job of one build tells."""
    evidence.records += 1
    whole = record.whole
    left = whole if isinstance(whole, contents.Sampled) else record.recorded
    _note(evidence, record, record.described.side, left)
    _note_device(evidence, left.effective)


def _note_round(evidence: RunEvidence, record: Record) -> None:
    """Keep what a round tells of all its sides."""
    evidence.records += 1
    for label, opened in record.round.opened.items():
        _note(evidence, record, label, opened)
    for measured in record.round.actions.values():
        for prepared in measured.prepared.values():
            _note_device(evidence, prepared.effective)


def _read(run: Path, name: str) -> Iterator[Record]:
    """Yield a job's record, if there is one that can be read; its tensors may have gone. What a
    report names lies below its run."""
    if Path(name).is_absolute() or ".." in Path(name).parts:
        return
    with contextlib.suppress(RecordError, FileNotFoundError):
        record = store.read_manifest(run / name)
        if record.ok:
            yield record


def _lockstep(report: Report) -> list[str]:
    """Return the folders of jobs, one for each build, workload and preset: all of them tell the
    same of their sources."""
    folders: dict[tuple[str, str, str], str] = {}
    for row in report.stages:
        for label, log in zip((row.a, row.b), row.logs, strict=False):
            folders.setdefault((label, row.workload, row.preset), str(Path(log).parent))
    return sorted(set(folders.values()))


def _timed(report: Report) -> dict[str, list[int]]:
    """Return the folders of all rounds behind the report's speed rows, and the indices of the rows
    that each belongs to."""
    indices: dict[str, list[int]] = {}
    for index, row in enumerate(report.speed):
        last = Path(row.logs[0]).parent if row.logs else Path()
        named = ROUND.fullmatch(last.name)
        for number in range(row.rounds if named else 0):
            assert named is not None
            name = f"{named['before']}{number:03d}{named['after']}"
            indices.setdefault(str(last.parent / name), []).append(index)
    return indices


def _note(evidence: RunEvidence, record: Record, label: str, opened: contents.Opened) -> None:
    """Keep what one opened port tells."""
    evidence.identities.setdefault(label, opened.identity)
    workload, preset = record.described.workload, record.described.preset
    if opened.source_hash:
        port = UsedPort(SHIPPED.sub("", opened.port), opened.source_hash[:DIGITS])
        evidence.ports.setdefault((label, workload), port)
    if opened.spec_hash:
        evidence.specs.setdefault((workload, preset), opened.spec_hash)


def _note_device(evidence: RunEvidence, effective: Mapping[str, Any]) -> None:
    """Keep the name of an accelerator; an address like "/device:GPU:0" is no name."""
    name = str(effective.get("device", "cpu"))
    if name != "cpu" and not name.startswith("/"):
        evidence.accelerators.add(name)


def _round(record: Record, row: SpeedRow) -> SpeedRound:
    """Return what one round measured of a row's two sides."""
    measured = record.round.actions.get(row.action)
    palindromes = measured.palindromes if measured else ()
    timed = estimate.RoundTimes(tuple(estimate.Palindrome(steps) for steps in palindromes))
    usable = not estimate.unusable(timed, row.a, row.b)
    return SpeedRound(
        number=record.described.round,
        log_ratio=estimate.log_ratio(timed, row.a, row.b) if usable else None,
        a_step_s=estimate.step_time([timed], row.a),
        b_step_s=estimate.step_time([timed], row.b),
    )
