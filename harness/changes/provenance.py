"""What stood behind the figures of two nights: versions, ports, settings, data. What moved is a
note, and the suspect of what changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from backends.contract import PRECISIONS
from harness.changes.model import (
    DATA,
    NOTE,
    PORT,
    SETTING,
    VERSION,
    Change,
    Night,
    Subject,
    Suspect,
)
from harness.results.model import BuildRow, Report

#: So many digits of a source's hash stand in a report.
DIGITS = 12
#: What rows of bounds and of chains add to a side's label; a label may hold a folder's name, and
#: that a space.
ADDED = re.compile(rf" ({'|'.join(PRECISIONS)})( powers)?$")
HASH = re.compile(r"sha256 ([0-9a-f]+)$")
MISSING = "-"


def build_of(label: str) -> str:
    """Return the side that a label in a row is of: rows of bounds and chains add words, as in
    `torch fp64`."""
    return ADDED.sub("", label)


def sources(night: Night) -> dict[tuple[str, str], str]:
    """Return the hash of the port's source by workload and side, from the report and from the
    rounds."""
    found = {}
    for row in night.report.builds:
        for workload, port in row.port.items():
            told = HASH.search(port)
            found[workload, row.build] = (told.group(1) if told else port)[:DIGITS]
    for one in night.ratios:
        for side, digest in one.sources.items():
            found.setdefault((one.measurand.workload, side), digest[:DIGITS])
    return found


def ported(before: Night, after: Night) -> dict[tuple[str, str], Suspect]:
    """Return the ports whose source differs, by workload and side."""
    old, new = sources(before), sources(after)
    return {
        key: Suspect(key[1], f"port of {key[0]}", old[key], new[key])
        for key in sorted(set(old) & set(new))
        if old[key] != new[key]
    }


def _versions(night: Night) -> dict[str, dict[str, str]]:
    """Return what is versioned, by side and name."""
    found: dict[str, dict[str, str]] = {}
    for one in night.ratios:
        for side, versions in one.versions.items():
            found.setdefault(side, {}).update(versions)
    for row in night.report.builds:
        found.setdefault(row.build, {}).update({**row.versions, "python": row.python})
    return found


def versioned(before: Night, after: Night) -> dict[str, tuple[Suspect, ...]]:
    """Return the packages that moved, by side; a side that only one night has is not listed."""
    return moved_versions(_versions(before), _versions(after))


def moved_versions(
    old: Mapping[str, Mapping[str, str]], new: Mapping[str, Mapping[str, str]]
) -> dict[str, tuple[Suspect, ...]]:
    """Return the packages of each side whose versions differ."""
    found = {}
    for side in sorted(set(old) & set(new)):
        # The rounds tell less than a report: what one night does not tell has not moved.
        moved = tuple(
            Suspect(side, name, old[side][name], new[side][name])
            for name in sorted(set(old[side]) & set(new[side]))
            if old[side][name] != new[side][name]
        )
        if moved:
            found[side] = moved
    return found


def _settings(row: BuildRow) -> Iterator[tuple[str, str]]:
    for name, value in row.effective.items():
        if name == "versions":
            continue
        if isinstance(value, Mapping):
            yield from ((f"{name} {inner}", _word(part)) for inner, part in value.items())
        else:
            yield name, _word(value)


def _word(value: Any) -> str:
    return "on" if value is True else "off" if value is False else str(value)


def configured(before: Night, after: Night) -> dict[str, tuple[Suspect, ...]]:
    """Return the effective settings that differ, by side."""
    old, new = (
        {row.build: dict(_settings(row)) for row in night.report.builds}
        for night in (before, after)
    )
    found = {}
    for side in sorted(set(old) & set(new)):
        moved = tuple(
            Suspect(side, name, old[side].get(name, MISSING), new[side].get(name, MISSING))
            for name in sorted(set(old[side]) | set(new[side]))
            if old[side].get(name) != new[side].get(name)
        )
        if moved:
            found[side] = moved
    return found


def tapes(before: Report, after: Report) -> dict[str, Suspect]:
    """Return the tapes (data, initial weights and noise) that differ, by workload/preset/seed."""
    return {
        name: Suspect("", f"tape {name}", before.tapes[name][:DIGITS], after.tapes[name][:DIGITS])
        for name in sorted(set(before.tapes) & set(after.tapes))
        if before.tapes[name] != after.tapes[name]
    }


def shared(before: Night, after: Night) -> tuple[Suspect, ...]:
    """Return what moved under every build: the harness itself, and the platform."""
    found = []
    if before.report.harness_version != after.report.harness_version:
        found.append(
            Suspect("", "harness", before.report.harness_version, after.report.harness_version)
        )
    old, new = (
        {row.build: row.platform for row in night.report.builds} for night in (before, after)
    )
    moved = sorted(side for side in set(old) & set(new) if old[side] != new[side])
    if moved:
        found.append(Suspect("", "platform", old[moved[0]], new[moved[0]]))
    return tuple(found)


class Suspects:
    """What moved between two nights, to be asked for any row."""

    def __init__(self, before: Night, after: Night) -> None:
        self.ports, self.tapes, self.shared = (
            ported(before, after),
            tapes(before.report, after.report),
            shared(before, after),
        )
        self.versions, self.settings = versioned(before, after), configured(before, after)

    def of(self, workload: str, sides: Iterable[str], tape: str = "") -> tuple[Suspect, ...]:
        """Return the suspects of a row: of its sides, its tape, and what all have in common.
        Versions come first."""
        named = list(dict.fromkeys(build_of(side) for side in sides))
        found = [one for side in named for one in self.versions.get(side, ())]
        found += [self.ports[workload, side] for side in named if (workload, side) in self.ports]
        found += [one for side in named for one in self.settings.get(side, ())]
        return (*found, *((self.tapes[tape],) if tape in self.tapes else ()), *self.shared)

    def moved(self, workload: str, side: str) -> bool:
        """Whether anything of one side moved that its neighbours do not share."""
        name = build_of(side)
        return name in self.versions or (workload, name) in self.ports or name in self.settings


def changes(suspects: Suspects) -> Iterator[Change]:
    """Yield a note for everything that moved."""
    for side, moved in suspects.versions.items():
        told = ", ".join(f"{one.what} {one.before} -> {one.after}" for one in moved)
        yield Change(
            VERSION,
            NOTE,
            Subject(build=side),
            _all(moved, 0),
            _all(moved, 1),
            f"The versions of {side} moved: {told}.",
            moved,
        )
    for one in suspects.shared:
        yield Change(
            VERSION,
            NOTE,
            Subject(what=one.what),
            one.before,
            one.after,
            f"{one.what} {one.before} -> {one.after}.",
            (one,),
        )
    for (workload, side), one in suspects.ports.items():
        text = (
            f"The port of {workload} on {side} changed (source {one.before} -> {one.after}): its"
            " times and memory are of other code."
        )
        yield Change(PORT, NOTE, Subject(workload, side), one.before, one.after, text, (one,))
    for side, moved in suspects.settings.items():
        told = ", ".join(f"{one.what} {one.before} -> {one.after}" for one in moved)
        yield Change(
            SETTING,
            NOTE,
            Subject(build=side),
            _all(moved, 0),
            _all(moved, 1),
            f"Settings in effect on {side}: {told}.",
            moved,
        )
    for name, one in suspects.tapes.items():
        text = (
            f"The tape {name} is another one ({one.before} -> {one.after}): data, weights or noise"
            " differ, and so do all figures."
        )
        yield Change(DATA, NOTE, Subject(what=name), one.before, one.after, text, (one,))


def _all(moved: Iterable[Suspect], night: int) -> str:
    return ", ".join(f"{one.what} {(one.before, one.after)[night]}" for one in moved)


def told(suspects: Iterable[Suspect]) -> str:
    """Return suspects as the end of a sentence."""
    named = [str(one) for one in suspects]
    return (
        f" Suspects: {'; '.join(named)}."
        if named
        else " Nothing that the reports record has moved."
    )
