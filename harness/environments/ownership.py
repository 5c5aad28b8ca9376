"""Who else could change what is run from a place: another user who owns it or a folder that leads
to it, or to whom one of them is open.

What is copied to the cache is checked by its content, but Python also runs what it has compiled
beside that, and a check is over before the code runs. So the place itself has to be one's own.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from pathlib import Path

ROOT = 0


def stranger(path: Path) -> str:
    """Return in words who else could replace what lies at a path, or an empty string.

    Everything that leads to it is looked at, from the top. Below a folder of one's own that nobody
    else may enter, nothing is in danger.

    Args:
        path: what of it is not there yet will be one's own.

    Raises:
        OSError: nobody can tell.
    """
    path = Path(os.path.realpath(path))
    for part in (*reversed(path.parents), path):
        try:
            state = part.stat()
        except FileNotFoundError:
            return ""
        if why := exposed(part, state):
            return why
        if state.st_uid == os.geteuid() and not state.st_mode & (stat.S_IXGRP | stat.S_IXOTH):
            return ""
    return ""


def exposed(path: Path, state: os.stat_result) -> str:
    """Return in words who else could replace what a folder or a file itself holds.

    Args:
        path: it is named by. state: its own.
    """
    # In a namespace of users the system's root may have another number.
    if state.st_uid not in (ROOT, os.geteuid(), Path("/").stat().st_uid):
        return f"{path} belongs to {_name(state.st_uid)}"
    if stat.S_ISLNK(state.st_mode) or state.st_mode & stat.S_ISVTX:
        return ""  # in a sticky folder everybody replaces only what is theirs
    if state.st_mode & stat.S_IWOTH:
        return f"{path} can be written to by everybody"
    if state.st_mode & stat.S_IWGRP and not _private(state.st_gid, state.st_uid):
        return f"{path} can be written to by a group"
    return ""


def _private(group: int, user: int) -> bool:
    """Whether a group has no other member: many systems give each user one of that user's name."""
    try:
        name, entry = pwd.getpwuid(user).pw_name, grp.getgrgid(group)
    except KeyError:
        return group == user
    return name == entry.gr_name and set(entry.gr_mem) <= {name}


def _name(user: int) -> str:
    try:
        return f"another user, {pwd.getpwuid(user).pw_name}"
    except KeyError:
        return f"another user, number {user}"
