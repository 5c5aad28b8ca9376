"""The folder that a foreign interpreter sees holds `backends`, whole, and nothing else."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

from harness.environments import staging
from harness.errors import BuildError
from harness.execution.processes import capture


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment with a cache folder of its own."""
    return {"XDG_CACHE_HOME": str(tmp_path / "cache")}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package with a sub-package, caches, pins and a hidden file."""
    for name in (
        "__init__.py",
        "torch/core.py",
        "torch/requirements/torch-cpu.txt",
        "__pycache__/x.pyc",
        ".core.py.swp",
    ):
        path = tmp_path / "package" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "package"


def test_content(environ: dict[str, str], package: Path) -> None:
    """Caches, pins and hidden files stay behind."""
    folder = staging.prepare(environ, package)
    assert [path.name for path in folder.iterdir()] == ["backends"]
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*")) == [
        "backends/__init__.py",
        "backends/torch/core.py",
    ]
    assert (folder / "backends/torch/core.py").read_text() == "torch/core.py"


def test_named_by_content(environ: dict[str, str], package: Path) -> None:
    """The same content gives the same folder, untouched; other content another one, and the
    first stays."""
    first = staging.prepare(environ, package)
    (first / "backends/__pycache__").mkdir()
    assert staging.prepare(environ, package) == first
    assert (first / "backends/__pycache__").exists()
    (package / "torch/core.py").write_text("changed")
    second = staging.prepare(environ, package)
    assert second != first
    assert first.exists()


@pytest.mark.parametrize("name", ["backends/__init__.py", "backends/added.py"])
def test_altered_copy_is_replaced(environ: dict[str, str], package: Path, name: str) -> None:
    """A copy that somebody has changed is made anew: a record must not name a source hash that
    did not run."""
    folder = staging.prepare(environ, package)
    (folder / name).write_text("altered")
    assert staging.prepare(environ, package) == folder
    assert (folder / "backends/__init__.py").read_text() == "__init__.py"
    assert not (folder / "backends/added.py").exists()
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_importable_without_the_harness(environ: dict[str, str]) -> None:
    """A bare interpreter started there imports the real package from there, and finds no
    harness."""
    folder = staging.prepare(environ)
    script = (
        f"import sys; sys.path.insert(0, {str(folder)!r})\n"
        "import backends.contract, importlib.util\n"
        "print(backends.contract.__file__, importlib.util.find_spec('harness'))"
    )
    status, output = capture([sys.executable, "-I", "-S", "-c", script], env={}, timeout_s=60)
    assert (0, f"{folder}/backends/contract.py None\n") == (status, output)


def test_unwritable(tmp_path: Path, package: Path) -> None:
    """A cache that cannot be written is named, with what to do."""
    (tmp_path / "file").touch()
    with pytest.raises(BuildError, match=r"cannot write .*file.*XDG_CACHE_HOME"):
        staging.prepare({"XDG_CACHE_HOME": str(tmp_path / "file")}, package)


@pytest.mark.parametrize(
    "environ", [{"HOME": "/home/a"}, {"HOME": "/home/a", "XDG_CACHE_HOME": "relative"}]
)
def test_cache_below_home(environ: dict[str, str]) -> None:
    """Without a usable XDG_CACHE_HOME the cache lies below HOME."""
    place = "Library/Caches" if sys.platform == "darwin" else ".cache"
    assert staging.cache(environ) == Path("/home/a") / place / "parity-harness"


def test_without_a_home_the_cache_has_a_known_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the system's temporary folder, where another user of the machine may have made it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert staging.cache({}) == tmp_path / f"parity-harness-{os.getuid()}"
