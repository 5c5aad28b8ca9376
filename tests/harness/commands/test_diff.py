"""Two stored runs: where the rounds come from, how the difference is drawn, and what the command
answers."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from harness import cli
from harness.changes import figures
from harness.changes.model import moments
from harness.commands import diff
from harness.errors import UnknownName
from harness.records import store
from harness.report import json_format, terminal_diff
from harness.results.model import BuildRow, JobRow, Report, SpeedRow, StageRow
from harness.results.series import Turns
from harness.speed import estimate

HOSTILE = "<script>alert('x')</script> [bold]b[/bold] \x1b[31mred\u202e"


def report(**more: Any) -> Report:
    """Return a run of one pair."""
    stage = StageRow(
        "cnn",
        "tf2",
        "torch",
        "fp64",
        "loss",
        "PASS",
        "",
        "l2",
        2e-15,
        1e-15,
        1.6e-14,
        tensors=3,
        preset="tiny",
    )
    speed = SpeedRow(
        "cnn",
        "tf2",
        "torch",
        "fp32",
        "small",
        "train",
        "UNCLEAR",
        "",
        1.0,
        0.98,
        1.02,
        rounds=8,
        a_step_s=2e-3,
        b_step_s=2e-3,
        threads=2,
        logs=("jobs/speed-cnn-round007/tf2.log",),
        command="harness compare --device cpu",
    )
    given: dict[str, Any] = {
        "title": "cnn",
        "created": "2026-11-20",
        "harness_version": "0.1.0",
        "command": "harness compare",
        "fidelity": "PASS",
        "headline": "",
        "stages": (stage,),
        "speed": (speed,),
        "tapes": {},
        "jobs": (JobRow("j", "torch", "cnn", "fidelity", "fp64", "ok", "", 1.0, "", 0),),
        "builds": (BuildRow("torch", "3.11", "Linux", {"torch": "2.13.0"}, "tox", {"threads": 2}),),
        **more,
    }
    return Report(**given)


def written(
    folder: Path,
    made: Report,
    shift: float | None = None,
    seed: int = 0,
    opened: dict[str, Any] | None = None,
) -> Path:
    """Write a run, with records of eight rounds in which b takes longer by a share, or without
    records. `opened`: what sides tell."""
    store.write_text(folder / "report.json", json_format.to_json(made))
    draw = np.random.RandomState(seed)
    for number in range(8 if shift is not None else 0):
        luck = math.exp(0.01 * draw.standard_normal())
        assert shift is not None
        base = [1e-3 + 1e-7 * place for place in range(8)]
        steps = {"tf2": base, "torch": [step * luck * (1.0 + shift) for step in base]}
        result = {
            "actions": {"train": {"palindromes": [steps], "prepared": {}}},
            "opened": opened or {},
        }
        job = {"round": number, "workload": "cnn", "preset": "small"}
        store.write_record(folder / f"jobs/speed-cnn-round{number:03d}", job, "ok", "", result, 1.0)
    return folder


def drawn(found: figures.Diff, width: int = 100) -> str:
    console = Console(width=width, force_terminal=False)
    with console.capture() as captured:
        console.print(terminal_diff.render(found))
    return captured.get()


def test_the_rounds_come_from_the_records(tmp_path: Path) -> None:
    """A slow-down that the reports themselves do not show, since they are the same to the byte,
    is found in the rounds."""
    before, after = (
        written(tmp_path / "a", report(), 0.0),
        written(tmp_path / "b", report(), 0.2, seed=1),
    )
    found = diff.compare(before, after)
    # Neither the versions nor the step times of these reports tell of which build.
    assert 3 == found.exit_code and ["ratio"] == [one.kind for one in found.changes]
    assert 0 == diff.compare(before, written(tmp_path / "c", report(), 0.0, seed=1)).exit_code
    assert 3 == diff.compare(before / "report.json", after / "report.json").exit_code


def test_a_report_without_records_has_its_plots_step_times(tmp_path: Path) -> None:
    """Palindrome by palindrome, round by round: the same slow-down is found."""

    def with_turns(shift: float, seed: int) -> Report:
        draw = np.random.RandomState(seed)
        b = tuple(
            tuple(1e-3 * (1 + shift) * math.exp(0.01 * luck) for _ in range(3))
            for luck in draw.standard_normal(8)
        )
        row = dataclasses.replace(report().speed[0], turns=Turns(((1e-3,) * 3,) * 8, b))
        return report(speed=(row,))

    runs = [
        written(tmp_path / name, with_turns(shift, seed))
        for name, shift, seed in (("a", 0.0, 1), ("b", 0.2, 2), ("c", 0.0, 3))
    ]
    assert [3, 0] == [diff.compare(runs[0], run).exit_code for run in runs[1:]]


def test_an_older_report_has_its_intervals(tmp_path: Path) -> None:
    """Its standard error is what the interval was made from, or larger; a clear slow-down is
    found, and none where there is none."""
    logs = 0.01 * np.random.RandomState(1).standard_normal(8)
    for final in (True, False):
        told = estimate.estimate_logs(list(logs), final)
        row = dataclasses.replace(report().speed[0], ratio=told.ratio, low=told.low, high=told.high)
        found, true = diff._from_interval(row), moments(list(logs))
        assert (
            found is not None
            and found.mean == pytest.approx(true.mean)
            and found.error >= 0.999 * true.error
        )
        assert (found.error == pytest.approx(true.error)) == final
    rows = [
        dataclasses.replace(report().speed[0], ratio=mid, low=0.98 * mid, high=1.02 * mid)
        for mid in (1.0, 1.3, 1.01)
    ]
    runs = [written(tmp_path / str(place), report(speed=(row,))) for place, row in enumerate(rows)]
    assert [3, 0] == [diff.compare(runs[0], run).exit_code for run in runs[1:]]


@pytest.mark.parametrize(
    "more",
    [
        {"low": None},
        {"rounds": 1},
        {"low": 0.0},
        {"low": 1.1, "high": 1.0},
        {"high": math.inf},
        {"rounds": 3},
    ],
)
def test_no_interval_is_no_measurement(tmp_path: Path, more: dict[str, Any]) -> None:
    """Said, not judged."""
    row = dataclasses.replace(report().speed[0], **more)
    found = diff.compare(
        written(tmp_path / "a", report(speed=(row,))), written(tmp_path / "b", report())
    )
    assert ["not judged"] == [one.kind for one in found.changes] and 0 == found.exit_code


def test_other_conditions_are_not_compared(tmp_path: Path) -> None:
    """A row tells the device that it was measured on."""
    row = report().speed[0]
    gpu = report(speed=(dataclasses.replace(row, device="gpu"),))
    found = diff.compare(written(tmp_path / "a", report(), 0.0), written(tmp_path / "b", gpu, 0.5))
    assert 0 == found.exit_code and "device cpu -> gpu" in found.changes[0].text


def test_another_machine_is_not_compared(tmp_path: Path) -> None:
    """Planted: 40 % slower and twice the memory on another CPU. Neither is a regression, and the
    reason is said; on the same CPU it is."""
    row, runs = report().speed[0], []
    for place, (processor, shift, peak) in enumerate(
        (("Xeon", 0.0, 10**8), ("EPYC", 0.4, 2 * 10**8), ("Xeon", 0.4, 2 * 10**8))
    ):
        opened = {
            "torch": {
                "identity": {
                    "processor": processor,
                    "cpus": 4,
                    "machine": "x86_64",
                    "platform": "Linux-6.1",
                }
            }
        }
        made = report(speed=(dataclasses.replace(row, b_peak_bytes=peak),))
        runs.append(written(tmp_path / str(place), made, shift, seed=place, opened=opened))
    elsewhere, here = (diff.compare(runs[0], run) for run in runs[1:])
    assert 0 == elsewhere.exit_code and {"note"} == {one.severity for one in elsewhere.changes}
    assert {"not judged", "memory"} == {one.kind for one in elsewhere.changes}
    assert all("measured under other conditions: machine " in one.text for one in elsewhere.changes)
    assert 3 == here.exit_code and {"ratio", "memory"} == {one.kind for one in here.changes}


def test_another_specification_is_another_thing(tmp_path: Path) -> None:
    """Planted: the preset's batch became larger, and every step 40 % slower. Records that tell
    no specification are compared."""
    runs = [
        written(
            tmp_path / str(place),
            report(),
            shift,
            seed=place,
            opened={"torch": {"spec_hash": hashed}} if hashed else None,
        )
        for place, (hashed, shift) in enumerate((("ab" * 8, 0.0), ("cd" * 8, 0.4), ("", 0.4)))
    ]
    other, unknown = (diff.compare(runs[0], run) for run in runs[1:])
    assert 0 == other.exit_code and ["not judged"] == [one.kind for one in other.changes]
    assert (
        "specification or data changed (abababababab -> cdcdcdcdcdcd): another thing was measured"
        in other.changes[0].text
    )
    assert 3 == unknown.exit_code


def test_the_page_says_what_changed_and_obeys_no_text(tmp_path: Path) -> None:
    """Markup and control sequences of names are shown, not obeyed, at any width."""
    wrong = dataclasses.replace(report().stages[0], verdict="FAIL", worst=HOSTILE, reason=HOSTILE)
    found = diff.compare(
        written(tmp_path / "a", report()),
        written(tmp_path / "b", report(stages=(wrong,), title=HOSTILE)),
    )
    for width in (40, 80, 200):
        text = drawn(found, width)
        assert (
            "\x1b" not in text
            and "\u202e" not in text
            and "[bold]" in text.replace("\n", "")
            and "1 regression" in text
        )
        assert all(len(line) <= width for line in text.splitlines())
    assert "Verdicts" in text and "PASS" in text and "FAIL" in text


def test_long_lists_are_cut_and_said_to_be(tmp_path: Path) -> None:
    """A hundred differing settings do not fill the screen; the JSON has them."""
    builds = [
        BuildRow(
            "torch",
            "3.11",
            "Linux",
            {},
            "tox",
            {f"setting {number}": value for number in range(100)},
        )
        for value in (1, 2)
    ]
    found = diff.compare(
        *(written(tmp_path / str(place), report(builds=(row,))) for place, row in enumerate(builds))
    )
    assert "... and 80 more: --format json has all" in drawn(found)
    document = json.loads(diff.render(found, "json"))
    assert (
        100 == sum(one["section"] == "settings" for one in document["differences"])
        and 0 == document["exit_code"]
    )


def test_json_is_strict(tmp_path: Path) -> None:
    """NaN is written as the report's JSON writes it; the same bytes each time."""
    row = dataclasses.replace(report().stages[0], error=math.nan, verdict="FAIL")
    found = diff.compare(
        written(tmp_path / "a", report()), written(tmp_path / "b", report(stages=(row,)))
    )
    text = diff.render(found, "json")
    assert '"NaN"' in text and text == diff.render(found, "json")
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not strict JSON"))
    with pytest.raises(UnknownName):
        diff.render(found, "yaml")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("a", "a"), 0, "Nothing else differs"),
        (("a", "b"), 3, "1 regression"),
        (("a", "other"), 2, "cannot be compared"),
        (("a", "nowhere"), 2, "there is no report"),
        (("a", "b", "--format", "yaml"), 2, "unknown format 'yaml'"),
        (("a",), 2, "after"),
        (("a", "broken"), 4, "report.json"),
    ],
)
def test_what_the_command_answers(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    code: int,
    says: str,
) -> None:
    """0 without a lost verdict, 3 with one, 2 on wrong usage and where nothing can be compared."""
    written(tmp_path / "a", report())
    written(
        tmp_path / "b", report(stages=(dataclasses.replace(report().stages[0], verdict="FAIL"),))
    )
    written(
        tmp_path / "other",
        report(speed=(), stages=(dataclasses.replace(report().stages[0], seed=7),)),
    )
    store.write_text(tmp_path / "broken/report.json", '{"schema": 1}')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        cli.main(["diff", *words])
    out = capsys.readouterr()
    assert code == ended.value.code and says in " ".join((out.out + out.err).split())
