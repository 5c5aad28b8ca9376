"""Which files of a user's folder are modules; `backends.diagnosis.user_modules` says the same to
workers."""

from __future__ import annotations

from pathlib import Path


def is_module(path: Path) -> bool:
    """Whether there is a module at a path.

    It is what Python's own import takes for one: a file, once links are followed, whose name can be
    written in a program. So no folder, FIFO, device, socket, or link that leads nowhere is one,
    whatever it is called, and no hidden file, such as the links that Emacs locks a file with.
    """
    return path.suffix == ".py" and not path.name.startswith(".") and path.is_file()
