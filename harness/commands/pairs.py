"""A pair of models that somebody already has, made into the request of a comparison."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from harness.commands import recording, resolution
from harness.commands.interpreters import locate
from harness.commands.options import Options
from harness.context import Context
from harness.environments.builds import BUILDS
from harness.errors import UnknownName, UsageError
from harness.experiments import pair_survey
from harness.pairs import file
from harness.pairs.file import PairFile
from harness.pairs.inference import Inference
from harness.pairs.workload import TAPE, Declared, Inferred
from harness.plan import Request

#: Options that name what a pair file says itself.
OTHERS = (("--workloads", "workloads"), ("--ports", "ports"), ("--data", "data"))


@dataclasses.dataclass(frozen=True)
class Looked:
    """A pair that has been looked at. `request`: of a comparison of it."""

    pair: PairFile
    inference: Inference
    request: Request


def look(path: Path, chosen: Options, context: Context) -> Looked:
    """Look at both sides of a pair and return what a comparison of them is.

    Args:
        path: of the pair file. chosen: what else the user typed. context: from outside.

    Raises:
        UsageError: the file, or an option beside it, cannot be used. UnknownName: a side names a
            build that there is not. BuildError: one cannot be had.
        JobFailed: a side cannot be built or run.
    """
    pair = file.read(path)
    for option, name in OTHERS:
        if getattr(chosen, name):
            raise UsageError(f"{option}: {path} says itself what is computed. Drop the option.")
    for side in pair.sides:
        if side.build not in BUILDS:
            raise UnknownName(f"build (line {side.line} of {path.name})", side.build, BUILDS)
    named = tuple(side.build for side in pair.sides)
    backends = tuple(BUILDS[name].backend for name in named)
    declared = Declared(pair, backends)
    request = resolution.resolve(
        dataclasses.replace(chosen, backends=named, workloads=(pair.name,)),
        {pair.name: declared},
    )
    paths = user_paths(context)
    with tempfile.TemporaryDirectory(prefix="harness-pair-") as folder:
        located = locate(request, context)
        run_context = recording.make_run_context(Path(folder), located, request, context)
        inference = pair_survey.infer(run_context, pair, request.sides, paths, context.say)
    workload = Inferred(pair, backends, inference, tuple(paths), TAPE)
    return Looked(pair, inference, dataclasses.replace(request, workloads=(workload,)))


def user_paths(context: Context) -> Sequence[Path]:
    """Return the folders of `PYTHONPATH`: where the user's own packages may lie. Workers do not
    inherit the variable, and look there behind their own packages."""
    listed = context.environ.get("PYTHONPATH", "").split(os.pathsep)
    return [Path(item).absolute() for item in dict.fromkeys(listed) if item]
