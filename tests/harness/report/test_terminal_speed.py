"""Speed in a terminal: single phases have a table of their own, in which their long names can be
read."""

from __future__ import annotations

import dataclasses
import io

import pytest
from rich.console import Console

from harness.report.terminal import render


def draw(report, width):
    stream = io.StringIO()
    Console(file=stream, width=width).print(render(report))
    return stream.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_phases_have_a_line_each_and_builds_a_column(phased, width):
    """Step times on one line, ratios to the first build below, with a sign where it is no
    difference."""
    text = draw(phased, width)
    assert max(map(len, text.splitlines())) <= width
    table = text[text.index("Phase by phase") :]
    lines = [line.split() for line in table.splitlines()]
    at = lines.index(["pretrain/continuous", "26.3", "ms", "13.1", "ms", "26.4", "ms"])
    assert ["0.498", "1.004", "="] == lines[at + 1]


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (80, ["joint/discriminator/", "continuous", "joint/generator 1/", "discrete"]),
        (120, ["joint/discriminator/continuous", "joint/generator 1/discrete"]),
    ],
)
def test_a_long_name_is_broken_after_a_slash_or_not_at_all(phased, width, lines):
    """Never within a word."""
    names = [
        line[:31].rpartition("  ")[0].strip() or line.split("  ")[0]
        for line in draw(phased, width).splitlines()
    ]
    assert set(lines) <= {*names}


def test_phases_do_not_swell_the_table_of_whole_steps(phased):
    """Nor the hints below it: three pairs, two actions."""
    text = draw(phased, 80)
    whole = text[: text.index("Phase by phase")]
    assert 2 == whole.count("ehr_mgan small") and "discriminator" not in whole
    unclear = dataclasses.replace(
        phased, speed=tuple(dataclasses.replace(row, verdict="UNCLEAR") for row in phased.speed)
    )
    assert "! ehr_mgan train fp32" in draw(unclear, 300)
