"""The scale of a user's cohort, an archive of two vectors: what does not fit, is damaged or was
forged is refused."""

from __future__ import annotations

import io
import struct
import zipfile

import numpy as np
import pytest

from harness.errors import UsageError
from harness.workloads.ehr_mgan import EhrMGan, folder
from tests.harness.workloads.ehr_mgan.cohorts import refuse, tables, write

#: What stands before an array in a file of NumPy's own, for any shape.
HEADER = "{'descr': '<f8', 'fortran_order': False, 'shape': (%s)}\n"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"max_val": None}, "there is no max_val; it has min_val"),
        ({"min_val": None}, "there is no min_val; it has max_val"),
        (
            {"max_val": np.ones(2)},
            "max_val has the shape [2] and the dtype float64; it must hold 3 numbers",
        ),
        ({"min_val": np.array(["a", "b", "c"])}, "it must hold 3 numbers"),
        (
            {"min_val": np.array([1.0, 2.0, np.nan])},
            "min_val must hold a number for each vital sign",
        ),
        (
            {"max_val": np.array([150.0, 0.0, 40.0])},
            "the value 0 at [1]; it must hold the range of each vital sign, maximum less minimum",
        ),
        ({"max_val": np.array([150.0, 160.0, -40.0])}, "the value -40 at [2]"),
        ({"min_val": np.array([1, None, 2], object)}, "is not an archive of arrays of numbers"),
    ],
)
def test_a_scale_that_does_not_fit_is_refused(tmp_path, changed, said):
    """`max_val` must hold the range, and the message says so."""
    assert said in refuse(tmp_path, **changed)


def test_a_scale_that_is_no_archive_or_too_large_is_refused(tmp_path, monkeypatch):
    """Also one that would unpack to more than two short vectors."""
    place = write(tmp_path, tables())
    archive = place / "norm_stats.npz"
    np.savez_compressed(archive, min_val=np.zeros(3), max_val=np.ones(3), more=np.zeros(10_000))
    for limit, said in (
        (2_000, "bytes when unpacked; at most 2000"),
        (300, "bytes; at most 300 are read"),
    ):
        monkeypatch.setattr(folder, "MAX_NORM_BYTES", limit)
        with pytest.raises(UsageError, match=said):
            EhrMGan(str(place)).hyperparameters("tiny")
    monkeypatch.undo()
    for content in (b"no archive", archive.read_bytes()[:-30]):
        archive.write_bytes(content)
        with pytest.raises(UsageError, match="is not an archive of arrays of numbers"):
            EhrMGan(str(place)).hyperparameters("tiny")


def member(header: str, content: bytes = bytes(24)) -> bytes:
    """An array's file, with any header."""
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + content


def archive(content: bytes, method: int = zipfile.ZIP_STORED) -> bytes:
    """A scale whose minimum is the given file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as opened:
        opened.writestr("min_val.npy", content)
        opened.writestr("max_val.npy", member(HEADER % "3,", np.ones(3).tobytes()))
    return made.getvalue()


def damage(content: bytes) -> bytes:
    """An archive whose first member no longer unpacks: its packed bytes, behind name and header,
    are overwritten."""
    start = content.index(b"min_val.npy") + len(b"min_val.npy")
    return content[:start] + b"\xff" * 8 + content[start + 8 :]


def test_the_archives_written_by_hand_are_read(tmp_path):
    """So what is refused below is refused for its one fault; packed content is read as well."""
    expected = np.array([1.0, 2.0, 3.0])
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        place = write(tmp_path, tables())
        (place / "norm_stats.npz").write_bytes(
            archive(member(HEADER % "3,", expected.tobytes()), method)
        )
        assert np.array_equal(expected, folder.cohort(place)("tiny").minimum)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (archive(member(HEADER % f"{10**17},")), "MemoryError"),
        (archive(member(HEADER % f"{10**30},")), "OverflowError"),
        (archive(member(HEADER % "3, True")), "TypeError"),
        (archive(member(HEADER % "4,")), "ValueError"),
        (
            archive(member("{'descr': ((),), 'fortran_order': False, 'shape': (3,)}\n")),
            "IndexError",
        ),
        (archive(member("(")), "is not an archive of arrays of numbers"),
        (archive(member("  x\n y\nz")), "is not an archive of arrays of numbers"),
        (
            damage(archive(member(HEADER % "3,"), zipfile.ZIP_DEFLATED)),
            "error: Error -3 while decompressing",
        ),
        (
            archive(member(HEADER % "3,"), zipfile.ZIP_BZIP2),
            "packed in a way that NumPy does not use",
        ),
        (
            archive(b"no array"),
            "min_val has the shape [] and the dtype |S8; it must hold 3 numbers",
        ),
    ],
)
def test_a_forged_or_damaged_scale_is_refused(tmp_path, content, said):
    """Also a shape that asks for more memory than there is, and a header that NumPy stumbles
    over."""
    place = write(tmp_path, tables())
    (place / "norm_stats.npz").write_bytes(content)
    with pytest.raises(UsageError) as caught:
        EhrMGan(str(place)).hyperparameters("tiny")
    assert said in str(caught.value) and str(place / "norm_stats.npz") in str(caught.value)
