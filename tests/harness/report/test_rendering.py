"""Runs that are rendered again: their reports are found, and what is none says what it is."""

from __future__ import annotations

import pytest

from harness import rendering
from harness.errors import UsageError


@pytest.mark.parametrize(("file", "expected"), [
    ("selfcheck.json", "is of `harness selfcheck`, which makes none: what it found is in"), ("repeat.json", "is of `harness repeat`"),
    ("bisect.json", "is of `harness bisect`"), ("night.json", "is of `harness nightly`"), ("run.json", "It did not finish; go on with"),
])
def test_a_folder_without_a_report_says_what_it_is_of(tmp_path, file, expected):
    """Only a comparison that did not finish can go on."""
    (tmp_path / file).write_text("{}")
    with pytest.raises(UsageError) as caught:
        rendering.load(tmp_path)
    assert expected in str(caught.value) and ("--resume" in str(caught.value)) == (file == "run.json")


def test_what_is_no_folder_says_what_to_give(tmp_path):
    """A run's folder."""
    with pytest.raises(UsageError, match="Give a run's folder"):
        rendering.load(tmp_path / "nothing")


def test_a_run_is_loaded_as_it_was_written(tmp_path, full):
    """Every file of it is rendered again to the same bytes."""
    rendering.write(full, tmp_path)
    again = rendering.load(tmp_path)
    for name, file in (("markdown", "report.md"), ("html", "report.html"), ("junit", "report.xml"), ("json", "report.json")):
        assert (tmp_path / file).read_text(encoding="utf-8") == rendering.render(again, name)
