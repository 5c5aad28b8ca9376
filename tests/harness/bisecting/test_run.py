"""A bisection on disk: what is known is kept before the next release begins, gone on with, and
nothing of it is judged twice.

Neither pip nor tox is asked here, and no worker runs: releases are made up. That real ones are
found is seen in tests/e2e/test_bisect.py.
"""

from __future__ import annotations

import dataclasses
import datetime
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from harness.bisecting import record
from harness.bisecting import run as running
from harness.bisecting.request import BisectOptions
from harness.bisecting.search import ConclusionKind
from harness.commands import compare as comparison
from harness.context import Context
from harness.environments import installation, release_environments, releases
from harness.environments.probe import Installed
from harness.errors import (
    Busy,
    CorruptRecord,
    FrameworkMissing,
    NewerSchema,
    ProvisionFailed,
    UsageError,
)
from harness.records import runs
from harness.results.model import Report
from tests.harness.bisecting.test_verdicts import FAILED, PASSED, TIMED, UNSURE, report

RELEASES = ("2.4.0", "2.5.0", "2.6.0", "2.7.0", "2.8.0")
SLOWER = dataclasses.replace(TIMED, verdict="SLOWER", low=1.10, high=1.20, material=True)
TOO_FEW = dataclasses.replace(TIMED, verdict="UNCLEAR", low=0.95, high=1.09)
NOW = datetime.datetime(2026, 11, 21, tzinfo=datetime.timezone.utc)


