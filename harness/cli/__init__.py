"""The command line, a function for each command.

The only package that prints or exits; the environment is read here and by `harness.api`.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from cyclopts import CycloptsError

from harness.cli.application import app, open_page
from harness.cli.console import ERR, complain, spelled
from harness.errors import HarnessError, NotReplaced, ProvisionFailed, UsageError, remedy

if TYPE_CHECKING:
    from rich.traceback import Traceback

INTERRUPTED = 130
DEFECT = 4
_RESUME = "; what is finished is kept. Go on with the same command and --resume."
_AGAIN = "; what is finished is kept. The same command goes on with it."
#: What is said of a command that was broken off and can go on.
KEPT = {
    "compare": _RESUME,
    "run": _RESUME,
    "train": _RESUME,
    "nightly": _AGAIN,
    "bisect": _AGAIN,
    "send": _AGAIN,
}


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit with its code."""
    # A termination request ends the workers and leaves a resumable run, exactly as Ctrl-C does.
    signal.signal(signal.SIGTERM, _interrupt)
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        open_page(words)
        code = app(words, exit_on_error=False, print_error=False)
        sys.exit(code if isinstance(code, int) else 0)
    except CycloptsError as error:
        _fail(UsageError(f"{error} See: harness {_command(words)}--help"), words)
    except HarnessError as error:
        _fail(error, words)
    # a disk that is full where no job runs: Python's own exit code would read as a FAIL
    except OSError as error:
        kept = KEPT.get(_command(words)[:-1], "")
        said = str(error)
        if isinstance(error, NotReplaced):  # the number is none that the system gave
            said = f"{error.filename}: {error.strerror}"
        _fail(HarnessError(f"{said}. {remedy(error)}, and run again{kept or '.'}"), words)
    # a defect of ours; Python's own exit code, 1, would read as a FAIL
    except Exception:  # noqa: BLE001
        ERR.print(_defect())
        sys.exit(DEFECT)
    except KeyboardInterrupt:
        kept = KEPT.get(_command(words)[:-1], "")
        ERR.print(f"interrupted{kept}", style="yellow")
        sys.exit(INTERRUPTED)


def _command(words: Sequence[str]) -> str:
    return f"{words[0]} " if words and words[0] in app else ""


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _fail(error: HarnessError, words: Sequence[str]) -> NoReturn:
    if any(word.partition("=")[0] == "--feedback" for word in words):
        from harness.commands import feedback  # with SciPy, which nobody else waits for

        feedback.failed(words, error, error.exit_code)
    if isinstance(error, ProvisionFailed):
        complain(error.message, error.below)
    else:
        complain(str(error))
    sys.exit(error.exit_code)


def _defect() -> Traceback:
    """Return the traceback of the exception at hand, its message as the terminal may have it."""
    from rich.traceback import Traceback  # with the lexers of Pygments, which nobody else needs

    traceback = Traceback()
    for stack in traceback.trace.stacks:
        stack.exc_value = spelled(stack.exc_value)
    return traceback
