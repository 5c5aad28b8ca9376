"""Runs a bisection: lists the releases, makes an environment for each that the search asks for,
compares, and keeps what was judged.

What is known is on disk before the next release begins, so the same command goes on where it was
broken off. Releases that could not be judged are tried again then: the network may be back.
"""

from __future__ import annotations

import dataclasses
import math
import shutil
from collections.abc import Mapping
from pathlib import Path

from packaging.version import Version

from harness import plan
from harness.bisecting import record, search, verdicts
from harness.bisecting import request as asking
from harness.bisecting.record import TriedRelease
from harness.bisecting.request import BisectOptions
from harness.bisecting.search import Conclusion
from harness.bisecting.verdicts import JudgedRelease, ReleaseVerdict
from harness.commands import compare, resolution
from harness.context import Context
from harness.environments import release_environments, releases, staging
from harness.environments.release_environments import Recipe
from harness.environments.releases import Release
from harness.errors import FrameworkMissing, ProvisionFailed, UsageError
from harness.execution.progress import NIGHT, ProgressStep
from harness.records import runs
from harness.results.model import Report
from harness.workloads.spec import Workload

FOLDER = "bisect"


@dataclasses.dataclass(frozen=True)
class BisectionResult:
    """A bisection that has ended.

    Attributes:
        tried: by the release's number in `series`. folder: where all of it lies.
    """

    package: str
    series: tuple[Release, ...]
    tried: Mapping[int, TriedRelease]
    conclusion: Conclusion
    folder: Path


def run(chosen: BisectOptions, context: Context) -> BisectionResult:
    """Find the release at which the verdict changed.

    Args:
        chosen: what to look for, and between which releases. The same bisection that lies in its
            folder of reports goes on.
        context: from outside; its environment decides which interpreters and indexes there are.

    Raises:
        UsageError: options that do not fit, or an end that no index has.
        BuildError: pip, or the build of --against, cannot be had.
        Busy: another process works on the same bisection.
        RecordError: what it has left cannot be read.
    """
    request = asking.check(chosen)
    build, wanted = asking.serving(chosen), chosen.span()
    key = _key(chosen, request, context)
    folder = chosen.reports / FOLDER / f"{wanted.package}-{wanted.first}-{wanted.last}-{key[:8]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"--reports {chosen.reports}: cannot make a folder there ({error.strerror}). Give"
            " another one."
        ) from error
    with runs.held(folder):
        pythons = releases.pythons(build, context.environ)
        series, known = record.read(folder, key)
        if series:
            context.say(f"going on with {folder}")
        else:
            series = releases.series(
                wanted, list(pythons), lambda minor: _listed(wanted, minor, context)
            )
        recipe = Recipe(wanted.package, build, chosen.beside, pythons)
        context.say(
            f"{len(series)} releases of {wanted.package} from {series[0].version} to"
            f" {series[-1].version}"
        )
        trial = ReleaseTrials(
            chosen=chosen,
            recipe=recipe,
            series=series,
            folder=folder,
            context=context,
            key=key,
            stages=request.stages if chosen.stage else (),
            workloads={workload.name: workload for workload in request.workloads},
        )
        trial.resume(known)
        search.search(len(series), trial.state, chosen.confirm)
        trial.discard(0, ended=True)
        states = {number: tried.judged.state for number, tried in trial.tried.items()}
        conclusion = search.conclude(states, len(series))
        return BisectionResult(wanted.package, series, trial.tried, conclusion, folder)


def _listed(wanted: releases.Span, minor: str, context: Context) -> list[Version]:
    context.say(f"asking pip for the releases of {wanted.package} for Python {minor}")
    return releases.listed(wanted, minor, context.environ)


