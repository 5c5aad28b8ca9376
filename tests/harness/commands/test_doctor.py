"""`harness doctor` imports what is there and ends in time, whatever an interpreter does."""

from __future__ import annotations

import datetime
import os
import sys
import time
from pathlib import Path

import pytest

from harness.commands import doctor
from harness.context import Context
from harness.environments import builds, devices, import_probe, provision
from harness.environments.import_probe import ImportedFramework, imported

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
#: What an interpreter may do in place of an import.
PROGRAMS = {
    "hangs": "exec sleep 60",
    "crashes": "kill -ILL $$",
    "prints nonsense": "echo '{'",
    "ends": "exit 3",
}


def interpreter(folder: Path, does: str) -> Path:
    """Return a program that stands where an interpreter should."""
    path = folder / f"python-{does.replace(' ', '-')}"
    path.write_text(f"#!/bin/sh\n{PROGRAMS[does]}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def examined(
    monkeypatch: pytest.MonkeyPatch, pythons: dict[str, Path], **chosen: bool
) -> tuple[dict[str, doctor.DoctorSection], list[str]]:
    """Examine a machine whose builds have these interpreters; return the sections by title, and
    the lines of progress."""

    def available(search: provision.Search) -> provision.Interpreter | None:
        python = pythons.get(search.build.name)
        return python and provision.Interpreter(python, "planted", "3.11.7", "1.0")

    def missing(search: provision.Search) -> None:
        assert search.build.pythons  # those of a build that none but the harness's own serves
        raise provision.InterpreterMissing("no Python for it")

    monkeypatch.setattr(provision, "available", available)
    monkeypatch.setattr(provision, "require_python", missing)
    said: list[str] = []
    context = Context(dict(os.environ), NOW, "harness doctor", said.append)
    sections = doctor.examine(context, **chosen)
    return {section.title: section for section in sections}, said


def states(section: doctor.DoctorSection) -> dict[str, tuple[str, str]]:
    """Return state and text of each build on the CPU."""
    return {row[0]: (row[2], row[3]) for row in section.rows if row[1] == "cpu"}


def test_every_build_is_in_the_table(monkeypatch: pytest.MonkeyPatch):
    """One that is there was imported, and says so as soon as it is known; one that cannot be had
    says why. No step is run."""
    own = Path(sys.executable)
    sections, said = examined(monkeypatch, {"numpy": own})
    found = states(sections["Builds"])
    assert set(builds.BUILDS) == set(found)
    assert found["numpy"][0] == "ready" and "imported in" in found["numpy"][1]
    assert ("missing", "no Python for it") == found["torch"]
    nothing, _ = examined(monkeypatch, {})
    assert ("missing", "no numpy beside the harness") == states(nothing["Builds"])["numpy"]
    assert any(line.startswith("numpy: imported in") for line in said)
    assert {"Builds", "Devices"} == set(sections)


def test_a_hanging_import_ends(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """All imports together have one time; what is waited for is told every second, and the others
    are not kept back."""
    monkeypatch.setattr(doctor, "IMPORTS_S", 2.5)
    started = time.monotonic()
    hangs = interpreter(tmp_path, "hangs")
    pythons = {name: hangs for name in builds.BUILDS if name != "numpy"}
    sections, said = examined(monkeypatch, {**pythons, "numpy": Path(sys.executable)})
    assert time.monotonic() - started < 20
    found = states(sections["Builds"])
    assert {"no answer"} == {state for name, (state, _) in found.items() if name != "numpy"}
    assert sum("importing" in line and "tf1" in line for line in said) >= 2


@pytest.mark.parametrize("does", ["crashes", "prints nonsense", "ends"])
def test_what_is_no_answer_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, does: str):
    """A processor that lacks an instruction ends the process; nothing of that ends the doctor."""
    pythons = {"torch": interpreter(tmp_path, does)}
    sections, _ = examined(monkeypatch, pythons)
    state, text = states(sections["Builds"])["torch"]
    assert state == "broken"
    assert {"crashes": "SIGILL", "prints nonsense": "ended with 0", "ends": "ended with 3"}[
        does
    ] in text


def test_a_failing_import_says_why():
    """By its own words."""
    answer = imported(Path(sys.executable), "no_such_framework", os.environ, 30.0)
    assert answer.answered and answer.error.startswith("ModuleNotFoundError: No module named")


def test_an_interpreter_that_serves_two_builds_is_asked_once(monkeypatch: pytest.MonkeyPatch):
    """`tf1-compat` and `tf2` may share an environment; an import of it takes seconds."""
    asked = []

    def once(python: Path, module: str, environ: object, timeout_s: float) -> ImportedFramework:
        asked.append(module)
        return ImportedFramework(seconds=1.0)

    monkeypatch.setattr(doctor, "imported", once)
    own = Path(sys.executable)
    sections, _ = examined(monkeypatch, {"tf2": own, "tf1-compat": own, "torch": own})
    assert ["tensorflow", "torch"] == sorted(asked)
    assert {"ready"} == {states(sections["Builds"])[name][0] for name in ("tf2", "tf1-compat")}


def test_a_framework_that_does_not_see_the_card_is_broken(monkeypatch: pytest.MonkeyPatch):
    """The driver is there, the build is, and the framework sees nothing; one that sees it names
    it."""
    monkeypatch.setattr(devices, "missing", lambda device, environ: device != "gpu")
    answers = {"torch": ImportedFramework(devices=("gpu H200",)), "tensorflow": ImportedFramework()}
    monkeypatch.setattr(doctor, "imported", lambda python, module, *_: answers[module])
    own = Path(sys.executable)
    sections, _ = examined(monkeypatch, {"torch": own, "tf2": own})
    rows = {(row[0], row[1]): row for row in sections["Builds"].rows}
    assert rows["torch", "gpu"][2] == "ready" and "sees gpu H200" in rows["torch", "gpu"][3]
    assert rows["tf2", "gpu"][2] == "broken" and "sees no gpu" in rows["tf2", "gpu"][3]
    assert rows["tf2", "cpu"][2] == "ready"


def test_quick_imports_nothing(monkeypatch: pytest.MonkeyPatch):
    """It only looks."""
    monkeypatch.setattr(import_probe, "capture", lambda *_, **__: pytest.fail("imported"))
    sections, said = examined(monkeypatch, {"numpy": Path(sys.executable)}, imports=False)
    assert states(sections["Builds"])["numpy"][0] == "ready"
    assert [] == said


def test_steps_are_run_where_they_are_asked_for(monkeypatch: pytest.MonkeyPatch):
    """In each precision of each workload that the build has a port of, with what refused."""
    sections, said = examined(monkeypatch, {"numpy": Path(sys.executable)}, steps=True)
    (row,) = sections["Precisions on the CPU, tried with a step"].rows
    assert ("numpy", "linear", "yes", "yes") == row[:4]
    assert any("a step of linear" in line for line in said)
    assert sections["Why not"].rows
