"""The worker: answers the harness's requests inside a build's interpreter, one JSON object a line,
over two pipes.

    python -m backends.worker CONTROL_FD ANSWER_FD

Request `{"id": 1, "verb": "open", ...}`; answer `{"id": 1, "status": "ok", "result": {...}}` or a
status of `contract.STATUSES` with a `reason`. Before it may come lines `{"doing": "..."}`: what the
answer is being made by. The request `{"verb": "where"}` has no number: it is answered at once,
`{"where": "..."}`, from where the main thread is in the user's code. stdout and stderr belong to
the framework's chatter and go to a log file.

A thread reads the control pipe, so that the worker notices at once, even in the middle of a long
step, that the harness is gone: the pipe closes with it, and the worker ends itself. The kernel is
asked to do the same (PR_SET_PDEATHSIG) for the case that a framework never gives the interpreter
lock back.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import math
import os
import queue
import signal
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any, Dict, NoReturn

from backends.contract import Status
from backends.diagnosis import faults
from backends.diagnosis.statuses import classify

if TYPE_CHECKING:
    Requests = queue.Queue[Dict[str, Any]]

PR_SET_PDEATHSIG = 1


def main(control_fd: int, answer_fd: int) -> NoReturn:
    """Serve until the control pipe closes, which ends the process."""
    for fd in (control_fd, answer_fd):
        os.set_inheritable(fd, False)
    _die_with_parent()
    requests: Requests = queue.Queue()
    threading.Thread(target=_read, args=(control_fd, answer_fd, requests), daemon=True).start()
    from backends.protocol.session import Session

    session = Session(lambda doing: _write(answer_fd, {"doing": doing}))
    with os.fdopen(answer_fd, "wb", buffering=0) as answers:
        while True:
            answer = _serve(session, requests.get())
            # The log's disk may be full: the answer has to get through all the same.
            with contextlib.suppress(OSError):
                sys.stdout.flush()
                sys.stderr.flush()
            answers.write(json.dumps(encode(answer), allow_nan=False).encode("utf-8") + b"\n")


def _write(answer_fd: int, message: Dict[str, Any]) -> None:
    os.write(answer_fd, json.dumps(message).encode("utf-8") + b"\n")


def _read(control_fd: int, answer_fd: int, requests: Requests) -> None:
    """Queue requests, and say where the main thread is when asked; end the process when the harness
    closes the pipe or dies.
    """
    with os.fdopen(control_fd, "rb", buffering=0) as control:
        buffered = b""
        while True:
            chunk = control.read(1 << 16)
            if not chunk:
                os._exit(0)
            buffered += chunk
            while b"\n" in buffered:
                line, _, buffered = buffered.partition(b"\n")
                request = json.loads(line.decode("utf-8"))
                if request["verb"] == "where":
                    _write(answer_fd, {"where": faults.now(threading.main_thread().ident or 0)})
                else:
                    requests.put(request)


def _die_with_parent() -> None:
    with contextlib.suppress(OSError, AttributeError):  # not Linux: the reading thread has to do
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _serve(session: Any, request: Dict[str, Any]) -> Dict[str, Any]:
    """Return the answer to one request: whatever a port does ends in a status."""
    arguments = dict(request)
    number, verb = arguments.pop("id"), arguments.pop("verb")
    try:
        result = getattr(session, "do_" + verb)(**arguments)
        return {"id": number, "status": Status.OK, "result": result}
    except BaseException as error:  # noqa: BLE001  (the one catch-all; it writes a record)
        with contextlib.suppress(OSError):
            traceback.print_exc()
        status, reason = classify(error)
        return {"id": number, "status": status, "reason": reason}


def encode(value: Any) -> Any:
    """Return a value as strict JSON: NaN and infinities become the strings "NaN", "Infinity",
    "-Infinity"."""
    if isinstance(value, dict):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
