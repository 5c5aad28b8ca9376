"""The tree of errors that the harness raises on purpose.

    HarnessError                      has an exit code; the message is complete without a traceback
    |-- UsageError            (2)     wrong option, wrong name, wrong combination
    |   |-- UnknownName       (2)     "did you mean", and the list of what exists
    |   `-- MergeConflict     (2)     reports that cannot be one
    |-- BuildError            (2)     a build's interpreter or framework cannot be had
    |   |-- InterpreterMissing        no Python of the version that the framework needs
    |   |-- FrameworkMissing          the interpreter named by --python lacks the framework
    |   `-- ProvisionFailed           tox could not create the environment; the log is named
    |-- RecordError           (4)     something on disk cannot be used
    |   |-- CorruptRecord             checksum, truncation, not a NumPy array, not JSON
    |   |   `-- UnreadableRecord      the system does not let it be read
    |   `-- NewerSchema               written by a newer harness
    |-- VerdictError                  a comparison was made, and its answer is not the one wanted
    |   |-- Departed          (1)     the sides do not compute the same: fidelity FAIL
    |   |-- TooSlow           (3)     a side is materially slower than it may be
    |   `-- Undecided       (4-6)     a job broke, or there was nothing that could be judged
    |-- Busy                  (4)     another timed run holds this machine's lock
    |-- SendingFailed         (4)     a finished run did not arrive where it was sent
    `-- JobFailed             (4)     a job ended in a typed status other than `ok`

Every message says what failed, the value met, what is allowed, and what to do next.
Nothing outside `cli` turns one of these into an exit.
"""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable

from backends.contract import Status

_PERMISSION = "Give yourself the right to it, or name another place"
_PATH = "Name a file in a folder that exists"
#: What to do about what the system refuses, by its number.
REMEDIES = {
    errno.ENOSPC: "Make room there",
    errno.EDQUOT: "Make room there: the quota is used up",
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.EROFS: "Nothing can be written there; name another place",
    errno.ENOENT: _PATH,
    errno.ENOTDIR: "A part of this path is a file; name another place",
    errno.EISDIR: "Name a file, not a folder",
    errno.EEXIST: "Name another place",
    errno.ELOOP: "Links lead in a circle there; name another place",
    errno.ENAMETOOLONG: "Give a shorter name",
    errno.EMFILE: "Close other programs, or raise the limit of open files (`ulimit -n`)",
}


class HarnessError(Exception):
    """Base of all errors raised on purpose.

    Attributes:
        exit_code: the process exit code that `cli` gives when this error ends a command.
    """

    exit_code = 4


class UsageError(HarnessError):
    """The command line asks for something that does not exist or does not fit together."""

    exit_code = 2


class UnknownName(UsageError):
    """A name that is not in a registry.

    Args:
        kind: what was looked up, e.g. "workload".
        name: the value met.
        known: all allowed values.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, sorted(known)
        close = difflib.get_close_matches(name.lower(), self.known, n=1, cutoff=0.5)
        hint = f" Did you mean '{close[0]}'?" if close else ""
        super().__init__(f"unknown {kind} '{name}'.{hint} Known: {', '.join(self.known)}.")


class MergeConflict(UsageError):
    """Reports that are to be merged contradict each other, or are not of the same thing."""


class BuildError(HarnessError):
    """A build cannot be had on this machine."""

    exit_code = 2


class InterpreterMissing(BuildError):
    """No Python interpreter of the version that a build needs was found."""


class FrameworkMissing(BuildError):
    """The interpreter that the user named cannot import the build's framework."""


class ProvisionFailed(BuildError):
    """tox could not create an environment.

    Args:
        message: what happened. below: lines of tox's log, which a terminal shows below it.
    """

    def __init__(self, message: str, below: Iterable[str] = ()) -> None:
        self.message, self.below = message, tuple(below)
        super().__init__(" | ".join((message, *self.below)))


class RecordError(HarnessError):
    """A file that the harness wrote, or was given, cannot be used."""


class CorruptRecord(RecordError):
    """A file is truncated, altered, or not what its name says."""


class UnreadableRecord(CorruptRecord):
    """The system does not let a file be read: it may be as it was written, so nobody is told to
    delete it.

    Args:
        path: the file. error: what the system says.
    """

    def __init__(self, path: object, error: OSError) -> None:
        super().__init__(f"{path} cannot be read ({error.strerror}). {remedy(error)}.")


class NewerSchema(RecordError):
    """A record was written by a newer harness."""


class VerdictError(HarnessError):
    """A comparison was made, and its answer is not the one that was wanted.

    Args:
        message: the answer, where the sides part and why, the command that gives it again.
        exit_code: that the command ends with.
        workload, stage, tensor: where they part; empty where the answer is about no one place.
        command: gives the verdict again; empty where none is known.
    """

    def __init__(
        self,
        message: str,
        exit_code: int = 4,
        workload: str = "",
        stage: str = "",
        tensor: str = "",
        command: str = "",
    ) -> None:
        super().__init__(message)
        self.exit_code, self.workload, self.stage = exit_code, workload, stage
        self.tensor, self.command = tensor, command


class Departed(VerdictError):
    """The sides do not compute the same: some stage of some pair is a FAIL."""


class TooSlow(VerdictError):
    """A side is materially slower than the first one, and was not to be."""


class Undecided(VerdictError):
    """Nothing can be said for certain: a job broke, the noise is too large, or there was nothing
    to judge."""


class Busy(HarnessError):
    """Another timed run holds this machine's lock."""


class SendingFailed(HarnessError):
    """A finished run did not arrive whole where it was sent; it is on disk and can be sent
    again."""


class JobFailed(HarnessError):
    """A job ended in another status than `ok`.

    Args:
        status: one of `backends.contract.STATUSES`.
        reason: what happened, in one sentence.
    """

    def __init__(self, status: Status, reason: str) -> None:
        self.status, self.reason = status, reason
        super().__init__(f"{status}: {reason}")


class NotReplaced(OSError):
    """What lies where a file should be written is no regular file; it is left as it is."""


def remedy(error: OSError) -> str:
    """Return what to do about what the system refused, as the beginning of a sentence."""
    return REMEDIES.get(error.errno or 0, "Mend this")
