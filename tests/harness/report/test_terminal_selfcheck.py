"""What `harness selfcheck` prints, in any terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from harness.report import terminal_selfcheck
from harness.report.terminal_style import plain_table
from harness.speed.estimate import Estimate
from harness.speed.replay import Rates
from harness.speed.selfcheck import SLOWDOWNS, Findings, Injection, ResolutionPoint
from harness.speed.verdict import SpeedVerdict


def draw(renderable, encoding):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    Console(file=stream, width=80).print(renderable)
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


def findings(*problems):
    rates = Rates(5, 100, 0.43, 0.0, 0.0, 5.0)
    injections = (
        Injection(0.0, Estimate(5, 1.0, 0.99, 1.01), SpeedVerdict("SAME", False, "inside")),
    )
    point = ResolutionPoint(5, rates, (rates,) * len(SLOWDOWNS), 0.02)
    return Findings(6, 3, 2e-4, 0.01, injections, (point,), 1, 0, 0, problems)


@pytest.mark.parametrize(
    ("encoding", "parts"),
    [
        ("utf-8", ("✗ too many alarms", "█▊    43 %", "1.00 ms")),
        ("ascii", ("X too many alarms", "##    43 %", "1.00 ms")),
    ],
)
def test_any_terminal_shows_findings(encoding, parts):
    """Bars and signs where there is Unicode, their like in ASCII elsewhere."""
    text = draw(
        terminal_selfcheck.render([("linear tiny train", findings("too many alarms"))]), encoding
    )
    assert [] == [part for part in parts if part not in text]
    assert ("✓" if encoding == "utf-8" else "ok") in draw(
        terminal_selfcheck.render([("linear", findings())]), encoding
    )


def test_a_small_time_is_told_in_ascii_too():
    """In the findings, and in the tables of other commands, in line with the other rows."""
    assert "takes          1.00 ms" in draw(
        terminal_selfcheck.render([("linear", findings())]), "ascii"
    )
    text = draw(plain_table(("step", "build"), (("340 µs", "a"), ("1.20 ms", "b"))), "ascii")
    assert ["step     build", "340 us   a", "1.20 ms  b"] == [
        line.rstrip() for line in text.splitlines()
    ]
