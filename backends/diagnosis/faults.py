"""Say where in the user's own files something went wrong, or is going on: file, line, method, and
the line's text.

A reason of one line has to be enough to open the right file; the whole traceback is in the worker's
log.
"""

from __future__ import annotations

import contextlib
import linecache
import sys
from typing import Any, Callable, Iterator, List, Sequence, Tuple

from backends.diagnosis import user_modules
from backends.diagnosis.wants import WANTS

METHODS = tuple(WANTS) + (
    "forward_from",
    "optimizer_state",
    "load_optimizer_state",
    "save",
    "restore",
    "effective",
)
#: The oldest Python of the other builds: below it, syntax that a reader takes for granted may be
#: missing.
USUAL_PYTHON = (3, 10)

Frame = Tuple[str, int, str]  # file, line, function


def where(error: BaseException) -> str:
    """Return where the user's code raised, in parentheses; empty if no file of theirs is in it."""
    if isinstance(error, SyntaxError) and error.filename and user_modules.is_users(error.filename):
        text = (error.text or "").strip()
        return f" ({error.filename}, line {error.lineno}: {text}){_python()}"
    frames: List[Frame] = []
    trace = error.__traceback__
    while trace is not None:
        frames.append(
            (trace.tb_frame.f_code.co_filename, trace.tb_lineno, trace.tb_frame.f_code.co_name)
        )
        trace = trace.tb_next
    spot = innermost(frames)
    return f" ({spot}){_python(', which may lack what the line uses')}" if spot else ""


def now(thread: int) -> str:
    """Return where a thread is in the user's code; empty where it is in none."""
    frames: List[Frame] = []
    # The interpreter's only way to look at another thread.
    frame = sys._current_frames().get(thread)
    while frame is not None:
        frames.insert(0, (frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
        frame = frame.f_back
    return innermost(frames)


def innermost(frames: Sequence[Frame]) -> str:
    """Return the innermost frame in a file of the user's, and the method of the port that led
    there; empty where no file of theirs is in it.

    Args:
        frames: the outermost first.
    """
    own = [frame for frame in frames if user_modules.is_users(frame[0])]
    if not own:
        return ""
    path, line, function = own[-1]
    method = next((name for _, _, name in frames if name in METHODS), "")
    by = f", called by `{method}`" if method and method != function else ""
    at = "at the top of the file" if function == "<module>" else f"in `{function}`{by}"
    text = linecache.getline(path, line).strip()
    return f"{path}, line {line}, {at}" + (f": {text}" if text else "")


def _python(consequence: str = ", and knows no newer syntax") -> str:
    """Return which Python reads the port, where it is an old one."""
    if sys.version_info >= USUAL_PYTHON:
        return ""
    major, minor = sys.version_info[:2]
    return f"; Python {major}.{minor} runs this port{consequence}"


@contextlib.contextmanager
def watched(port: Any, note: Callable[[str], None]) -> Iterator[None]:
    """Tell which method of a port is at work: should its process end, nobody else could say. Not
    for what is timed.

    Args:
        port: its methods are wrapped while the block runs.
        note: told in words, before each call from outside the port.
    """
    depth = [0]

    def wrap(name: str, method: Any) -> Any:
        def call(*args: Any, **named: Any) -> Any:
            if not depth[0]:  # what a method calls by itself goes by its name
                note(f"`{name}` of the port")
            depth[0] += 1
            try:
                return method(*args, **named)
            finally:
                depth[0] -= 1

        return call

    # A base class may have wrapped some itself.
    own = {name: vars(port)[name] for name in METHODS if name in vars(port)}
    for name in METHODS:
        setattr(port, name, wrap(name, getattr(port, name)))
    try:
        yield
    finally:
        for name in METHODS:
            if name in own:
                setattr(port, name, own[name])
            else:
                delattr(port, name)
