"""What a pickle is about to do, opcode by opcode, looked at before any of it is done.

An array takes few opcodes, of few kinds: those in `ALLOWED` are all that Python 2.7 and 3.7 to 3.13
write for the arrays of NumPy 1 and 2, in every protocol. Without dicts, sets and lists, without
large indices of the memo and in at most `MAX_OPCODES` opcodes nothing can be built that takes long
to hash or much room. `pickletools.genops` is not used: it refuses the escaped bytes of Python 2's
protocol 0, and copies the content. Only the table of `pickletools` is.
"""

from __future__ import annotations

import dataclasses
import pickletools

#: An array of 64 axes, the most that NumPy has, takes 131 in protocol 0.
MAX_OPCODES = 256
#: A number or the name of a class, as text.
MAX_LINE = 100
ALLOWED = frozenset(
    (
        "MARK",
        "STOP",
        "PROTO",
        "FRAME",
        "GLOBAL",
        "STACK_GLOBAL",
        "REDUCE",
        "BUILD",
        "NONE",
        "NEWTRUE",
        "NEWFALSE",
        "INT",
        "BININT",
        "BININT1",
        "BININT2",
        "LONG",
        "LONG1",
        "STRING",
        "BINSTRING",
        "SHORT_BINSTRING",
        "UNICODE",
        "BINUNICODE",
        "SHORT_BINUNICODE",
        "BINBYTES",
        "SHORT_BINBYTES",
        "BYTEARRAY8",
        "EMPTY_TUPLE",
        "TUPLE",
        "TUPLE1",
        "TUPLE2",
        "TUPLE3",
        "PUT",
        "BINPUT",
        "MEMOIZE",
        "GET",
        "BINGET",
    )
)
#: What the others would make, where a user can have meant it.
REASONS = {
    **dict.fromkeys(
        ("EMPTY_LIST", "LIST", "APPEND", "APPENDS"),
        "it holds a list, as an array of Python objects does",
    ),
    **dict.fromkeys(
        ("EMPTY_DICT", "DICT", "SETITEM", "SETITEMS"),
        "it holds a dict, as records with fields and dates do",
    ),
    **dict.fromkeys(("EMPTY_SET", "ADDITEMS", "FROZENSET"), "it holds a set"),
    **dict.fromkeys(("FLOAT", "BINFLOAT"), "it holds a float"),
    **dict.fromkeys(("OBJ", "NEWOBJ", "NEWOBJ_EX"), "it makes an object of a class"),
    **dict.fromkeys(
        ("PERSID", "BINPERSID", "NEXT_BUFFER", "READONLY_BUFFER"),
        "it refers to something outside the file",
    ),
    **dict.fromkeys(("EXT1", "EXT2", "EXT4"), "it names a function by an extension code"),
}
_OPCODES = {ord(opcode.code): opcode for opcode in pickletools.opcodes}
#: Bytes that say how long the content behind them is.
_COUNTED = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}


@dataclasses.dataclass(frozen=True)
class Unfit:
    """An opcode that no array needs: where it stands, and what it is there for."""

    offset: int
    reason: str


def first_unfit(data: bytes) -> Unfit | None:
    """Return the first opcode that an array of numbers has no need of but other pickles have, or
    None.

    Raises:
        ValueError: this is no pickle, or a forged one.
    """
    offset = 0
    for count in range(MAX_OPCODES):
        opcode = _OPCODES.get(data[offset]) if offset < len(data) else None
        if opcode is None:
            raise ValueError(f"no opcode at byte {offset}")
        end = _end(data, offset + 1, opcode)
        if opcode.name == "INST":
            name = ".".join(data[offset + 1 : end].decode("latin1").split())
            return Unfit(offset, f"it asks for `{printable(name)}`")
        if opcode.name in REASONS:
            return Unfit(offset, REASONS[opcode.name])
        if opcode.name not in ALLOWED:
            raise ValueError(f"opcode {opcode.name} at byte {offset}, which arrays do not have")
        # Room is made for all indices up to it.
        if opcode.name == "PUT" and int(data[offset + 1 : end]) > count + 1:
            raise ValueError(f"a forged index in the memo at byte {offset}")
        if opcode.name == "STOP":
            return None
        offset = end
    raise ValueError(f"more than {MAX_OPCODES} opcodes, which no array takes")


def _end(data: bytes, start: int, opcode: pickletools.OpcodeInfo) -> int:
    """Return where the next opcode begins, given where this one's argument does."""
    size = 0 if opcode.arg is None else opcode.arg.n
    if size in _COUNTED:
        width = _COUNTED[size]
        end = start + width + int.from_bytes(data[start : start + width], "little")
    elif size == pickletools.UP_TO_NEWLINE:
        end = start
        for _ in range(2 if opcode.name in ("GLOBAL", "INST") else 1):
            limit = len(data) if opcode.name in ("STRING", "UNICODE") else end + MAX_LINE
            end = data.find(b"\n", end, limit) + 1
            if end == 0:
                raise ValueError(f"{opcode.name} at byte {start - 1} has no end")
    else:
        end = start + size
    if end > len(data):
        raise ValueError(f"{opcode.name} at byte {start - 1} goes on beyond the end of the file")
    return end


def printable(name: str) -> str:
    """Return a name that a file gives, fit to be printed: short, and without control characters."""
    return "".join(letter if letter.isprintable() else "?" for letter in name[: 2 * MAX_LINE])
