"""How progress is shown: at a terminal one line that is drawn anew below the others; elsewhere
plain lines, no more than are of use.

The line is drawn when something is told and at no other time: a clock that ticks beside a
measurement would take part in it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from harness.cli.console import ERR, context, plain, say
from harness.context import Context
from harness.execution.progress import NIGHT, ProgressStep, spell

#: Where lines pile up, one that may be left out is printed only if nothing else has been for so
#: long, seconds.
INTERVAL_S = 15.0
#: Shorter rests are not worth a word.
LEAST_S = 3.0
BAR_WIDTH = 20


@contextlib.contextmanager
def working(agree: Callable[[Sequence[str]], None] | None = None) -> Iterator[Context]:
    """Give a context whose progress is shown as this stream allows, until the block is left.

    Args:
        agree: asks before anything is installed, as of `Context`; the line makes room for it.
    """
    around = dataclasses.replace(context(), agree=agree)
    if not drawn(ERR):
        yield dataclasses.replace(around, say=Plain(say))
        return
    # Standard output may be a file, and stays as it is.
    with Live(console=ERR, auto_refresh=False, transient=True, redirect_stdout=False) as live:
        draws = StatusLine(lambda table: live.update(table, refresh=True), say)
        asks = None if agree is None else _beside(live, agree)
        yield dataclasses.replace(around, say=draws, agree=asks)


def _beside(live: Live, agree: Callable[[Sequence[str]], None]) -> Callable[[Sequence[str]], None]:
    """Return what takes the line away while the user is asked."""

    def asks(lines: Sequence[str]) -> None:
        live.stop()
        try:
            agree(lines)
        finally:
            live.start()

    return asks


def drawn(console: Console) -> bool:
    """Whether a line can be drawn anew: at a real terminal, whatever asks for colour in a file."""
    return console.is_terminal and not console.is_dumb_terminal and console.file.isatty()


def rest(step: ProgressStep) -> str:
    """Return how long it takes, in words; nothing where that is not known or not worth saying."""
    if step.left_s is None or step.left_s < LEAST_S or step.done == step.total:
        return ""
    bound = "about" if step.total is not None else "at most"
    in_all = " in all" if step.level == NIGHT else ""
    return f"{bound} {spell(step.left_s)} left{in_all}"


class Plain:
    """Prints lines for a log. A step's line ends in the time that is left."""

    def __init__(
        self, tell: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.tell, self.clock, self.told_s = tell, clock, float("-inf")

    def __call__(self, line: str) -> None:
        """Print a line, unless it may be left out."""
        now_s = self.clock()
        if isinstance(line, ProgressStep):
            if line.passing and now_s - self.told_s < INTERVAL_S:
                return
            left = rest(line)
            line = f"{line}, {left}" if left else str(line)
        self.told_s = now_s
        self.tell(line)


class StatusLine:
    """Draws the newest step of each level in one line; lines that stay are printed above it."""

    def __init__(self, draw: Callable[[Table], None], tell: Callable[[str], None]) -> None:
        self.draw, self.tell = draw, tell
        self.steps: dict[int, ProgressStep] = {}

    def __call__(self, line: str) -> None:
        """Print a line that stays, and draw the steps there are."""
        if not isinstance(line, ProgressStep):
            self.tell(line)
            return
        if not line.passing:
            self.tell(str(line))
        if line.level == NIGHT:
            self.steps.clear()  # what the last cell was at
        self.steps[line.level] = line
        self.draw(self.table())

    def table(self) -> Table:
        """Return the line: of each level a bar, how many of how many, what, and the time left."""
        grid = Table.grid(padding=(0, 1))
        cells: list[ProgressBar | Text] = []
        for level in sorted(self.steps):
            step = self.steps[level]
            if step.total:
                cells.append(ProgressBar(step.total, step.done, width=BAR_WIDTH))
            of = f" of {step.total}" if step.total is not None else ""
            words = [f"{step.done}{of} done", step.what, rest(step)]
            line = plain(", ".join(word for word in words if word))
            line.no_wrap, line.overflow = True, "ellipsis"
            cells.append(line)
        grid.add_row(*cells)
        return grid
