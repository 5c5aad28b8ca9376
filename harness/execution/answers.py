"""What a worker's lines say: its answers, and where it is when it has run out of time. Starts and
ends nothing."""

from __future__ import annotations

import dataclasses
import json
import os
import selectors
import signal
import time
from typing import Any

from backends.contract import Status

CHUNK_BYTES = 1 << 16
WHERE_S = 1.0  # for a worker that has run out of time to say where it is


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a worker answers to a request; `id` is the request's."""

    status: Status
    id: int | None = None
    reason: str = ""
    result: dict[str, Any] = dataclasses.field(default_factory=dict)


def parse(line: bytes, verb: str) -> dict[str, Any]:
    """Return a line that came while the worker was at a request.

    Raises:
        ValueError: it is none of the protocol.
    """
    try:
        answer = json.loads(line)
    except ValueError:
        raise ValueError(f"the worker's answer to '{verb}' is not JSON: {line[:80]!r}") from None
    if not isinstance(answer, dict):
        raise ValueError(f"the worker's answer to '{verb}' is not an object")
    return answer


def place(answers: int, selector: selectors.BaseSelector) -> str:
    """Return what a worker says after a request `where`; empty where it says nothing in time.

    Raises:
        ValueError, KeyError: what it says is something else.
    """
    until, heard = time.monotonic() + WHERE_S, b""
    while b"where" not in heard or not heard.endswith(b"\n"):
        left_s = until - time.monotonic()
        chunk = os.read(answers, CHUNK_BYTES) if left_s > 0 and selector.select(left_s) else b""
        if not chunk:
            return ""
        heard += chunk
    return str(json.loads(heard.splitlines()[-1])["where"])


def signal_name(number: int) -> str:
    """Return e.g. SIGKILL."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
