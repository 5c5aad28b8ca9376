"""Runs that are rendered again: their reports are found, and what is none says what it is."""

from __future__ import annotations

import re

import pytest

from harness import cli
from harness.errors import UsageError
from harness.report import renderers
from tests.e2e.screenshots import EXAMPLE

#: What a run's folder holds of its report.
KEPT = {
    "json": "report.json",
    "markdown": "report.md",
    "html": "report.html",
    "junit": "report.xml",
}


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("selfcheck.json", "is of `harness selfcheck`, which makes none: what it found is in"),
        ("repeat.json", "is of `harness repeat`"),
        ("bisect.json", "is of `harness bisect`"),
        ("night.json", "is of `harness nightly`"),
        ("run.json", "It did not finish; go on with"),
    ],
)
def test_a_folder_without_a_report_says_what_it_is_of(tmp_path, file, expected):
    """Only a comparison that did not finish can go on."""
    (tmp_path / file).write_text("{}")
    with pytest.raises(UsageError) as caught:
        renderers.load(tmp_path)
    assert expected in str(caught.value) and ("--resume" in str(caught.value)) == (
        file == "run.json"
    )


def test_what_is_no_folder_says_what_to_give(tmp_path):
    """A run's folder."""
    with pytest.raises(UsageError, match="Give a run's folder"):
        renderers.load(tmp_path / "nothing")


def test_a_run_is_loaded_as_it_was_written(tmp_path, full):
    """Every file of it is rendered again to the same bytes."""
    renderers.write(full, tmp_path)
    again = renderers.load(tmp_path)
    for name, file in KEPT.items():
        assert (tmp_path / file).read_text(encoding="utf-8") == renderers.render(again, name)
    assert {*KEPT.values()} == {path.name for path in tmp_path.iterdir()}


def test_the_json_is_written_once_more_where_it_is_asked_for(tmp_path, full):
    """To the same bytes, in a file that the caller names."""
    renderers.write(full, tmp_path, tmp_path / "result.json")
    assert (tmp_path / "report.json").read_bytes() == (tmp_path / "result.json").read_bytes()


def test_the_command_line_names_every_format(capsys):
    """Its help is written by hand."""
    cli.app(["report", "--help"])
    page = capsys.readouterr().out
    assert [] == [name for name in renderers.FORMATS if not re.search(rf"\b{name}\b", page)]


@pytest.mark.parametrize(("form", "name"), KEPT.items())
def test_the_committed_example_renders_to_its_own_bytes(form, name):
    """It is what the present code makes of a real run; after a change of a renderer: `python -m
    tests.e2e.screenshots`."""
    assert renderers.render(renderers.load(EXAMPLE), form).encode() == (EXAMPLE / name).read_bytes()


def test_the_committed_example_is_of_five_builds():
    """All of them, with everything that a plot is drawn from."""
    report = renderers.load(EXAMPLE)
    assert {"tf1", "tf2", "torch", "tf1-compat", "tf2.10"} == {row.build for row in report.builds}
    assert 40 == len(
        {
            (row.workload, row.a, row.b, row.precision)
            for row in report.stages
            if row.stage == "forward"
        }
    )
    assert (
        report.curves
        and report.commit
        and all(row.turns for row in report.speed)
        and all(row.timed for row in report.builds)
    )
