"""Which status an exception ends in, and the reason in one line."""

from __future__ import annotations

import errno
from typing import Tuple

from backends.contract import BrokenPort, Status, Unsupported
from backends.diagnosis import faults

#: Names of framework errors that mean "no memory left"; the classes live in frameworks that are not
#: imported here.
MEMORY_ERRORS = ("OutOfMemoryError", "ResourceExhaustedError")
#: Letters of an exception's message, and of the place where it was raised, that a reason keeps.
LONGEST_TEXT = 500


def classify(error: BaseException) -> Tuple[Status, str]:
    """Return the job status and the reason, one line, for an exception."""
    text = " ".join(str(error).split())[:LONGEST_TEXT]
    if isinstance(error, (Unsupported, BrokenPort)):
        status = Status.UNSUPPORTED if isinstance(error, Unsupported) else Status.ERROR
        # A port may raise without a word; where it did is a reason, too.
        return status, text or f"{type(error).__name__}, without a word" + faults.where(error)
    name = type(error).__name__
    message = error.msg if isinstance(error, SyntaxError) and error.msg else text
    reason = (f"{name}: {message}" if message else name) + faults.where(error)[:LONGEST_TEXT]
    if isinstance(error, MemoryError) or name in MEMORY_ERRORS or "Cannot allocate memory" in text:
        return Status.OUT_OF_MEMORY, reason
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Status.DISK_FULL, reason
    if isinstance(error, KeyboardInterrupt):
        return Status.INTERRUPTED, reason
    return Status.ERROR, reason
