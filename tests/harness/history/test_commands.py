"""`harness history` as a user types it, and `compare --history`."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path

import pandas as pd
import pytest

from harness import cli
from harness.commands import compare
from harness.history import open_history


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Run a command; return its exit code and what it wrote to both streams."""
    monkeypatch.setattr("harness.cli.console.OUT._width", 240)
    monkeypatch.setattr("harness.cli.console.ERR._width", 1000)

    def typed(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main([str(word) for word in words])
        out, err = capsys.readouterr()
        return int(ended.value.code), out, err

    return typed


@pytest.fixture
def runs(tmp_path: Path, sample) -> list[Path]:
    """Three nights' folders."""
    for number in range(3):
        sample.write(tmp_path / f"night{number}", sample.report(number))
    return [tmp_path / f"night{number}" for number in range(3)]


@pytest.fixture
def stored(run, runs: list[Path], path: Path) -> Path:
    code, _, err = run("history", "add", *runs, "--history", path)
    assert (0, 3) == (code, err.count(": added ("))
    return path


def test_runs_are_listed_with_their_verdicts(run, stored: Path):
    """The newest first, as many as asked for."""
    code, out, _ = run("history", "--history", stored, "--limit", 2)
    assert 0 == code and "2 of 3 runs" in out
    assert out.index("2026-11-03 22:30") < out.index("2026-11-02 22:30") and "2026-11-01" not in out
    assert all(
        text in out
        for text in (
            "tf2 torch on cnn",
            "1 FAIL, 1 INCONCLUSIVE, 8 PASS",
            "1 SLOWER, 1 UNCLEAR",
            "cccccccc-dirty",
        )
    )


def test_adding_again_says_so(run, runs: list[Path], stored: Path):
    """By folder or by report.json; one that cannot be read keeps none of the others out."""
    code, _, err = run(
        "history",
        "add",
        runs[0],
        runs[1] / "report.json",
        runs[0].parent / "nowhere",
        runs[2],
        "--history",
        stored,
    )
    assert (2, 3) == (code, err.count("is there already")) and "nowhere" in err


def test_one_series_is_a_table(run, stored: Path):
    """Of speed and of a stage; several are listed; none is an error."""
    code, out, _ = run(
        "history", "series", "--history", stored, "--builds", "tf2", "torch", "--of", "train"
    )
    assert 0 == code and out.startswith("cnn, small, fp32, tf2 and torch, train, cpu, 2 threads")
    assert 3 == out.count("1.270 [1.20, 1.35]") == out.count("256 MiB")
    code, out, _ = run("history", "series", "--history", stored, "--of", "weights", "--limit", 1)
    assert 0 == code and "1.5e-07" in out and "2026-11-03" in out and "2026-11-02" not in out
    assert "12 series; name" in run("history", "series", "--history", stored)[1]
    code, _, err = run("history", "series", "--history", stored, "--of", "nothing")
    assert 2 == code and "no series" in err


def test_a_series_is_the_one_that_its_title_names(run, runs: list[Path], path: Path, sample):
    """Three pairs, two of which have a side of the same name: the pair that is asked for, and
    its numbers."""
    report = sample.report(0)
    row = next(one for one in report.speed if one.action == "train")
    pairs = (("tf1", "tf2", 9.0), ("tf2", "torch", 1.27), ("tf1", "torch", 8.0))
    speed = tuple(
        dataclasses.replace(row, a=a, b=b, ratio=ratio, low=ratio - 0.01, high=ratio + 0.01)
        for a, b, ratio in pairs
    )
    sample.write(runs[0].parent / "three", dataclasses.replace(report, speed=speed, stages=()))
    assert 0 == run("history", "add", runs[0].parent / "three", "--history", path)[0]
    code, out, _ = run(
        "history", "series", "--history", path, "--builds", "tf2", "torch", "--of", "train"
    )
    assert 0 == code and "tf2 and torch, train" in out and "1.270" in out and "9.000" not in out


def test_a_folder_of_reports_is_added_whole(run, tmp_path: Path, path: Path, sample):
    """Runs beside each other and in the cells of nights, which count to their night; the second
    time nothing is added."""
    names = (
        "reports/2026-11-01_x",
        "reports/nightly/2026-10-30_2/cells/one",
        "reports/nightly/2026-10-31/cells/one",
    )
    for number, name in enumerate(names):
        sample.write(tmp_path / name, sample.report(number))
        (tmp_path / name / "run.json").write_text("{}")
    sample.write(tmp_path / "reports/example", sample.report(4))  # no run of this machine
    code, _, err = run("history", "add", tmp_path / "reports", "--history", path)
    assert (0, 3) == (code, err.count(": added ("))
    with open_history(path) as history:
        assert {"2026-10-30", "2026-10-31", "2026-11-01"} == {one.night for one in history.nights()}
    assert 3 == run("history", "add", tmp_path / "reports", "--history", path)[2].count(
        "is there already"
    )
    code, _, err = run(
        "history",
        "add",
        tmp_path / "reports/nightly/2026-10-31/cells/one/jobs",
        tmp_path,
        "--history",
        path,
    )
    assert 2 == code and "is there already" in err


@pytest.mark.parametrize(
    ("table", "words", "can"),
    [
        ("jobs", "--of train", "--workloads, --builds, --precision, --since"),
        ("quality", "--of train", "--builds, --presets, --precision"),
        ("ports", "--presets small", "--workloads, --builds, --since"),
        ("packages", "--workloads cnn", "--builds, --since"),
    ],
)
def test_a_filter_that_a_table_cannot_have_is_refused(
    run, stored: Path, tmp_path: Path, table: str, words: str, can: str
):
    """It says which it can have, and which tables can have it; nothing is written."""
    code, _, err = run(
        "history",
        "export",
        "--csv",
        tmp_path / "x.csv",
        "--table",
        table,
        *words.split(),
        "--history",
        stored,
    )
    assert (
        2 == code
        and f"cannot be chosen by {words}; " in err
        and can in err
        and "results, stages, speed, rounds, runs" in err
    )
    assert not (tmp_path / "x.csv").exists()


def test_a_filter_that_a_table_can_have_chooses(run, stored: Path, tmp_path: Path):
    """Two of a night's three jobs are of this precision; none is of another workload."""
    told = []
    for words in (["--precision", "fp32"], ["--workloads", "linear"]):
        code, _, err = run(
            "history",
            "export",
            "--csv",
            tmp_path / "x.csv",
            "--table",
            "jobs",
            *words,
            "--history",
            stored,
        )
        told.append((code, err.partition(": ")[2].strip()))
    assert [(0, "6 rows of jobs"), (0, "0 rows of jobs")] == told


def test_the_advice_for_a_damaged_history_restores_it(
    run, tmp_path: Path, sample, monkeypatch: pytest.MonkeyPatch
):
    """Runs and nights as they were, by the one command that the message names, wherever the
    history lies."""
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate(
        ("2026-11-01_x", "nightly/2026-10-30_2/cells/one", "nightly/2026-10-31/cells/one")
    ):
        sample.write(tmp_path / "reports" / name, sample.report(number))
        (tmp_path / "reports" / name / "run.json").write_text("{}")
    for path in (Path("reports/history.sqlite"), tmp_path / "else where/h.sqlite"):
        run("history", "add", "reports", "--history", path)
        with open_history(path) as history:
            before = history.nights()
        path.write_bytes(b"damaged" * 99)
        code, _, err = run("history", "--history", path)
        path.unlink()
        assert (4, 0) == (code, run(*shlex.split(err[err.index("harness history add") :])[1:])[0])
        with open_history(path, create=False) as history:
            assert (3, before) == (len(before), history.nights())


def test_export_writes_both(run, stored: Path, tmp_path: Path):
    """Read back by pandas."""
    code, _, err = run(
        "history",
        "export",
        "--csv",
        tmp_path / "x.csv",
        "--parquet",
        tmp_path / "x.parquet",
        "--history",
        stored,
    )
    assert (0, 2) == (code, err.count("36 rows of results"))
    assert (
        36 == len(pd.read_csv(tmp_path / "x.csv")) == len(pd.read_parquet(tmp_path / "x.parquet"))
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["history", "--since", "yesterday"], "--since yesterday: must be a date"),
        (["history", "--limit", "0"], "--limit 0: must be at least 1"),
        (["history", "--limit", str(10**23)], "000: must be at least 1 and at most 2147483647"),
        (["history", "--of", "a\udcff"], "--of a\\xdcff: this is no UTF-8"),
        (["history", "add"], "name at least one run"),
        (["history", "export"], "--csv FILE or --parquet FILE"),
        (["history", "export", "--csv", "x.csv", "--table", "run"], "Did you mean 'runs'?"),
        (["run", "--history", "x.sqlite"], "--history: `harness run` compares nothing"),
    ],
)
def test_wrong_usage(run, stored: Path, words: list[str], message: str):
    """Exit code 2, and what is allowed."""
    words = (
        words if "--history" in words or words[-1] == "add" else [*words, "--history", str(stored)]
    )
    code, _, err = run(*words)
    assert 2 == code and message in err


