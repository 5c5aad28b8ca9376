"""The line of a user's code that makes a layer, found in the text of it, or said not to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.pairs import file, source_lines
from harness.pairs.source_lines import FoundLine

PAIR = """from backends import pair


@pair.side("tf2")
def original():
    from mine.keras_model import build
    return pair.keras(build())


@pair.side("torch")
def port():
    from mine import Net
    return pair.torch(Net())


@pair.data
def data():
    return pair.arrays(x=1)
"""
KERAS = """layers = [
    Dense(3, name="hidden"),
    Dense(3, name="twice"),
    Dense(3, name="twice"),
]
with tf.variable_scope("scope"):
    pass
"""
NET = """from .blocks import Block


class Net(Module):
    def __init__(self):
        self.first = Block()
        self.norm = BatchNorm(3)
        self.stack = Sequential(OrderedDict([("inner", Linear(3, 3))]))
        self.add_module("added", Linear(3, 3))
        self.listed = ModuleList([Linear(3, 3)])
        self.members = ModuleDict({"member": Linear(3, 3)})
        self.width = width
"""
BLOCKS = """class Block(Module):
    def __init__(self):
        self.norm = BatchNorm(3)
        self.alone = Linear(3, 3)


class Other(Module):
    def __init__(self):
        self.norm = BatchNorm(3)
"""
FILES = {
    "pair.py": PAIR,
    "mine/__init__.py": "from .net import Net\n",
    "mine/keras_model.py": KERAS,
    "mine/net.py": NET,
    "mine/blocks.py": BLOCKS,
}


def laid_out(folder: Path, files: dict[str, str] = FILES) -> file.PairFile:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return file.read(folder / "pair.py")


def line(folder: Path, side: int, path: str, *folders: Path) -> FoundLine:
    pair = laid_out(folder)
    return source_lines.of_layer(pair, pair.sides[side], folders, path.split("/") if path else [])


@pytest.mark.parametrize(
    ("side", "path", "where"),
    [
        (0, "hidden", "mine/keras_model.py:2"),
        (0, "scope/kernel", "mine/keras_model.py:6"),
        (1, "stack/inner", "mine/net.py:8"),
        (1, "added", "mine/net.py:9"),
        (1, "listed/0", "mine/net.py:10"),
        (1, "members/member", "mine/net.py:11"),
        (1, "first/alone", "mine/blocks.py:4"),
        # of three that are called so, the one in the class that `first` is made of
        (1, "first/norm", "mine/blocks.py:3"),
    ],
)
def test_the_only_line_that_names_a_layer_is_told(tmp_path: Path, side: int, path: str, where: str):
    """An attribute, a keyword, a scope, a member of a container; behind imports of every kind."""
    found = line(tmp_path, side, path)
    assert found.file is not None
    assert where == f"{found.file.relative_to(tmp_path).as_posix()}:{found.line}"
    assert "the only line behind" in found.reason


def test_of_several_lines_none_is_told(tmp_path: Path):
    """All of them are listed, with what is missing: a wrong line is worse than none."""
    for side, path, files in ((0, "twice", ("keras_model.py",)), (1, "norm", ("net", "blocks"))):
        found = line(tmp_path, side, path)
        assert (None, None) == (found.file, found.line)
        assert found.reason.startswith("several lines give that name: ")
        assert all(name in found.reason for name in files)


@pytest.mark.parametrize("path", ["conv2d_3", "width", ""])
def test_where_no_line_names_it_the_function_of_the_side_is_told(tmp_path: Path, path: str):
    """A name that the framework made up; an attribute that is no call; what is of no layer."""
    found = line(tmp_path, 1, path)
    assert (tmp_path / "pair.py", 11) == (found.file, found.line)
    assert found.reason.startswith("the function that makes this side")


def test_the_other_sides_code_is_not_looked_at(tmp_path: Path):
    """`hidden` is a layer of the first side alone."""
    assert "names no hidden" in line(tmp_path, 1, "hidden").reason


def test_folders_of_the_user_are_looked_through(tmp_path: Path):
    """Those of `--path`; and not the frameworks, whose code has every name."""
    elsewhere = tmp_path / "elsewhere"
    laid_out(elsewhere, {"pair.py": PAIR, "far.py": "a = Dense(name='far')\n", "torch.py": "b"})
    (elsewhere / "torch.py").write_text("c = Dense(name='near')\n", encoding="utf-8")
    (tmp_path / "pair.py").unlink(missing_ok=True)
    files = {**FILES, "mine/net.py": "import far\nimport torch\n"}
    pair = laid_out(tmp_path, files)
    for name, known in (("far", elsewhere / "far.py"), ("near", tmp_path / "pair.py")):
        assert known == source_lines.of_layer(pair, pair.sides[1], [elsewhere], [name]).file


@pytest.mark.parametrize("text", ["def (", "\0", "x = '" + "a" * (1 << 20) + "'"])
def test_files_that_cannot_be_read_are_passed_over(tmp_path: Path, text: str):
    """No Python, or larger than any code."""
    pair = laid_out(tmp_path, {**FILES, "mine/net.py": text})
    found = source_lines.of_layer(pair, pair.sides[1], (), ["norm"])
    assert pair.path == found.file


def test_nothing_is_run(tmp_path: Path):
    """What is imported writes a file when it is."""
    trap = "open('ran', 'w').close()\n"
    pair = laid_out(tmp_path, {**FILES, "mine/net.py": f"{trap}self.norm = Norm()\n"})
    assert 2 == source_lines.of_layer(pair, pair.sides[1], (), ["norm"]).line
    assert not Path("ran").exists() and not (tmp_path / "ran").exists()
