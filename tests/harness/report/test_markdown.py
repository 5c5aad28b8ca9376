"""Markdown: complete, and inert."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from harness.report.markdown import render
from harness.report.markdown_text import code, escape

PARSER = MarkdownIt("commonmark").enable("table")


def test_every_table_has_as_many_cells_in_each_row(full):
    """A pipe in a name does not end a cell."""
    for block in re.findall(r"(?:^\|.*\n)+", render(full), re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1


def test_all_is_there(full):
    """Also what the terminal cuts."""
    text = render(full)
    for part in (
        "**FAIL.**",
        "✗ 4e10×",
        "first at **loss**",
        "1.23× slower \\[1.20, 1.27\\]",
        "about 42 rounds",
        "SIGSEGV",
        "612 MiB",
        "## Ladder",
    ):
        assert part in text


def test_seeds_are_told_apart(seeded, full):
    """In the matrix, the departures, the ladder and the speed table; a single seed is not shown."""
    text = render(seeded)
    assert "- **FAIL** cnn, tf1-compat : tf2.10, fp64 seed 1: first at **loss**" in text
    assert [text.count(f"| fp64 s{seed} |") for seed in (0, 1)] == [1 + 6, 1 + 7]
    assert [text.count(f"| fp32 s{seed} |") for seed in (0, 1)] == [1, 1]
    assert "fp64 s" not in render(full)


def test_a_job_that_did_not_end_well_says_its_seed(full):
    """All its digits; a report from before it was told has none."""
    text = render(full)
    assert "| fp64 | 2147483647 | SIGSEGV" in text and "| bf16 | - | TF 1.15 has no" in text


def test_phases_have_a_table_of_their_own(phased):
    """A line each, beside the rows of every pair; a hostile name is text there too."""
    text = render(phased)
    assert "## Phase by phase: ehr\\_mgan small fp32" in text
    assert "| joint/generator 1/discrete | 26.3 ms | 13.1 ms (0.498) | 26.4 ms (1.004 =) |" in text
    assert 3 + 1 == text.count("| joint/generator 1/discrete |")
    assert "<script>" not in PARSER.render(text)


def test_the_ladder_has_the_largest_error_and_builds_their_ports(full):
    """What the terminal leaves out."""
    text = render(full)
    assert "| 3.2e-16 | 1.1e-15 | 8.8e-15 | 4.5e-16 | 12 |" in text
    assert "| cnn ports/cnn/torch.py, 0a1b2c3d |" in text


def test_hostile_names_are_text(full):
    """Neither HTML nor emphasis comes out of a name."""
    html = PARSER.render(render(full))
    assert "<script" not in html
    assert "&lt;script&gt;alert('x')&lt;/script&gt; [bold]b[/bold] a|b `c`" in html


@given(st.text())
def test_escaped_text_is_shown_as_it_is(text):
    """Any text, as the only thing in a cell."""
    tokens = PARSER.parse(f"| h |\n| --- |\n| x{escape(text)}x |\n")
    cells = [token for token in tokens if token.type == "inline"]
    assert len(cells) == 2
    assert {"text"} >= {child.type for child in cells[1].children if child.type != "text_special"}


@given(st.text())
def test_code_stays_code(text):
    """Backticks do not end it."""
    (inline,) = [
        token for token in PARSER.parse("x " + code(text, cell=False)) if token.type == "inline"
    ]
    assert [child.type for child in inline.children] == ["text", "code_inline"]


def test_an_empty_report_has_no_empty_sections(empty):
    """Title, answer, command."""
    assert "##" not in render(empty)
    assert "Nothing was judged." in render(empty)


def test_a_report_of_speed_alone_has_no_verdict_before_its_answer(full, empty):
    """As in the terminal; any other has."""
    assert "# nothing\n\nNothing was judged.\n" in render(empty) and "NONE" not in render(empty)
    assert "**FAIL.** Not the same model" in render(full)


def test_drawing_twice_gives_the_same_bytes(full):
    """No clock, no chance."""
    assert render(full) == render(full)
