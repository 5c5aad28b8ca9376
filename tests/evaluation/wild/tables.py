"""The tables of docs/wild.md."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.results.verdicts import Fidelity
from tests.evaluation import pages
from tests.evaluation.wild.differences import DIFFERENCES
from tests.evaluation.wild.trying import Said, word
from tests.evaluation.zoo.tables import table

PAGE = Path(__file__).parents[3] / "docs/wild.md"
#: What was found when the page was written: what is new is said against this.
FOUND = Path(__file__).parent / "found.json"
#: An error of the same size is the same difference.
SAME_SIZE = 10.0
NOTHING = "nothing"


def plain(said: Said) -> str:
    """Return a line for the terminal."""
    right = "as it has to be" if said.right else f"EXPECTED {said.entry.verdict}"
    where = f" at {said.stage}, {said.place}" if said.stage else ""
    return f"{said.entry.name}: {said.verdict}{where}; {said.lasted_s:.0f} s; {right}"


def summary(every: Sequence[Said]) -> str:
    """Return what has come of all pairs in two sentences."""
    honest = [said for said in every if not said.entry.planted]
    planted = [said for said in every if said.entry.planted]
    passed = sum(said.verdict == Fidelity.PASS for said in honest)
    departing = [said for said in honest if said.verdict == Fidelity.FAIL]
    named = sum(said.right for said in planted)
    lasted = sum(said.lasted_s for said in every)
    return (
        f"{len(honest)} pairs and variants: {passed} pass, {len(departing)} depart by a difference"
        f" that has a name, {len(honest) - passed - len(departing)} are undecided and say why."
        f" {len(planted)} planted mistakes: {named} named at their stage and in their place."
        f" All of it took {lasted / 60:.0f} minutes."
    )


def rows(every: Sequence[Said]) -> str:
    """Return the table of the honest pairs.

    Args:
        every: what was said of all pairs.
    """
    return table(
        ("pair", "what it is", "lines", "precision", "seconds", "verdict", "the difference"),
        [
            (
                f"`{said.entry.name}`",
                said.entry.title,
                said.entry.lines,
                said.entry.precision,
                f"{said.lasted_s:.0f}",
                _verdict(said),
                _differences(said),
            )
            for said in every
            if not said.entry.planted
        ],
    )


def planted(every: Sequence[Said]) -> str:
    """Return the table of the planted mistakes."""
    return table(
        ("planted in", "mistake", "has to be found at", "found"),
        [
            (
                f"`{said.entry.name}`",
                said.entry.what,
                f"{word(said.entry.stage or '')} {_places(said)}",
                _verdict(said) if said.right else f"{_verdict(said)}, not as it has to be",
            )
            for said in every
            if said.entry.planted
        ],
    )


def differences(every: Sequence[Said]) -> str:
    """Return what differs between the libraries: where it was found, its size, its source."""
    lines = []
    for name, difference in DIFFERENCES.items():
        showing = [said for said in every if name in said.entry.shows]
        # A variant without it that departs by the next one proves nothing.
        without = [
            said.entry.name
            for said in every
            if name in said.entry.accepts and said.verdict == Fidelity.PASS
        ]
        # Where several differ, the error is that of the first one that shows.
        first = [said for said in showing if said.entry.shows[0] == name and said.error]
        sizes = [f"{said.error:.0e} ({word(said.stage)})" for said in first]
        lines.append(
            (
                f"`{name}`",
                difference.between,
                difference.what,
                _list(said.entry.name for said in showing) or "-",
                ", ".join(dict.fromkeys(sizes)) or "-",
                _list(without) or "-",
                difference.source,
            )
        )
    head = ("difference", "between", "what it is", "in", "size", "passes without it", "source")
    return table(head, lines)


def releases(every: Sequence[Said], found: Mapping[str, Mapping[str, Any]]) -> str:
    """Return what is new in the newest releases.

    Args:
        every: what was said of the pairs on the releases before. found: what `kept` returns.
    """
    lines = []
    for before in every:
        now = found[before.entry.name]
        changed = [
            (library, before.versions.get(library, "none"), version)
            for library, version in now["versions"].items()
            if before.versions.get(library) != version
        ]
        moves = ", ".join(f"{library} {old} → {new}" for library, old, new in changed)
        lines.append((f"`{before.entry.name}`", moves or NOTHING, new_since(before, now)))
    return table(("pair", "releases before → now", "what is new"), lines)


def new_since(before: Said, now: Mapping[str, Any]) -> str:
    """Return in words what a pair shows now that it did not show on the releases before."""
    same = (before.verdict, before.stage, before.place) == (
        now["verdict"],
        now["stage"],
        now["place"],
    )
    sizes = before.error, now["error"]
    if same and all(sizes) and not 1 / SAME_SIZE < sizes[0] / sizes[1] < SAME_SIZE:
        return f"the error was {sizes[0]:.0e} and is {sizes[1]:.0e}"
    if same:
        return NOTHING
    is_now = f"{now['verdict']} {word(now['stage'])} {_code(now['place'])}".rstrip()
    return f"was {_verdict(before)}, is {is_now}"


def kept() -> dict[str, dict[str, Any]]:
    """Return by name what was found when the page was written."""
    found: dict[str, dict[str, Any]] = json.loads(FOUND.read_text(encoding="utf-8"))
    return found


def write(every: Sequence[Said]) -> None:
    """Write the tables into the page, and what was found beside the program.

    Args:
        every: what was said of all pairs.
    """
    found = {
        said.entry.name: {
            "verdict": said.verdict,
            "stage": said.stage,
            "place": said.place,
            "error": said.error,
            "versions": dict(said.versions),
        }
        for said in every
        if not said.entry.planted
    }
    FOUND.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sections = {
        "SUMMARY": summary(every),
        "PAIRS": rows(every),
        "DIFFERENCES": differences(every),
        "PLANTS": planted(every),
    }
    pages.write(PAGE, sections)


def _verdict(said: Said) -> str:
    if not said.stage:
        return said.verdict
    return f"**{said.verdict}** {word(said.stage)} {_code(said.place)}"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _differences(said: Said) -> str:
    entry = said.entry
    shown = [_list(entry.shows)] if entry.shows else []
    aside = [f"without {_list(entry.accepts)}"] if entry.accepts else []
    return "; ".join([*shown, *aside, *([entry.reason] if entry.reason else [])])


def _list(names: Iterable[str]) -> str:
    return ", ".join(map(_code, names))


def _places(said: Said) -> str:
    return " or ".join(map(_code, said.entry.places)) or "any place"
