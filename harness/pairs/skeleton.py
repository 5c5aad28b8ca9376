"""A pair file to begin with: small models that run, and comments where one's own code goes."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from harness.errors import UsageError

#: The template of a backend's side.
TEMPLATES = {"tf1": "tf1.txt", "tf2": "tf2.txt", "torch": "torch.txt"}
#: Names of the functions, in order.
NAMES = ("original", "port")


def text(sides: Sequence[tuple[str, str]]) -> str:
    """Return a pair file that runs.

    Args:
        sides: name of the build and its backend, of each side.

    Raises:
        UsageError: fewer than two, or a backend that has no models of a user's own.
    """
    if len(sides) < 2:
        raise UsageError("--sides: name at least two builds, e.g. --sides tf2 torch")
    parts = []
    for number, (build, backend) in enumerate(sides):
        if backend not in TEMPLATES:
            raise UsageError(
                f"--sides {build}: models of your own are taken from {', '.join(TEMPLATES)}."
            )
        name = NAMES[number] if number < len(NAMES) else f"{NAMES[-1]}_{number}"
        part = _template(TEMPLATES[backend]).replace("{{ name }}", name)
        head, _, body = part.partition("@pair.side(")
        parts.append(f"{head}@pair.side({_quoted(build)}){body.partition(')')[2]}")
    return _template("pair.txt").replace("{{ sides }}\n", "".join(parts) + "\n")


def _quoted(build: str) -> str:
    """Return a name as Python has it; one of a user's own may hold anything."""
    plain = build.isprintable() and not {'"', "\\"} & {*build}
    return f'"{build}"' if plain else repr(build)


def _template(name: str) -> str:
    return (resources.files(__package__) / "templates" / name).read_text(encoding="utf-8")
