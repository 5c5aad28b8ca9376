"""A socket in the file system, where a file is expected."""

from __future__ import annotations

import os
import socket
from pathlib import Path


def bind(path: Path) -> None:
    """Make a socket, whose name has to be short for the system."""
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(before)
