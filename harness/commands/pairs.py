"""A pair of models that somebody already has, made into the request of a comparison."""

from __future__ import annotations

import dataclasses
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from backends.contract import Status
from harness import plan
from harness.commands import consent, fidelity_jobs, resolution
from harness.commands.interpreters import locate
from harness.commands.options import Options
from harness.context import Context
from harness.environments import own_builds
from harness.environments.builds import BUILDS
from harness.environments.own_builds import OwnBuild, interpreter
from harness.errors import JobFailed, UnknownName, UsageError, remedy
from harness.execution import runner, verbs
from harness.execution.processes import ending
from harness.execution.runner import RunContext
from harness.experiments import pair_survey
from harness.pairs import comparability, file, known_differences, map_file, notes, skeleton
from harness.pairs.file import PairFile
from harness.pairs.inference import Inference
from harness.pairs.workload import Declared, Inferred
from harness.plan import Job, Request, Side
from harness.records import files

#: Options that name what a pair file says itself.
OTHERS = (("--workloads", "workloads"), ("--ports", "ports"), ("--data", "data"))


@dataclasses.dataclass(frozen=True)
class Looked:
    """A pair that has been looked at. `request`: of a comparison of it."""

    pair: PairFile
    inference: Inference
    request: Request


def look(path: Path, chosen: Options, context: Context, use_map: bool = True) -> Looked:
    """Look at both sides of a pair and return what a comparison of them is.

    Args:
        path: of the pair file. chosen: what else the user typed. context: from outside.
        use_map: whether a map that lies beside the file is used.

    Raises:
        UsageError: the file, or an option beside it, cannot be used. UnknownName: a side names a
            build that there is not. BuildError: one cannot be had.
        JobFailed: a side cannot be built or run.
    """
    pair = file.read(path)
    for option, name in OTHERS:
        if getattr(chosen, name):
            raise UsageError(f"{option}: {path} says itself what is computed. Drop the option.")
    # The very default, and not only what equals it: whoever typed it would be passed over.
    if chosen.backends is not Options.backends:
        raise UsageError(
            f"--backends: {path} names the build of each side itself. Drop the option, or change"
            " @pair.side(...) there."
        )
    own = own_builds.read([pair.path.parent, Path.cwd()])
    for side in pair.sides:
        if side.build not in BUILDS and side.build not in own:
            known = [*BUILDS, *own]
            raise UnknownName(f"build (line {side.line} of {path.name})", side.build, known)
    builds = tuple(
        own[side.build].build.name if side.build in own else side.build for side in pair.sides
    )
    backends = tuple(BUILDS[name].backend for name in builds)
    declared = Declared(pair, backends)
    request = resolution.resolve(
        dataclasses.replace(chosen, backends=builds, workloads=(pair.name,)),
        {pair.name: declared},
    )
    consent.ask_for_pair(request, [own.get(side.build) for side in pair.sides], context)
    request = _with_own_builds(request, pair, own, context)
    paths = user_paths(chosen, context)
    with tempfile.TemporaryDirectory(prefix="harness-pair-") as folder:
        located = locate(request, context)
        run_context = fidelity_jobs.make_run_context(Path(folder), located, request, context)
        inference = pair_survey.infer(run_context, pair, request.sides, paths, context.say, use_map)
    comparability.check(inference, path)
    accepted = known_differences.accepted(inference.surveys(), chosen.accept)
    inference = dataclasses.replace(inference, accepted=accepted)
    typed = {folder.absolute() for folder in chosen.path}
    named = tuple(folder for folder in paths if folder in typed)
    workload = Inferred(pair, backends, inference, tuple(paths), named)
    request = dataclasses.replace(
        request,
        workloads=(workload,),
        left_out=(
            *notes.sentences(inference),
            *known_differences.unfounded(accepted, chosen.accept),
        ),
    )
    return Looked(pair, inference, request)


def _with_own_builds(
    request: Request, pair: PairFile, own: Mapping[str, OwnBuild], context: Context
) -> Request:
    """Return the request with the sides on builds of the user's called as the user calls them, each
    with its own interpreter."""
    sides: list[Side] = []
    pythons = dict(request.python)
    for side, declared in zip(request.sides, pair.sides, strict=True):
        chosen = own.get(declared.build)
        if chosen is None:
            # Beside a build of the user's it need not be the second of its framework.
            label = _free(declared.build, sides) if own else side.label
            if label != side.label and side.python:
                pythons[label] = pythons.pop(side.label, side.python)
            sides.append(dataclasses.replace(side, label=label))
            continue
        label = _free(chosen.name, sides)
        path = str(interpreter(chosen, context.environ, context.say))
        pythons[label] = path
        sides.append(dataclasses.replace(side, label=label, python=path))
    return dataclasses.replace(request, sides=tuple(sides), python=tuple(sorted(pythons.items())))


