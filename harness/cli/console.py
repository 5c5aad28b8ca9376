"""What every command needs: the application, the two streams, and what is taken from outside."""

from __future__ import annotations

import datetime
import os
import shlex
import sys

from cyclopts import App
from rich.console import Console
from rich.text import Text

from harness import __version__
from harness.context import Context
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


def say(line: str) -> None:
    """Print a line of progress."""
    ERR.print(Text(line, style="dim"))


def context() -> Context:
    """Return what a command takes from outside."""
    command = shlex.join(["harness", *credentials.without(sys.argv[1:])])  # it is kept in reports
    return Context(dict(os.environ), datetime.datetime.now().astimezone(), command, say)
