"""Asks, at a terminal, before anything is installed.

Without a terminal nobody could answer: scripts and CI go on, as they always have, and what is
installed is said.
"""

from __future__ import annotations

import dataclasses
import os
import select
import sys
from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter

from harness.cli.console import ERR, plain, say
from harness.commands.option_groups import ENVIRONMENT, FLAG
from harness.errors import UsageError

#: A question that nobody answers ends after so long, seconds: a terminal may have nobody before it.
PATIENCE_S = 600.0
AGREED = ("", "y", "yes")


@Parameter(name="*")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Consent:
    """Whether to ask.

    Parameters
    ----------
    yes
        Install what is missing without asking. Where there is no terminal, nobody is asked.
    """

    yes: Annotated[bool, FLAG, ENVIRONMENT, Parameter(name=("--yes", "-y"))] = False


class Asking:
    """Says what would be installed, and asks whether to.

    Args:
        yes: whether that is answered already.
        terminal: whether somebody can answer; None: find out.
    """

    def __init__(self, *, yes: bool, terminal: bool | None = None) -> None:
        self.yes = yes
        self.terminal = _terminal() if terminal is None else terminal
        self.agreed: set[str] = set()

    def __call__(self, lines: Sequence[str]) -> None:
        """Return where the environments may be installed.

        Args:
            lines: one of each environment. What has been agreed to is not asked again.

        Raises:
            UsageError: they may not.
        """
        fresh = [line for line in lines if line not in self.agreed]
        if not fresh:
            return
        say("Not installed yet:")
        for line in fresh:
            say(f"  {line}")
        if self.yes or not self.terminal:
            say("Installing it (--yes)." if self.yes else "Installing it: no terminal to ask at.")
        elif not _answer():
            raise UsageError(
                "nothing was installed, and nothing was run. With --yes the same command installs"
                " it without a question; --python BUILD=PATH names an interpreter that has it."
            )
        self.agreed.update(fresh)


def _terminal() -> bool:
    """Whether somebody sits before this program. A CI may give it a terminal all the same."""
    # a service may have closed its standard input
    answers = bool(sys.stdin) and sys.stdin.isatty() and ERR.file.isatty()
    return answers and not os.environ.get("CI")


def _answer() -> bool:
    """Ask, and return whether the answer is yes; none in `PATIENCE_S` is no."""
    ERR.print(plain("Install it and go on? [Y/n] "), end="")
    ready, _, _ = select.select([sys.stdin], [], [], PATIENCE_S)
    if not ready:
        ERR.print()
        return False
    typed = sys.stdin.readline()
    return typed.endswith("\n") and typed.strip().lower() in AGREED
