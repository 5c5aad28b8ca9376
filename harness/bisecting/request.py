"""The options of a bisection, checked, and the comparison that each release goes through."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from backends.contract import ACTIONS
from harness import plan
from harness.commands import bounds, options, resolution
from harness.commands.option_groups import ENVIRONMENT, FLAG, JUDGED, SEVERAL, TIMED, WHAT, WRITTEN
from harness.commands.options import DEFAULT_BUDGET_S
from harness.environments import builds
from harness.environments.builds import BUILDS, Build
from harness.environments.releases import Span, span
from harness.errors import UnknownName, UsageError


@Parameter(name="*")
@dataclasses.dataclass(frozen=True, kw_only=True)
class BisectOptions:
    """Options of `harness bisect`.

    Parameters
    ----------
    first
        The older release, as PACKAGE==VERSION: what the others are compared with. E.g. `--from
        torch==2.4.0`.
    last
        The newer release, as PACKAGE==VERSION or its version alone. E.g. `--to 2.6.0`.
    workload
        What is computed. E.g. `--workload linear`.
    build
        Which build runs it; if not given, the one that is made for the package. A package that is
        no framework (keras, say) needs it. E.g. `--build tf2`.
    against
        The other side of each comparison: a build. If not given, the release of --from. E.g.
        `--against torch`.
    precision
        Which precisions: fp64 fp32 tf32 bf16 fp16. fp64, if not given; fp32 for speed, which takes
        one. E.g. `--precision fp32`.
    stage
        Which stages' verdict; all but distribution, if not given. E.g. `--stage gradients`.
    speed
        Look at the time of train or generate, not at fidelity. E.g. `--speed train`.
    preset
        tiny, small or paper; tiny for fidelity and small for speed, if not given. E.g. `--preset
        small`.
    steps
        Training steps of the trajectory stage, at most 100000, and no more than a tape of 4 GiB
        holds; the workload's own number, if not given. E.g. `--steps 50`.
    seed
        Seed of the tape. E.g. `--seed 7`.
    threads
        Threads of each build's intra-operation pool. E.g. `--threads 2`.
    ports
        Folders with workloads and ports of your own. E.g. `--ports mine`.
    python
        BUILD=PATH, the interpreter of the build named by --against. E.g. `--python
        torch=/opt/env/bin/python`.
    beside
        Further requirements for every release's environment, e.g. `--with keras==3.4.1`.
    pre
        Look at releases that are not final too.
    confirm
        How many releases far from the change are judged too, to see whether there is more than one.
        E.g. `--confirm 2`.
    discard
        Delete each release's environment once it is judged.
    budget
        Seconds of timing for each release. E.g. `--budget 600`.
    reports
        Folder in which the bisection's own folder is made. E.g. `--reports nights`.
    limit
        Longest time that one request to a worker may take, seconds. E.g. `--limit 1800`.
    """

    first: Annotated[str, Parameter(name="--from"), WHAT]
    last: Annotated[str, Parameter(name="--to"), WHAT]
    workload: Annotated[str, WHAT]
    build: Annotated[str | None, WHAT] = None
    against: Annotated[str | None, WHAT] = None
    precision: Annotated[tuple[str, ...], SEVERAL, WHAT] = ()
    stage: Annotated[tuple[str, ...], SEVERAL, JUDGED] = ()
    speed: Annotated[str | None, TIMED] = None
    preset: Annotated[str | None, WHAT] = None
    steps: Annotated[int | None, JUDGED] = None
    seed: Annotated[int, JUDGED] = 0
    threads: Annotated[int | None, ENVIRONMENT] = None
    ports: Annotated[tuple[Path, ...], SEVERAL, WHAT] = ()
    python: Annotated[tuple[str, ...], SEVERAL, ENVIRONMENT] = ()
    beside: Annotated[tuple[str, ...], SEVERAL, ENVIRONMENT, Parameter(name="--with")] = ()
    pre: Annotated[bool, FLAG, WHAT] = False
    confirm: Annotated[int, JUDGED] = 1
    discard: Annotated[bool, FLAG, ENVIRONMENT] = False
    budget: Annotated[float, TIMED] = DEFAULT_BUDGET_S
    reports: Annotated[Path, WRITTEN] = Path("reports")
    limit: Annotated[float, ENVIRONMENT] = 600.0
    pass_env: options.PassEnv = ()

    def span(self) -> Span:
        """Return the package and its two releases, checked."""
        return span(self.first, self.last, self.pre)

    def comparison(self, old: Path | None, new: Path | None) -> options.Options:
        """Return the comparison that judges a release.

        Args:
            old, new: the interpreters of the release of --from and of the one to judge; None to
                check the options before there are any.
        """
        build = serving(self)
        if self.against:
            backends, named = (self.against, build.name), {self._judged(build): new}
        else:
            backends, named = (build.name, build.name), {build.name: old, f"{build.name}#2": new}
        return options.Options(
            backends=backends,
            workloads=(self.workload,),
            precision=self.precision or (("fp32",) if self.speed else ("fp64",)),
            preset=self.preset,
            stages=self.stage or options.Options().stages,
            steps=self.steps,
            seed=self.seed,
            threads=self.threads,
            ports=self.ports,
            python=(*self.python, *(f"{label}={path}" for label, path in named.items() if path)),
            budget=self.budget,
            no_speed=not self.speed,
            no_fidelity=bool(self.speed),
            limit=self.limit,
            pass_env=self.pass_env,
        )

    def _judged(self, build: Build) -> str:
        return f"{build.name}#2" if self.against == build.name else build.name


def serving(chosen: BisectOptions) -> Build:
    """Return the build whose framework's releases are looked at.

    Raises:
        UnknownName: no such build, or no build for the package. UsageError: it cannot run these
            releases.
    """
    wanted = chosen.span()
    ends = (wanted.first, wanted.last)
    if chosen.build:
        build = builds.resolve(chosen.build)
        framework = wanted.package in build.distributions
        if framework and not _accepts_all(build, ends):
            raise UsageError(
                f"--build {build.name} runs {build.module}{build.accepts}, not all of"
                f" {wanted.first} to {wanted.last}."
            )
        return build
    able = [build for build in BUILDS.values() if wanted.package in build.distributions]
    if not able:
        known = {name for build in BUILDS.values() for name in build.distributions}
        raise UsageError(
            f"{UnknownName('package', wanted.package, known)} For a package that is no framework,"
            " name the build with --build, and with --with the framework itself, e.g. --build tf2"
            " --with tensorflow-cpu==2.21.0."
        )
    fitting = [build for build in able if _accepts_all(build, ends)]
    if not fitting:
        ranges = ", ".join(f"{build.name} {build.accepts}" for build in able)
        raise UsageError(
            f"--from {wanted.first} --to {wanted.last}: no build runs all of these releases. They"
            f" run: {ranges}."
        )
    return fitting[-1]


def _accepts_all(build: Build, versions: Iterable[Version]) -> bool:
    accepted = SpecifierSet(build.accepts)
    return all(accepted.contains(str(version), prereleases=True) for version in versions)


def check(chosen: BisectOptions) -> plan.Request:
    """Return the request behind every comparison.

    Raises:
        UsageError: options that do not fit together, or that name something that does not exist.
    """
    bounds.count("--confirm", chosen.confirm, least=0)
    if chosen.speed and chosen.speed not in ACTIONS:
        raise UnknownName("action", chosen.speed, ACTIONS)
    if chosen.speed and chosen.against:
        raise UsageError(
            "--speed compares each release with that of --from; --against is for fidelity. Drop one"
            " of them."
        )
    if chosen.speed and chosen.stage:
        raise UsageError("--speed looks at the step time, --stage at fidelity. Drop one of them.")
    if chosen.speed and len(chosen.precision) > 1:
        raise UsageError(f"--precision {' '.join(chosen.precision)}: --speed takes one precision.")
    for text in chosen.beside:
        try:
            Requirement(text)
        except InvalidRequirement:
            raise UsageError(
                f"--with {text}: give a requirement as pip takes it, e.g. keras==3.4.1"
            ) from None
    for item in chosen.python:
        if item.partition("=")[0] != chosen.against:
            raise UsageError(
                f"--python {item}: only the build named by --against takes one; releases get"
                " environments of their own."
            )
    return resolution.resolve(chosen.comparison(None, None))
