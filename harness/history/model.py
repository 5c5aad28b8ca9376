"""What a history answers with: keys of series, their points, runs, nights, and buckets of long
series.

Owns the shapes, nothing else. A point holds the very row that the report held
(`harness.results.model`), so whoever reads a history needs no second vocabulary.
"""

from __future__ import annotations

import dataclasses
import datetime

from harness.results.model import SpeedRow, StageRow

FIDELITY, SPEED = "fidelity", "speed"


@dataclasses.dataclass(frozen=True, order=True)
class SeriesKey:
    """What was measured: rows with the same key are the same measurement at different times.

    The host, the versions and the sources are no part of it: they are what may change along a
    series, and are told at each point.

    Attributes:
        a, b: labels of the two sides, as in the row.
        precision: as in the row, e.g. `fp32:bf16` of a gain.
        subject: the stage, or the action that was timed.
        data: what `--data` named; empty for the workload's own.
    """

    workload: str
    preset: str
    a: str
    b: str
    precision: str
    subject: str
    device: str = "cpu"
    threads: int = 0
    execution: str = "default"
    data: str = ""
    seed: int = 0


@dataclasses.dataclass(frozen=True, order=True)
class StageKey(SeriesKey):
    """A key whose `subject` is a stage."""


@dataclasses.dataclass(frozen=True, order=True)
class SpeedKey(SeriesKey):
    """A key whose `subject` is an action."""


@dataclasses.dataclass(frozen=True)
class Wanted:
    """Which rows or runs are asked for; what is empty or None asks for all.

    Attributes:
        builds: sides; a row counts if one of its two is named. `torch` names `torch#2` too.
        subjects: stages and actions.
        since, until: nights, "YYYY-MM-DD", both included.
        limit: the newest so many.
        hosts: fingerprints of machines.
    """

    workloads: tuple[str, ...] = ()
    builds: tuple[str, ...] = ()
    presets: tuple[str, ...] = ()
    precisions: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    limit: int | None = None
    hosts: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Host:
    """The machine that a run was made on, as its workers saw it: only runs of one host have step
    times that can be compared.

    Attributes:
        fingerprint: hash of all the others.
        cores: that the run could use.
        system: e.g. "Linux".
        accelerator: name of the GPU, where one was used and its framework tells; else empty.
    """

    fingerprint: str
    cpu: str
    cores: int
    machine: str
    system: str
    accelerator: str


@dataclasses.dataclass(frozen=True)
class RunRow:
    """One stored run.

    Attributes:
        id: stable: the same run added again, from wherever it lies, has the same.
        night: the date it counts to, "YYYY-MM-DD".
        created: as in the report.
        created_s: the same moment, seconds since 1970, by which everything is ordered.
        revision: git commit of the checkout that the harness and its ports ran from
            (`Report.commit`); empty if unknown.
        folder: where the run lay when it was added.
        versions: of each build's packages, and its `python`.
        host: None if unknown.
        stages, speed: how many rows of each have which verdict.
    """

    id: str
    night: str
    created: str
    created_s: float
    title: str
    command: str
    harness_version: str
    fidelity: str
    headline: str
    exit_code: int
    revision: str
    folder: str
    versions: dict[str, dict[str, str]]
    host: Host | None
    stages: dict[str, int]
    speed: dict[str, int]


@dataclasses.dataclass(frozen=True)
class NightSummary:
    """One night's runs. `exit_codes`: how many runs ended with which."""

    night: str
    runs: int
    exit_codes: dict[int, int]


@dataclasses.dataclass(frozen=True)
class HistoryPoint:
    """When, where and of what a row of a series was measured.

    Attributes:
        run: the run's id.
        night, created_s, revision: as in `RunRow`.
        source_hash: of the port sources of both sides and the workload's specification. Where it
            changes along a series, something else was measured.
        host: fingerprint of the machine (`RunRow.host`); empty if unknown.
    """

    run: str
    night: str
    created_s: float
    revision: str
    source_hash: str
    host: str

    @property
    def time(self) -> datetime.datetime:
        """Return the moment in UTC."""
        return datetime.datetime.fromtimestamp(self.created_s, datetime.timezone.utc)


@dataclasses.dataclass(frozen=True)
class StagePoint(HistoryPoint):
    """A stage's verdict at one time."""

    row: StageRow


@dataclasses.dataclass(frozen=True)
class SpeedRound:
    """One round of fresh processes, the unit of inference (`harness.speed.estimate`).

    Attributes:
        log_ratio: log of b's over a's step time; None if the round is unusable.
        a_step_s, b_step_s: step times, seconds.
    """

    number: int
    log_ratio: float | None
    a_step_s: float | None
    b_step_s: float | None


@dataclasses.dataclass(frozen=True)
class SpeedPoint(HistoryPoint):
    """A timing at one time, with the rounds behind it; none if the run's folder was gone when it
    was added."""

    row: SpeedRow
    rounds: tuple[SpeedRound, ...]


@dataclasses.dataclass(frozen=True)
class Bucket:
    """A stretch of a long series, summed up in the database.

    Attributes:
        start_s, end_s: first and last moment of its rows, seconds since 1970.
        rows: how many.
        values: how many of them have a finite number.
        mean, low, high: of those; the smallest and the largest.
        verdicts: how many rows have which.
    """

    start_s: float
    end_s: float
    rows: int
    values: int
    mean: float | None
    low: float | None
    high: float | None
    verdicts: dict[str, int]


@dataclasses.dataclass(frozen=True)
class Added:
    """What `History.add` did.

    Attributes:
        id: the run's.
        new: False where it was there.
        replaced: True where it had gone on since, or took the place of an older run of its night's
            cell.
    """

    id: str
    new: bool
    replaced: bool = False
