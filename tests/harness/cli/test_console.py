"""What a file or a port says reaches the terminal with its control characters spelled out."""

from __future__ import annotations

import errno
import io
import json
import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from harness import cli
from harness.cli import console, progress
from harness.commands import listing
from harness.errors import HarnessError, ProvisionFailed
from harness.execution.progress import ProgressStep
from harness.records import files

#: Clears the screen, names the window, rings, goes back to the start of the line.
EVIL = "x\x1b[2J\x1b]0;owned\x07y\rz"
SPELLED = "x\\x1b[2J\\x1b]0;owned\\x07y\\x0dz"
MODEL = {
    "kind": "model",
    "schema": 1,
    "workload": "x\x1b[2Jy",
    "preset": "tiny",
    "data": "",
    "build": "numpy",
    "precision": "fp64",
    "seed": 0,
    "step": 1,
    "config": "",
    "converted": {},
    "threads": 1,
}


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines are not folded."""
    monkeypatch.setattr("harness.cli.console.OUT._width", 1000)
    monkeypatch.setattr("harness.cli.console.ERR._width", 1000)


def ended(*words: str) -> int:
    """Run a command; return its exit code."""
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_an_error_spells_out_what_a_file_names(tmp_path: Path, capsys) -> None:
    """The workload of a kept model."""
    (tmp_path / "model.json").write_text(json.dumps(MODEL), encoding="utf-8")
    assert 2 == ended("generate", str(tmp_path))
    said = capsys.readouterr().err
    assert "x\\x1b[2Jy" in said and "\x1b" not in said


def test_an_error_spells_out_words_of_the_command_line(capsys) -> None:
    """They may have been copied from anywhere."""
    assert 2 == ended("list", f"--{EVIL}")
    said = capsys.readouterr().err
    assert "\\x1b[2J" in said and not {"\x1b", "\x07", "\r"} & set(said)


def test_a_defect_spells_out_its_message(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """The traceback is shown as before."""

    def raises(*_: object) -> None:
        raise RuntimeError(EVIL)

    monkeypatch.setattr(listing, "workloads", raises)
    assert 4 == ended("list")
    said = capsys.readouterr().err
    assert f"RuntimeError: {SPELLED}" in said and "raise RuntimeError(EVIL)" in said
    assert "\x1b" not in said


def test_a_line_of_progress_spells_out_a_ports_last_words(capsys) -> None:
    """In a log, where a step's line ends in the time that is left, too."""
    plain = progress.Plain(console.say)
    plain(f"numpy crashed: {EVIL}")
    plain(ProgressStep(f"[1/2] {EVIL}", EVIL, 1, 2, 60.0))
    assert f"numpy crashed: {SPELLED}\n[1/2] {SPELLED}, about 60 s left\n" == (
        capsys.readouterr().err
    )


def test_a_line_that_is_drawn_anew_is_spelled_out() -> None:
    """What a step is called may be the name of a cell or a workload."""
    drawn = progress.StatusLine(lambda table: None, lambda line: None)
    drawn(ProgressStep("said", EVIL, 1, 2))
    screen = Console(file=io.StringIO(), width=200, color_system=None, force_terminal=True)
    screen.print(drawn.table())
    assert isinstance(screen.file, io.StringIO)
    assert SPELLED in screen.file.getvalue() and "\x1b[2J" not in screen.file.getvalue()


def test_a_cell_of_a_table_and_an_added_run_are_spelled_out(capsys) -> None:
    """The table of a night has a port's last words."""
    console.show_table(("cell", "what it says"), [("one", EVIL)])
    console.complain(str(HarnessError(EVIL)))
    captured = capsys.readouterr()
    assert SPELLED in captured.out and f"error: {SPELLED}\n" == captured.err


def test_a_message_keeps_its_spaces() -> None:
    """A path may have two."""
    message = "--names 'a  b': left float32 [3, 1]\tright [bold]x[/bold] µ é 漢"
    assert message == console.spelled(message)


@given(st.text(st.characters(codec=None)))
def test_no_control_character_is_left(text: str) -> None:
    """Of any text; nor a lone surrogate, which no terminal takes; and it is one line."""
    shown = console.spelled(text)
    assert not {unicodedata.category(char) for char in shown if char != "\t"} & {
        "Cc",
        "Cf",
        "Cs",
        "Cn",
        "Zl",
        "Zp",
    }
    assert shown == console.spelled(shown) and len(shown.splitlines()) <= 1


@pytest.mark.parametrize("end", ["\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
def test_what_is_quoted_begins_no_line(end: str, capsys) -> None:
    """Of an error, of a line of progress, of a cell: what ends a line is spelled out."""
    forged = f"x{end}✓ PASS  Same function{end}y"
    spelled = f"x\\x{ord(end):02x}✓ PASS  Same function\\x{ord(end):02x}y"
    console.complain(f"{forged}: there is no such file.")
    console.say(f"{forged}: added")
    console.show_table(("run", "what"), [(forged, "one")])
    console.OUT.print(console.plain(f"written: {forged}"))
    captured = capsys.readouterr()
    assert f"error: {spelled}: there is no such file.\n{spelled}: added\n" == captured.err
    assert spelled in captured.out and f"written: {spelled}\n" in captured.out
    every = (captured.out + captured.err).splitlines()
    assert not [line for line in every if line.strip().startswith("✓")]


def test_lines_of_a_log_stand_below_an_error(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """Each indented, so that none begins a line."""

    def raises(*_: object) -> None:
        raise ProvisionFailed("tox could not make it. It says:", ("ERROR: a", "b\nc"))

    monkeypatch.setattr(listing, "workloads", raises)
    assert 2 == ended("list")
    said = "error: tox could not make it. It says:\n  ERROR: a\n  b\\x0ac\n"
    assert said == capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "Make room there"),
        (errno.EACCES, "Give yourself the right to it"),
        (errno.EROFS, "Nothing can be written there"),
        (errno.ENOTDIR, "A part of this path is a file"),
        (errno.EIO, "Mend this"),
    ],
)
def test_what_the_system_refuses_is_answered_with_what_helps(
    number: int, remedy: str, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    """Room is made where there is none, and nowhere else."""

    def refuses(*_: object) -> None:
        raise OSError(number, os.strerror(number), "/there/file")

    monkeypatch.setattr(listing, "workloads", refuses)
    assert 4 == ended("list")
    said = capsys.readouterr().err
    assert f"'/there/file'. {remedy}" in said and ("room" in said) == (number == errno.ENOSPC)


def test_what_is_no_file_is_told_without_a_number(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys
) -> None:
    """It lies where a file should be written."""
    fifo = tmp_path / "index.html"
    os.mkfifo(fifo)
    monkeypatch.setattr(listing, "workloads", lambda *_: files.write_text(fifo, "text"))
    assert 4 == ended("list")
    said = f"error: {fifo}: it is a FIFO, and only a file is replaced. Name another place"
    assert capsys.readouterr().err.startswith(said)


def test_the_screens_format_goes_into_no_file(tmp_path: Path, capsys) -> None:
    """The others are named; no nearest name is guessed."""
    assert 2 == ended("report", str(tmp_path), "--format", "terminal", "--out", "x")
    said = capsys.readouterr().err
    assert (
        "is for the screen" in said
        and "json, markdown, html, junit, csv" in said
        and "you mean" not in said
    )
