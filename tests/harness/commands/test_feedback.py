"""The file of `--feedback`: what a program reads of a comparison, whatever its end."""

from __future__ import annotations

import dataclasses
import json
import shlex
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness import cli
from harness.commands import feedback
from harness.commands.compare import ComparisonResult
from harness.errors import BuildError, HarnessError, JobFailed, UsageError
from harness.pairs import file
from harness.records import decoder
from harness.report import feedback_json, json_format
from harness.results.feedback import Feedback
from harness.results.model import StageRow
from tests.harness.commands.stored_runs import report
from tests.harness.pairs import scenes

DATA = Path(__file__).parents[2] / "data/feedback"
PAIR = """from backends import pair


@pair.side("tf2")
def original():
    return pair.keras(Dense(name="hidden"))


@pair.side("torch")
def port():
    self.fc1 = Linear()
    self.dropout = Dropout(0.25)


@pair.data
def data():
    return pair.arrays(x=1)
"""
COMMAND = "harness compare mine.py --no-speed --stages forward --precision fp64"


def row(**more: Any) -> StageRow:
    """The first stage that fails of two perceptrons."""
    given = {
        "workload": "mine",
        "a": "plain",
        "b": "turned",
        "precision": "fp64",
        "stage": "forward",
        "verdict": "FAIL",
        "reason": "3 of 5 tensors depart",
        "worst": "training/hidden",
        "error": 0.5,
        "floor": 1e-15,
        "threshold": 2e-14,
        "value_a": 1.5,
        "value_b": -2.5,
        "place": "[4, 2]",
        "command": COMMAND,
        "logs": ("jobs/a/worker.log", "jobs/b/worker.log"),
    }
    return StageRow(**{**given, **more})  # type: ignore[arg-type]


def told(folder: Path, **more: Any) -> Feedback:
    """What is told of a run without a pair."""
    made = json_format.derived(report(**more))
    return feedback.of_result(ComparisonResult(made, folder), Path("out file.json"))


def of_pair(folder: Path, *rows: StageRow, fault: str = "keep") -> Feedback:
    """What is told of a pair whose dropout has another rate."""
    (folder / "mine.py").write_text(PAIR, encoding="utf-8")
    made = json_format.derived(report(stages=rows, speed=()))
    inference, _ = scenes.inferred(fault)
    labels = [SimpleNamespace(label=label) for label in ("plain", "turned")]
    request = SimpleNamespace(sides=labels, workloads=[None])
    looked = SimpleNamespace(
        inference=inference, pair=file.read(folder / "mine.py"), request=request
    )
    result = ComparisonResult(made, folder / "run", looked)  # type: ignore[arg-type]
    return feedback.of_result(result, Path("out.json"))


def test_what_departs_is_told_in_each_sides_words(tmp_path: Path):
    """Name, value at the worst index, the line that makes it, logs where they lie, and the command
    that judges this stage alone."""
    found = of_pair(tmp_path, row())
    departure = found.departure
    assert departure is not None
    assert ("FAIL", 1, "layer", (4, 2)) == (
        found.verdict,
        found.exit_code,
        departure.kind,
        departure.index,
    )
    assert ("hidden", 1.5, 6) == (departure.a.layer, departure.a.value, departure.a.source.line)
    assert ("fc1", -2.5, 11) == (departure.b.layer, departure.b.value, departure.b.source.line)
    assert str(tmp_path / "run/jobs/b/worker.log") == departure.logs[1]
    assert f"{COMMAND} --feedback out.json" == found.next.command


def test_the_differences_of_the_place_come_first(tmp_path: Path):
    """Then those of its stage, then all others; of a PASS all are others."""
    place = of_pair(tmp_path, row(worst="training/hidden/dropout")).differences
    assert ("place", "hidden/dropout", "rate") == (
        place[0].concerns,
        place[0].where,
        place[0].what,
    )
    for more, concerns in (
        ({"worst": "training/classes"}, "stage"),
        ({"stage": "weights", "worst": "classes/kernel"}, "other"),
        ({"verdict": "PASS", "error": 0.0}, "other"),
    ):
        found = of_pair(tmp_path, row(**more)).differences
        assert found and {concerns} == {item.concerns for item in found if item.what == "rate"}


def test_a_pass_says_that_nothing_is_to_do(tmp_path: Path):
    """No departure, no error, no command."""
    found = told(tmp_path)
    assert ("PASS", 0, None, None) == (
        found.verdict,
        found.exit_code,
        found.departure,
        found.error,
    )
    assert found.next.command is None and found.report == str(tmp_path / "report.json")


def test_of_a_port_the_file_is_told_and_no_line(tmp_path: Path):
    """A port is no pair: its file stands in the report."""
    port = {"mine": "/mine/torch/a, b.py, sha256 0a"}
    builds = (dataclasses.replace(report().builds[0], build="turned", port=port),)
    found = told(tmp_path, stages=(row(),), builds=builds).departure
    assert found is not None
    assert ("/mine/torch/a, b.py", None) == (found.b.source.file, found.b.source.line)
    assert found.a.source.file is None and feedback.NO_PAIR == found.a.source.reason


JOB = dataclasses.replace(report().jobs[0], status="timeout", log="jobs/j/log")


