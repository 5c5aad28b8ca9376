"""What a user types wrong, or what lies damaged on disk, is answered in one sentence that says
what to do: never a traceback."""

from __future__ import annotations

import json
import time
import venv
from pathlib import Path

import pytest

from harness.environments.builds import BUILDS

WRONG = {
    "workload": (("--workloads", "lineer"), "linear"),
    "stage": (("--backends", "numpy", "numpy", "--stages", "gradient"), "gradients"),
    "build": (("--backends", "numpy", "numpy", "--python", "pytorch=/usr/bin/python3"), "torch"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_unknown_name(harness, kind: str) -> None:
    """An unknown name gets the one that was probably meant, the list, and exit code 2; no work
    has started."""
    words, meant = WRONG[kind]
    done = harness.run("compare", *words)
    assert done.code == 2
    assert (
        f"unknown {kind} " in done.err
        and f"Did you mean '{meant}'?" in done.err
        and "Known: " in done.err
    )
    assert "Traceback" not in done.err and not (harness.folder / "reports").exists()


def test_unknown_option(harness) -> None:
    """An unknown option is named, with the place where the options are listed."""
    done = harness.run("compare", "--bakends", "torch")
    assert done.code == 2
    assert "bakends" in done.err and "--help" in done.err and "Traceback" not in done.err


def test_interpreter_without_framework(harness) -> None:
    """An interpreter that lacks the framework is refused before any work starts."""
    venv.create(harness.folder / "bare", symlinks=True)
    python = harness.folder / "bare/bin/python"
    done = harness.run(
        "compare",
        "--backends",
        "numpy",
        "torch",
        "--workloads",
        "linear",
        "--python",
        f"torch={python}",
    )
    assert done.code == 2
    assert (
        f"--python torch={python}" in done.err
        and "no torch" in done.err
        and "Traceback" not in done.err
    )
    assert not (harness.folder / "reports").exists()


@pytest.fixture(scope="module")
def finished(new_harness):
    """A finished run: the commands' folder, and the run's."""
    harness = new_harness()
    done = harness.run(*harness.compare("", ""))
    assert done.code == 0, done.err
    (run,) = harness.folder.glob("reports/*")
    return harness, run, done


def test_agreement(finished) -> None:
    """Two honest ports agree; the table goes to stdout, progress to stderr, and the report can
    be drawn again."""
    harness, run, done = finished
    assert "PASS" in done.out and str(run.relative_to(harness.folder)) in done.out
    assert "[2/2]" in done.err and "[2/2]" not in done.out
    again = harness.run("report", run)
    assert again.code == 0 and again.out in done.out
    copy = harness.run("report", run, "--format", "json")
    assert copy.out == (run / "report.json").read_text()


def altered(finished, text: str) -> tuple[object, Path]:
    """Put a copy of the report with other content into a folder of its own, and render it."""
    harness = finished[0]
    folder = harness.folder / f"altered-{len(list(harness.folder.glob('altered-*')))}"
    folder.mkdir()
    (folder / "report.json").write_text(text)
    return harness.run("report", folder), folder / "report.json"


def test_damaged_report(finished) -> None:
    """A truncated report is called by its name."""
    done, path = altered(finished, (finished[1] / "report.json").read_text()[:500])
    assert done.code == 4
    assert str(path) in done.err and "not JSON" in done.err and "Traceback" not in done.err


def test_newer_report(finished) -> None:
    """A report of a newer harness: which file, which version, what to do."""
    document = json.loads((finished[1] / "report.json").read_text())
    done, path = altered(finished, json.dumps({**document, "schema": 99}))
    assert done.code == 4
    assert str(path) in done.err and "schema 99" in done.err and "newer parity-harness" in done.err
    assert "Traceback" not in done.err


def test_no_report(harness) -> None:
    """A folder that is no run is wrong usage."""
    done = harness.run("report", "nowhere")
    assert done.code == 2 and "nowhere" in done.err and "Traceback" not in done.err


@pytest.mark.parametrize("command", ["compare", "repeat"])
def test_one_step_is_enough(harness, command: str) -> None:
    """Updates are looked at twice, and the tape is long enough for that."""
    backends = ("numpy", "numpy") if command == "compare" else ("numpy",)
    words = ("--workloads", "linear", "--preset", "tiny", "--steps", 1, "--no-speed")
    done = harness.run(command, "--backends", *backends, *words)
    assert done.code == 0, done.out + done.err
    assert ("PASS" if command == "compare" else "BIT-IDENTICAL") in done.out.upper()


def test_the_doctor_ends_within_a_minute(harness) -> None:
    """However busy the machine is: each build that is there has a line of its own, and a row."""
    started = time.monotonic()
    done = harness.run("doctor")
    assert done.code == 0, done.err
    assert time.monotonic() - started < 60
    for build in BUILDS:
        assert f"\n{build} " in done.out
    assert done.err.count("imported in") == done.out.count("imported in") >= 1


def test_the_doctor_is_told_one_thing(harness) -> None:
    """`--quick` looks, `--steps` runs."""
    done = harness.run("doctor", "--quick", "--steps")
    assert done.code == 2 and "contradict each other" in done.err
