"""Workers' logs: their last words, for the reason of a job's end, and a limit to their size, for a
log of many workers one after the other; each of them has the keeper's own."""

from __future__ import annotations

import contextlib
from pathlib import Path

from harness.errors import CorruptRecord
from harness.execution.keeper import cut_note
from harness.records import files

LOG_LIMIT_BYTES = 4 << 20
TAIL_BYTES = 1 << 16


def last_line(log: Path) -> str:
    """Return the log's last line that is not empty, as the end of a sentence; nothing where a port
    has put something else in its place."""
    with contextlib.suppress(OSError, CorruptRecord):
        files.refuse_link(log)
        with files.opened(log) as file:
            file.seek(max(0, log.stat().st_size - TAIL_BYTES))
            lines = [
                line for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()
            ]
        if lines:
            return f"; its log ends with: {lines[-1][:200]}"
    return ""


def trim_log(log: Path, limit_bytes: int = LOG_LIMIT_BYTES) -> None:
    """Cut the middle out of a log that is larger than `limit_bytes`; a framework's chatter must not
    fill the disk. What a port has put in its place is left alone."""
    with contextlib.suppress(OSError, CorruptRecord):
        files.refuse_link(log)
        with files.opened(log) as file:
            size = log.stat().st_size
            if size <= limit_bytes:
                return
            half = limit_bytes // 2
            head = file.read(half)
            file.seek(size - half)
            tail = file.read()
        files.write_bytes(log, head + cut_note(size - 2 * half) + tail)
