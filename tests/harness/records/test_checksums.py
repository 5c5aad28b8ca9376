"""What was written is what is read, and nothing beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import CorruptRecord
from harness.records import checksums


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file in it, and one in a folder below."""
    (tmp_path / "below").mkdir()
    (tmp_path / "first").write_bytes(b"one")
    (tmp_path / "below/second").write_bytes(b"two")
    return tmp_path


def test_what_was_written_is_taken(folder: Path) -> None:
    """Every file below, by its path."""
    sums = checksums.checksums_below(folder)
    assert ["below/second", "first"] == sorted(sums)
    checksums.verify_below(folder, sums)


def test_without_sums_nothing_was_promised(folder: Path) -> None:
    """An older harness took none."""
    checksums.verify_below(folder, {})


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("first", b"0ne", "first does not match"),
        ("below/second", b"", "second does not match"),
        ("below/third", b"two", "third is none of the files"),
    ],
)
def test_what_was_not_written_is_refused(
    folder: Path, name: str, content: bytes, said: str
) -> None:
    """Changed, cut off, or one more: a framework may read the newest of several."""
    sums = checksums.checksums_below(folder)
    (folder / name).write_bytes(content)
    with pytest.raises(CorruptRecord, match=said):
        checksums.verify_below(folder, sums)


def test_what_is_missing_is_refused(folder: Path) -> None:
    """It is named."""
    sums = checksums.checksums_below(folder)
    (folder / "below/second").unlink()
    with pytest.raises(CorruptRecord, match="second is missing"):
        checksums.verify_below(folder, sums)


def test_a_link_to_a_folder_is_one_more(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What lies behind it was not written here."""
    sums = checksums.checksums_below(folder)
    (folder / "etc").symlink_to(tmp_path_factory.mktemp("far"))
    with pytest.raises(CorruptRecord, match="etc is none of the files"):
        checksums.verify_below(folder, sums)
