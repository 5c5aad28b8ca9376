"""`sample.py` as a fixture."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.harness.changes import sample as examples


@pytest.fixture(scope="session")
def sample() -> ModuleType:
    """The module of that name beside this file."""
    return examples
