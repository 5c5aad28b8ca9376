"""Workers' logs stay small and tell their last words."""

from __future__ import annotations

from pathlib import Path

from harness.execution import logs


def test_trim_log(tmp_path: Path) -> None:
    """A long log keeps its beginning and its end; a short one is left alone; one that is missing
    is no error."""
    log = tmp_path / "log"
    log.write_bytes(b"a" * 500 + b"m" * 5000 + b"z" * 500)
    logs.trim_log(log, 1000)
    assert (
        log.read_bytes()
        == b"a" * 500 + b"\n[... 5000 bytes cut here by the harness ...]\n" + b"z" * 500
    )
    logs.trim_log(log, 2000)
    assert log.stat().st_size < 1100
    logs.trim_log(tmp_path / "none")


def test_last_line(tmp_path: Path) -> None:
    """The last line that is not empty ends a sentence; a log that is empty or missing adds
    nothing."""
    log = tmp_path / "log"
    log.write_text("first\nSegmentation fault\n\n")
    assert logs.last_line(log) == "; its log ends with: Segmentation fault"
    log.write_text("\n")
    assert (logs.last_line(log), logs.last_line(tmp_path / "none")) == ("", "")
