"""Progress of a comparison from Python: told to whom the caller names, drawn in a notebook, and
else to nobody.

A notebook is one where IPython runs a kernel. IPython is never imported here for the first time:
who runs in it has it already.
"""

from __future__ import annotations

import collections
import contextlib
import html
import sys
from collections.abc import Callable, Iterator
from typing import Any

from harness.execution.progress import ProgressStep, spell
from harness.report.format import one_line

#: So many lines stay in sight, of installations and the like.
LINES = 4
#: Shorter rests are not worth a word, seconds.
LEAST_S = 3.0


@contextlib.contextmanager
def shown(progress: Callable[[str], None] | bool | None) -> Iterator[Callable[[str], None]]:
    """Give whom to tell of progress, until the block is left; then what was drawn is taken away.

    Args:
        progress: whom the caller named; False for nobody; None or True for a notebook, if it is
            one.
    """
    if callable(progress):
        yield progress
        return
    display = None if progress is False else _display()
    if display is None:
        yield lambda _: None
        return
    drawn = NotebookLine(display)
    try:
        yield drawn
    finally:
        drawn.clear()


def _display() -> Any | None:
    """Return IPython's module of displays, where this runs in a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return sys.modules.get("IPython.display") if hasattr(shell, "kernel") else None


class NotebookLine:
    """Draws the newest step and the last lines in one place of a notebook's output.

    Args:
        display: IPython's module of displays.
    """

    def __init__(self, display: Any) -> None:
        self.display, self.lines = display, collections.deque[str](maxlen=LINES)
        self.step = ""
        self.handle = display.display(display.HTML(""), display_id=True)

    def __call__(self, line: str) -> None:
        """Draw a line of progress."""
        if isinstance(line, ProgressStep):
            self.step = in_words(line)
        else:
            self.lines.append(one_line(line))
        text = "\n".join([*self.lines, self.step])
        self.handle.update(self.display.HTML(f"<pre>{html.escape(text)}</pre>"))

    def clear(self) -> None:
        """Take away what was drawn."""
        self.handle.update(self.display.HTML(""))


def in_words(step: ProgressStep) -> str:
    """Return how far the work is, what is worked at, and how long the rest takes.

    Args:
        step: as the engine tells it.
    """
    of = f" of {step.total}" if step.total is not None else ""
    left = step.left_s if step.left_s is not None and step.left_s >= LEAST_S else None
    words = [f"{step.done}{of} done", one_line(step.what)]
    return ", ".join(words + ([f"about {spell(left)} left"] if left is not None else []))
