"""Progress in a notebook: one place that is drawn anew, escaped, and taken away at the end."""

from __future__ import annotations

import contextlib
import sys
import types
from typing import Any

import pytest

from harness.api import notebook_progress
from harness.execution.progress import ProgressStep

STEP = ProgressStep("[1/4] pair torch fp64: begins", "pair torch <b>", done=1, total=4, left_s=21.0)


class Display:
    """Stands in for IPython's displays: keeps what is drawn in each place."""

    def __init__(self) -> None:
        self.drawn: list[str] = []

    def HTML(self, text: str) -> str:  # noqa: N802  (IPython's name)
        return text

    def display(self, drawn: str, *, display_id: bool) -> Display:
        assert display_id
        self.drawn.append(drawn)
        return self

    def update(self, drawn: str) -> None:
        self.drawn.append(drawn)


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Display:
    """As in a kernel of IPython."""
    display = Display()
    shell: Any = types.SimpleNamespace(kernel=object())
    module: Any = types.SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", module)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return display


def test_a_notebook_shows_the_newest_step_and_the_last_lines(notebook: Display):
    """And nothing once it is over, also where it was broken off."""
    with contextlib.suppress(KeyboardInterrupt), notebook_progress.shown(None) as say:
        say("tf2-cpu: installing")
        say(STEP)
        assert (
            "<pre>tf2-cpu: installing\n1 of 4 done, pair torch &lt;b&gt;, about 21 s left</pre>"
            == notebook.drawn[-1]
        )
        for number in range(9):
            say(f"line {number}")
        assert "line 5" in notebook.drawn[-1] and "line 4" not in notebook.drawn[-1]
        raise KeyboardInterrupt
    assert "" == notebook.drawn[-1]


def test_nobody_is_told_where_nobody_asked(notebook: Display, monkeypatch: pytest.MonkeyPatch):
    """With False, outside of a kernel, and without IPython."""
    with notebook_progress.shown(False) as say:
        say(STEP)
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: None)
    with notebook_progress.shown(None) as say:
        say(STEP)
    monkeypatch.delitem(sys.modules, "IPython")
    with notebook_progress.shown(True) as say:
        say(STEP)
    assert [] == notebook.drawn


def test_whom_the_caller_names_is_told(notebook: Display):
    """Line by line, and the notebook shows nothing beside it."""
    lines: list[str] = []
    with notebook_progress.shown(lines.append) as say:
        say(STEP)
        say("done")
    assert [STEP, "done"] == lines and [] == notebook.drawn
