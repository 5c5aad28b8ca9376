"""Report fixtures."""

from __future__ import annotations

from types import ModuleType

import pytest

from harness.results.model import Report
from tests.harness.report import sample as examples


@pytest.fixture(scope="session")
def sample() -> ModuleType:
    """The module of that name beside this file."""
    return examples


@pytest.fixture
def full(sample: ModuleType) -> Report:
    """One of everything, hostile names included."""
    report: Report = sample.REPORT
    return report


@pytest.fixture
def seeded(sample: ModuleType) -> Report:
    """One pair at two seeds."""
    report: Report = sample.SEEDED
    return report


@pytest.fixture
def phased(sample: ModuleType) -> Report:
    """Whole steps and single phases of three builds."""
    report: Report = sample.PHASED
    return report


@pytest.fixture
def empty(sample: ModuleType) -> Report:
    """Nothing was measured."""
    report: Report = sample.EMPTY
    return report
