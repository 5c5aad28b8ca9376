"""What a pair file declares is read from its text; nothing of it is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.pairs import file

TEXT = """\
import nowhere_to_be_found
raise SystemExit("run")
from backends import pair

@pair.side("tf2")
def original():
    ...

def between():
    ...

@pair.side("torch")
@between
def port():
    ...

@pair.data
def data():
    ...
"""


def read(tmp_path: Path, text: str | bytes, name: str = "mine.py") -> file.PairFile:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file.read(path)


def test_sides_and_data(tmp_path: Path):
    """In the order in which they stand there, with the line that a message can name."""
    pair = read(tmp_path, TEXT)
    assert [("tf2", "original", 6), ("torch", "port", 14)] == [
        (side.build, side.function, side.line) for side in pair.sides
    ]
    assert ("data", "mine", tmp_path / "mine.map.toml") == (pair.data, pair.name, pair.map_path)
    assert pair.path.is_absolute()


def test_nothing_of_it_is_run(tmp_path: Path):
    """Here: its frameworks may not be installed, and what it does is a worker's affair."""
    mark = tmp_path / "mark"
    read(tmp_path, f"open({str(mark)!r}, 'w').close()\nimport nothing_of_this_name\n{TEXT}")
    assert not mark.exists()


def test_imported_names_are_understood(tmp_path: Path):
    """`from backends.pair import side, data` is as good; a function may make two sides."""
    text = TEXT.replace("@pair.", "@").replace(
        '@side("torch")', '@side("torch")\n@side("torch-cpu")'
    )
    assert ["tf2", "torch", "torch-cpu"] == [side.build for side in read(tmp_path, text).sides]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('@pair.side("tf2")\n', "", "one side is declared; two are needed"),
        ("@pair.side(", "@pair.other(", "no side is declared; two are needed"),
        ("@pair.data\n", "", "no functions are marked with @pair.data"),
        ("def between", "@pair.data\ndef between", "2 functions are marked with @pair.data"),
        ('side("tf2")', "side()", r":6: `original` is marked with @pair\.side\(\)"),
        ('@pair.side("tf2")', "@pair.side", r":6: `original` is marked with @pair\.side;"),
        ('side("tf2")', "side(BUILD)", ":6: .*the name of a build is wanted there, spelled out"),
        ('side("tf2")', 'side(build="tf2")', ":6: .*spelled out"),
        ('side("tf2")', 'side("tf2", "torch")', ":6: .*spelled out"),
        ('side("tf2")', "side(5)", r":6: @pair\.side\(5\) is no name of a build"),
        ('side("tf2")', 'side(f"tf{2}")', ":6: .*spelled out"),
        ("def port():", "def port(:", ":14: no Python: invalid syntax"),
        ("def port():", "\x00", "no Python"),
        ("import nowhere_to_be_found", "(" * 10_000, "no Python"),
    ],
)
def test_what_is_no_pair_file_is_refused(tmp_path: Path, old: str, new: str, message: str):
    """The message names the file, the line and what is wanted."""
    assert old in TEXT
    with pytest.raises(UsageError, match=message) as caught:
        read(tmp_path, TEXT.replace(old, new))
    assert "mine.py" in str(caught.value)


def test_another_encoding_is_no_python(tmp_path: Path):
    """Nor is a text whose declared encoding nobody knows."""
    for head in (b"\xff\xfe", b"# coding: nothing\n"):
        with pytest.raises(UsageError, match="no Python"):
            read(tmp_path, head + TEXT.encode())


def test_a_file_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A folder, a name that Python cannot import, too many bytes."""
    for path in (tmp_path, tmp_path / "nothing.py"):
        with pytest.raises(UsageError, match="there is no such pair file"):
            file.read(path)
    with pytest.raises(UsageError, match=r"ends in \.py"):
        read(tmp_path, TEXT, "mine.txt")
    monkeypatch.setattr(file, "LARGEST", 10)
    with pytest.raises(UsageError, match="bytes are no pair file"):
        read(tmp_path, TEXT)


@pytest.mark.parametrize("name", ["keras", "torch", "tensorflow", "numpy", "queue"])
def test_a_name_that_hides_a_module_is_refused(tmp_path: Path, name: str):
    """Its folder is searched first: `import keras` would import the pair."""
    with pytest.raises(UsageError, match=f"it would hide the module {name}"):
        read(tmp_path, TEXT, f"{name}.py")
    assert "" == file.hiding(tmp_path / "pair.py")
