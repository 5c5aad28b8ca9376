"""Runs of pytest with the plugin and no other that is installed, as a user's project has them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run_tests(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs pytest in a process of its own, in a folder of its own, with some words.

    The plugin is named, so that it is the same whether the distribution's metadata know it or not.
    """
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makeini("[pytest]\naddopts = --strict-markers")

    def run(*words: str) -> pytest.RunResult:
        return pytester.runpytest_subprocess("-p", "harness.pytest_plugin", *words, timeout=300)

    return run
