"""Grouping of stage rows into lines, and what departs first."""

from __future__ import annotations

import dataclasses

from harness.report.labels import hint, setting
from harness.report.matrix import letter, matrix, unfinished, zeros
from harness.report.phase_table import phase_tables, relation


def test_lines_are_pairs_and_columns_are_stages(full):
    """In the order of the ladder; a row that only informs is not a line."""
    found = matrix(full.stages)
    assert found.letters == ("W", "F", "L", "G", "U", "T", "P")
    assert len(found.lines) == 5
    assert [row.stage for row in found.information] == ["trajectory"]


def test_the_first_stage_that_departs_is_the_first_of_the_ladder(full):
    """Whatever the order of the rows."""
    for rows in (full.stages, full.stages[::-1]):
        line = next(
            line
            for line in matrix(rows).lines
            if line.workload == "cnn" and line.precision == "fp64"
        )
        assert (line.verdict, line.first.stage, [row.stage for row in line.also]) == (
            "FAIL",
            "loss",
            ["gradients"],
        )


def test_failures_come_before_what_is_inconclusive(full):
    """A line that passes is not among them."""
    assert [line.verdict for line in matrix(full.stages).departures] == [
        "FAIL",
        "FAIL",
        "INCONCLUSIVE",
    ]


def test_a_worse_verdict_of_the_same_stage_is_the_one_shown(sample):
    """Two rows of one stage: a PASS never hides a FAIL."""
    rows = [
        sample.stage("forward"),
        sample.stage("forward", "FAIL"),
        sample.stage("forward", "INCONCLUSIVE"),
    ]
    (line,) = matrix(rows).lines
    assert "FAIL" == line.cells[0].verdict == line.verdict


def test_seeds_are_lines_of_their_own(seeded, full):
    """Told apart in every row, and shown only where there are several."""
    lines = matrix(seeded.stages).lines
    assert [(line.seed, line.verdict) for line in lines] == [(0, "PASS"), (1, "FAIL")]
    assert [setting(seeded)(line) for line in lines] == ["fp64 s0", "fp64 s1"]
    assert [setting(seeded, "seed ")(row) for row in seeded.speed] == ["fp32 seed 0", "fp32 seed 1"]
    assert {setting(full)(line) for line in matrix(full.stages).lines} == {"fp64", "bf16"}


def test_an_unknown_verdict_or_stage_is_not_a_pass(sample):
    """A report of a later harness drawn by this one."""
    (line,) = matrix(
        [sample.stage("forward"), sample.stage("weights", "MAYBE"), sample.stage("novel")]
    ).lines
    assert line.verdict == "MAYBE"
    assert letter("novel") == "novel"


def test_phases_are_lines_and_builds_are_columns(phased, sample):
    """Held against the first build; whole steps are not among them, and what one pair lacks is a
    gap."""
    (table,) = phase_tables(phased.speed)
    assert (("tf1", "tf2", "torch"), list(sample.PHASES)) == (table.builds, list(table.lines))
    assert [[("tf1", "tf2"), ("tf1", "torch")]] * 4 == [
        [(row.a, row.b) for row in cells] for cells in table.lines.values()
    ]
    assert 0.0263 == table.base_s("joint/generator 1/discrete")
    assert ["", " ="] == [relation(row) for row in table.lines["pretrain/continuous"]]
    (gapped,) = phase_tables(
        [row for row in phased.speed if (row.action, row.b) != ("pretrain/continuous", "tf2")]
    )
    assert [False, True] == [row is None for row in gapped.lines["pretrain/continuous"]]
    assert () == phase_tables([row for row in phased.speed if not row.by_phase])
    again = [dataclasses.replace(row, precision="bf16") for row in phased.speed]
    assert 2 == len(phase_tables((*phased.speed, *again)))


def test_unsupported_jobs_come_last(full):
    """And those that ended ok are not listed."""
    assert [job.status for job in unfinished(full)] == ["crashed", "error", "unsupported"]


def test_hints_and_zeros(full, empty):
    """What would settle an UNCLEAR, what differs between the settings, what is mathematically
    zero."""
    texts = [hint(row) for row in full.speed]
    assert "about 42 rounds in all would settle it (about 3.50 min)" in texts[1]
    assert "settings differ: xla: a on, b off" in texts[1]
    assert texts[0] == ""
    assert zeros(full)["cnn"] == ("conv1/bias", "conv2/bias")
    assert zeros(empty) == {}
