"""Addresses of a run's own files, for pages that lie in its folder: logs and records of its jobs.

A report that is rendered elsewhere has the same bytes, and so the same addresses: they lead to the
files where it lies in the folder of its run.
"""

from __future__ import annotations

import posixpath
import urllib.parse

#: The record of a job, beside its log (`harness.records.store`).
RECORD = "manifest.json"


def address(path: str) -> str:
    """Return the address of a file below the page's own folder; empty for one that is not there.

    `./` keeps a name with a colon from being taken for a scheme.
    """
    plain = posixpath.normpath(path) if path else ""
    if not plain or plain.startswith(("/", "..")) or not path.isprintable():
        return ""
    return "./" + urllib.parse.quote(plain)


def record(log: str) -> str:
    """Return the address of the record of the job that wrote a log."""
    folder = posixpath.dirname(log)
    return address(posixpath.join(folder, RECORD)) if folder else ""


def job(log: str) -> str:
    """Return what a log is called beside others of the same verdict: its job's folder."""
    return posixpath.basename(posixpath.dirname(log)) or log


def records(logs: tuple[str, ...]) -> dict[str, str]:
    """Return names and addresses of the records beside some logs, each once."""
    return {job(log): record(log) for log in logs if record(log)}
