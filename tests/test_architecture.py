"""`docs/architecture.md` is as the floors are: its picture and its tables show every room, and no
arrow of the picture leads upwards."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from tests import rooms

PAGE = (rooms.ROOT / "docs/architecture.md").read_text(encoding="utf-8")
PICTURE = re.compile(r"^```mermaid\nflowchart TB\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: An arrow that is solid, or dotted with words on it.
ARROW = re.compile(r" --> | -\. \"[^\"]*\" \.-> ")
#: Used by all, and drawn for none.
UNDRAWN = {"harness.context", "harness.errors"}
FLOORS = {
    f"{package}.{name}": number
    for package, floors in rooms.FLOORS.items()
    for number, floor in enumerate(floors)
    for name in floor
}


def arrows(page: str) -> set[tuple[str, str]]:
    """Return the arrows of a page's picture, between rooms with their package: `backends` is drawn
    as a box, and what is outside of it is `harness`."""
    lines = PICTURE.findall(page)[0].splitlines()
    start, end = (lines.index(f"    {word}") for word in ("subgraph backends", "end"))
    inside = {name for line in lines[start + 1 : end] for group in _groups(line) for name in group}
    drawn = set()
    for line in lines[:start] + lines[start + 1 : end]:
        groups = _groups(line)
        for here, there in itertools.pairwise(groups):
            drawn |= {(a, b) for a in here for b in there}
    assert inside
    return {(_named(a, inside), _named(b, inside)) for a, b in drawn}


def _groups(line: str) -> list[list[str]]:
    return [[name.strip() for name in group.split("&")] for group in ARROW.split(line)]


def _named(name: str, inside: set[str]) -> str:
    return f"{'backends' if name in inside else 'harness'}.{name}"


def faults(page: str) -> list[str]:
    """Return what is wrong with a page's picture."""
    drawn = arrows(page)
    shown = {name for arrow in drawn for name in arrow}
    wrong = [f"{name} is not drawn" for name in sorted({*FLOORS} - UNDRAWN - shown)]
    wrong += [f"{name} is no room" for name in sorted(shown - {*FLOORS})]
    wrong += [
        f"{here} --> {there} leads upwards"
        for here, there in sorted(drawn)
        if here.split(".")[0] == there.split(".")[0]
        and FLOORS.get(here, 0) >= FLOORS.get(there, len(FLOORS))
    ]
    return wrong


def test_the_picture_shows_every_room():
    """And nothing that is none; arrows lead downwards."""
    assert [] == faults(PAGE)


@pytest.mark.parametrize(
    ("drawn", "instead", "expected"),
    [
        (" & loss_scale", "", ["backends.loss_scale is not drawn"]),
        (" & loss_scale", " & loss_scale & attic", ["backends.attic is no room"]),
        ("& models\n", "& models\n    cli --> attic\n", ["harness.attic is no room"]),
        ("worker --> protocol", "protocol --> worker", ["upwards"]),
        ("sinks --> report", "report --> sinks", ["upwards"]),
    ],
)
def test_a_planted_fault_of_the_picture_is_found(drawn: str, instead: str, expected: list[str]):
    """A room that is missing although the page names it elsewhere, one that is not there, an arrow
    upwards."""
    assert PAGE.count(drawn) == 1
    found = faults(PAGE.replace(drawn, instead))
    assert len(found) == len(expected)
    assert all(text in fault for text, fault in zip(expected, found, strict=True))


@pytest.mark.parametrize("package", rooms.FLOORS)
def test_the_tables_list_every_room_once(package: str):
    """One row a room, or several that are alike in one."""
    table = PAGE.partition(f"## The rooms of `{package}/`\n")[2].partition("\n## ")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    listed = [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]
    known = {name.split(".")[1] for name in {*FLOORS} - UNDRAWN if name.startswith(package)}
    assert sorted(known) == sorted(listed)


def listed_files(page: str) -> list[dict[str, set[str]]]:
    """Return the two tables of files, of a backend and of a port that is a package: by file, the
    backends that are said to have it."""
    section = page.partition("## The files of a backend\n")[2].partition("\n## ")[0]
    tables = []
    for text in section.split("So it is with a port"):
        rows = [line.split("|")[1:3] for line in text.splitlines() if line.startswith("| `")]
        table = {}
        for files, backends in rows:
            holders = {name.strip() for name in backends.split(",")}
            table.update(dict.fromkeys(re.findall(r"`(\w+)`", files), holders))
        tables.append(table)
    return tables


def present_files(pattern: str) -> dict[str, set[str]]:
    """Return the modules of the folders that a pattern with one star names: by file, what stands
    for the star."""
    files: dict[str, set[str]] = {}
    at = pattern.split("/").index("*")
    for path in rooms.ROOT.glob(f"{pattern}/*.py"):
        if path.stem != "__init__":
            holder = path.relative_to(rooms.ROOT).parts[at]
            files.setdefault(path.stem, set()).add(holder)
    return files


def files_of_backends() -> dict[str, set[str]]:
    """Return the modules of each backend: by file, the backends that have it."""
    backends = {"numpy", "tf1", "tf2", "torch"}
    present = {file: held & backends for file, held in present_files("backends/*").items()}
    return {file: held for file, held in present.items() if held}


def test_the_files_of_a_backend_are_listed_with_the_backends_that_have_them():
    """A new file in one backend is a row of its own, and so has to say why the others lack it."""
    of_backends, of_ports = listed_files(PAGE)
    assert files_of_backends() == of_backends
    assert present_files("backends/ports/*/ehr_mgan") == of_ports


def test_a_file_under_another_name_is_found():
    """In the page as it would be if one backend called it otherwise."""
    row = "| `training` | tf1, tf2, torch |"
    assert row in PAGE
    page = PAGE.replace(row, "| `training` | tf1, tf2 | |\n| `trainer` | torch |")
    assert files_of_backends() != listed_files(page)[0]


@pytest.mark.parametrize("name", sorted(UNDRAWN))
def test_what_is_not_drawn_is_named(name: str):
    """It is a file, and the page says what it is for."""
    assert f"`{Path(*name.split('.'))}.py`" in PAGE
