"""Docstrings as the site's generator reads them: the project's own are Google's form but for two
habits, which are translated here and not in every module."""

from __future__ import annotations

import re
from typing import Any

import griffe

EXAMPLE = re.compile(r"^( *)Example:$", re.MULTILINE)
JOINT = re.compile(r"^( *)(\w+(?:, \w+)+): (.*)$", re.MULTILINE)


class Translation(griffe.Extension):
    """Changes each docstring before it is parsed."""

    def on_object(self, *, obj: Any, **_: Any) -> None:
        """Translate the docstring of a module, class, function or attribute."""
        if obj.docstring is not None:
            obj.docstring.value = translated(obj.docstring.value)


def translated(text: str) -> str:
    """Return a docstring in which `Example:` is a section, and arguments that are explained
    together have a line each."""

    def apart(found: re.Match[str]) -> str:
        before, names, said = found.groups()
        return "\n".join(f"{before}{name}: {said}" for name in names.split(", "))

    return JOINT.sub(apart, EXAMPLE.sub(r"\1Examples:", text))
