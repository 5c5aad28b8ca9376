"""What a port has put in the place of its log is neither waited for nor written through."""

from __future__ import annotations

import os
from pathlib import Path

from harness.execution import logs


def test_a_fifo_in_the_place_of_a_log_holds_nobody(tmp_path: Path) -> None:
    """Nobody ever writes to it."""
    os.mkfifo(tmp_path / "worker.log")
    assert "" == logs.last_line(tmp_path / "worker.log")
    logs.trim_log(tmp_path / "worker.log", 1)


def test_a_link_in_the_place_of_a_log_leads_to_nothing(tmp_path: Path) -> None:
    """The file that it means is another's: not quoted, not cut."""
    precious, log = tmp_path / "precious", tmp_path / "worker.log"
    precious.write_bytes(b"x" * 100 + b"\nsecret\n")
    log.symlink_to(precious)
    assert "" == logs.last_line(log)
    logs.trim_log(log, 10)
    assert b"x" * 100 + b"\nsecret\n" == precious.read_bytes()


def test_a_log_of_ones_own_is_quoted_and_cut(tmp_path: Path) -> None:
    """As ever."""
    log = tmp_path / "worker.log"
    log.write_bytes(b"a" * 5000 + b"\nthe end\n")
    assert "; its log ends with: the end" == logs.last_line(log)
    logs.trim_log(log, 1000)
    assert log.stat().st_size < 2000 and log.read_bytes().endswith(b"\nthe end\n")
