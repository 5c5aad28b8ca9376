"""Numbers of `train`, `generate` and `convert` beyond every bound are refused before anything
starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import cli

ENDLESS = "9" * 400


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["train", "linear", "--steps", ENDLESS], "--steps"),
        (["train", "linear", "--limit", "inf"], "--limit"),
        (["generate", "model", "--rows", ENDLESS], "--rows"),
        (["generate", "model", "--threads", ENDLESS], "--threads"),
        (["convert", "model", "--to", "numpy", "--out", "made", "--limit", "inf"], "--limit"),
    ],
)
def test_a_number_beyond_every_bound(
    words: list[str],
    option: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 2 and the bound; no folder is made."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    said = capsys.readouterr().err
    assert 2 == ended.value.code and f"error: {option} " in said.replace("\n", " ")
    assert "must be at most 1" in " ".join(said.split()) and not list(tmp_path.iterdir())


def test_a_checkpoints_file_in_place_of_its_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The folder is named."""
    (tmp_path / "ckpt").write_bytes(b"")
    with pytest.raises(SystemExit) as ended:
        cli.main(["convert", str(tmp_path / "ckpt"), "--to", "numpy", "--out", "made"])
    said = " ".join(capsys.readouterr().err.split())
    assert 2 == ended.value.code and f"Give the folder that it is in: {tmp_path}" in said
