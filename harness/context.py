"""What every command takes from outside: the environment, the time, the words that were typed, and
who is told of progress."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Mapping, Sequence


@dataclasses.dataclass(frozen=True)
class Context:
    """What a comparison takes from outside.

    Attributes:
        environ: the environment, read by `cli`. now: when the run starts. command: as the user
            typed it.
        say: called with one line of progress at a time.
        agree: called with a line for each environment, before any is installed; raises where the
            user does not want that. None: nobody is asked.
        notes: what a report says of where settings come from that nobody typed.
    """

    environ: Mapping[str, str]
    now: datetime.datetime
    command: str
    say: Callable[[str], None]
    agree: Callable[[Sequence[str]], None] | None = None
    notes: tuple[str, ...] = ()
