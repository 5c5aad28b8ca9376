"""Calls the harness as a user does, in this process, under a watchdog, and says how that ended."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import re
import signal
import traceback
import types
from collections.abc import Callable, Iterator
from pathlib import Path

from harness import cli
from harness.errors import HarnessError

#: What a call may take, and how long after that the watchdog wakes again.
LIMIT_S, AGAIN_S = 20.0, 5.0
#: What a terminal may not be sent raw.
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Hung(BaseException):
    """The watchdog's: nothing of the harness may catch it."""


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a call ended: its exit code, None where it raised or hung; what it printed; the
    exception that it let out; where it was when the watchdog woke."""

    code: int | None
    out: str
    err: str
    raised: str = ""
    stack: str = ""

    @property
    def hung(self) -> bool:
        """Whether the watchdog ended it."""
        return bool(self.stack)

    @property
    def crashed(self) -> bool:
        """Whether there was a traceback, printed or not."""
        return bool(self.raised) or "Traceback" in self.out + self.err

    @property
    def controls(self) -> bool:
        """Whether anything printed moves a cursor."""
        return CONTROLS.search(self.out + self.err) is not None

    def names(self, path: Path) -> bool:
        """Whether what was printed names a file, or the folder that it is in; lines are broken
        anywhere."""
        text = re.sub(r"\s", "", self.out + self.err)
        return any(re.sub(r"\s", "", name) in text for name in (path.name, path.parent.name))


@contextlib.contextmanager
def watched(limit_s: float) -> Iterator[None]:
    """Raise Hung in a block that takes longer, again and again until it ends."""

    def bark(_: int, frame: types.FrameType | None) -> None:
        raise Hung("".join(traceback.format_stack(frame)[-3:]))

    before = signal.signal(signal.SIGALRM, bark)
    signal.setitimer(signal.ITIMER_REAL, limit_s, AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def command(words: list[str]) -> Ended:
    """Run a command line."""

    def run() -> int:
        cli.main(words)

    return call(run)


def call(run: Callable[[], object], limit_s: float = LIMIT_S) -> Ended:
    """Run something that raises HarnessError on purpose and SystemExit at its end.

    Args:
        run: what is called. limit_s: what takes longer has hung.
    """
    out, err = io.StringIO(), io.StringIO()
    terminated = signal.getsignal(signal.SIGTERM)
    code: int | None = None
    raised = stack = ""
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            with watched(limit_s):
                found = run()
            code = found if isinstance(found, int) else 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        except HarnessError as error:
            code = error.exit_code
            err.write(f"error: {str(error)!a}\n")
        except Hung as error:
            stack = str(error)
        # whatever it is, it is what is counted
        except Exception:  # noqa: BLE001
            raised = traceback.format_exc()
    signal.signal(signal.SIGTERM, terminated)
    return Ended(code, out.getvalue(), err.getvalue(), raised, stack)
