"""Names that every store accepts, and what a report has to tell."""

from __future__ import annotations

import dataclasses
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import CorruptRecord
from harness.results.model import Report
from harness.sinks import figures

NAMES = st.lists(st.tuples(st.text(max_size=300), st.text(max_size=20)), unique=True, max_size=20)


@given(NAMES)
def test_names_are_accepted_and_stay_apart(names: list[tuple[str, str]]):
    """Whatever the text: MLflow's letters on every system, no path out of a folder, at most 250,
    as many keys as names."""
    found = figures.keys(names)
    assert len(names) == len({key.lower() for key in found.values()})
    for key in found.values():
        assert (
            re.fullmatch(r"[A-Za-z0-9_.\- /]+", key)
            and len(key) <= figures.MOST
            and 2 == len(key.split("/"))
        )
        assert not {"", ".", ".."} & set(key.split("/"))


def test_names_that_would_be_one_are_marked():
    """The planted case: three names that differ in what is not allowed or in case alone."""
    found = figures.keys([("a/b",), ("a.b",), ("A.B",), ("c",)])
    assert "c" == found["c",] and 4 == len({key.lower() for key in found.values()})
    assert re.fullmatch(r"a\.b-[0-9a-f]{8}", found["a/b",])


def test_no_figure_is_a_folder_of_another(report: Report):
    """A store in files keeps a figure as a file: none may lie where another needs a folder."""
    for names in (figures.figures(report), figures.parameters(report)):
        keys = set(figures.keys(list(names)).values())
        assert len(keys) > 10
        assert (
            not {
                "/".join(key.split("/")[:depth])
                for key in keys
                for depth in range(1, key.count("/") + 1)
            }
            & keys
        )


def test_figures_are_those_of_the_report(report: Report):
    """Errors, floors, ratios with both ends, step times, memory; NaN stays, what is missing is
    left out."""
    found = figures.figures(report)
    loss = ("fidelity", "cnn", "preset", "fp64", "seed 0", "tf1-compat - torch", "loss")
    train = ("speed", "cnn", "small", "fp32", "seed 0", "tf1-compat - torch", "train")
    assert (3.1e-4, 1.1e-15, 8.8e-15) == tuple(
        found[(*loss, name)] for name in ("error", "floor", "threshold")
    )
    assert (
        math.isnan(found[(*loss[:-1], "gradients", "error")])
        and (*loss[:-1], "update", "error") not in found
    )
    assert (1.2345, 1.2, 1.27, 2.05e-3, 401.0 * 2**20, 180.0 * 2**20) == tuple(
        found[(*train, name)]
        for name in ("ratio", "low", "high", "a_step_s", "b_peak_bytes", "a_baseline_bytes")
    )
    assert 0.2912 == found["quality", "walks", "tiny", "fp32", "torch", "MMD", "baseline"]
    assert 3.0 == found["summary", "stages", "fail"] and 1.0 == found["summary", "run", "exit_code"]


def test_two_rows_of_one_name_are_both_kept(report: Report):
    """Nothing is lost where rows differ in nothing that names them."""
    twice = dataclasses.replace(
        report, stages=(report.stages[1], dataclasses.replace(report.stages[1], error=7.0))
    )
    errors = {
        name[-2]: value for name, value in figures.figures(twice).items() if name[-1] == "error"
    }
    assert {"forward": 3.2e-16, "forward 2": 7.0} == errors


def test_parameters_say_what_was_compared(report: Report):
    """Workloads, builds, precisions, versions, commit and tapes."""
    found = figures.parameters(report)
    assert "torch, tf1-compat" == found["builds",] and found["precisions",].startswith("fp64, bf16")
    assert ("2.13.0", "CPython 3.11.7") == (
        found["build", "torch", "version torch"],
        found["build", "torch", "python"],
    )
    assert report.commit == found["commit",] and "ab" * 32 == found["tape", "cnn/tiny/0"]


def test_a_report_without_a_time_is_refused(report: Report):
    """The message has the value met."""
    with pytest.raises(CorruptRecord, match="'yesterday'"):
        figures.title(dataclasses.replace(report, created="yesterday"))