class RunContext:
    """Releases of a made-up torch, which changes with 2.7.0.

    Attributes:
        reports: what the comparison of a release says, where that is not PASS before 2.7.0 and FAIL
            from there on; or what it raises.
        missing: releases that cannot be installed. asked, installed, compared: what pip, tox and
            the workers were asked for, in order.
        there: the environments that existed when each comparison began. said: the lines of
            progress. folder: of the reports.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.said = folder / "reports", list[str]()
        self.reports: dict[str, Report | BaseException] = {}
        self.missing: set[str] = set()
        self.asked, self.installed, self.compared, self.there = (
            list[str](),
            list[str](),
            list[str](),
            list[list[str]](),
        )
        self.context = Context(
            {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")},
            NOW,
            "harness bisect",
            self.said.append,
        )

    def listed(
        self, wanted: releases.Span, minor: str, environ: Mapping[str, str]
    ) -> list[Version]:
        self.asked.append(minor)
        return [Version(text) for text in RELEASES]

    def install(self, where: installation.Places, name: str, *args: Any, **more: Any) -> None:
        version = name.split("_")[1]
        self.installed.append(version)
        (where.workdir / name / "bin").mkdir(parents=True, exist_ok=True)
        installation.log(where, name).write_text("ERROR: no wheel\n")
        if version in self.missing:
            raise ProvisionFailed(
                f"tox could not make {name}. Log: {installation.log(where, name)}"
            )
        (where.workdir / name / "bin/python").touch()

    def probe(self, python: Path, module: str, environ: Mapping[str, str]) -> Installed:
        return Installed("3.11.0", module=True, versions={"torch": python.parts[-3].split("_")[1]})

    def compare(
        self, chosen: object, context: Context, folder: Path, request: object
    ) -> comparison.ComparisonResult:
        self.compared.append(folder.name)
        self.there.append(self.environments())
        found = self.reports.get(folder.name, report(FAILED if folder.name >= "2.7.0" else PASSED))
        if isinstance(found, BaseException):
            raise found
        assert not folder.exists(), "a comparison that lies there finished would say the same again"
        folder.mkdir()
        return comparison.ComparisonResult(found, folder)

    def environments(self) -> list[str]:
        """Return the releases that have an environment."""
        found = release_environments.folder(self.context.environ).glob("*/*/bin/python")
        return sorted(path.parts[-3].split("_")[1] for path in found)

    def run(self, **more: Any) -> running.BisectionResult:
        """Run the bisection; what was asked before is forgotten."""
        for one in (self.asked, self.installed, self.compared, self.there, self.said):
            one.clear()
        given = {
            "first": "torch==2.4.0",
            "last": "2.8.0",
            "workload": "linear",
            "reports": self.folder,
            "confirm": 0,
            **more,
        }
        return running.run(BisectOptions(**given), self.context)

    def file(self) -> Path:
        """Return what is kept of the only bisection."""
        (path,) = self.folder.glob(f"bisect/*/{record.FILE}")
        return path


@pytest.fixture
def run_context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunContext:
    made = RunContext(tmp_path)
    monkeypatch.setattr(releases, "pythons", lambda build, environ: {"3.11": Path(sys.executable)})
    monkeypatch.setattr(releases, "listed", made.listed)
    monkeypatch.setattr(installation, "install", made.install)
    monkeypatch.setattr(release_environments, "probe", made.probe)
    monkeypatch.setattr(comparison, "compare", made.compare)
    return made


def states(found: running.BisectionResult) -> dict[str, str | None]:
    """Return what became of each release that was tried."""
    return {one.release.version: one.judged.state for one in found.tried.values()}


def test_what_is_known_is_not_asked_again(run_context: RunContext) -> None:
    """Both ends, then half of what lies between; the same command reads the answer, and asks
    neither pip nor tox nor a worker."""
    found = run_context.run()
    assert (ConclusionKind.LOCATED, 2, 3) == (
        found.conclusion.kind,
        found.conclusion.good,
        found.conclusion.bad,
    )
    assert ["2.4.0", "2.8.0", "2.6.0", "2.7.0"] == run_context.compared and [
        "3.11"
    ] == run_context.asked
    again = run_context.run()
    assert found == again and [] == [
        *run_context.asked,
        *run_context.installed,
        *run_context.compared,
    ]
    assert f"going on with {found.folder}" in run_context.said


@pytest.mark.parametrize("more", [{}, {"discard": True}])
def test_after_a_kill_the_same_command_goes_on(
    run_context: RunContext, more: dict[str, bool]
) -> None:
    """The end comes in the third comparison: the two before it are on disk, the rest is done,
    and only the rest."""
    run_context.reports["2.6.0"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        run_context.run(**more)
    key = run_context.file().parent.name
    del run_context.reports["2.6.0"]
    found = run_context.run(**more)
    assert ["2.6.0", "2.7.0"] == run_context.compared and [] == run_context.asked
    assert key == found.folder.name
    assert {"2.4.0": "PASS", "2.6.0": "PASS", "2.7.0": "FAIL", "2.8.0": "FAIL"} == states(found)


def test_what_cannot_be_judged_is_passed_over_and_tried_again(run_context: RunContext) -> None:
    """No wheel, no framework in it, INCONCLUSIVE: each says why, and the same command tries
    these and no others."""
    run_context.missing = {"2.6.0"}
    run_context.reports = {"2.5.0": FrameworkMissing("no torch"), "2.7.0": report(UNSURE)}
    found = run_context.run()
    assert {
        "2.4.0": "PASS",
        "2.5.0": None,
        "2.6.0": None,
        "2.7.0": None,
        "2.8.0": "FAIL",
    } == states(found)
    verdicts = {one.release.version: one.judged.verdict for one in found.tried.values()}
    assert ("cannot be judged", "not installed", "INCONCLUSIVE") == (
        verdicts["2.5.0"],
        verdicts["2.6.0"],
        verdicts["2.7.0"],
    )
    run_context.missing.clear()
    run_context.reports.clear()
    again = run_context.run()
    assert ["2.6.0", "2.7.0"] == run_context.compared
    assert (2, 3) == (again.conclusion.good, again.conclusion.bad)


def test_more_time_goes_on_with_what_is_known(run_context: RunContext) -> None:
    """`raise --budget` is the advice where an interval is too wide: it times those releases
    again, and not the others."""
    run_context.reports = {version: report(TOO_FEW) for version in RELEASES[1:-1]}
    run_context.reports.update({RELEASES[0]: report(TIMED), RELEASES[-1]: report(SLOWER)})
    first = run_context.run(speed="train", budget=60.0)
    assert "raise --budget" in first.tried[2].judged.reason
    run_context.reports.update({"2.6.0": report(TIMED), "2.7.0": report(SLOWER)})
    found = run_context.run(speed="train", budget=300.0)
    assert first.folder == found.folder
    assert ["2.6.0", "2.7.0"] == run_context.compared and [] == run_context.asked
    assert (ConclusionKind.LOCATED, 2, 3) == (
        found.conclusion.kind,
        found.conclusion.good,
        found.conclusion.bad,
    )


def test_other_work_begins_anew(run_context: RunContext) -> None:
    """Another seed, stage, precision or requirement is another bisection; how far it looks and
    how long it waits is not."""
    first = run_context.run().folder
    others = ({"seed": 1}, {"stage": ("F",)}, {"precision": ("fp32",)}, {"beside": ("six",)})
    assert 5 == len({first, *(run_context.run(**more).folder for more in others)})
    assert first == run_context.run(confirm=3, discard=True, limit=1.0).folder


def test_a_first_release_that_differs_from_itself_ends_the_search(run_context: RunContext) -> None:
    """A machine that is too busy gives no answer."""
    run_context.reports["2.4.0"] = report(SLOWER)
    found = run_context.run(speed="train")
    assert (
        ConclusionKind.NO_END == found.conclusion.kind
        and "too busy" in found.tried[0].judged.reason
    )
    assert ["2.4.0"] == run_context.compared


def test_discard_keeps_the_first_release_until_the_end(run_context: RunContext) -> None:
    """The others are compared with it. Each of these is gone when the next one begins, and
    nothing is left in the end."""
    run_context.run(discard=True)
    assert [
        ["2.4.0"],
        ["2.4.0", "2.8.0"],
        ["2.4.0", "2.6.0"],
        ["2.4.0", "2.7.0"],
    ] == run_context.there
    assert [] == release_environments.existing(run_context.context.environ)
    run_context.run(discard=True)
    assert [] == run_context.installed
    run_context.run(seed=1)
    assert ["2.4.0", "2.6.0", "2.7.0", "2.8.0"] == run_context.environments()


def test_discard_against_a_build_keeps_none(run_context: RunContext) -> None:
    """The first release is one of many then."""
    run_context.run(discard=True, against="numpy")
    assert [["2.4.0"], ["2.8.0"], ["2.6.0"], ["2.7.0"]] == run_context.there
    assert [] == release_environments.existing(run_context.context.environ)


def test_discard_takes_what_an_earlier_attempt_left(run_context: RunContext) -> None:
    """Environments of releases that were judged before a kill, or without --discard, go before
    the next is installed."""
    run_context.reports["2.7.0"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        run_context.run()
    assert ["2.4.0", "2.6.0", "2.7.0", "2.8.0"] == run_context.environments()
    del run_context.reports["2.7.0"]
    run_context.run(discard=True)
    assert [["2.4.0", "2.7.0"]] == run_context.there
    assert [] == run_context.environments()


def test_discard_keeps_the_log_of_what_could_not_be_installed(run_context: RunContext) -> None:
    """The reason names it."""
    run_context.missing = {"2.6.0"}
    found = run_context.run(discard=True)
    log = Path(found.tried[2].judged.reason.split("Log: ")[1])
    assert "ERROR: no wheel\n" == log.read_text()
    assert not (log.parent / log.stem).exists() and [log.parent] == release_environments.existing(
        run_context.context.environ
    )


@pytest.mark.parametrize(("text", "error"), [("{", CorruptRecord), ('{"schema": 99}', NewerSchema)])
def test_what_cannot_be_read_is_not_written_over(
    run_context: RunContext, text: str, error: type[Exception]
) -> None:
    """A bisection that a newer harness has made, or that is damaged, is refused before anything
    is asked or installed."""
    run_context.run()
    run_context.file().write_text(text)
    with pytest.raises(error, match=record.FILE):
        run_context.run()
    assert text == run_context.file().read_text() and [] == [
        *run_context.asked,
        *run_context.installed,
    ]


def test_one_process_at_a_time(run_context: RunContext) -> None:
    """Another one at work in the same bisection, or a folder that cannot be made, is said."""
    folder = run_context.run().folder
    with runs.held(folder), pytest.raises(Busy):
        run_context.run()
    file = folder.parent.parent / "file"
    file.touch()
    with pytest.raises(UsageError, match="cannot make a folder there"):
        run_context.run(reports=file)
