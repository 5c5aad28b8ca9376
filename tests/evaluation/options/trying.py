"""Tries a command line in this process, and says what about its end is a fault of the product."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import signal
import sys
import traceback
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn
from unittest import mock

from harness import cli
from harness.commands import doctor
from harness.environments import provision, releases
from harness.errors import BuildError
from tests.evaluation.options import places

#: A command that takes longer hangs, seconds.
LIMIT_S = 20.0
CODES = {0, 1, 2, 3, 4, 5, 6, 130}
#: What is counted.
TRACEBACK, HANG, CONTROL, CODE, REPLACED = KINDS = (
    "tracebacks",
    "hangs",
    "control characters in the output",
    "exit codes that mean nothing",
    "folders, links and FIFOs replaced",
)


class TimeUp(BaseException):
    """The time of a case is over; nothing in the product may take it for an error of its own."""


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        raised: what came out of it, if it was not an exit. hung: it was stopped.
        replaced: what was no file, and something else lies there now.
    """

    code: object
    output: str
    raised: str = ""
    hung: bool = False
    replaced: tuple[str, ...] = ()


def attempt(words: Sequence[str], copied: Path, scratch: Path, limit_s: float = LIMIT_S) -> Ended:
    """Run one command in a folder of its own.

    Args:
        words: of the command line. copied: see `places.template`. scratch: is made and deleted.
        limit_s: after which it is stopped.
    """
    out = io.TextIOWrapper(io.BytesIO(), "utf-8", "strict")
    err = io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace")
    code: object = None
    raised, hung = "", False
    with (
        places.made(copied, scratch) as here,
        stopped(),
        mock.patch.object(sys, "argv", ["harness", *words]),
        mock.patch.object(sys, "stdout", out),
        mock.patch.object(sys, "stderr", err),
    ):
        try:
            with _limited(limit_s):
                cli.main()
        except SystemExit as end:
            code = end.code
        except TimeUp:
            hung = True
        except BaseException:  # noqa: BLE001  (whatever it is, it is what is counted)
            raised = traceback.format_exc()
        replaced = tuple(places.replaced(here))
    return Ended(code, _read(out) + _read(err), raised, hung, replaced)


def _read(stream: io.TextIOWrapper) -> str:
    """Return what was written to a stream; what is no UTF-8 as lone surrogates."""
    stream.flush()
    stream.buffer.seek(0)
    return stream.buffer.read().decode("utf-8", "surrogateescape")


def faults(ended: Ended) -> list[str]:
    """Return the kinds of faults in how a command ended."""
    if ended.hung:
        return [HANG]
    found = [REPLACED] if ended.replaced else []
    if ended.raised or "Traceback" in ended.output:
        found.append(TRACEBACK)
    shown = set(ended.output) - {"\n", "\t"}
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in shown):
        found.append(CONTROL)
    if not ended.raised and ended.code not in CODES:
        found.append(CODE)
    return found


@contextlib.contextmanager
def stopped() -> Iterator[None]:
    """Let no build be had and no index be asked, until the block is left: a value that is accepted
    ends there. The environments of this checkout are nobody's to look at or delete."""
    with (
        mock.patch.object(provision, "locate", _none),
        mock.patch.object(provision, "available", return_value=None),
        mock.patch.object(provision, "environments", return_value=[]),
        mock.patch.object(releases, "listed", _none),
        mock.patch.object(doctor, "examine", return_value=[]),
    ):
        yield


def _none(*_: object, **__: object) -> NoReturn:
    raise BuildError("no build can be had here.")


@contextlib.contextmanager
def _limited(limit_s: float) -> Iterator[None]:
    """Raise `TimeUp` where the block takes longer."""

    def over(*_: object) -> NoReturn:
        raise TimeUp

    alarm = signal.signal(signal.SIGALRM, over)
    ends = signal.getsignal(signal.SIGTERM)
    # again and again: a library may swallow the first
    signal.setitimer(signal.ITIMER_REAL, limit_s, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, alarm)
        signal.signal(signal.SIGTERM, ends)
