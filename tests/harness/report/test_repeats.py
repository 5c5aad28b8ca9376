"""Rows of repeated runs: exit codes, and what the terminal shows."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from harness.report.repeats import RepeatReport, RepeatRow, exit_code, render
from harness.results.verdicts import Repeat
from tests.harness.report import sample


def row(verdict, ok=True, deterministic=False, reason="why", differing=0):
    return RepeatRow(
        "linear",
        "torch",
        "fp32",
        "tiny",
        "native",
        deterministic,
        verdict,
        reason,
        ok,
        2,
        9,
        differing,
    )


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([row(Repeat.IDENTICAL), row(Repeat.ROUNDING)], 0),
        (
            [
                row(Repeat.IDENTICAL),
                row(Repeat.ROUNDING, ok=False, deterministic=True),
            ],
            1,
        ),
        ([row(Repeat.BROKEN, ok=False), row(Repeat.DIFFERENT, ok=False)], 1),
        ([row(Repeat.IDENTICAL), row(Repeat.BROKEN, ok=False)], 4),
        ([row(Repeat.UNSUPPORTED), row(Repeat.UNSUPPORTED)], 5),
        ([row(Repeat.IDENTICAL), row(Repeat.UNSUPPORTED)], 0),
        ([row(Repeat.IDENTICAL), row(Repeat.INCONCLUSIVE, ok=False)], 6),
        ([row(Repeat.INCONCLUSIVE, ok=False, differing=1)], 6),
        (
            [
                row(Repeat.IDENTICAL),
                row(Repeat.INCONCLUSIVE, ok=False, deterministic=True, differing=1),
            ],
            1,
        ),
        (
            [
                row(Repeat.BROKEN, ok=False),
                row(Repeat.INCONCLUSIVE, ok=False, deterministic=True, differing=1),
            ],
            1,
        ),
        ([row(Repeat.INCONCLUSIVE, ok=False, deterministic=True)], 6),
        ([row(Repeat.BROKEN, ok=False, deterministic=True)], 4),
    ],
)
def test_exit_codes(rows, code):
    """The first that applies; where the same bits are promised, any that differ are a fault,
    whatever rounding's measure says of them. Where nothing was compared, nothing is known to
    differ."""
    assert code == exit_code(rows)


def test_the_terminal_shows_verdicts_reasons_and_the_price():
    """A reader sees which mode, which tensor and what the mode costs."""
    rows = (
        row(Repeat.IDENTICAL),
        row(
            Repeat.DIFFERENT,
            ok=False,
            reason="1 of 9 tensors differ, first trajectory step 1/loss/train/total",
        ),
    )
    out = io.StringIO()
    Console(file=out, width=140).print(
        render(RepeatReport("now", "harness repeat", rows, (sample.SPEED[0],), 1))
    )
    text = out.getvalue()
    assert "BIT-IDENTICAL" in text and "DIFFERENT" in text and "step 1/loss/train/total" in text
    assert "What does the deterministic mode cost?" in text and sample.SPEED[0].verdict in text


@pytest.mark.parametrize(("deterministic", "sign"), [(False, "?"), (True, "✗")])
def test_bits_that_differ_against_the_promise_are_marked_as_a_fault(deterministic, sign):
    """Also where nobody can tell by how much rounding moves them; elsewhere that is an open
    question."""
    rows = (
        row(
            Repeat.INCONCLUSIVE,
            ok=False,
            deterministic=deterministic,
            reason="1 of 9 tensors differ",
            differing=1,
        ),
    )
    out = io.StringIO()
    Console(file=out, width=140).print(
        render(RepeatReport("now", "harness repeat", rows, (), exit_code(rows)))
    )
    mode = "on" if deterministic else "off"
    assert (
        f"{sign} linear torch fp32, native, deterministic mode {mode}: 1 of 9 tensors differ"
        in out.getvalue()
    )
