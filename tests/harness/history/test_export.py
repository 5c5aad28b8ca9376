"""A history as a table, read back by pandas."""

from __future__ import annotations

import dataclasses
import math
import os
import stat
import sys
from pathlib import Path

import pandas as pd
import pytest

from harness.errors import UnknownName, UsageError
from harness.history import History, Wanted
from harness.history.export import NAMES
from harness.report import json_format

NIGHTS = 3
#: Read as text, whatever they look like.
TEXT = {"run": str, "created": str, "revision": str, "source_hash": str, "version": str}


@pytest.fixture
def three(history: History, sample, tmp_path: Path) -> History:
    for number in range(NIGHTS):
        history.add(
            sample.write(tmp_path / str(number), sample.report(number)), tmp_path / str(number)
        )
    return history


@pytest.mark.parametrize("table", NAMES)
def test_both_forms_are_the_same_table(three: History, tmp_path: Path, table: str):
    """CSV and Parquet, column by column, as pandas reads them; as many rows as were told."""
    rows = {
        form: three.export(tmp_path / f"{table}.{form}", table, form) for form in ("csv", "parquet")
    }
    text = pd.read_csv(tmp_path / f"{table}.csv", dtype=TEXT, keep_default_na=False, na_values={})
    columns = pd.read_parquet(tmp_path / f"{table}.parquet")
    assert {rows["csv"]} == {rows["parquet"], len(text), len(columns)} and len(text) > 0
    assert list(columns) == list(text)
    for name in columns:
        if columns[name].dtype.kind in "fi":
            told = pd.Series(
                [float(value) if value else math.nan for value in map(str, text[name])]
            )
            pd.testing.assert_series_equal(columns[name].astype("float64"), told, check_names=False)
        else:
            assert ["" if pd.isna(value) else str(value) for value in columns[name]] == [
                str(value) for value in text[name]
            ], name


def test_results_have_every_row_and_figure(three: History, sample, tmp_path: Path):
    """What the reports held, to the last bit, NaN and infinities too."""
    three.export(tmp_path / "all.parquet", form="parquet")
    found = pd.read_parquet(tmp_path / "all.parquet")
    reports = [sample.report(number) for number in range(NIGHTS)]
    assert sum(len(made.stages) + len(made.speed) for made in reports) == len(found)
    stages = found[found["kind"] == "fidelity"].reset_index()
    for field in ("error", "floor", "threshold", "max_error", "value_a"):
        told = pd.Series(
            [
                math.nan if (value := getattr(row, field)) is None else value
                for made in reports
                for row in made.stages
            ]
        )
        pd.testing.assert_series_equal(told, stages[field], check_names=False, check_exact=True)
    speed = found[found["kind"] == "speed"]
    assert [1.27, math.inf] * NIGHTS == list(speed["ratio"].fillna(speed["high"]))
    assert 2**33 == speed["b_peak_bytes"].iloc[0]
    assert [row.verdict for made in reports for row in made.stages] == list(stages["verdict"])
    assert {3} == set(found["seed"]) and {"cpu", "gpu"} == set(found["device"])


def test_rounds_are_what_later_statistics_need(three: History, sample, tmp_path: Path):
    """A log ratio for each round, pair and action, with its key, time, host and sources."""
    three.export(tmp_path / "rounds.csv", "rounds", wanted=Wanted(subjects=("train",)))
    found = pd.read_csv(tmp_path / "rounds.csv", dtype=TEXT)
    assert pytest.approx([math.log(ratio) for ratio in sample.RATIOS] * NIGHTS) == list(
        found["log_ratio"]
    )
    assert {
        "run",
        "night",
        "host",
        "workload",
        "a",
        "b",
        "subject",
        "source_hash",
        "number",
        "a_step_s",
        "b_step_s",
    } <= set(found)


def test_filters_choose_rows(three: History, tmp_path: Path):
    """Of the series, and of the nights."""
    three.export(tmp_path / "some.csv", wanted=Wanted(subjects=("train",), since="2026-11-02"))
    found = pd.read_csv(tmp_path / "some.csv")
    assert (2, {"train"}) == (len(found), set(found["subject"]))


