"""The commit that this harness runs from."""

from __future__ import annotations

import subprocess

from harness.environments import checkout
from harness.execution import processes


def test_the_commit_is_that_of_the_checkout(tmp_path, monkeypatch):
    """With `-dirty` where a file differs; of an installed harness, or where git does not answer,
    none."""
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    monkeypatch.setattr(checkout, "__file__", str(tmp_path / "harness/environments/checkout.py"))
    assert "" == checkout.commit(environ)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@example.invalid"]
    (tmp_path / "file").write_text("one")
    for words in (["init", "-q"], ["add", "file"], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *words], check=True, env=environ)
    clean = checkout.commit(environ)
    assert 40 == len(clean) and int(clean, 16)
    (tmp_path / "file").write_text("two")
    assert f"{clean}-dirty" == checkout.commit(environ)
    monkeypatch.setattr(processes, "capture", lambda *words, **more: (127, "no git"))
    assert "" == checkout.commit(environ)
