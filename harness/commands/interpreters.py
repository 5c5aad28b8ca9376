"""The interpreters of a comparison: of each build, or of each side where the user names one for
it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.commands import consent
from harness.environments import provision
from harness.environments.builds import BUILDS
from harness.errors import BuildError, UsageError
from harness.plan import Job, Request, SampleJob
from harness.records import references

if TYPE_CHECKING:
    from harness.context import Context


@dataclasses.dataclass(frozen=True)
class Located:
    """The interpreter of every build, where each came from, and the builds that recorded references
    stand for.

    A side whose interpreter is not its build's has an entry under its label too.
    """

    interpreters: dict[str, Path]
    origins: dict[str, str]
    recorded: dict[str, str]

    def origin(self, job: Job | SampleJob) -> str:
        """Return where the interpreter of a job came from."""
        return self.origins.get(job.side) or self.origins[job.build]


def locate(request: Request, context: Context) -> Located:
    """Find or provision the interpreter of every build, before any work starts.

    Raises:
        BuildError: one cannot be had and no recorded reference stands for it.
        UsageError: an interpreter is named for a side that there is not.
    """
    every = {key: Path(path) for key, path in request.python}
    named = {key: path for key, path in every.items() if key in BUILDS}
    interpreters, origins, recorded = {}, {}, {}
    # A side with an interpreter of its own needs none of its build's.
    shared = [side.build for side in request.sides if side.label not in every.keys() - named.keys()]
    consent.ask(shared, named, request, context)
    for build in dict.fromkeys(shared):
        try:
            interpreter = _provision(build, named, request, context)
        except BuildError as error:
            if build in named or not references.stands_for(build, request):
                raise
            context.say(f"{build} cannot be had here; its recorded references stand for it")
            recorded[build] = str(error)
            continue
        interpreters[build], origins[build] = interpreter.path, interpreter.origin
    builds = {side.label: side.build for side in request.sides}
    for label in every.keys() - named.keys():
        if label not in builds:
            raise UsageError(
                f"--python {label}={every[label]}: there is no such side. Sides:"
                f" {', '.join(builds)}."
            )
        build, own = builds[label], {builds[label]: every[label]}
        interpreter = _provision(build, own, request, context)
        interpreters[label], origins[label] = interpreter.path, interpreter.origin
    return Located(interpreters, origins, recorded)


def _provision(
    build: str, overrides: Mapping[str, Path], request: Request, context: Context
) -> provision.Interpreter:
    return provision.locate(
        build,
        request.device,
        overrides=overrides,
        environ=context.environ,
        progress=context.say,
    )
