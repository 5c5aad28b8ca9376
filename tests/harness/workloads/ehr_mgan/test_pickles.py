"""A pickle is read for the array in it; anything else in it is refused by name and never run."""

from __future__ import annotations

import os
import pickle
import re
import struct
from pathlib import Path

import numpy as np
import pytest

from harness.errors import UsageError
from harness.workloads.ehr_mgan import pickles
from harness.workloads.ehr_mgan.pickles import read_array

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
ARRAYS = {
    "three axes": np.arange(24.0).reshape(2, 3, 4) / 7,
    "column-major": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "a view": np.arange(20).reshape(4, 5)[::2, 1:],
    "float32": np.arange(6, dtype=np.float32),
    "big-endian": np.arange(6, dtype=">i4").reshape(2, 3),
    "booleans": np.array([[True, False]]),
    "small whole numbers": np.arange(6, dtype=np.uint8),
    "axes in another order": np.arange(24.0).reshape(2, 3, 4).transpose(1, 2, 0),
    "read-only": np.frombuffer(bytes(range(16)), np.float32),
    "of no axes": np.array(1.5),
    "empty": np.zeros((0, 3)),
}
#: `(numpy.arange(6) / 7).reshape(2, 3)` as CPython 2.7 (with both its picklers), 3.7 and 3.10 wrote
#: it, in all their protocols.
WRITTEN = sorted((Path(__file__).parents[3] / "data/pickles").glob("*.pkl"))
#: Announces more bytes than there are in the world.
HUGE = b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"x."


class Calls:
    """Pickles as the call of a function, as a hostile file does."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


def refuse(path: Path, content: bytes) -> str:
    """What is said about a file."""
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_array(path)
    assert str(path) in str(caught.value) and "Nothing in it was run" in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_of_numbers_are_read_in_every_protocol(tmp_path, name, protocol):
    """Values, shape and dtype are those that were written."""
    path, array = tmp_path / "array.pkl", ARRAYS[name]
    path.write_bytes(pickle.dumps(array, protocol))
    found = read_array(path)
    assert (array.shape, array.dtype) == (found.shape, found.dtype) and np.array_equal(array, found)


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.stem)
def test_what_older_versions_wrote_is_read(path):
    """Python 2 wrote the bytes of an array as text with escapes, and NumPy 1 named its functions
    otherwise."""
    assert np.array_equal((np.arange(6) / 7).reshape(2, 3), read_array(path))


def test_the_older_files_are_all_there():
    """Three protocols of each of Python 2's picklers, five of 3.7, six of 3.10."""
    assert 3 + 3 + 5 + 6 == len(WRITTEN)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("call", "named"),
    [
        ((os.system, "touch {}"), r"(posix|nt)\.system"),
        ((os.mkdir, "{}"), r"(posix|nt)\.mkdir"),
        ((eval, "__import__('os').mkdir('{}')"), r"(builtins|__builtin__)\.eval"),
        ((exec, "import os; os.mkdir('{}')"), r"(builtins|__builtin__)\.exec"),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_a_hostile_file_is_refused_by_name_and_does_nothing(
    tmp_path, call, named, nested, protocol
):
    """Alone, or hidden behind an array; an ordinary unpickler would have run it, which the test
    shows."""
    mark = tmp_path / "mark"
    function, argument = call
    hostile = Calls(function, (argument.format(mark),))
    content = pickle.dumps((np.ones(2), (hostile,)) if nested else hostile, protocol)
    said = refuse(tmp_path / "array.pkl", content)
    assert not mark.exists()
    assert re.search(f"it asks for `{named}`", said)
    pickle.loads(content)
    assert mark.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"cos\nsystem\n(S'touch mark'\ntR.", "`os.system`"),
        (b"(S'touch mark'\nios\nsystem\n.", "`os.system`"),
        (b"\x80\x02cposix\nsystem\nX\x04\x00\x00\x00true\x85\x81.", "`posix.system`"),
        (b"\x80\x04\x8c\x05numpy\x8c\x0fndarray.tofile.\x93.", "`numpy.ndarray.tofile.`"),
        (
            b"\x80\x04\x8c\x16numpy._core.multiarray\x8c\x1b_reconstruct.__globals__.os\x93.",
            "_reconstruct.__globals__.os",
        ),
        (b"cnumpy\nload\n(S'x'\ntR.", "`numpy.load`"),
        (b"cnumpy\nndarray\n(I9\ntR.", "another way"),
        (b"Pone\n.", "outside the file"),
        (b"\x82\x01.", "extension code"),
    ],
)
def test_the_other_ways_to_name_a_function(tmp_path, monkeypatch, content, said):
    """By opcodes that Python itself no longer writes, by dotted names, by references out of the
    file."""
    monkeypatch.chdir(tmp_path)
    assert said in refuse(tmp_path / "array.pkl", content)
    assert ["array.pkl"] == [path.name for path in tmp_path.iterdir()]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.array([1, None], object), "Python objects"),
        (np.array(["a"]), "type 'U1'"),
        (np.ones(2, complex), "type 'c16'"),
        (np.zeros(2, [("a", "f8")]), "records with fields"),
        (np.float64(3), "a single number"),
        ([1.0, 2.0], "a list"),
        ({"x": np.ones(2)}, "a dict"),
        (3.5, "a float"),
        (np.dtype("f8"), "a part of an array"),
        (np.ma.ones(2), "numpy.ma"),
    ],
)
def test_what_is_not_an_array_of_numbers_is_refused(tmp_path, value, said, protocol):
    """With what it is, and how to write the array."""
    message = refuse(tmp_path / "array.pkl", pickle.dumps(value, protocol))
    assert said in message and "pickle.dump(numpy.asarray(table, float), file)" in message


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04",
        b"1,2,3\n",
        pickle.dumps(np.ones(9), 5)[:-9],
        pickle.dumps(np.ones(9), 2)[:40],
        HUGE,
        pickle.dumps(np.ones(9), 4).replace(b"K\x09", b"K\x08"),
        b"0.",
        b"N2.",
        b"X",
        b"cnumpy\n",
    ],
)
def test_a_file_that_is_no_pickle_or_damaged_is_said_to_be_so(tmp_path, content):
    """Empty, of another format, cut off, longer than it says, or altered."""
    assert "is not a pickle of an array, or is damaged" in refuse(tmp_path / "array.pkl", content)


