"""What is done to a stored file: to the values of its JSON, to its bytes, to its arrays, and to its
place. Each takes the file and a source of chance, and leaves the file altered."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from harness.records import store
from tests.evaluation.hostile import sockets

Mutation = Callable[[Path, random.Random], None]
MARK = "@hostile@"
#: What takes the place of a value, as text of JSON.
VALUES = {
    "null": "null",
    "true": "true",
    "number": "7",
    "negative": "-1",
    "fraction": "0.5",
    "huge": "1e308",
    "infinite": "1e999",
    "endless": "9" * 5000,
    "large": "9" * 400,
    "nan": "NaN",
    "minus infinity": "-Infinity",
    "nan in words": '"NaN"',
    "text": '"other"',
    "empty text": '""',
    "long text": json.dumps("long " * 20_000),
    "controls": json.dumps("\x00\x1b[31mred\x07\x9b2J\u202e\r\n"),
    "surrogate": '"\\ud800"',
    "path": '"../../../../etc/passwd"',
    "list": "[]",
    "lists": "[[1], [null]]",
    "object": "{}",
    "deep": "[" * 200_000,
    "nested": "[" * 480 + "]" * 480,
    "nested more": "[" * 900 + "]" * 900,
}


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where the values of a document are."""
    if at:
        yield at
    if isinstance(value, dict):
        for name, part in value.items():
            yield from places(part, (*at, name))
    if isinstance(value, list):
        for number, part in enumerate(value):
            yield from places(part, (*at, number))


def _within(document: Any, chance: random.Random) -> tuple[Any, Any]:
    """Return what holds a value, and under which name; the upper ones are as likely as all below
    them."""
    every = list(places(document))
    upper = [at for at in every if len(at) <= 2]
    at = chance.choice(upper if chance.random() < 0.5 else every)
    holder = document
    for part in at[:-1]:
        holder = holder[part]
    return holder, at[-1]


def value(kind: str, sealed: bool = False) -> Mutation:
    """Return the mutation that puts something else in the place of a value.

    Args:
        kind: a name of `VALUES`. sealed: seal the document again, as a writer with that content
            would have.
    """

    def mutate(path: Path, chance: random.Random) -> None:
        document = json.loads(path.read_bytes())
        holder, name = _within(document, chance)
        holder[name] = MARK
        text = json.dumps(document).replace(json.dumps(MARK), VALUES[kind])
        path.write_text(_resealed(text) if sealed else text, encoding="utf-8")

    return mutate


def _resealed(text: str) -> str:
    try:
        document = json.loads(text)
        if store.SEAL in document:
            document[store.SEAL] = store.seal(store.decode(document))
        return json.dumps(document)
    except (ValueError, RecursionError):
        return text


def missing_key(path: Path, chance: random.Random) -> None:
    """Leave a name out."""
    document = json.loads(path.read_bytes())
    holder, name = _within(document, chance)
    del holder[name]
    path.write_text(json.dumps(document), encoding="utf-8")


def missing_key_sealed(path: Path, chance: random.Random) -> None:
    """Leave a name out, and seal what is left."""
    missing_key(path, chance)
    path.write_text(_resealed(path.read_text(encoding="utf-8")), encoding="utf-8")


def older_schema(path: Path, chance: random.Random) -> None:
    """Say that the file is of a schema from before there were seals, and change something else."""
    document = json.loads(path.read_bytes())
    holder, name = _within(document, chance)
    holder[name] = 7 if holder[name] != 7 else 8
    path.write_text(json.dumps({**document, "schema": 1}), encoding="utf-8")


def duplicated_key(path: Path, chance: random.Random) -> None:
    """Say a name twice, the second time with another value."""
    text = path.read_text(encoding="utf-8")
    document = json.loads(text)
    name = chance.choice(sorted(document))
    text = text.rstrip()
    path.write_text(f"{text[:-1]}, {json.dumps(name)}: null}}", encoding="utf-8")


def duplicated_before(path: Path, chance: random.Random) -> None:
    """Say a name twice, the first time with another value."""
    text = path.read_text(encoding="utf-8").lstrip()
    name = chance.choice(sorted(json.loads(text)))
    path.write_text(f"{{{json.dumps(name)}: 0, {text[1:]}", encoding="utf-8")


def flipped(path: Path, chance: random.Random) -> None:
    """Flip one bit."""
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def removed(path: Path, chance: random.Random) -> None:
    """Remove some bytes."""
    content = path.read_bytes()
    at = chance.randrange(len(content))
    path.write_bytes(content[:at] + content[at + 1 + chance.randrange(64) :])


def inserted(path: Path, chance: random.Random) -> None:
    """Insert some bytes."""
    content = path.read_bytes()
    at = chance.randrange(len(content))
    path.write_bytes(content[:at] + chance.randbytes(1 + chance.randrange(16)) + content[at:])