@pytest.mark.parametrize(
    ("more", "command", "why"),
    [
        ({"stages": (row(verdict="INCONCLUSIVE"),)}, f"{COMMAND} --feedback", "undecided"),
        ({"jobs": (JOB,)}, "harness compare --resume", "jobs/j/log"),
        ({"jobs": (JOB,), "command": "harness compare --resume"}, "harness compare --resume", ""),
        (
            {"speed": (dataclasses.replace(report().speed[0], verdict="REFUSED"),)},
            "harness compare --device cpu --feedback 'out file.json'",
            "REFUSED",
        ),
        ({"stages": (), "speed": ()}, "harness compare", "again"),
    ],
)
def test_whatever_is_wrong_has_a_command(tmp_path: Path, more: Any, command: str, why: str):
    """Undecided, broken, refused, nothing measured: the exit code is not 0, and something is to
    run."""
    found = told(tmp_path, **more)
    assert found.exit_code and found.next.command is not None
    assert found.next.command.startswith(command) and why in found.next.why
    assert shlex.split(found.next.command)[0] == "harness"


@pytest.mark.parametrize(
    ("error", "command"),
    [
        (UsageError("wrong"), "harness compare --help"),
        (BuildError("none"), "harness doctor"),
        (JobFailed("timeout", "slow"), "harness check 'my pair.py'"),
        (HarnessError("full"), "harness compare 'my pair.py' --feedback f.json"),
    ],
)
def test_an_error_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: HarnessError, command: str
):
    """By its kind; there is no verdict in it."""
    monkeypatch.chdir(tmp_path)
    feedback.failed(["compare", "my pair.py", "--feedback", "f.json"], error, error.exit_code)
    found = json.loads(Path("f.json").read_text())
    assert ("ERROR", error.exit_code, command) == (
        found["verdict"],
        found["exit_code"],
        found["next"]["command"],
    )
    assert {"kind": type(error).__name__, "message": str(error)} == found["error"]


def test_credentials_are_not_kept(tmp_path: Path):
    """Of addresses in the command and in the message."""
    path = tmp_path / "f.json"
    words = ["compare", f"--feedback={path}", "--mlflow", "http://me:secret@host/x"]
    feedback.failed(words, UsageError("http://me:secret@host is down"), 2)
    assert "secret" not in path.read_text() and "//host" in path.read_text()


def ended(*words: object) -> int:
    with pytest.raises(SystemExit) as found:
        cli.main([*map(str, words)])
    return int(found.value.code or 0)


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("--bakends", "torch"), "UsageError"),
        (("--workloads", "lineer"), "UnknownName"),
        (("nowhere.py",), "UsageError"),
        (("--dry-run",), "UsageError"),
    ],
)
def test_what_was_told_before_does_not_outlive_an_error(
    tmp_path: Path, words: tuple[str, ...], kind: str
):
    """An older PASS lies there: it is replaced, also where the options cannot be read."""
    path = tmp_path / "f.json"
    path.write_text(feedback_json.render(told(tmp_path)), encoding="utf-8")
    assert 2 == ended("compare", *words, "--feedback", path)
    found = json.loads(path.read_text())
    assert ("ERROR", 2, kind) == (found["verdict"], found["exit_code"], found["error"]["kind"])


def test_a_comparison_that_is_killed_is_no_pass(tmp_path: Path):
    """Before it begins, the file says that it has not ended."""
    path = tmp_path / "f.json"
    path.write_text(feedback_json.render(told(tmp_path)), encoding="utf-8")
    feedback.begin(path, "harness compare x.py", compared=True)
    found = json.loads(path.read_text())
    assert ("UNFINISHED", None) == (found["verdict"], found["exit_code"])
    assert "harness compare x.py --resume" == found["next"]["command"]


def test_a_file_that_cannot_be_written_is_refused_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """No folder, a folder in its place: wrong usage, and no run."""
    for path in (tmp_path / "none/f.json", tmp_path):
        assert 2 == ended("compare", "--feedback", path, "--reports", tmp_path / "reports")
        # A terminal folds a long path, too.
        told = "".join(capsys.readouterr().err.split())
        assert f"--feedback{path}:cannotbewritten" in told
    assert [] == [*tmp_path.iterdir()]


def test_other_commands_have_no_such_file(tmp_path: Path):
    """Their options are not taken for it."""
    assert feedback.named(["run", "--feedback", "f"]) is None
    assert feedback.named(["compare", "--feedback"]) is None
    assert feedback.named(["compare", "--feedback", "--resume"]) is None
    assert Path("f") == feedback.named(["compare", "--feedback=f"])


@pytest.mark.parametrize("path", sorted(DATA.glob("*.json")), ids=lambda path: path.name)
def test_frozen_files_are_what_is_written_today(path: Path):
    """Programs read this without the harness: whoever changes a name, a type or an order makes
    another schema, with files of its own."""
    text = path.read_text(encoding="utf-8")
    assert text == feedback_json.render(decoder.decode(Feedback, json.loads(text), path.name))


def test_every_field_and_ending_is_frozen():
    """Each field has a value in some file, and each ending a file."""
    files = [json.loads(path.read_text(encoding="utf-8")) for path in DATA.glob("*.json")]
    assert {"PASS", "FAIL", "ERROR", "UNFINISHED"} <= {found["verdict"] for found in files}
    filled = {name for found in files for name, value in found.items() if value not in (None, [])}
    assert {item.name for item in dataclasses.fields(Feedback)} == filled


def test_a_field_that_is_renamed_is_seen():
    """Planted."""
    (path,) = DATA.glob("schema1-fail-layer.json")
    flat = json.loads(path.read_text(encoding="utf-8"))
    flat["departure"]["sort"] = flat["departure"].pop("kind")
    with pytest.raises(HarnessError, match="kind"):
        decoder.decode(Feedback, flat, path.name)


def test_what_is_not_finite_is_written_as_in_a_report(tmp_path: Path):
    """Strict JSON: NaN is a word."""
    text = feedback_json.render(told(tmp_path, stages=(row(value_a=float("nan")),)))
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not strict JSON"))
    assert "NaN" == json.loads(text)["departure"]["a"]["value"]