def test_a_file_that_alters_the_stand_ins_alters_them_for_itself_alone(tmp_path):
    """The next file is read as if the first had never been."""
    hostile = b"c_codecs\nencode\nN}S'x'\nI1\ns\x86b."
    assert "it holds a dict" in refuse(tmp_path / "hostile.pkl", hostile)
    hostile = b"c_codecs\nencode\n(S'x'\ntb."
    refuse(tmp_path / "hostile.pkl", hostile)
    path = tmp_path / "array.pkl"
    path.write_bytes(pickle.dumps(np.ones(3), 2))
    assert np.array_equal(np.ones(3), read_array(path))


def test_a_file_beyond_the_limit_is_not_read(tmp_path, monkeypatch):
    """With the limit."""
    monkeypatch.setattr(pickles, "MAX_BYTES", 100)
    (tmp_path / "array.pkl").write_bytes(pickle.dumps(np.ones(100)))
    with pytest.raises(UsageError, match="at most 100 are read"):
        read_array(tmp_path / "array.pkl")


def array_of(dtype, raw=b"\0" * 8):
    """An array pickled by hand: of one element, with the given dtype and content."""
    rebuild = np.zeros(1).__reduce__()[0]
    return Calls(rebuild, (np.ndarray, (0,), b"b"), (1, (1,), dtype, False, raw))


def test_a_dtype_that_is_no_text_does_not_keep_the_reader_busy(tmp_path):
    """The text of tuples that share each other would take longer than the universe has; it is
    never asked for."""
    endless = ()
    for _ in range(40):
        endless = (endless, endless)
    said = refuse(
        tmp_path / "hostile.pkl", pickle.dumps(array_of(Calls(np.dtype, (endless, False, True))))
    )
    assert "not written as NumPy writes it" in said


@pytest.mark.parametrize("order", ["f8,", "<f8,", (), "="])
def test_a_byte_order_is_one_letter(tmp_path, order):
    """More would make another dtype of it after it was checked."""
    dtype = Calls(np.dtype, ("f8", False, True), (3, order, None, None, None, -1, -1, 0))
    path = tmp_path / "file.pkl"
    if order == "=":
        path.write_bytes(pickle.dumps(array_of(dtype)))
        assert read_array(path).tolist() == [0.0]
    else:
        assert "not written as NumPy writes it" in refuse(path, pickle.dumps(array_of(dtype)))


def test_content_that_is_a_number_makes_no_room_for_itself(tmp_path):
    """`bytes(n)` would be n zeros."""
    build = np.zeros(1).__reduce_ex__(5)[0]
    said = refuse(
        tmp_path / "large.pkl",
        pickle.dumps(Calls(build, (10**12, np.dtype(float), (10**12,), "C"))),
    )
    assert "no bytes" in said
