"""A pair file in a worker: loaded once, its functions and its data as they are, or a message."""

from __future__ import annotations

import importlib
import os
import sys

import numpy as np
import pytest

from backends import pair
from backends.adapter import pair_module
from backends.contract import BrokenPort, Setting, Unsupported

FILE = """\
from backends import pair
from besides import ANSWER

@pair.side("torch")
def original():
    return ANSWER

@pair.data
def data():
    return pair.arrays(x=[[1.0]], batch=1)

def unmarked():
    pass

number = 5
"""


@pytest.fixture
def written(tmp_path, monkeypatch):
    """A pair file beside a module of the user's own; nothing of it stays loaded."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in (pair_module.MODULE, "besides"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    (tmp_path / "besides.py").write_text("ANSWER = 42\n")
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    yield str(path)
    for name in (pair_module.MODULE, "besides"):
        sys.modules.pop(name, None)


def test_the_functions_are_had_by_name(written):
    """The user's own package is found in the pair file's folder."""
    assert 42 == pair_module.function(written, [], "original")()
    assert pair_module.arrays(pair_module.function(written, [], "data"))[1] == 1


def test_the_file_is_loaded_once(written):
    """Both functions see the same module: what one of them caches the other one finds."""
    first = pair_module.module(written, [])
    assert first is pair_module.module(written, [])
    assert first is sys.modules[pair_module.MODULE]


def test_the_file_s_folder_comes_before_further_ones(written, tmp_path):
    """Of two modules of one name that beside the pair file is meant; further folders come behind
    what the interpreter has, in order: they may hold packages of another one."""
    folders = []
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "besides.py").write_text("ANSWER = %d\n" % number)
        folders.append(str(folder))
    assert 42 == pair_module.function(written, folders, "original")()
    assert os.path.dirname(written) == sys.path[0]
    assert folders == sys.path[-2:]


@pytest.mark.parametrize("name", ["nothing", "unmarked", "number", "pair", "ANSWER"])
def test_what_is_not_marked_is_no_side(written, name):
    """A function that another decorator has hidden, or that is gone once the file is loaded."""
    with pytest.raises(BrokenPort, match="`%s` is no function marked with" % name):
        pair_module.function(written, [], name)


def test_a_file_that_fails_is_tried_anew(written, tmp_path):
    """The user's own error comes through as it is, and no half of a module stays behind."""
    (tmp_path / "besides.py").write_text("raise OSError('no disk')\n")
    with pytest.raises(OSError, match="no disk"):
        pair_module.module(written, [])
    assert pair_module.MODULE not in sys.modules
    (tmp_path / "besides.py").write_text("ANSWER = 7  # mended\n")
    importlib.invalidate_caches()
    assert 7 == pair_module.function(written, [], "original")()


def test_another_ending_is_refused(tmp_path, monkeypatch):
    """What Python cannot load as a module is told by what its name ends in."""
    monkeypatch.delitem(sys.modules, pair_module.MODULE, raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    path = tmp_path / "pair.txt"
    path.write_text("")
    with pytest.raises(BrokenPort, match=r"ends in \.py"):
        pair_module.module(str(path), [])


def test_a_backend_without_an_adapter_says_so():
    """NumPy has none: there are no objects that it could look into."""
    with pytest.raises(Unsupported, match="the backend numpy makes no port of objects"):
        pair_module.side("numpy", lambda: None, Setting())


def arrays(**options):
    return pair_module.arrays(lambda: pair.arrays(**options))


def test_data_become_arrays():
    """Floating point is float64, integers and truth stay; inference looks at some batches of the
    training rows if nothing else is named."""
    rows = np.arange(40).reshape(20, 2)
    files, batch = arrays(x=rows.astype(np.float32), y=rows, z=rows[:, 0] > 3, batch=3)
    assert 3 == batch
    assert ["f8", "i8", "b1"] == [files[name].dtype.str[1:] for name in ("x", "y", "z")]
    kept = pair_module.EVALUATION_BATCHES * 3
    assert np.array_equal(rows[:kept], files["eval_y"])
    assert {"x", "y", "z", "eval_x", "eval_y", "eval_z"} == set(files)


def test_data_of_inference_are_taken_as_named():
    """They may have another number of rows."""
    files, _ = arrays(x=np.zeros((4, 2)), evaluation={"x": np.ones((7, 2))}, batch=2)
    assert (7, 2) == files["eval_x"].shape


def test_a_tensor_is_taken_for_its_numbers():
    """What holds gradients is detached first."""

    class Tensor:
        def detach(self):
            return self

        def cpu(self):
            return np.ones((2, 1), np.float32)

    assert [[1.0], [1.0]] == arrays(x=Tensor(), batch=1)[0]["x"].tolist()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "pair.arrays has no arrays"),
        ({"x": np.zeros(3), "y": np.zeros(4), "batch": 1}, "they have x 3, y 4"),
        ({"x": np.zeros(3), "batch": 0}, "batch=0 has to be a whole number from 1 to the 3 rows"),
        ({"x": np.zeros(3), "batch": 4}, "batch=4"),
        ({"x": np.zeros(3), "batch": True}, "batch=True"),
        ({"x": np.zeros(3), "batch": 1.0}, "batch=1.0"),
        ({"x": np.zeros(0), "batch": 1}, "the 0 rows"),
        ({"x": 5.0, "batch": 1}, "x is float64 of shape \\[\\]"),
        ({"x": ["a"], "batch": 1}, "x is <U1"),
        ({"x": [None], "batch": 1}, "x is object"),
        ({"x": [1j], "batch": 1}, "x is complex128"),
        ({"x": [[1, 2], [3]], "batch": 1}, "x"),
        ({"x": np.zeros(3), "evaluation": {"x": "a"}, "batch": 1}, "x is <U1"),
        ({"x": np.zeros(3), "evaluation": {"z": np.zeros(3)}, "batch": 1}, "z"),
        ({"eval_x": np.zeros(3), "batch": 1}, "eval_x"),
    ],
)
def test_data_that_are_none_are_refused(options, message):
    """The message names the function, the array and what is wanted."""
    with pytest.raises(BrokenPort, match=message):
        arrays(**options)


@pytest.mark.parametrize("made", [None, {"x": np.zeros(3)}, (1, 2)])
def test_a_function_that_returns_something_else_is_told(made):
    """A dict of arrays is what one writes first."""
    with pytest.raises(BrokenPort, match=r"it has to return pair\.arrays"):
        pair_module.arrays(lambda: made)
