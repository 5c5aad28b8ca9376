"""What tests of a history share; `sample.py` beside it makes the reports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from harness.history import History, open_history
from tests.harness.history import sample as examples


@pytest.fixture(scope="session")
def sample() -> ModuleType:
    """The module of that name beside this file."""
    return examples


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "reports" / "history.sqlite"


@pytest.fixture
def history(path: Path) -> Iterator[History]:
    with open_history(path) as opened:
        yield opened
