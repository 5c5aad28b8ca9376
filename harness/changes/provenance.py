"""What stood behind the figures of two nights: versions, ports, settings, data.

What moved is a note, and the suspect of what changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from harness.changes.model import (
    DATA,
    NOTE,
    PORT,
    SETTING,
    VERSION,
    Change,
    ChangeKind,
    JudgedNight,
    Subject,
    Suspect,
)
from harness.results.model import BuildRow, Report, SpeedRow, StageRow

#: So many digits of a source's hash stand in a report.
DIGITS = 12
HASH = re.compile(r"sha256 ([0-9a-f]+)$")
#: Of a night that does not tell.
UNREPORTED = "not reported"
#: What moved under every build, beside the harness itself.
PLATFORM = "platform"


def sources(night: JudgedNight) -> dict[tuple[str, str], str]:
    """Return the hash of the port's source by workload and side, from report and rounds."""
    hashes = {}
    for row in night.report.builds:
        for workload, port in row.port.items():
            match = HASH.search(port)
            hashes[workload, row.build] = (match.group(1) if match else port)[:DIGITS]
    for ratios in night.ratios:
        for side, digest in ratios.sources.items():
            hashes.setdefault((ratios.measurand.workload, side), digest[:DIGITS])
    return hashes


def ported(before: JudgedNight, after: JudgedNight) -> dict[tuple[str, str], Suspect]:
    """Return the ports whose source differs, by workload and side."""
    old, new = sources(before), sources(after)
    return {
        key: Suspect(key[1], f"port of {key[0]}", old[key], new[key])
        for key in sorted(set(old) & set(new))
        if old[key] != new[key]
    }


def _versions(night: JudgedNight) -> dict[str, dict[str, str]]:
    """Return what is versioned, by side and name."""
    by_side: dict[str, dict[str, str]] = {}
    for ratios in night.ratios:
        for side, versions in ratios.versions.items():
            by_side.setdefault(side, {}).update(versions)
    for row in night.report.builds:
        by_side.setdefault(row.build, {}).update({**row.versions, "python": row.python})
    return by_side


def versioned(before: JudgedNight, after: JudgedNight) -> dict[str, tuple[Suspect, ...]]:
    """Return the packages that moved, by side; a side that only one night has is not listed."""
    return moved_versions(_versions(before), _versions(after))


def moved_versions(
    old: Mapping[str, Mapping[str, str]], new: Mapping[str, Mapping[str, str]]
) -> dict[str, tuple[Suspect, ...]]:
    """Return the packages of each side whose versions differ; settings are told apart by it too.

    Args:
        old, new: of two nights, by side and name. What one night does not tell has not moved.
    """
    by_side = {}
    for side in sorted(set(old) & set(new)):
        moved = tuple(
            Suspect(side, name, old[side][name], new[side][name])
            for name in sorted(set(old[side]) & set(new[side]))
            if old[side][name] != new[side][name]
        )
        if moved:
            by_side[side] = moved
    return by_side


def _settings(row: BuildRow) -> Iterator[tuple[str, str]]:
    for name, value in row.effective.items():
        if name == "versions":
            continue
        if isinstance(value, Mapping):
            yield from ((f"{name} {inner}", _word(part)) for inner, part in value.items())
        else:
            yield name, _word(value)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def _settings_by_side(night: JudgedNight) -> dict[str, dict[str, str]]:
    return {row.build: dict(_settings(row)) for row in night.report.builds}


def configured(before: JudgedNight, after: JudgedNight) -> dict[str, tuple[Suspect, ...]]:
    """Return the effective settings that differ, by side; `unreported` has what one night does not
    tell."""
    return moved_versions(_settings_by_side(before), _settings_by_side(after))


def unreported(
    before: JudgedNight, after: JudgedNight
) -> Iterator[tuple[ChangeKind, str, str, str | None, str | None]]:
    """Yield what only one of two nights tells: its kind, the side, what it is, and its value on
    either night, None on the one that does not tell. It may have moved or not.

    Args:
        before, after: the two nights. A side that only one of them has is not listed.
    """
    for kind, by_side in ((VERSION, _versions), (SETTING, _settings_by_side)):
        old, new = by_side(before), by_side(after)
        for side in sorted(set(old) & set(new)):
            for name in sorted(set(old[side]) ^ set(new[side])):
                yield kind, side, name, old[side].get(name), new[side].get(name)
    was, now = sources(before), sources(after)
    both = _told_of(before.report) & _told_of(after.report)
    for key in sorted((set(was) ^ set(now)) & both):
        yield PORT, key[1], f"port of {key[0]}", was.get(key), now.get(key)


def _told_of(report: Report) -> set[tuple[str, str]]:
    """Return the workloads and sides that a report has rows of."""
    rows: tuple[StageRow | SpeedRow, ...] = (*report.stages, *report.speed)
    return {(row.workload, side) for row in rows for side in (row.a, row.b)}


