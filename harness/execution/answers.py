"""What a worker's lines say: its answers, each checked against what its verb promises, and where it
is when it has run out of time. Starts and ends nothing.

A worker runs the port's code, so whatever it says may be anything: what is not what belongs there
ends the job with the verb and the field.
"""

from __future__ import annotations

import dataclasses
import json
import os
import selectors
import signal
import time
from typing import Any

from backends.contract import Status
from harness.errors import CorruptRecord, JobFailed
from harness.execution.verbs import Promised, Said, Verb
from harness.records.decoder import ALTERED, Decoded, decode

CHUNK_BYTES = 1 << 16
LONGEST_BYTES = 1 << 28  # of one line; a record of thousands of tensors has a few million
#: Characters of the reason of a failure; a port may raise with all of an array in its message.
LONGEST_REASON = 4000
WHERE_S = 1.0  # for a worker that has run out of time to say where it is


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a worker answers to a request; `id` is the request's."""

    status: Status
    id: int | None = None
    reason: str = ""
    result: dict[str, Any] = dataclasses.field(default_factory=dict)


def _decode(kind: type[Decoded], value: Any, verb: str) -> Decoded:
    try:
        return decode(kind, value, f"the worker's answer to '{verb}'")
    except CorruptRecord as error:
        raise broken(error) from error


def broken(error: CorruptRecord) -> CorruptRecord:
    """Return what is said of an answer in which something else stands than belongs there: no file
    was altered.

    Args:
        error: what decoding it has said.
    """
    what = str(error).removesuffix(f"; {ALTERED}")
    return CorruptRecord(f"{what}: the port, or what it imports, has broken it")


def read(answer: Any, verb: Verb[Promised], number: int) -> Said[Promised]:
    """Return an answer's result, which is what the verb promises.

    Args:
        answer: the line's object. verb: that was asked for. number: of the request.

    Raises:
        JobFailed: the worker answered with a status other than `ok`.
        CorruptRecord: it is something else, or the answer to another request.
    """
    known = _decode(Answer, answer, verb.name)
    if known.id != number:
        raise CorruptRecord(
            f"the worker's answer to '{verb.name}' is one to request {known.id} instead of {number}"
        )
    if known.status != Status.OK:
        if not known.reason.strip():
            raise CorruptRecord(
                f"the worker's answer to '{verb.name}' has the status '{known.status}' and says no"
                " reason: the port, or what it imports, has broken it"
            )
        raise JobFailed(known.status, _shortened(known.reason, verb.name))
    if "result" not in answer:
        raise CorruptRecord(
            f"the worker's answer to '{verb.name}': 'result' is missing: the port, or what it"
            " imports, has broken it"
        )
    return Said(_decode(verb.promise, known.result, verb.name), known.result)


def _shortened(reason: str, verb: str) -> str:
    """Return a reason of a length that a table and a page can show."""
    if len(reason) <= LONGEST_REASON:
        return reason
    return f"{reason[:LONGEST_REASON]}... ({len(reason)} characters in the answer to '{verb}')"


def parse(line: bytes, verb: str) -> dict[str, Any]:
    """Return a line that came while the worker was at a request.

    Raises:
        ValueError: it is none of the protocol.
    """
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
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


def ended(code: int, in_port: bool) -> str:
    """Return how a worker ended before it had answered.

    Args:
        code: of its process, negative for a signal. in_port: whether it was in a port's method.
    """
    if code < 0:
        return f"killed by {signal_name(-code)}"
    if in_port:
        return f"the port's process ended itself with code {code}"
    return f"exited with status {code}"


def signal_name(number: int) -> str:
    """Return e.g. SIGKILL."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
