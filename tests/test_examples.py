"""Every example in a docstring runs and prints what it says; what users call or subclass has
one."""

from __future__ import annotations

import doctest
import importlib
import inspect

import pytest

from backends import schedule, source
from backends.contract import Port
from harness.history import History
from harness.workloads import generators, spec
from tests import rooms

PROMPT = ">>> "
#: By the modules' names; those that need a framework can have none here.
EXAMPLES = sorted(name for name, text in rooms.sources().items() if PROMPT in text)
SHOWN = [
    Port,
    spec.Workload,
    spec.Parameter,
    spec.Noise,
    spec.Optimizer,
    History,
    generators.normal,
    generators.glorot_uniform,
    schedule.phases_at,
    schedule.epoch_at,
    schedule.updates_by,
    schedule.columns,
    source.TapeSource,
    source.NativeSource,
]


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_runs(name: str):
    """Also those of the package `backends`, which its own tests run in each build's interpreter."""
    ran = doctest.testmod(importlib.import_module(name))
    assert 0 == ran.failed and ran.attempted


@pytest.mark.parametrize("item", SHOWN, ids=lambda item: f"{item.__module__}.{item.__name__}")
def test_what_users_call_or_subclass_has_an_example(item: object):
    """In its own docstring."""
    assert PROMPT in (inspect.getdoc(item) or "")


def test_an_example_that_is_wrong_fails():
    """And one that is right does not."""
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(verbose=False)
    for text, failed in ((">>> 1 + 1\n2\n", 0), (">>> 1 + 1\n3\n", 1)):
        example = parser.get_doctest(text, {}, "planted", None, 0)
        assert failed == runner.run(example, out=lambda _: None).failed