@pytest.mark.parametrize(
    ("table", "wanted", "count"),
    [
        ("jobs", Wanted(builds=("tf2",)), 2),
        ("jobs", Wanted(builds=("torch",)), 3),
        ("jobs", Wanted(builds=("torch",), precisions=("fp32",)), 2),
        ("jobs", Wanted(builds=("orch", "tf")), 0),
        ("jobs", Wanted(workloads=("linear",)), 0),
        ("ports", Wanted(builds=("tf2",)), 1),
        ("ports", Wanted(workloads=("linear",)), 0),
        ("quality", Wanted(presets=("small",), precisions=("fp32",)), 1),
        ("quality", Wanted(builds=("torch",)), 0),
        ("packages", Wanted(builds=("torch",)), 2),
        ("builds", Wanted(builds=("torch",)), 1),
        ("runs", Wanted(subjects=("train",), workloads=("cnn",)), 1),
        ("runs", Wanted(workloads=("linear",)), 0),
    ],
)
def test_a_table_without_a_key_is_filtered_by_what_it_tells(
    history: History,
    sample,
    tmp_path: Path,
    table: str,
    wanted: Wanted,
    count: int,
):
    """A round is of both its sides, a side of a build also as its second or in another
    precision; runs are those that have such a row."""
    plain = sample.jobs(0)
    rounds = dataclasses.replace(
        plain[0], job="speed-round000", build="tf2 torch-fp32", kind="speed", precision="fp32"
    )
    second = dataclasses.replace(plain[0], job="second", build="torch#2", precision="bf16")
    history.add(
        sample.report(jobs=(plain[0], second, rounds, dataclasses.replace(plain[1], build="torch")))
    )
    assert (
        count
        == history.export(tmp_path / "x.csv", table, wanted=wanted)
        == len(pd.read_csv(tmp_path / "x.csv"))
    )


@pytest.mark.parametrize("table", ["jobs", "quality", "ports", "builds", "packages"])
def test_what_a_table_does_not_tell_is_refused(three: History, tmp_path: Path, table: str):
    """Before anything is written: a stage is told by no table without a key."""
    with pytest.raises(
        UsageError,
        match=(
            rf"--table {table}: its rows cannot be chosen by --of train; .*--builds.* can be:"
            r" results"
        ),
    ):
        three.export(tmp_path / "x.csv", table, wanted=Wanted(subjects=("train",)))
    assert not (tmp_path / "x.csv").exists()


def test_without_pyarrow_the_message_names_what_to_install(
    three: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """And nothing is left behind; CSV still works."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r"pip install 'parity-harness\[parquet\]'"):
        three.export(tmp_path / "all.parquet", form="parquet")
    assert three.export(tmp_path / "all.csv") and not (tmp_path / "all.parquet").exists()


def test_a_table_that_does_not_exist_and_a_file_that_cannot_be(three: History, tmp_path: Path):
    """Before anything is written; an older file stays."""
    with pytest.raises(UnknownName, match="Known: builds, jobs"):
        three.export(tmp_path / "x.csv", "sqlite_master")
    with pytest.raises(UsageError, match=r"--csv .* cannot be written"):
        three.export(tmp_path / "none" / "x.csv")
    assert not list(tmp_path.glob(".*.tmp"))


def test_an_export_that_breaks_off_leaves_the_older_file(
    three: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A reader never sees half a table."""
    (tmp_path / "x.csv").write_text("older")
    monkeypatch.setattr("harness.history.export._row", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        three.export(tmp_path / "x.csv")
    assert "older" == (tmp_path / "x.csv").read_text() and not list(tmp_path.glob(".*.tmp"))


def test_an_empty_history_is_an_empty_table(history: History, tmp_path: Path):
    """With its columns."""
    for form, read in (("csv", pd.read_csv), ("parquet", pd.read_parquet)):
        assert 0 == history.export(tmp_path / f"x.{form}", form=form)
        found = read(tmp_path / f"x.{form}")
        assert 0 == len(found) and "ratio" in found


def test_the_sample_has_what_is_odd(sample):
    """Otherwise the tests above look at nothing: NaN, infinity and missing numbers are in it."""
    text = json_format.to_json(sample.report())
    assert all(
        word in text for word in ('"NaN"', '"Infinity"', "null")
    ) and dataclasses.is_dataclass(sample.report())


def test_what_is_no_file_is_not_replaced(three: History, tmp_path: Path) -> None:
    """Nor is a link that leads in a circle followed; a link to a file is."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "circle").symlink_to("circle")
    for name, why in (("fifo", "only a file is replaced"), ("circle", "Links lead in a circle")):
        with pytest.raises(UsageError, match=why):
            three.export(tmp_path / name)
    assert stat.S_ISFIFO((tmp_path / "fifo").stat().st_mode)
    (tmp_path / "link").symlink_to("rows.csv")
    three.export(tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "rows.csv").is_file()
