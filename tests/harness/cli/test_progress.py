"""How progress is shown: plain lines in a log, one line that is drawn anew at a terminal."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from rich.console import Console

from harness.cli import progress
from harness.execution.progress import NIGHT, ProgressStep

ROOT = Path(__file__).parents[3]
SHOWN = """
from harness.cli.console import OUT
from harness.cli.progress import working
from harness.execution.progress import NIGHT, ProgressStep
with working() as given:
    given.say(ProgressStep("cell 1 of 2: one (about 60 s)", "one", 0, 2, 100.0, level=NIGHT))
    for number in range(5):
        name = f"round {number + 1} of a b"
        left_s = 5.0 * (5 - number)
        given.say(ProgressStep(name, "timing", number, 5, left_s, passing=number > 0))
    given.say("a remark")
OUT.print("the result")
"""


class Clock:
    """Tells the time it is set to, seconds."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_listing_is_no_longer_than_is_useful() -> None:
    """Steps that may be left out are, unless nothing else has been said for a while; the others
    say how long the rest takes."""
    clock, said = Clock(), list[str]()
    plain = progress.Plain(said.append, clock)
    for number in range(100):
        plain(
            ProgressStep(
                f"round {number + 1}", "timing", number, 100, 100.0 - number, passing=number > 0
            )
        )
        clock.now_s += 1.0
    assert ["round 1, about 100 s left", "round 16, about 85 s left"] == said[:2] and 7 == len(said)
    plain(ProgressStep("[3/4] done", "x", 3, 4, 2.0))
    plain(ProgressStep("[4/4] done", "x", 4, 4, 0.0))
    plain(ProgressStep("round 7", "timing", 6, None, 30.0))
    plain("a remark")
    assert ["[3/4] done", "[4/4] done", "round 7, at most 30 s left", "a remark"] == said[-4:]


def test_the_drawn_line_has_both_levels() -> None:
    """A night's cell and what it is at, with how many are done and the time left; a new cell
    forgets what the last one was at."""
    tables, said = [], list[str]()
    drawn = progress.StatusLine(tables.append, said.append)

    def text() -> str:
        console = Console(file=io.StringIO(), width=200)
        console.print(tables[-1])
        return console.file.getvalue()

    drawn(ProgressStep("cell 2 of 7: one", "one", 1, 7, 300.0, level=NIGHT))
    drawn(ProgressStep("[3/20] linear tf2", "linear tf2", 3, 20, 40.0, passing=True))
    assert ["cell 2 of 7: one"] == said
    for words in (
        "1 of 7 done, one, about 5 min left in all",
        "3 of 20 done, linear tf2, about 40 s left",
    ):
        assert words in text()
    drawn(ProgressStep("cell 3 of 7: two", "two", 2, 7, 200.0, level=NIGHT))
    assert "linear tf2" not in text() and "2 of 7 done, two" in text()


@pytest.mark.parametrize("more", [{}, {"FORCE_COLOR": "1"}, {"TTY_COMPATIBLE": "1"}])
def test_a_file_gets_no_drawn_line(more: dict[str, str]) -> None:
    """Standard error is a pipe: whole lines, in order; without a request for colour, no control
    character at all."""
    done = subprocess.run(
        [sys.executable, "-c", SHOWN],
        cwd=ROOT,
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    plain = re.sub(r"\x1b\[[0-9;]*m", "", done.stderr) if more else done.stderr
    lines = [
        "cell 1 of 2: one (about 60 s), about 100 s left in all",
        "round 1 of a b, about 25 s left",
        "a remark",
    ]
    assert lines == plain.splitlines() and "the result\n" == done.stdout
    assert not [
        character
        for character in plain
        if unicodedata.category(character) == "Cc" and character != "\n"
    ]


def test_a_terminal_gets_one_and_standard_output_stays_clean() -> None:
    """Standard error is a terminal and standard output a file: the line is drawn and taken away
    again, the file holds the result alone."""
    ours, theirs = pty.openpty()
    environ = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "160"}
    running = subprocess.Popen(
        [sys.executable, "-c", SHOWN],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    )
    os.close(theirs)
    seen = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # Linux says so when the other end has closed
            break
        if not piece:
            break
        seen += piece
    out, _ = running.communicate(timeout=120)
    os.close(ours)
    text = seen.decode()
    assert 0 == running.returncode and "the result\n" == out
    assert (
        "0 of 5 done, timing, about 25 s left" in text and "4 of 5 done" in text
    )  # the line is drawn for every step
    assert (
        "\x1b[2K" in text and "round 5 of a b" not in text
    )  # and no line is left of what may be left out
    assert "a remark" in text
