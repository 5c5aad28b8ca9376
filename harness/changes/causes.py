"""What moved between two runs, ranked by how well it explains which rows changed. Pure.

A suspect touches the rows of its build, of its port, of its tape, or all. It explains the more, the
more of the changed rows it touches, and the fewer of those that stayed as they were: a version of
torch is no likely cause where torch's other comparisons changed nothing. That is all two runs can
tell; it is an order in which to look, not a probability.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from harness.changes import conditions, speed, verdicts
from harness.changes.model import DATA, PORT, SETTING, VERSION, JudgedNight, Suspect
from harness.changes.provenance import PLATFORM, Suspects

#: Kinds of suspects, in the order in which those that explain as much are told.
KINDS = (VERSION, SETTING, PORT, DATA, conditions.MACHINE)


@dataclasses.dataclass(frozen=True)
class RankedSuspect:
    """One thing that moved, and what it explains.

    Attributes:
        kind: of `KINDS`. suspect: what moved.
        explains: changed rows that it touches, of `changed`. unchanged: rows that it touches too,
            and that stayed as they were.
    """

    kind: str
    suspect: Suspect
    explains: int
    changed: int
    unchanged: int

    @property
    def because(self) -> str:
        """Why it stands where it does, in words."""
        stayed = f", and {self.unchanged} that did not" if self.unchanged else ", and no other"
        return f"touches {self.explains} of {self.changed} rows that changed{stayed}"


@dataclasses.dataclass(frozen=True)
class _RowScope:
    """One judged row of both runs, with what touches it."""

    workload: str
    sides: tuple[str, str]
    tape: str
    changed: bool


@dataclasses.dataclass(frozen=True)
class _Moved:
    """One thing that moved. `workload`, `tape`: that it is of; empty where it is of all."""

    kind: str
    suspect: Suspect
    workload: str = ""
    tape: str = ""

    def touches(self, row: _RowScope) -> bool:
        """Whether it can have changed a row."""
        return (
            (not self.suspect.build or self.suspect.build in row.sides)
            and (not self.workload or self.workload == row.workload)
            and (not self.tape or self.tape == row.tape)
        )


def ranked(
    before: JudgedNight, after: JudgedNight, suspects: Suspects
) -> tuple[RankedSuspect, ...]:
    """Return what moved and touches a row that changed, the likeliest cause first; empty where no
    verdict changed and no ratio moved materially.

    Args:
        before, after: the two runs. suspects: what moved between them.
    """
    rows = [*_fidelity(before, after), *_timed(before, after, suspects)]
    changed = sum(row.changed for row in rows)
    judged = []
    for moved in _moved(before, after, suspects):
        touched = [row for row in rows if moved.touches(row)]
        explains = sum(row.changed for row in touched)
        if explains:
            unchanged = len(touched) - explains
            judged.append(RankedSuspect(moved.kind, moved.suspect, explains, changed, unchanged))
    return tuple(sorted(judged, key=_order))


def _order(judged: RankedSuspect) -> tuple[float, float, int]:
    share = judged.explains / (judged.explains + judged.unchanged)
    return -judged.explains, -share, KINDS.index(judged.kind)


def _moved(before: JudgedNight, after: JudgedNight, suspects: Suspects) -> Iterator[_Moved]:
    """Yield everything that moved."""
    for packages in suspects.versions.values():
        yield from (_Moved(VERSION, package) for package in packages)
    for settings in suspects.settings.values():
        yield from (_Moved(SETTING, setting) for setting in settings)
    for (workload, _), port in suspects.ports.items():
        yield _Moved(PORT, port, workload=workload)
    for name, tape in suspects.tapes.items():
        yield _Moved(DATA, tape, tape=name)
    for common in suspects.shared:
        yield _Moved(conditions.MACHINE if common.what == PLATFORM else VERSION, common)
    machine = conditions.moved_machine(before, after)
    if machine is not None:
        yield _Moved(conditions.MACHINE, machine)


def _fidelity(before: JudgedNight, after: JudgedNight) -> Iterator[_RowScope]:
    old = verdicts.rows(before)
    for key, row in verdicts.rows(after).items():
        if key in old:
            tape = f"{row.workload}/{row.preset}/{row.seed}"
            yield _RowScope(row.workload, row.sides, tape, old[key].verdict != row.verdict)


def _timed(before: JudgedNight, after: JudgedNight, suspects: Suspects) -> Iterator[_RowScope]:
    """Yield the rows of speed; one has changed where its ratio moved materially, or its verdict
    where that could not be judged."""
    rows, _ = speed.compare(before, after, suspects, {})
    judged = {row.after.measurand: row.judged.material for row in rows}
    for what, (was, row) in speed.both_rows(before, after).items():
        tape = f"{row.workload}/{row.preset}/{row.seed}"
        changed = judged.get(what, was.verdict != row.verdict)
        yield _RowScope(row.workload, (row.a, row.b), tape, changed)
