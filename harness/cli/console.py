"""What every command needs: the application, the two streams, and what is taken from outside."""

from __future__ import annotations

import datetime
import os
import re
import shlex
import sys
from collections.abc import Iterable, Sequence

from cyclopts import App
from rich.console import Console
from rich.text import Text

from harness import __version__
from harness.context import Context
from harness.report.format import one_line
from harness.report.terminal_style import plain_table
from harness.sinks import credentials

OUT = Console(highlight=False, soft_wrap=False)
ERR = Console(stderr=True, highlight=False)

app = App(
    name="harness",
    version=__version__,
    help_format="plaintext",
    result_action="return_value",
    suppress_keyboard_interrupt=False,
    help=(
        "Is a model moved between TensorFlow 1, TensorFlow 2 and PyTorch still the same model, and"
        " what did the move cost?"
    ),
)


#: What is looked at on its own, so that a message keeps its spaces and lines.
_WORD = re.compile(r"[^ \t\n]+")


def spelled(message: str) -> str:
    """Return a message with what moves a cursor spelled out: it may quote a file or a port."""
    return _WORD.sub(lambda word: one_line(word[0]), message)


def plain(message: str, style: str = "") -> Text:
    """Return a message as the terminal may have it, without markup and control characters."""
    return Text(spelled(message), style=style)


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]], title: str = "") -> None:
    """Print a table without lines; a cell may quote a file or a port too."""
    cells = [tuple(map(spelled, row)) for row in rows]
    OUT.print(plain_table(columns, cells, title))


def put(document: str) -> None:
    """Write a document as it is, but for what moves a cursor: it may quote a file or a port."""
    sys.stdout.write(spelled(document))


def complain(message: str) -> None:
    """Print an error, without the credentials of an address that it quotes."""
    ERR.print(Text("error: ", style="bold red") + plain(credentials.hidden(message)))


def say(line: str) -> None:
    """Print a line of progress."""
    ERR.print(plain(line, "dim"))


def context() -> Context:
    """Return what a command takes from outside."""
    command = shlex.join(["harness", *credentials.without(sys.argv[1:])])  # it is kept in reports
    return Context(dict(os.environ), datetime.datetime.now().astimezone(), command, say)
