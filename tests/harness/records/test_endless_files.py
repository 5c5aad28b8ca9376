"""No reader of a path that a user gives waits for a FIFO that nobody writes to, or reads a device
that never ends: it says what it is, at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.models import foreign_names
from harness.nightly import config
from harness.records import files
from harness.workloads.ehr_mgan import pickles
from harness.workloads.linear import WORKLOAD
from harness.workloads.spec import Parameter


def _start_values(path: Path) -> None:
    link = path.with_name("values.npy")
    link.symlink_to(path)
    Parameter("W", (10, 1), initial=link).draw(None)


READERS: dict[str, Callable[[Path], object]] = {
    "--names": lambda path: foreign_names.read(path, WORKLOAD.model_spec("tiny")),
    "--config": config.load,
    "a file of --data": lambda path: pickles.content(path, 1000, "Name another."),
    "start values": _start_values,
    "records": files.read_bytes,
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", ["FIFO", "/dev/zero", "/dev/full"])
def test_what_never_ends_is_not_read(reader: str, kind: str, tmp_path: Path) -> None:
    """In the time of a test: with the reader that waits or reads on, this one does not end."""
    path = Path(kind) if kind.startswith("/") else tmp_path / "fifo"
    if kind == "FIFO":
        os.mkfifo(path)
    elif reader == "start values":
        path = tmp_path / "device"
        path.symlink_to(kind)
    with pytest.raises(HarnessError, match="no file, so nothing is read from it"):
        READERS[reader](path)