def truncated(path: Path, chance: random.Random) -> None:
    """Cut the end off."""
    content = path.read_bytes()
    path.write_bytes(content[: chance.randrange(len(content))])


def emptied(path: Path, _: random.Random) -> None:
    """Leave nothing."""
    path.write_bytes(b"")


def random_bytes(path: Path, chance: random.Random) -> None:
    """Write noise over it."""
    path.write_bytes(chance.randbytes(4096))


def gone(path: Path, _: random.Random) -> None:
    """Delete it."""
    path.unlink()


def folder(path: Path, _: random.Random) -> None:
    """Put a folder in its place."""
    path.unlink()
    path.mkdir()


def fifo(path: Path, _: random.Random) -> None:
    """Put a FIFO in its place that nobody writes to."""
    path.unlink()
    os.mkfifo(path)


def dangling(path: Path, _: random.Random) -> None:
    """Put a link to nothing in its place."""
    path.unlink()
    path.symlink_to(path.parent / "nothing-is-here")


def loop(path: Path, _: random.Random) -> None:
    """Put a link to itself in its place."""
    path.unlink()
    path.symlink_to(path.name)


def device(path: Path, _: random.Random) -> None:
    """Put a link to a device in its place that never ends."""
    path.unlink()
    path.symlink_to("/dev/zero")


def listening(path: Path, _: random.Random) -> None:
    """Put a socket in its place."""
    path.unlink()
    sockets.bind(path)


# -- arrays ---------------------------------------------------------------------------------------


def _members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _write(path: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def _saved(array: Any, *, pickles: bool = False) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=pickles)
    return buffer.getvalue()


def _replaced(made: Callable[[Any, random.Random], bytes]) -> Mutation:
    """Return the mutation that makes another member of one array."""

    def mutate(path: Path, chance: random.Random) -> None:
        members = _members(path)
        name = chance.choice(sorted(members))
        members[name] = made(np.load(io.BytesIO(members[name])), chance)
        _write(path, members)

    return mutate


def _enormous(_: Any, chance: random.Random) -> bytes:
    """Return an array whose header tells of a trillion numbers."""
    buffer = io.BytesIO()
    shape = chance.choice([(10**12,), (10**18,), (2**63, 4), (-1,)])
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue() + bytes(64)


def _other(array: Any, chance: random.Random) -> bytes:
    changed = np.array(array, np.float64).reshape(-1) * 1.5 + 1.0
    return _saved(changed.reshape(np.shape(array)).astype(array.dtype))


def missing_member(path: Path, chance: random.Random) -> None:
    """Leave an array out."""
    members = _members(path)
    del members[chance.choice(sorted(members))]
    _write(path, members)


def extra_member(path: Path, _: random.Random) -> None:
    """Add something that is no array."""
    _write(path, {**_members(path), "evil.npy": b"no array", "../evil.txt": b"text"})


def swapped(path: Path, _: random.Random) -> None:
    """Put a single array where an archive belongs."""
    path.write_bytes(_saved(np.zeros(3)))


ARRAYS: dict[str, Mutation] = {
    "shape of 10**12": _replaced(_enormous),
    "text dtype": _replaced(lambda array, _: _saved(np.full(np.shape(array), "text"))),
    "dates": _replaced(lambda array, _: _saved(np.zeros(np.shape(array), "datetime64[s]"))),
    "object dtype": _replaced(lambda array, _: _saved(np.full(3, {}), pickles=True)),
    "other length": _replaced(lambda array, _: _saved(np.append(np.ravel(array), [0, 0, 0]))),
    "no numbers": _replaced(lambda array, _: _saved(np.zeros((0, 3)))),
    "complex": _replaced(lambda array, _: _saved(np.asarray(array) * 1j)),
    "other numbers": _replaced(_other),
    "missing member": missing_member,
    "extra member": extra_member,
    "one array": swapped,
}
BYTES: dict[str, Mutation] = {
    "flipped bit": flipped,
    "removed bytes": removed,
    "inserted bytes": inserted,
    "truncated": truncated,
    "empty": emptied,
    "random bytes": random_bytes,
}
PLACES: dict[str, Mutation] = {
    "missing": gone,
    "folder": folder,
    "FIFO": fifo,
    "dangling link": dangling,
    "link to itself": loop,
    "link to a device": device,
    "socket": listening,
}
JSON: dict[str, Mutation] = {
    **{f"value: {kind}": value(kind) for kind in VALUES},
    "missing key": missing_key,
    "older schema": older_schema,
    "duplicated key": duplicated_key,
    "duplicated before": duplicated_before,
}
SEALED: dict[str, Mutation] = {
    **{f"sealed: {kind}": value(kind, sealed=True) for kind in VALUES},
    "sealed: missing key": missing_key_sealed,
}


def copied(source: Path, target: Path) -> None:
    """Copy a folder over another."""
    shutil.rmtree(target)
    shutil.copytree(source, target)