def tapes(before: Report, after: Report) -> dict[str, Suspect]:
    """Return the tapes (data, initial weights and noise) that differ, by workload/preset/seed."""
    return {
        name: Suspect("", f"tape {name}", before.tapes[name][:DIGITS], after.tapes[name][:DIGITS])
        for name in sorted(set(before.tapes) & set(after.tapes))
        if before.tapes[name] != after.tapes[name]
    }


def shared(before: JudgedNight, after: JudgedNight) -> tuple[Suspect, ...]:
    """Return what moved under every build: the harness itself, and the platform."""
    suspects = []
    if before.report.harness_version != after.report.harness_version:
        suspects.append(
            Suspect("", "harness", before.report.harness_version, after.report.harness_version)
        )
    old = {row.build: row.platform for row in before.report.builds}
    new = {row.build: row.platform for row in after.report.builds}
    moved = sorted(side for side in set(old) & set(new) if old[side] != new[side])
    if moved:
        suspects.append(Suspect("", PLATFORM, old[moved[0]], new[moved[0]]))
    return tuple(suspects)


class Suspects:
    """What moved between two nights, to be asked for any row."""

    def __init__(self, before: JudgedNight, after: JudgedNight) -> None:
        self.ports = ported(before, after)
        self.tapes = tapes(before.report, after.report)
        self.shared = shared(before, after)
        self.versions = versioned(before, after)
        self.settings = configured(before, after)
        self.unreported = tuple(unreported(before, after))

    def of(self, workload: str, sides: Iterable[str], tape: str = "") -> tuple[Suspect, ...]:
        """Return the suspects of a row: of its sides, its tape, and what all have in common.
        Versions come first."""
        named = list(dict.fromkeys(sides))
        suspects = [package for side in named for package in self.versions.get(side, ())]
        suspects += [self.ports[workload, side] for side in named if (workload, side) in self.ports]
        suspects += [setting for side in named for setting in self.settings.get(side, ())]
        if tape in self.tapes:
            suspects.append(self.tapes[tape])
        return (*suspects, *self.shared)

    def moved(self, workload: str, side: str) -> bool:
        """Whether anything of one side moved that its neighbours do not share."""
        return side in self.versions or (workload, side) in self.ports or side in self.settings


def changes(suspects: Suspects) -> Iterator[Change]:
    """Yield a note for everything that moved."""
    for side, moved in suspects.versions.items():
        text = f"The versions of {side} moved: {_moves(moved)}."
        yield _note_of_all(VERSION, side, moved, text)
    for common in suspects.shared:
        yield _note(VERSION, Subject(what=common.what), common, f"{_moves((common,))}.")
    for (workload, side), port in suspects.ports.items():
        text = (
            f"The port of {workload} on {side} changed (source {port.before} -> {port.after}): its"
            " times and memory are of other code."
        )
        yield _note(PORT, Subject(workload, side), port, text)
    for side, moved in suspects.settings.items():
        text = f"Settings in effect on {side}: {_moves(moved)}."
        yield _note_of_all(SETTING, side, moved, text)
    yield from _settings_of_one_night(suspects)
    for name, tape in suspects.tapes.items():
        text = (
            f"The tape {name} is another one ({tape.before} -> {tape.after}): data, weights or"
            " noise differ, and so do all figures."
        )
        yield _note(DATA, Subject(what=name), tape, text)


def _settings_of_one_night(suspects: Suspects) -> Iterator[Change]:
    """Yield a note for each side of which only one night reports some settings."""
    by_side: dict[str, list[Suspect]] = {}
    for kind, side, what, before, after in suspects.unreported:
        if kind == SETTING:
            one_sided = Suspect(side, what, before or UNREPORTED, after or UNREPORTED)
            by_side.setdefault(side, []).append(one_sided)
    for side, listed in by_side.items():
        text = f"Of settings in effect on {side}, only one run reports: {_moves(listed)}."
        yield _note_of_all(SETTING, side, tuple(listed), text)


def _note(kind: ChangeKind, subject: Subject, suspect: Suspect, text: str) -> Change:
    return Change(
        kind=kind,
        severity=NOTE,
        subject=subject,
        before=suspect.before,
        after=suspect.after,
        text=text,
        suspects=(suspect,),
    )


def _note_of_all(kind: ChangeKind, side: str, moved: tuple[Suspect, ...], text: str) -> Change:
    """Return one note for all that moved on one side."""
    return Change(
        kind=kind,
        severity=NOTE,
        subject=Subject(build=side),
        before=", ".join(f"{suspect.what} {suspect.before}" for suspect in moved),
        after=", ".join(f"{suspect.what} {suspect.after}" for suspect in moved),
        text=text,
        suspects=moved,
    )


def _moves(moved: Iterable[Suspect]) -> str:
    return ", ".join(f"{suspect.what} {suspect.before} -> {suspect.after}" for suspect in moved)


def suspects_text(suspects: Iterable[Suspect]) -> str:
    """Return suspects as the end of a sentence."""
    named = [str(suspect) for suspect in suspects]
    if not named:
        return " Nothing that the reports record has moved."
    return f" Suspects: {'; '.join(named)}."
