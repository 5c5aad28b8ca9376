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
from harness.errors import CorruptRecord
from harness.records.contents import Identity, Opened, Spent, Tensors
from harness.records.decoding import ALTERED, Decoded, decode

CHUNK_BYTES = 1 << 16
LONGEST_BYTES = 1 << 28  # of one line; a record of thousands of tensors has a few million
WHERE_S = 1.0  # for a worker that has run out of time to say where it is


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a worker answers to a request; `id` is the request's."""

    status: Status
    id: int | None = None
    reason: str = ""
    result: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Nothing:
    """The answer to `load`."""


@dataclasses.dataclass(frozen=True)
class Effective:
    """The answer to `effective`: the settings in effect."""

    effective: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Probed(Effective):
    """The answer to `probe`."""

    remarks: tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Taught(Tensors):
    """The answer to `teach`."""

    read: dict[str, tuple[str, ...]]
    own: dict[str, tuple[str, ...]]


@dataclasses.dataclass(frozen=True)
class Waits:
    """How long threads ran, and waited for a processor, seconds; None where nobody tells."""

    wall_s: float
    ran_s: float
    waited_s: float | None


@dataclasses.dataclass(frozen=True)
class Warmed:
    """The answer to `prepare` (`backends.measuring.timer.Timer.prepare`)."""

    first_step_s: float
    sample_s: float
    warmup_s: float
    warmup_steps: int
    steps_a_sample: int
    waits: Waits


@dataclasses.dataclass(frozen=True)
class Block:
    """The answer to `block` (`backends.measuring.timer.Timer.block`)."""

    step_s: tuple[float, ...]
    steps: int
    peak_bytes: int
    ended_bytes: int
    calls: dict[int, int]
    calls_base: float
    waits: Waits
    used_s: float
    device_peak_bytes: int | None
    resident_bytes: int | None = None


@dataclasses.dataclass(frozen=True)
class Step:
    """The answer to `step`."""

    step_s: float


@dataclasses.dataclass(frozen=True)
class Stepped:
    """The answer to `start`, `advance`, `export` and `continue`: how many steps have been trained.

    `losses`: by name, a value or None a step. `origin`: of the optimizers' step counts.
    """

    step: int
    losses: dict[str, tuple[float | None, ...]] = dataclasses.field(default_factory=dict)
    origin: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Generated:
    """The answer to `generate`."""

    shape: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Variable:
    """One variable of a checkpoint."""

    shape: tuple[int, ...]
    dtype: str


@dataclasses.dataclass(frozen=True)
class Inspected:
    """The answer to `inspect`."""

    variables: dict[str, Variable]


@dataclasses.dataclass(frozen=True)
class Adopted:
    """The answer to `adopt`: what arrived, and which arrays did not."""

    step: int
    lost: tuple[str, ...]
    parameters: int
    state: int


#: What each verb of `backends.protocol.session` promises.
PROMISES: dict[str, type[Any]] = {
    "describe": Identity,
    "open": Opened,
    "probe": Probed,
    "effective": Effective,
    "record": Tensors,
    "teach": Taught,
    "load": Nothing,
    "prepare": Warmed,
    "block": Block,
    "step": Step,
    "spend": Spent,
    "start": Stepped,
    "advance": Stepped,
    "continue": Stepped,
    "export": Stepped,
    "generate": Generated,
    "inspect": Inspected,
    "adopt": Adopted,
}


def _decode(kind: type[Decoded], value: Any, verb: str) -> Decoded:
    try:
        return decode(kind, value, f"the worker's answer to '{verb}'")
    except CorruptRecord as error:
        what = str(error).removesuffix(f"; {ALTERED}")
        raise CorruptRecord(f"{what}: the port, or what it imports, has broken it") from error


def read(answer: Any, verb: str, number: int) -> Answer:
    """Return an answer whose result is what the verb promises, unless the status is not `ok`.

    A verb that is not in `PROMISES` is none of this package's: its result may be any object.

    Args:
        answer: the line's object. verb: that was asked for. number: of the request.

    Raises:
        CorruptRecord: it is something else, or the answer to another request.
    """
    known = _decode(Answer, answer, verb)
    if known.id != number:
        raise CorruptRecord(
            f"the worker's answer to '{verb}' is one to request {known.id} instead of {number}"
        )
    if known.status == Status.OK and "result" not in answer:
        raise CorruptRecord(
            f"the worker's answer to '{verb}': 'result' is missing: the port, or what it imports,"
            " has broken it"
        )
    if known.status == Status.OK and verb in PROMISES:
        _decode(PROMISES[verb], known.result, verb)
    return known


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


def signal_name(number: int) -> str:
    """Return e.g. SIGKILL."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
