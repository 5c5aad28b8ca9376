"""Hostile ports get away with nothing; and the program that counts would see it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.hostile_ports import __main__ as program
from tests.evaluation.hostile_ports import catalogue, snippets, trying
from tests.evaluation.hostile_ports.snippets import Hostile
from tests.evaluation.kills.__main__ import environment

PORTS = {port.name: port for port in catalogue.PORTS}
#: One of each way; all of them are the program's.
DOZEN = (
    "exit_train",
    "system_exit_import",
    "segfault",
    "garbage",
    "answers_seven",
    "answers_deep",
    "forges_checksums",
    "error_escapes",
    "name_climbs",
    "not_numbers",
    "clears_environment",
    "kills_parent",
    "leaves_and_stops_parent",
    "leaves_and_kills_parent",
)


def tried(name_or_port: str | Hostile, tmp_path: Path) -> trying.Tried:
    """Try one port."""
    port = PORTS[name_or_port] if isinstance(name_or_port, str) else name_or_port
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return trying.run(port, scratch, environment(tmp_path))


@pytest.mark.parametrize("name", DOZEN)
def test_a_hostile_port_gets_away_with_nothing(name: str, tmp_path: Path) -> None:
    """In a real comparison with the honest one."""
    assert () == tried(name, tmp_path).faults


def test_a_port_that_gets_away_is_seen(tmp_path: Path) -> None:
    """Planted: an honest port in the place of one that has to end."""
    faults = tried(Hostile("honest", "train", "pass", snippets.ENDS), tmp_path).faults
    assert "it agrees" in faults and "its job ended well" in faults


def report(status: str = "crashed", verdict: str = "INCONCLUSIVE", code: int = 4) -> dict[str, Any]:
    """Return what is looked at of a report: the honest sides agree."""
    hostile = f"numpy@{trying.FOLDER}"
    return {
        "summary": {"fidelity": "PASS", "exit_code": code},
        "jobs": [
            {"build": hostile, "status": "ok", "reason": ""},
            {"build": hostile, "status": status, "reason": "at linear.py, line 3"},
        ],
        "stages": [
            {"a": "numpy", "b": "numpy#2", "verdict": "PASS", "reason": ""},
            {"a": "numpy", "b": hostile, "verdict": verdict, "reason": "nothing to judge"},
        ],
    }


@pytest.mark.parametrize(
    ("wrong", "changed"),
    [
        ("", {}),
        ("it agrees", {"verdict": "PASS"}),
        ("it agrees", {"code": 0}),
        ("its job ended well", {"status": "ok"}),
        ("no typed status", {"status": "<b>PASS"}),
    ],
)
def test_what_is_judged_wrongly_is_seen(wrong: str, changed: dict[str, Any]) -> None:
    """Each by its name."""
    port = Hostile("planted", "train", "", snippets.ENDS)
    faults = trying.judged_wrongly(port, report(**changed))
    assert bool(wrong) == bool(faults) and all(wrong in faults[0] for _ in faults)


def test_a_reason_that_names_nothing_is_seen() -> None:
    """And honest sides that do not agree."""
    port = Hostile("planted", "train", "", snippets.ENDS, ("SIGSEGV",))
    document = report()
    assert ["none of ('SIGSEGV',)"] == [
        fault.partition(" in the reason")[0] for fault in trying.judged_wrongly(port, document)
    ]
    document["stages"][0]["verdict"] = "FAIL"
    assert 2 == len(trying.judged_wrongly(port, document))
    assert 1 == len(trying.judged_wrongly(dataclasses.replace(port, spoils=True), document))


@pytest.mark.parametrize("text", ["\x1b[31mred", "\x9b2J", "bell\x07", f"{trying.DEFECT}: x"])
def test_what_is_said_wrongly_is_seen(text: str) -> None:
    """Whatever steers a terminal, and a defect."""
    assert [] == trying.said_wrongly("one line\n\tand another: ✓\n", [])
    assert 1 == len(trying.said_wrongly(text, []))


def test_every_port_is_a_file_that_compiles() -> None:
    """And has a name of its own."""
    assert 60 <= len(PORTS) == len(catalogue.PORTS)
    for port in catalogue.PORTS:
        compile(port.source(), port.name, "exec")


def test_an_unknown_port_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """With those that there are."""
    with pytest.raises(SystemExit):
        program.main(["--only", "friendly"])
    assert "exit_import, exit_init" in capsys.readouterr().err
