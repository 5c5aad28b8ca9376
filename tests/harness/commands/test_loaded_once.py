"""A user's file is code: one command runs it once, however many comparisons it makes of it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from packaging.version import Version

from harness import cli, plan
from harness.commands import compare, selfcheck
from harness.environments import installation, release_environments, releases
from harness.environments.probe import Installed
from harness.records import runs
from tests.harness.bisecting.test_verdicts import PASSED, report

HOSTILE = Path(__file__).parents[2] / "e2e/hostile"
COUNTING = """
from pathlib import Path

with Path(__file__).with_name("executions").open("a") as file:
    file.write("one\\n")
"""


class Counted:
    """A folder with a workload that counts how often its file is run."""

    def __init__(self, folder: Path) -> None:
        self.ports, self.reports = folder / "ports", folder / "reports"
        shutil.copytree(HOSTILE / "numpy", self.ports / "numpy")
        text = (HOSTILE / "hostile.py").read_text(encoding="utf-8")
        (self.ports / "hostile.py").write_text(text + COUNTING, encoding="utf-8")

    def run(self, *words: str) -> int:
        """Run a command in this process; return how often the file was run for it."""
        (self.ports / "executions").write_text("")
        with pytest.raises(SystemExit) as ended:
            cli.main([*words, *(() if "--dry-run" in words else ("--reports", str(self.reports)))])
        assert ended.value.code in (0, 4)
        return len((self.ports / "executions").read_text().splitlines())


@pytest.fixture
def counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Counted:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return Counted(tmp_path)


def test_a_comparison(counted: Counted) -> None:
    """And a second command runs the file again: it may have changed."""
    words = ("--workloads", "hostile", "--ports", str(counted.ports), "--no-speed")
    for _ in range(2):
        assert 1 == counted.run("compare", "--backends", "numpy", "numpy", *words)


def test_a_night(counted: Counted) -> None:
    """A matrix of two cells, as a preview and as a night; `numpy@folder` is another build of it."""
    text = f'[night]\nbudget_s = 500\nports = ["{counted.ports}"]\n'
    for name, second in (("first", "numpy"), ("second", f"numpy@{counted.ports}")):
        text += f'[[matrix]]\nname = "{name}"\nworkloads = ["hostile"]\n'
        text += f'builds = ["numpy", "{second}"]\nprecisions = ["fp64"]\njudge = ["fidelity"]\n'
    Path("nightly.toml").write_text(text, encoding="utf-8")
    assert 1 == counted.run("nightly", "--dry-run")
    assert 1 == counted.run("nightly")
    assert 2 == len(list(counted.reports.glob("nightly/*/cells/*/report.json")))


def test_a_selfcheck(counted: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two builds; nothing is measured."""
    monkeypatch.setattr(selfcheck, "_check", lambda *_: [])
    words = ("--workloads", "hostile", "--ports", str(counted.ports))
    second = f"numpy@{counted.ports}"
    assert 1 == counted.run("selfcheck", "--backends", "numpy", second, *words)


def test_a_bisection(counted: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of releases that are made up, and whose comparisons are resolved and not run."""
    pythons = []

    def install(where: installation.Places, name: str, *_: object, **__: object) -> None:
        (where.workdir / name / "bin").mkdir(parents=True)
        (where.workdir / name / "bin/python").touch()

    def probe(python: Path, *_: object) -> Installed:
        version = python.parts[-3].split("_")[1]
        return Installed("3.11.0", module=True, versions={"numpy": version})

    def compared(run: runs.Run, request: plan.Request, *_: object) -> compare.ComparisonResult:
        pythons.append(request.interpreters["numpy#2"])
        return compare.ComparisonResult(report(PASSED), run.folder)

    for room, name, stand_in in (
        (releases, "pythons", lambda *_: {"3.11": Path(sys.executable)}),
        (releases, "listed", lambda *_: [Version("2.4.5"), Version("2.4.6")]),
        (installation, "install", install),
        (release_environments, "probe", probe),
        (compare, "locate", lambda *_: None),
        (compare, "_compare", compared),
    ):
        monkeypatch.setattr(room, name, stand_in)
    words = ("--workload", "hostile", "--ports", str(counted.ports))
    assert 1 == counted.run("bisect", "--from", "numpy==2.4.5", "--to", "2.4.6", *words)
    assert 2 == len(set(pythons)), "each release has an interpreter of its own"
