"""A pickle that would keep its reader busy, or fill the memory, is refused before anything of it
is built."""

from __future__ import annotations

import pickle
import pickletools
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harness.workloads.ehr_mgan import pickle_opcodes
from harness.workloads.ehr_mgan.pickle_opcodes import MAX_OPCODES, Unfit, first_unfit

#: Pairs of pairs of pairs, each the same object twice: a hash, a comparison or a text of it would
#: take 2**50 steps.
NESTED = b"\x80\x04)\x94" + b"".join(b"h%ch%c\x86\x94" % (index, index) for index in range(50))
FUNCTION = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\0tC\x01btR"
FLOATS = b"cnumpy\ndtype\n(X\x02\0\0\0f8K\0K\x01tR"


def built(
    shape: bytes, dtype: bytes = FLOATS, order: bytes = b"\x89", content: bytes = b"C\0"
) -> bytes:
    """A pickle of an array whose state is made of the given parts."""
    return FUNCTION + b"(K\x01" + shape + dtype + order + content + b"tb."


#: Each with what is said of it.
ATTACKS = {
    "hash of a key": (NESTED + b"}h\x32Ns.", "it holds a dict"),
    "hash of an element": (NESTED + b"\x8f(h\x32\x90.", "it holds a set"),
    "hash of a frozen set": (NESTED + b"(h\x32\x91.", "it holds a set"),
    "dicts as keys' state": (
        NESTED + b"cnumpy\ndtype\n(X\x02\0\0\0f8tR}h\x32Nsb.",
        "it holds a dict",
    ),
    "index of the memo": (b"Nr\xff\xff\xff\x7f.", "opcode LONG_BINPUT"),
    "index of the memo as text": (b"Np2000000000\n.", "a forged index"),
    "many elements": (b"(" + b"N" * 10**7 + b"t.", f"more than {MAX_OPCODES} opcodes"),
    "many digits": (b"I" + b"9" * 10**7 + b"\n.", "INT at byte 0 has no end"),
    "a long name": (b"c" + b"x" * 10**7 + b"\n\n.", "GLOBAL at byte 0 has no end"),
    "announced bytes": (
        b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"x.",
        "beyond the end of the file",
    ),
    "nested result": (NESTED + b".", "it holds a tuple, not an array"),
    "nested shape": (NESTED[2:] + built(b"h\x32"), "shape is no list of numbers"),
    "shape of bytes": (
        built(b"B" + struct.pack("<I", 4 * 10**7) + bytes(4 * 10**7)),
        "shape is no list of numbers",
    ),
    "nested dtype": (NESTED[2:] + built(b")", b"h\x32"), "an array without a dtype"),
    "nested name of a dtype": (
        NESTED[2:] + built(b")", b"cnumpy\ndtype\n(h\x32tR"),
        "not written as NumPy writes it",
    ),
    "nested order": (NESTED[2:] + built(b")", order=b"h\x32"), "is damaged"),
    "nested content": (NESTED[2:] + built(b")", content=b"h\x32"), "is damaged"),
}
#: Reads files in turn: each may take a second of the processor, and 200 MB beside what is there.
READER = """
import resource, sys
from pathlib import Path
from harness.errors import UsageError
from harness.workloads.ehr_mgan import pickles
if "blind" in sys.argv: pickles.first_unfit = lambda data: None
room = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() + 200 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (room, room))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
for path in sorted(Path(sys.argv[1]).iterdir()):
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit_s = int(used.ru_utime + used.ru_stime) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (limit_s, resource.RLIM_INFINITY))
    try: pickles.read_array(path)
    except UsageError as error: print(path.name, error, sep=": ", flush=True)
"""


def read(folder: Path, *options: str) -> dict[str, str]:
    """What is said of each file, by name, up to the one that kills its reader."""
    command = [sys.executable, "-c", READER, str(folder), *options]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    return dict(line.split(": ", 1) for line in done.stdout.splitlines())


@pytest.fixture(scope="module")
def said(tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("attacks")
    for name, (content, _) in ATTACKS.items():
        (folder / name).write_bytes(content)
    return read(folder)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_on_time_or_memory_is_refused_at_once(said, name):
    """In a second of the processor and little memory, the limits of the process that reads."""
    assert ATTACKS[name][1] in said.get(name, "the reader was killed")


@pytest.mark.parametrize(
    ("name", "told"),
    [("index of the memo", "MemoryError"), ("hash of a key", "the reader was killed")],
)
def test_the_attacks_are_real(tmp_path, name, told):
    """A reader that does not look at the opcodes first runs out of memory, or of time."""
    (tmp_path / name).write_bytes(ATTACKS[name][0])
    assert told in read(tmp_path, "blind").get(name, "the reader was killed")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_the_opcodes_are_those_that_python_reads(protocol):
    """The walk goes from opcode to opcode as `pickletools` does, for as many axes as NumPy has;
    no array is unfit."""
    for array in (
        np.ones((1,) * 64),
        np.arange(6) / 7,
        np.zeros((0, 2)),
        np.ones((70, 70, 70), bool),
    ):
        data = pickle.dumps(array, protocol)
        places = [place for *_, place in pickletools.genops(data)]
        ends = [
            pickle_opcodes._end(data, place + 1, pickle_opcodes._OPCODES[data[place]])
            for place in places
        ]
        assert [*places[1:], len(data)] == ends and len(places) < MAX_OPCODES
        assert first_unfit(data) is None


def test_what_arrays_do_not_need_is_found_where_it_is():
    """With its place, behind things that are allowed."""
    assert Unfit(3, "it holds a list, as an array of Python objects does") == first_unfit(
        b"\x80\x02N]\x85."
    )
    assert Unfit(0, "it asks for `os.system`") == first_unfit(b"ios\nsystem\n.")


def test_every_opcode_of_python_is_allowed_or_not_by_name():
    """No name is misspelt, and none is both."""
    known = {opcode.name for opcode in pickletools.opcodes}
    assert pickle_opcodes.ALLOWED <= known and set(pickle_opcodes.REASONS) <= known
    assert not pickle_opcodes.ALLOWED & set(pickle_opcodes.REASONS)


def test_a_name_is_printed_short_and_without_control_characters():
    """A file must not write to the terminal through its refusal."""
    assert "a?[2J" == pickle_opcodes.printable("a\x1b[2J")
    assert 200 == len(pickle_opcodes.printable("x" * 10**6))
