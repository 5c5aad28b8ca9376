"""The house: imports lead downwards, nothing goes in a circle, and the root of `harness/` stays
empty."""

from __future__ import annotations

import pytest

from tests import rooms

GRAPH = rooms.imports(rooms.sources())


def test_imports_lead_downwards():
    """Every room imports rooms of lower floors alone, and every room stands on a floor."""
    assert [] == rooms.upwards(GRAPH)


def test_nothing_goes_in_a_circle():
    """Neither files nor rooms."""
    assert [] == rooms.circles(GRAPH)
    assert [] == rooms.circles(rooms.between_rooms(GRAPH))


def test_every_floor_is_lived_on():
    """A room that is gone goes from the floors too."""
    there = {rooms.room(module) for module in GRAPH}
    named = {
        f"{package}.{name}"
        for package, floors in rooms.FLOORS.items()
        for floor in floors
        for name in floor
    }
    assert set() == named - there


def test_the_root_holds_rooms():
    """What every room may use, and nothing else."""
    files = {path.name for path in (rooms.ROOT / "harness").iterdir() if path.is_file()}
    assert {"__init__.py", "__main__.py", "context.py", "errors.py", "py.typed"} == files


@pytest.mark.parametrize(
    ("module", "source", "upwards", "files", "between"),
    [
        (
            "harness.fidelity.judge",
            "from harness.report import markdown",
            1,
            1,
            1,
        ),  # the judge depends on a renderer
        ("harness.report.markdown", "from harness.cli.console import OUT", 1, 1, 1),
        ("harness.speed.estimate", "from harness.speed import verdict", 0, 1, 0),  # within a room
        ("harness.attic.things", "", 1, 0, 0),
        ("harness.report.markdown", "from harness.fidelity import judge", 0, 0, 0),
    ],
)
def test_a_planted_fault_is_seen(module: str, source: str, upwards: int, files: int, between: int):
    """An arrow upwards, a circle between files, one between rooms, a room on no floor; and what
    is allowed passes."""
    planted = {
        "harness.cli.console": "from harness.report import markdown",
        "harness.report.markdown": "from harness.fidelity import judge",
        "harness.fidelity.judge": "",
        "harness.speed.verdict": "from harness.speed import estimate",
        module: source,
    }
    graph = rooms.imports(planted)
    assert upwards == len(rooms.upwards(graph))
    assert files == len(rooms.circles(graph))
    assert between == len(rooms.circles(rooms.between_rooms(graph)))
