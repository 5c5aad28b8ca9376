"""What `import harness` brings and costs, and what the package says of itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import harness

ROOT = Path(__file__).parents[3]
MOST_S = 0.15
TIMED = """
import sys, time
began = time.process_time()
import {what}
spent = time.process_time() - began
tops = sorted({{name.partition(".")[0] for name in sys.modules}} & {{
    "IPython", "cyclopts", "jinja2", "numpy", "pandas", "rich", "scipy", "sklearn", "sqlalchemy"}})
print(spent, *tops)
"""


def imported(what: str) -> tuple[float, list[str]]:
    """Return the processor time of an import in a fresh interpreter, seconds, and which large
    packages it has brought."""
    done = subprocess.run(
        [sys.executable, "-c", TIMED.format(what=what)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    spent, *tops = done.stdout.split()
    return float(spent), tops


def test_importing_the_package_costs_nearly_nothing():
    """No large package comes with it, and the least of three tries keeps within its time."""
    tries = [imported("harness") for _ in range(3)]
    assert [[], [], []] == [tops for _, tops in tries]
    assert min(spent for spent, _ in tries) <= MOST_S


def test_the_measurement_sees_what_an_import_brings():
    """The engine itself would be too much."""
    assert {"numpy", "scipy"} <= {*imported("harness.commands.compare")[1]}


def test_public_names_are_listed_and_found():
    """They are those of the API; any other is refused as a module refuses it."""
    from harness import api

    assert ["Report", "__version__", "compare", "load"] == sorted(harness.__all__)
    assert {*harness.__all__} <= {*dir(harness)}
    assert (api.compare, api.load, api.Report) == (harness.compare, harness.load, harness.Report)
    with pytest.raises(AttributeError, match="module 'harness' has no attribute 'comparison'"):
        harness.comparison  # noqa: B018


def test_public_names_are_documented():
    """Each says what it takes and raises."""
    for name in ("compare", "load"):
        text = getattr(harness, name).__doc__
        assert "Args:" in text and "Raises:" in text
