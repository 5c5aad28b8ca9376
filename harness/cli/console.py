"""What every command needs: the two streams, and what is taken from outside."""

from __future__ import annotations

import datetime
import os
import shlex
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from harness.commands.project_defaults import PROJECT
from harness.context import Context
from harness.report.format import spelled_out
from harness.report.terminal_style import plain_table
from harness.sinks import credentials

OUT = Console(highlight=False, soft_wrap=False)
ERR = Console(stderr=True, highlight=False)


def spelled(message: str) -> str:
    """Return a message as one line, with what moves a cursor or ends a line spelled out.

    It may quote a path, a file or a port, and nothing that is quoted may begin a line that looks
    like the harness's own. Spaces and tabs stay.
    """
    return spelled_out(message, keep="\t")


def plain(message: str, style: str = "") -> Text:
    """Return a message as the terminal may have it: one line, without markup and controls."""
    return Text(spelled(message), style=style)


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]], title: str = "") -> None:
    """Print a table without lines; a cell may quote a file or a port too."""
    cells = [tuple(map(spelled, row)) for row in rows]
    OUT.print(plain_table(columns, cells, title))


def put(document: str) -> None:
    """Write a document, which has lines, as it is, but for what moves a cursor: it may quote a file
    or a port. Whoever renders it keeps each quotation in its line."""
    sys.stdout.write("\n".join(map(spelled, document.split("\n"))))


def complain(message: str, below: Iterable[str] = ()) -> None:
    """Print an error, without the credentials of an address that it quotes.

    Args:
        message: one line. below: lines of a log, which are shown below it, indented.
    """
    ERR.print(Text("error: ", style="bold red") + plain(credentials.hidden(message)))
    for line in below:
        ERR.print(Text("  ") + plain(credentials.hidden(line)))


def say(line: str) -> None:
    """Print a line of progress."""
    ERR.print(plain(line, "dim"))


def context() -> Context:
    """Return what a command takes from outside; say, once, which settings a file has made."""
    for line in PROJECT.untold():
        say(line)
    command = shlex.join(["harness", *credentials.without(sys.argv[1:])])  # it is kept in reports
    now = datetime.datetime.now().astimezone()
    return Context(dict(os.environ), now, command, say, notes=PROJECT.notes)
