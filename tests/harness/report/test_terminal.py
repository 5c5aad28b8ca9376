"""The report in a terminal: 80 columns, no colour, no Unicode, hostile text."""

from __future__ import annotations

import dataclasses
import io
import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from harness.report.terminal import render


def draw(report, width=80, encoding="utf-8", **more):
    stream = io.TextIOWrapper(
        io.BytesIO(), encoding=encoding, errors="replace" if encoding == "utf-8" else "strict"
    )
    Console(file=stream, width=width, **more).print(render(report))
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_no_line_is_longer_than_the_terminal(full, width):
    """And none is empty of meaning: every section is there."""
    text = draw(full, width)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    for heading in (
        "Same function?",
        "Where it departs",
        "How fast?",
        "Jobs that did not end ok",
        "Notes",
    ):
        assert heading in text


def test_the_answer_comes_first(full):
    """One sentence, with the verdict's sign and word."""
    assert draw(full).startswith("✗ FAIL  Not the same model: tf1-compat and torch part in cnn")


def test_every_stage_fits_eighty_columns_without_hostile_names(full, sample):
    """All six steps of the ladder, failing with large margins, next to the longest pair's names."""
    stages = ("weights", "forward", "loss", "gradients", "update", "trajectory")
    rows = tuple(
        sample.stage(name, "FAIL", workload="linear", b="tf2.10", error=1e-4) for name in stages
    )
    text = draw(dataclasses.replace(full, stages=rows))
    line = next(line for line in text.splitlines() if line.startswith("linear"))
    assert line.count("✗ 1e10×") == 6


def test_seeds_are_told_apart_in_eighty_columns(seeded, full):
    """In each table and sentence; a single seed is not shown."""
    text = draw(seeded)
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    lines = [line for line in text.splitlines() if re.search(r"fp64 s\d", line)]
    assert [re.findall(r"[✓✗]", line) for line in lines] == [
        ["✓"] * 6,
        ["✓", "✓", "✗", "✓", "✓", "✓"],
    ]
    flat = " ".join(text.split())
    for part in (
        "tf2.10 fp64 seed 1: starts at loss",
        "tf1 fp32 powers : torch fp64 seed 1 trajectory",
        "train fp32 s0",
        "train fp32 s1",
    ):
        assert part in flat
    assert not re.search(r"fp(32|64) s(\d|eed)", draw(full))


def test_a_failure_is_told_with_all_that_is_known(full):
    """First stage, tensor, both values, error, floor, threshold, the command and the logs."""
    text = " ".join(draw(full).split())
    for part in (
        "starts at loss",
        "loss/l2 []",
        "0.5 (tf1-compat)",
        "1.0 (torch)",
        "error 3.1e-04, floor 1.1e-15, threshold 8.8e-15",
        "also FAIL at G",
        "--stages loss",
        "jobs/cnn-torch/worker.log",
    ):
        assert part in text


def test_speed_tells_ratio_interval_verdict_and_what_would_settle_it(full):
    """A wide terminal also has warm-up and memory."""
    text = " ".join(draw(full).split())
    parts = (
        "1.23× slower [1.20, 1.27]",
        "2.05 ms",
        "about 42 rounds in all would settle it",
        "settings differ: xla: a on, b off",
    )
    for part in parts:
        assert part in text
    assert "build + first" not in text
    assert "build + first" in draw(dataclasses.replace(full, speed=full.speed[:1]), 120)


def test_markup_and_control_sequences_are_shown_and_not_obeyed(full):
    """Names in brackets stay, escapes are spelled out."""
    text = draw(full, 300)
    assert "[bold]b[/bold] a|b `c` \\x1b[31mred\\x202e" in text
    assert "\x1b" not in text


def test_colour_is_never_the_only_difference(full):
    """With and without colour the words are the same."""
    plain = draw(full, no_color=True, color_system=None)
    coloured = draw(full, force_terminal=True, color_system="truecolor")
    assert "\x1b[" in coloured
    stripped = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert plain == stripped


def test_a_terminal_without_unicode_gets_words(full):
    """No sign is lost."""
    text = draw(full, encoding="ascii")
    assert text.startswith("X FAIL")
    assert "ok 3 %" in text and "340 us" in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_a_name_that_an_encoding_lacks_stops_nothing(full):
    """As wide as it was; what the encoding has stays."""
    named = dataclasses.replace(full, headline="r\u00e9seau \u6a21 \u2192 b", notes=())
    assert draw(named, encoding="ascii").startswith("X FAIL  r?seau ?? > b")
    assert draw(named, encoding="latin-1").startswith(
        "X FAIL  r\u00e9seau ?? > b"
    ) and "340 \u00b5s" in draw(full, encoding="latin-1")


def test_a_job_that_did_not_end_well_says_its_seed_where_there_are_several(full):
    """Without one where the report is from before it was told."""
    assert "crashed: numpy linear fidelity fp64: SIGSEGV" in draw(full, 200)
    text = draw(
        dataclasses.replace(full, jobs=(dataclasses.replace(full.jobs[0], seed=3), *full.jobs[1:])),
        200,
    )
    assert "crashed: numpy linear fidelity fp64 seed 2147483647: SIGSEGV" in text
    assert "unsupported: tf1 cnn fidelity bf16: TF 1.15" in text


def test_an_empty_report_is_one_sentence(empty):
    """Nothing else is drawn."""
    assert draw(empty).strip() == "Nothing was judged."


def test_a_long_list_is_cut_and_says_so(full, sample):
    """The files hold the rest."""
    rows = tuple(sample.stage("forward", "FAIL", workload=f"w{number}") for number in range(20))
    assert "... and 8 more pairs" in draw(dataclasses.replace(full, stages=rows))


def test_drawing_twice_gives_the_same_text(full):
    """No clock, no chance."""
    assert draw(full) == draw(full)


@pytest.mark.parametrize(("count", "shown"), [(6, 6), (7, 3), (300, 3)])
def test_of_many_tensors_that_are_zero_the_first_are_named(full, sample, count, shown):
    """The others are counted: the report lists all of them."""
    names = tuple(f"train/conv{number}/bias" for number in range(count))
    rows = (sample.stage("gradients", "PASS", workload="cnn", null=names),)
    text = " ".join(draw(dataclasses.replace(full, stages=rows)).split())
    assert [name for name in names if name in re.split(r"[ ,]", text)] == list(names[:shown])
    assert (f"and {count - shown} more, in the report" in text) == (count > shown)


@pytest.mark.parametrize("accepted", [True, False])
def test_the_sign_of_accepted_differences_is_explained_where_it_stands(full, sample, accepted):
    rows = (sample.stage("update", "PASS", workload="cnn", accepted=accepted, excuse="some"),)
    text = " ".join(draw(dataclasses.replace(full, stages=rows)).split())
    assert ("≈ pass, with accepted differences" in text) == accepted == ("≈" in text)
