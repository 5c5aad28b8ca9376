"""Nothing is installed at a terminal before somebody has agreed; nothing hangs where nobody
could."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import consent
from harness.cli.consent import Asking
from harness.errors import UsageError

ROOT = Path(__file__).parents[3]
LINE = "tf2 (tf2-cpu): 1.6 GB, about 42 s"
PAIR = """\
from backends import pair

@pair.side("old")
@pair.side("old")
def original():
    return pair.torch(None)

@pair.data
def data():
    return pair.arrays(x=[[1.0], [2.0]], y=[1.0, 2.0], batch=1)
"""
#: A release that no environment of this checkout has.
OWN = '[builds.old]\nbuild = "torch"\nrequirements = ["torch==2.4.0"]\n'


@pytest.mark.parametrize(("yes", "why"), [(True, "--yes"), (False, "no terminal")])
def test_nobody_is_asked_with_yes_or_without_a_terminal(
    yes: bool, why: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """It goes on, and says what is installed and why it did not ask."""
    monkeypatch.setattr(consent, "_answer", lambda: pytest.fail("asked"))
    Asking(yes=yes, terminal=yes)([LINE])
    said = capsys.readouterr().err
    assert LINE in said and why in said


def test_what_is_agreed_to_is_asked_once(monkeypatch: pytest.MonkeyPatch):
    """A pair is looked at and then compared; the second time nothing is asked."""
    asked = []
    monkeypatch.setattr(consent, "_answer", lambda: not asked.append(1))
    asking = Asking(yes=False, terminal=True)
    asking([LINE])
    asking([LINE])
    assert [1] == asked
    asking([LINE, "torch"])
    assert [1, 1] == asked


def test_no_is_no(monkeypatch: pytest.MonkeyPatch):
    """The command ends, and says how it would go on."""
    monkeypatch.setattr(consent, "_answer", lambda: False)
    with pytest.raises(UsageError, match=r"nothing was installed.*--yes"):
        Asking(yes=False, terminal=True)([LINE])


@pytest.mark.parametrize(
    ("typed", "agreed"),
    [(b"\n", True), (b"y\n", True), (b"YES\n", True), (b"n\n", False), (b"what?\n", False)],
)
def test_answers(typed: bytes, agreed: bool, monkeypatch: pytest.MonkeyPatch):
    """Return alone is yes; whatever is not understood is no."""
    reads, writes = os.pipe()
    os.write(writes, typed)
    with os.fdopen(reads) as stdin, os.fdopen(writes, "wb"):
        monkeypatch.setattr(sys, "stdin", stdin)
        assert agreed is consent._answer()


def test_a_question_that_nobody_answers_ends(monkeypatch: pytest.MonkeyPatch):
    """A terminal may have nobody before it; and one that is closed answers nothing."""
    monkeypatch.setattr(consent, "PATIENCE_S", 0.05)
    reads, writes = os.pipe()
    with os.fdopen(reads) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert not consent._answer()
        os.close(writes)
        assert not consent._answer()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A pair whose build is not installed."""
    (tmp_path / "pair.py").write_text(PAIR, encoding="utf-8")
    (tmp_path / "harness.toml").write_text(OWN, encoding="utf-8")
    return tmp_path


def at_a_terminal(folder: Path, typed: bytes, **environ: str) -> tuple[int, str]:
    """Compare the pair at a terminal; return the exit code and what the terminal shows."""
    ours, theirs = pty.openpty()
    os.write(ours, typed)
    argv = [sys.executable, "-m", "harness", "compare", "pair.py", "--no-speed"]
    kept = {key: value for key, value in os.environ.items() if key != "CI"}
    process = subprocess.Popen(
        argv,
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder / "cache"), **environ},
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    return process.wait(timeout=60), " ".join(shown.decode().split())


def test_at_a_terminal_it_says_what_and_asks(folder: Path):
    """The build, what is installed, the question; after a no nothing is there."""
    code, shown = at_a_terminal(folder, b"n\n")
    assert code == 2
    assert "old: torch==2.4.0 on Python 3" in shown
    assert "Install it and go on? [Y/n]" in shown
    assert "nothing was installed" in shown
    assert not list(folder.glob("cache/**/bin/python"))
    assert not (folder / "reports").exists()


def test_a_ci_with_a_terminal_is_not_asked(folder: Path):
    """It goes on to the installation, which here has no index to take anything from."""
    code, shown = at_a_terminal(
        folder, b"", CI="true", PIP_INDEX_URL="http://127.0.0.1:9/", PIP_RETRIES="0"
    )
    assert code == 2
    assert "[Y/n]" not in shown
    assert "no terminal to ask at" in shown and "tox could not make torch_2.4.0" in shown
