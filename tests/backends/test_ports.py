"""A port is looked for where the user said, and its identity covers every file of the user's
that takes part."""

from __future__ import annotations

import os
import sys

import pytest

from backends.contract import Unsupported
from backends.diagnosis import user_modules
from backends.protocol import loading

PORT = (
    "from backends import contract\n\n\nclass Port(contract.Port):\n    train = generate ="
    " parameters = load_parameters = None\n"
)


def write(folder, name, text=PORT):
    """Write a file below a folder and return its path."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def test_the_users_folders_come_first_and_then_the_shipped_ones(tmp_path):
    """Unless a folder alone was asked for."""
    own = write(tmp_path / "own", "numpy/linear.py")
    package = write(tmp_path / "packaged", "numpy/linear/__init__.py")
    folders = [str(tmp_path / "empty"), str(tmp_path / "own"), str(tmp_path / "packaged")]
    assert own == loading.locate("numpy", "linear", folders)
    assert package == loading.locate("numpy", "linear", folders[2:], only=True)
    assert loading.locate("numpy", "linear", []).startswith(loading.SHIPPED)


def test_nothing_stands_in_for_a_folder_without_the_port(tmp_path):
    """Neither another folder nor the shipped port."""
    write(tmp_path / "own", "numpy/linear.py")
    with pytest.raises(Unsupported, match="empty, and nowhere else"):
        loading.locate(
            "numpy", "linear", [str(tmp_path / "empty"), str(tmp_path / "own")], only=True
        )


@pytest.mark.parametrize(
    ("helper", "place"),
    [
        ("mine/numpy/beside.py", "os.path.dirname(__file__)"),
        ("mine/kit/beside.py", "os.path.join(os.path.dirname(os.path.dirname(__file__)), 'kit')"),
        ("project/beside.py", "os.path.join(os.path.dirname(__file__), '..', '..', 'project')"),
    ],
)
def test_a_helper_is_a_part_of_the_port_wherever_it_lies(tmp_path, monkeypatch, helper, place):
    """Beside it, in another folder of the user's, in the project that it wraps."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    hashes = set()
    for value in (1, 2):
        text = "import os, sys\nsys.path.insert(0, %s)\nimport beside\n%s" % (place, PORT)
        path = write(tmp_path, "mine/numpy/line.py", text)
        write(tmp_path, helper, "VALUE = %d\n" % value)
        monkeypatch.delitem(sys.modules, "beside", raising=False)
        loading.load(path)
        folders = [str(tmp_path / "mine")]
        monkeypatch.setattr(
            user_modules.tempfile, "gettempdir", lambda: "/nowhere"
        )  # the tests' own folders are temporary
        found = loading.sources(path, "numpy", folders, user_modules.outside(folders))
        assert {"numpy/line.py", helper.replace("mine/", "").replace("project", "../project")} <= {
            name for name, _ in found
        }
        hashes.add(loading.digest(found))
    monkeypatch.delitem(sys.modules, "beside")
    assert len(hashes) == 2


def test_a_package_counts_as_a_whole_and_by_its_names(tmp_path):
    """A file that moves to another name is another source; the folder's own place is not."""
    first, second = (write(tmp_path / place, "numpy/line/__init__.py") for place in ("one", "two"))
    write(tmp_path / "one", "numpy/line/layers.py", "A = 1\n")
    write(tmp_path / "two", "numpy/line/layers.py", "A = 1\n")
    hashes = [
        loading.digest(loading.sources(path, "numpy", [str(tmp_path / place)]))
        for path, place in ((first, "one"), (second, "two"))
    ]
    assert hashes[0] == hashes[1]
    (tmp_path / "two/numpy/line/layers.py").rename(tmp_path / "two/numpy/line/parts.py")
    assert hashes[0] != loading.digest(loading.sources(second, "numpy", [str(tmp_path / "two")]))


@pytest.mark.parametrize("kind", ["FIFO", "device", "lock", "folder", "hidden"])
def test_what_is_no_module_is_no_source(tmp_path, kind):
    """Of a package: nobody waits for it, reads it, or stops for it."""
    path = write(tmp_path, "numpy/line/__init__.py")
    before = loading.sources(path, "numpy", [str(tmp_path)])
    name = os.path.join(os.path.dirname(path), "x.py")
    hidden = os.path.join(os.path.dirname(path), ".#x.py")
    if kind == "FIFO":
        os.mkfifo(name)
    elif kind == "device":
        os.symlink("/dev/zero", name)
    elif kind == "lock":
        os.symlink("me@host.7:1700000000", hidden)
    elif kind == "folder":
        os.mkdir(name)
    else:
        write(tmp_path, "numpy/line/.#x.py")
    assert before == loading.sources(path, "numpy", [str(tmp_path)])


def test_what_is_installed_and_what_a_framework_writes_is_not_the_users(tmp_path):
    """Not even in an environment within the user's folder."""
    inside = write(tmp_path, "env/lib/python3/site-packages/thing.py", "")
    written = write(tmp_path, "__autograph_generated_file1234.py", "")
    own = write(tmp_path, "model.py", "")
    found = [
        user_modules.is_users(path)
        for path in (inside, written, own, loading.__file__, pytest.__file__)
    ]
    assert found == [False, False, True, False, False]
