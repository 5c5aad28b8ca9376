"""Report fixtures. `sample.py` is loaded by its path: in pytest's importlib mode a test's folder is not importable."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from harness.report.model import Report


@pytest.fixture(scope="session")
def sample() -> ModuleType:
    spec = importlib.util.spec_from_file_location("report_sample", Path(__file__).with_name("sample.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


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
