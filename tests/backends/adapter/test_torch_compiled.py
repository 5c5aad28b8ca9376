"""Compiled code is looked at eagerly, and said to be; what inference gives is its own."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from linear_step import ROWS, maker, plain

from backends.adapter.draws import Draws
from backends.adapter.side import FORWARD, GENERATE, Tap

pytestmark = [pytest.mark.backends("torch"), pytest.mark.workloads("linear")]


@pytest.fixture
def compiled(kit):
    """A function that makes a side of a net that is compiled by a backend."""
    torch = importlib.import_module("torch")
    if not hasattr(torch.compiler, "set_stance"):
        pytest.skip("this torch cannot run compiled code eagerly")

    def side(backend):
        torch.compiler.reset()
        net = torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.Tanh())
        return maker(torch)(plain(torch), net=lambda: torch.compile(net, backend=backend))

    return side


def honest(graph, inputs):
    return graph


def wrong(graph, inputs):
    """A compiler with a mistake."""
    return lambda *arguments: tuple(part + 1.0 for part in graph(*arguments))


def broken(graph, inputs):
    raise RuntimeError("no compiler is here")


def test_what_inference_gives_is_the_compiled_code_s(compiled):
    """And each layer, which nobody can look at in it, that of the code as it was written."""
    side = compiled(wrong)
    tap = Tap(name="0", layer="0")
    shown = side.look(ROWS, False, Draws(GENERATE), [tap])
    given = side.look(ROWS, False, Draws(GENERATE), ())
    np.testing.assert_allclose(given["output"], shown["output"] + 1.0, rtol=1e-15)
    assert "0" in shown and "output" in side.look(ROWS, True, Draws(FORWARD), ())


def test_it_is_said(compiled):
    (remark,) = [text for text in compiled(honest).survey(ROWS).remarks if "compile" in text]
    assert "eagerly" in remark and "the compiled code's" in remark


def test_what_cannot_be_compiled_is_looked_at_eagerly_and_said(compiled):
    side = compiled(broken)
    (remark,) = [text for text in side.survey(ROWS).remarks if "compile" in text]
    assert "cannot be compiled here" in remark and "no compiler is here" in remark
    shown = side.look(ROWS, False, Draws(GENERATE), [Tap(name="0", layer="0")])
    given = side.look(ROWS, False, Draws(GENERATE), ())
    np.testing.assert_array_equal(given["output"], shown["output"])


def test_a_function_that_is_compiled_is_said_not_to_be_compared(kit):
    torch = importlib.import_module("torch")

    def program(net):
        optimizer, step = plain(torch)(net)
        return optimizer, torch.compile(step, backend=honest)

    (remark,) = [text for text in maker(torch)(program).survey(ROWS).remarks if "compile" in text]
    assert "not compared" in remark