def _free(build: str, sides: Sequence[Side]) -> str:
    """Return what a side on a build is called beside those before it."""
    again = sum(side.label.partition("#")[0] == build for side in sides)
    return f"{build}#{again + 1}" if again else build


def user_paths(chosen: Options, context: Context) -> Sequence[Path]:
    """Return the folders where the user's own packages may lie: those of `--path` and of
    `PYTHONPATH`. Workers do not inherit the variable, and look there behind their own packages.

    Args:
        chosen: what the user typed. context: from outside.

    Raises:
        UsageError: a folder of `--path` is none.
    """
    for folder in chosen.path:
        if not folder.is_dir():
            raise UsageError(f"--path {folder}: there is no such folder.")
    listed = context.environ.get("PYTHONPATH", "").split(os.pathsep)
    folders = [*map(str, chosen.path), *(item for item in listed if item)]
    return [Path(item).absolute() for item in dict.fromkeys(folders)]


@dataclasses.dataclass(frozen=True)
class SideTrial:
    """What trying one step of everything on one side came to. `reason`: empty where all went
    well. `seconds`: it took, the imports among them."""

    label: str
    precision: str
    status: str
    seconds: float
    reason: str = ""


def attempt(looked: Looked, context: Context) -> list[SideTrial]:
    """Run one step of everything on each side, and judge nothing.

    Args:
        looked: the pair. context: from outside.
    """
    request = looked.request
    trials = []
    with tempfile.TemporaryDirectory(prefix="harness-pair-") as folder:
        located = locate(request, context)
        run_context = fidelity_jobs.make_run_context(Path(folder), located, request, context)
        drafted = plan.make(dataclasses.replace(request, precisions=("fp64",), steps=1))
        for job in drafted.jobs:
            context.say(f"one step of everything: {job.side} {job.precision}")
            trials.append(_attempt(run_context, job))
    return trials


def _attempt(run_context: RunContext, job: Job) -> SideTrial:
    started = time.monotonic()
    status, reason = Status.OK, ""
    try:
        inputs = runner.inputs(run_context, job.workload, job.preset, job.seed, 1)
        log = run_context.run / f"{job.name}.log"
        with run_context.worker(job.build, log, side=job.side) as worker, ending([worker]):
            runner.open_port(worker, run_context, job.opening(), inputs)
            stages = list(job.stages)
            worker.request(verbs.PROBE, tape=str(inputs.tape), stages=stages, brief=False)
    except JobFailed as error:
        status, reason = error.status, error.reason
    return SideTrial(job.side, job.precision, status, time.monotonic() - started, reason)


def write_map(looked: Looked, out: Path | None) -> Path:
    """Write the map of a pair and return where.

    Args:
        looked: the pair. out: where; None: beside the pair file.

    Raises:
        UsageError: it cannot be written.
    """
    path = out or looked.pair.map_path
    try:
        files.write_text(path, map_file.text(looked.inference))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}. {remedy(error)}.") from error
    return path


def write_skeleton(name: Path, sides: Sequence[str]) -> Path:
    """Write a pair file that runs and return where.

    Args:
        name: of the file, with or without its ending. sides: names of builds.

    Raises:
        UsageError: there is one already, or it cannot be written. UnknownName: no such build.
    """
    for side in sides:
        if side not in BUILDS:
            raise UnknownName("build", side, BUILDS)
    if not name.name.removesuffix(file.SUFFIX).isidentifier():
        raise UsageError(f"{name}: the name of a pair file is a word of letters, digits and _.")
    path = name if name.suffix == file.SUFFIX else name.with_name(f"{name.name}{file.SUFFIX}")
    if why := file.hiding(path):
        raise UsageError(f"{path}: {why}")
    text = skeleton.text([(side, BUILDS[side].backend) for side in sides])
    if path.exists() or path.is_symlink():
        raise UsageError(f"{path}: there is something already. Name another file.")
    try:
        files.write_text(path, text)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}. {remedy(error)}.") from error
    return path