def test_no_history_yet(run, tmp_path: Path):
    """The message has the command that makes one; a newer file is refused before anything runs."""
    code, _, err = run("history", "--history", tmp_path / "none.sqlite")
    assert 2 == code and "harness history add RUN --history" in err


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch, runs: list[Path], sample):
    """The comparison is one that has run before: its folder is real, its work is not done again."""
    result = compare.ComparisonResult(dataclasses.replace(sample.report(), exit_code=0), runs[0])
    calls: list[object] = []
    monkeypatch.setattr(compare, "compare", lambda *given, **_: calls.append(given) or result)
    return calls


def test_compare_adds_the_finished_run(run, compared, path: Path):
    """With its rounds."""
    code, _, _ = run("compare", "--history", path)
    assert 0 == code
    with open_history(path, create=False) as history:
        assert (1, 10) == (history.count()["runs"], history.count()["rounds"])


def test_a_history_that_cannot_be_used_stops_nothing_halfway(run, compared, tmp_path: Path):
    """It is refused before the work begins."""
    (tmp_path / "notes.txt").write_text("no database\n" * 100)
    code, _, err = run("compare", "--history", tmp_path / "notes.txt")
    assert (4, []) == (code, compared) and "damaged, or no history" in err


def test_a_run_that_could_not_be_added_can_be_later(
    run, compared, path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The disk is full: the exit code says that something is missing, the message how to add it,
    and that works."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("harness.history.access.History.add", full)
        code, out, err = run("compare", "--history", path)
    assert 4 == code and "report:" in out and "No space left" in err
    words = err[err.index("harness history add") :].split()
    assert 0 == run(*words[1:])[0]
    with open_history(path, create=False) as history:
        assert 1 == history.count()["runs"]
