"""What is called like a module and is none is passed over: nobody waits for a FIFO, reads a device
that never ends, or stops for what an editor or a hand has left."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.environments import staging
from harness.workloads import registry
from harness.workloads.modules import is_module

OUTSIDE = Path(__file__).parents[2] / "e2e" / "outside"


def _listen(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


NONE: dict[str, Callable[[Path], object]] = {
    "a FIFO": os.mkfifo,
    "a socket": _listen,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a link that leads nowhere": lambda path: path.symlink_to("me@host.7:1700000000"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a folder": lambda path: (path.mkdir(), (path / "more.txt").touch()),
    "a link to a FIFO": lambda path: (
        os.mkfifo(path.with_suffix(".fifo")),
        path.symlink_to(path.with_suffix(".fifo")),
    ),
}


@pytest.fixture
def ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The name of a folder with a workload and a port; the path of a socket is short."""
    shutil.copytree(OUTSIDE, tmp_path / "p", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(tmp_path)
    return Path("p")


@pytest.mark.parametrize("name", ["x.py", "numpy/x.py", "numpy/deep/x.py"])
@pytest.mark.parametrize("kind", NONE)
def test_what_is_no_module_is_neither_waited_for_nor_read(
    ports: Path, kind: str, name: str
) -> None:
    """Wherever it lies; what the folder holds otherwise is found, and has the same identity."""
    before = staging.content(ports)
    (ports / name).parent.mkdir(exist_ok=True)
    NONE[kind](ports / name)
    assert not is_module(ports / name)
    assert before == staging.content(ports)
    assert "wine" in registry.known([ports])


@pytest.mark.parametrize("name", [".#wine.py", ".x.py", "numpy/.#wine.py"])
def test_a_hidden_name_is_no_module(ports: Path, name: str) -> None:
    """Whatever is in it."""
    before = staging.content(ports)
    (ports / name).write_text("raise RuntimeError")
    assert before == staging.content(ports) and "wine" in registry.known([ports])
    (ports / name).unlink()
    (ports / name).symlink_to("me@host.7:1700000000")
    assert before == staging.content(ports) and "wine" in registry.known([ports])


def test_a_link_to_a_module_is_one(ports: Path) -> None:
    """Another file for another identity."""
    before = staging.content(ports)
    (ports / "numpy/x.py").symlink_to((ports / "wine.py").absolute())
    assert is_module(ports / "numpy/x.py") and before != staging.content(ports)
    assert not is_module(ports / "numpy/x.txt")
