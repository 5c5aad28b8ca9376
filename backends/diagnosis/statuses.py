"""Which status of `contract.STATUSES` an exception ends in, and the reason in one line."""

from __future__ import annotations

import errno
from typing import Tuple

from backends.contract import BrokenPort, Unsupported
from backends.diagnosis import faults

#: Names of framework errors that mean "no memory left"; the classes live in frameworks that are not
#: imported here.
MEMORY_ERRORS = ("OutOfMemoryError", "ResourceExhaustedError")
#: Letters of an exception's message, and of the place where it was raised, that a reason keeps.
LONGEST_TEXT = 500


def classify(error: BaseException) -> Tuple[str, str]:
    """Return the job status and the reason, one line, for an exception."""
    text = " ".join(str(error).split())[:LONGEST_TEXT]
    if isinstance(error, Unsupported):
        return "unsupported", text
    if isinstance(error, BrokenPort):
        return "error", text
    name = type(error).__name__
    message = error.msg if isinstance(error, SyntaxError) and error.msg else text
    reason = (f"{name}: {message}" if message else name) + faults.where(error)[:LONGEST_TEXT]
    if isinstance(error, MemoryError) or name in MEMORY_ERRORS or "Cannot allocate memory" in text:
        return "out of memory", reason
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "disk full", reason
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", reason
    return "error", reason
