"""Which builds a test compares, as markers, so that `-m "not tf1"` leaves out what needs one.

Read from the test before it runs: the pair files that it names, as a constant in its code, as a
constant of its module, or as a parameter. What cannot be read is marked by hand; a test that was
selected by a build and compares another one without saying so is refused when it runs.
"""

from __future__ import annotations

import os
import re
import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.environments import own_builds
from harness.environments.builds import BUILDS
from harness.errors import UsageError
from harness.pairs import file

#: A word of an expression of `-m`, as pytest reads it.
WORD = re.compile(r"[\w:+\-.\[\]\\/]+")


def mark(config: pytest.Config, using: Iterable[pytest.Item]) -> None:
    """Give tests the markers of their builds.

    Args:
        config: pytest's. using: tests that use the fixture: `builds` on any other is not ours.
    """
    for item in using:
        for marker in item.iter_markers("builds"):
            _add(config, item, [str(name) for name in marker.args])
        for path in dict.fromkeys(_pairs(item)):
            _add(config, item, builds_of(path))


def _add(config: pytest.Config, item: pytest.Item, builds: Iterable[str]) -> None:
    for name in builds:
        # pytest has no marker of any other name, and ends the whole run where it is given one
        if not own_builds.NAME.fullmatch(name):
            continue
        if name not in BUILDS:  # of a harness.toml; --strict-markers knows it from here on
            config.addinivalue_line("markers", f"{name}: compares the build {name}")
        item.add_marker(name)


def builds_of(pair: Path) -> list[str]:
    """Return the builds that a pair file names; none where it cannot be read, which the test is
    told when it runs.

    Args:
        pair: the file.
    """
    try:
        return list(dict.fromkeys(side.build for side in file.read(pair).sides))
    except (UsageError, OSError):
        return []


def located(named: str | os.PathLike[str], item: pytest.Item) -> Path:
    """Return where a path that a test names leads: beside the test's file, or else in the working
    folder.

    Args:
        named: as the test has it. item: the test.
    """
    beside = item.path.parent / named
    return beside if _is_there(beside) else Path(named)


def _is_there(path: Path) -> bool:
    """Whether there is something at a path. Any text of a test may be taken for one, a docstring
    too: what is too long for a name, has a null byte or lies where nobody may look is none."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _pairs(item: pytest.Item) -> Iterator[Path]:
    """Yield the files that a test names and that could be pairs."""
    function = getattr(item, "function", None)
    code = getattr(function, "__code__", None)
    values: list[Any] = list(getattr(getattr(item, "callspec", None), "params", {}).values())
    if code is not None:
        known = getattr(function, "__globals__", {})
        values += _constants(code, known)
    for value in values:
        if isinstance(value, (str, os.PathLike)) and str(value).endswith(file.SUFFIX):
            path = located(value, item)
            if _is_there(path) and path.is_file():
                yield path


def _constants(code: types.CodeType, known: dict[str, Any]) -> Iterator[Any]:
    """Yield the constants of a function and of those inside it, and those of its module that it
    names."""
    yield from (known[name] for name in code.co_names if name in known)
    for value in code.co_consts:
        if isinstance(value, types.CodeType):
            yield from _constants(value, known)
        else:
            yield value


def check(item: pytest.Item, builds: Iterable[str]) -> None:
    """Refuse a comparison of a build by which tests were selected, and which this one did not say
    that it compares.

    Args:
        item: the test. builds: that it compares.

    Raises:
        UsageError: `-m` names a build that the test is not marked with.
    """
    expression = str(item.config.getoption("markexpr", "") or "")
    chosen_by = {*WORD.findall(expression)}
    for name in builds:
        if name in chosen_by and item.get_closest_marker(name) is None:
            raise UsageError(
                f"-m {expression!r} selects by the build {name}, and {item.name} compares it"
                f' without being marked. Mark the test: @pytest.mark.builds("{name}").'
            )
