"""What a command would install, said before it does: all of it at once, so that it is asked for
once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.environments import builds, devices, installation, own_builds, provision
from harness.environments.own_builds import OwnBuild
from harness.errors import BuildError
from harness.plan import Request

if TYPE_CHECKING:
    from harness.context import Context


def ask(
    needed: Iterable[str],
    named: Mapping[str, Path],
    request: Request,
    context: Context,
    further: Sequence[str] = (),
) -> None:
    """Let the user agree to what would be installed for a comparison; nothing is asked where all is
    there.

    Args:
        needed: the builds. named: the interpreters that the user named, by build.
        request: the comparison. context: from outside; whom to ask.
        further: lines about what else would be installed.

    Raises:
        HarnessError: what `context.agree` raises.
    """
    if context.agree is None:
        return
    wanted: dict[str, list[str]] = {}
    for build in dict.fromkeys(needed):
        environment = _missing(build, named, request.device, context)
        if environment:
            wanted.setdefault(environment, []).append(build)
    lines = [_line(environment, served) for environment, served in wanted.items()]
    if lines or further:
        context.agree([*lines, *further])


def ask_for_pair(request: Request, own: Sequence[OwnBuild | None], context: Context) -> None:
    """Let the user agree to what would be installed for both sides of a pair.

    Args:
        request: the comparison. own: of each side, the build of the user's that it runs on, if it
            is one. context: from outside; whom to ask.

    Raises:
        HarnessError: what `context.agree` raises.
    """
    if context.agree is None:
        return
    named = {key: Path(path) for key, path in request.python}
    shared = [
        side.build
        for side, chosen in zip(request.sides, own, strict=True)
        if chosen is None and side.label not in named
    ]
    lines = [own_builds.wanted(chosen, context.environ) for chosen in own if chosen is not None]
    further = [line for line in dict.fromkeys(lines) if line]
    ask(shared, named, request, context, further)


def _missing(build: str, named: Mapping[str, Path], device: str, context: Context) -> str:
    """Return the environment that would be made for a build; empty where it is there, or cannot be
    made: whoever looks for its interpreter says why."""
    places = installation.places(context.environ)
    search = provision.Search(builds.BUILDS[build], device, named, context.environ, places)
    names = builds.environments(search.build, device)
    if not names:  # the harness's own interpreter serves it, or nothing does
        return ""
    try:
        if provision.available(search) is not None or devices.missing(device, context.environ):
            return ""
        provision.require_python(search)
    except BuildError:
        return ""
    return names[-1]


def _line(environment: str, served: Sequence[str]) -> str:
    """Return what an environment takes, in a line."""
    cost = builds.cost(environment)
    size = "several GB, and as long as they take to load"
    if cost is not None:
        size = f"{cost.disk_bytes / 1e9:.1f} GB, about {cost.install_s:.0f} s beside the download"
    return f"{' and '.join(served)} ({environment}): {size}"
