"""The examples of what ports are made of run in the interpreter of every build."""

from __future__ import annotations

import doctest

import pytest

from backends import contract, schedule, source


@pytest.mark.parametrize("module", [contract, schedule, source], ids=lambda item: item.__name__)
def test_every_example_runs(module):
    """And prints what it says, on this Python and this NumPy."""
    ran = doctest.testmod(module)
    assert ran.failed == 0 and ran.attempted