def _key(chosen: BisectOptions, request: plan.Request, context: Context) -> str:
    """Return what makes two bisections the same work.

    Neither how many releases are looked at nor the seconds of timing are part of it: what more time
    is to settle are those releases that could not be judged, and the others need not be timed
    again.
    """
    ports = [staging.content(path) for path in chosen.ports]
    code = [staging.prepare(context.environ).name, *ports]
    return runs.key(
        [
            str(chosen.span()),
            plan.identity(request),
            code,
            chosen.against,
            chosen.speed,
            sorted(chosen.beside),
            sorted(resolution.interpreters(chosen.python).items()),
        ]
    )


@dataclasses.dataclass(frozen=True)
class ReleaseTrials:
    """Judges releases one by one and keeps what it finds.

    Attributes:
        stages: whose verdict was asked for; empty for all.
        workloads: what is computed, loaded once for all releases, by name.
        tried: every release that has had its turn, by number.
    """

    chosen: BisectOptions
    recipe: Recipe
    series: tuple[Release, ...]
    folder: Path
    context: Context
    key: str
    stages: tuple[str, ...]
    workloads: Mapping[str, Workload]
    tried: dict[int, TriedRelease] = dataclasses.field(default_factory=dict)

    def state(self, number: int) -> ReleaseVerdict | None:
        """Return the state of a release; None where it cannot be judged."""
        if number not in self.tried:
            done = len(self.tried)
            # both ends, the halvings, and those that confirm
            expected = 2 + math.ceil(math.log2(max(1, len(self.series) - 1))) + self.chosen.confirm
            total = max(done + 1, expected)
            what = f"{self.recipe.package} {self.series[number].version}"
            self.context.say(
                ProgressStep(
                    f"[{done + 1} of about {total}] {what}", what, done, total, level=NIGHT
                )
            )
            self.tried[number] = self._try(number)
            record.write(self.folder, self.key, self.context.command, self.series, self.tried)
            judged = self.tried[number].judged
            self.context.say(f"{what}: {judged.verdict}. {judged.reason}")
            self.discard(number)
        return self.tried[number].judged.state

    def resume(self, known: Mapping[int, TriedRelease]) -> None:
        """Take over what was judged; what could not be is tried again."""
        for number, tried in known.items():
            if tried.judged.state is None:
                # what it was judged by would be found finished, and say the same again
                shutil.rmtree(self.folder / tried.release.version, ignore_errors=True)
            else:
                self.tried[number] = tried
                self.discard(number)

    def discard(self, number: int, ended: bool = False) -> None:
        """Delete a release's environment, if that was asked for: not the one that the others are
        compared with, before all has ended."""
        if self.chosen.discard and (number or self.chosen.against or ended):
            installed = bool(self.tried[number].versions)
            release_environments.remove(
                self.recipe, self.series[number], self.context.environ, keep_log=not installed
            )

    def _try(self, number: int) -> TriedRelease:
        """Install a release and compare it."""
        release, environ, say = self.series[number], self.context.environ, self.context.say
        try:
            python, installed = release_environments.provide(self.recipe, release, environ, say)
        except ProvisionFailed as error:
            judged = verdicts.unjudged(" ".join(str(error).split()), ReleaseVerdict.NOT_INSTALLED)
            return TriedRelease(release, judged, {}, "")
        old = None
        if not self.chosen.against:
            old, _ = release_environments.provide(self.recipe, self.series[0], environ, say)
        options = self.chosen.comparison(old, python)
        request = resolution.resolve(options, self.workloads)
        folder = self.folder / release.version
        try:
            result = compare.compare(options, self.context, folder, request)
        except FrameworkMissing as error:
            return TriedRelease(
                release, verdicts.unjudged(str(error)), dict(installed.versions), ""
            )
        judged = self._judged(result.report, number)
        return TriedRelease(release, judged, dict(installed.versions), release.version)

    def _judged(self, report: Report, number: int) -> JudgedRelease:
        if not self.chosen.speed:
            return verdicts.of_fidelity(report, self.stages)
        judged = verdicts.of_speed(report, self.chosen.speed)
        return judged if number else verdicts.of_itself(judged)
