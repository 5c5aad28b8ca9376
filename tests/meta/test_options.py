"""Odd values of options end in a sentence; and the program that counts would see it if not."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import NoReturn

import pytest

from harness.commands import listing
from tests.evaluation.options import cases, places, trying
from tests.evaluation.options.__main__ import main
from tests.evaluation.options.trying import CODE, CONTROL, HANG, REPLACED, TRACEBACK


def test_some_of_all_cases_have_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    """`tox run -e options` tries all of them."""
    assert 0 == main(["--count", "60"]), capsys.readouterr().out
    said = capsys.readouterr().out
    assert " commands\n" in said and all(f"     0 {kind}\n" in said for kind in trying.KINDS)


def test_every_option_is_tried_with_every_value() -> None:
    """Those that the application itself lists, so that a new one is tried too."""
    tried = {(case.command, case.option) for case in cases.every()}
    assert (("compare",), "--budget") in tried and (("history", "page"), "--out") in tried
    assert set(cases.VALUES) == {
        case.odd for case in cases.every() if (("train",), "--steps") == (case.command, case.option)
    }


def test_no_command_is_left_out() -> None:
    """Each has its other options, and each option of it is among the cases."""
    listed = dict(cases.commands())
    assert set(cases.BASES) == set(listed)
    every = {(path, option.name) for path, app in listed.items() for option in cases.options(app)}
    assert every == {(case.command, case.option) for case in cases.every() if case.command}


def _raises(*_: object) -> NoReturn:
    raise RuntimeError("planted")


def _ends_oddly(*_: object) -> NoReturn:
    sys.exit(7)


def _hangs(*_: object) -> NoReturn:
    while True:
        time.sleep(0.01)


def _moves_the_cursor(*_: object) -> list[tuple[str, ...]]:
    sys.stdout.write("\x1b[31m")
    return []


def _replaces_a_device(*_: object) -> list[tuple[str, ...]]:
    Path("file").replace("full")
    return []


PLANTED = {
    TRACEBACK: _raises,
    CODE: _ends_oddly,
    HANG: _hangs,
    CONTROL: _moves_the_cursor,
    REPLACED: _replaces_a_device,
}


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_fault_is_counted(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each kind, and no other; without it there is none."""
    copied = places.template(tmp_path / "template")
    before = Path.cwd()
    assert [] == trying.faults(trying.attempt(["list"], copied, tmp_path / "case"))
    monkeypatch.setattr(listing, "workloads", PLANTED[kind])
    limit_s = 0.5 if kind == HANG else trying.LIMIT_S
    assert [kind] == trying.faults(trying.attempt(["list"], copied, tmp_path / "case", limit_s))
    assert Path.cwd() == before and not (tmp_path / "case").exists()


def test_the_program_ends_with_one_where_there_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says which command line, and the end of what came out."""
    monkeypatch.setattr(listing, "workloads", _raises)
    assert 1 == main(["--only", "list", "--count", "4"])
    said = capsys.readouterr().out
    assert "harness 'list' '--ports=" in said and "RuntimeError: planted" in said
