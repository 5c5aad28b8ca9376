"""What a line that a worker has answered may be instead."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.evaluation.hostile import mutations

Mutation = Callable[[bytes, random.Random], bytes]
#: Longer than any answer, and not longer than a line may be.
HUGE = 64 << 20
CONTROLS = "\x1b[2J\x1b[31m<b>PASS\x07\x9b2J\u202e\r\n"


def _changed(**fields: Any) -> Mutation:
    """Return the mutation that puts fields of the answer itself in the place of its own."""

    def mutate(line: bytes, _: random.Random) -> bytes:
        return json.dumps({**json.loads(line), **fields}).encode()

    return mutate


def _without(name: str) -> Mutation:
    """Return the mutation that leaves a field of the answer out."""

    def mutate(line: bytes, _: random.Random) -> bytes:
        answer = json.loads(line)
        answer.pop(name, None)
        return json.dumps(answer).encode()

    return mutate


def _instead(line: bytes) -> Mutation:
    return lambda _, __: line


def _nested(depth: int) -> Mutation:
    """Return the mutation whose result is nested so deeply."""

    def mutate(line: bytes, _: random.Random) -> bytes:
        text = json.dumps({**json.loads(line), "result": {"a": mutations.MARK}})
        return text.replace(json.dumps(mutations.MARK), "[" * depth + "]" * depth).encode()

    return mutate


def _twice(line: bytes, _: random.Random) -> bytes:
    return line.rstrip() + b" " + line


def _without_end(line: bytes, chance: random.Random) -> bytes:
    return line[: chance.randrange(len(line))]


def _many(line: bytes, _: random.Random) -> bytes:
    names = {f"name {number}": number for number in range(100_000)}
    return json.dumps({**json.loads(line), "result": names}).encode()


def of_a_file(mutate: mutations.Mutation, scratch: Path) -> Mutation:
    """Return the mutation of a line that alters a file which holds it."""

    def altered(line: bytes, chance: random.Random) -> bytes:
        scratch.write_bytes(line)
        mutate(scratch, chance)
        return scratch.read_bytes().replace(b"\n", b" ")

    return altered


#: Those of the answer itself.
ENVELOPE: dict[str, Mutation] = {
    "no status": _without("status"),
    "no result": _without("result"),
    "no number": _without("id"),
    "status: unknown": _changed(status="splendid"),
    "status: null": _changed(status=None),
    "status: number": _changed(status=0),
    "status: list": _changed(status=["ok"]),
    "status: text that steers": _changed(status=CONTROLS),
    "status: of a failure": _changed(status="unsupported"),
    "status: of a failure, reason that steers": _changed(status="error", reason=CONTROLS),
    "status: of a failure, reason that is none": _changed(status="error", reason=[7]),
    "result: number": _changed(result=7),
    "result: null": _changed(result=None),
    "result: list": _changed(result=[]),
    "result: text": _changed(result="ok"),
    "result: empty": _changed(result={}),
    "number: another": _changed(id=10**6),
    "number: text": _changed(id="1"),
    "number: true": _changed(id=True),
    "deep: line": _instead(b"[" * 200_000),
    "deep: result": _nested(200_000),
    "deep: result below the reader's limit": _nested(900),
    "huge: reason": _changed(status="error", reason="x" * HUGE),
    "huge: names": _many,
    "huge: number": _instead(b"9" * 5000),
    "line: empty": _instead(b""),
    "line: no object": _instead(b'"ok"'),
    "line: no JSON": _instead(b"Segmentation fault"),
    "line: twice": _twice,
    "line: cut": _without_end,
    "telling for ever": _changed(doing=CONTROLS),
}


def all_of_them(scratch: Path) -> dict[str, Mutation]:
    """Return every mutation by name. `scratch`: a file that some of them write."""
    files = {**mutations.JSON, **mutations.BYTES}
    return {**ENVELOPE, **{name: of_a_file(mutate, scratch) for name, mutate in files.items()}}
