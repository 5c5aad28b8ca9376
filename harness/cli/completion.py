"""The command that lets a shell complete commands and options."""

from __future__ import annotations

from typing import Annotated, Literal, cast, get_args

from harness.cli.application import app
from harness.cli.console import OUT, plain, put
from harness.commands.option_groups import FLAG
from harness.errors import UnknownName

Shell = Literal["bash", "fish", "zsh"]


def completion(shell: str, *, install: Annotated[bool, FLAG] = False) -> int:
    """Print a script with which a shell completes commands and options, or install it.

    What is printed can be read by the shell as it starts, e.g. `source <(harness completion bash)`
    in ~/.bashrc.

    Parameters
    ----------
    shell
        bash, zsh or fish.
    install
        Write it where the shell looks for it, and name the file. For bash and zsh a line is added
        to ~/.bashrc or ~/.zshrc that reads it.
    """
    known = get_args(Shell)
    if shell not in known:
        raise UnknownName("shell", shell, known)
    chosen = cast("Shell", shell)
    if not install:
        put(app.generate_completion(prog_name="harness", shell=chosen))
        return 0
    path = app.install_completion(shell=chosen)
    OUT.print(plain(f"written: {path}"))
    OUT.print(plain("It is read by shells that are started from now on."))
    return 0
