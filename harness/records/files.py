"""Files, whole or not at all: read from regular files alone, and written beside their place, synced
and renamed, so that a reader sees the old content or the new one, also after a power cut.

What is no regular file (a device, a FIFO, a socket, a folder) is neither read, which may never end,
nor replaced. In a run's folder nothing is written or deleted through a symbolic link
(`refuse_links`): the link may be another's, and lead anywhere.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import re
import shutil
import stat
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import IO

import psutil

from harness.errors import CorruptRecord, NotReplaced, RecordError, UnreadableRecord

#: The names of files that `write` fills.
LEFT = re.compile(r"\.(.+)\.([0-9]+)\.[0-9]+\.tmp")


#: A file system's clock and the kernel's may lie so far apart, seconds.
CLOCKS_S = 2.0


def opened(path: Path) -> IO[bytes]:
    """Return a regular file, open for reading.

    Raises:
        FileNotFoundError: there is none. CorruptRecord: it is something else than a file, or cannot
            be read.
    """
    # A FIFO that nobody writes to would otherwise hold the caller for ever.
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnreadableRecord(path, error) from error
    except ValueError as error:  # a zero byte in the name
        raise CorruptRecord(f"{path} cannot be read ({error}).") from error
    kind = kind_of(os.fstat(descriptor).st_mode)
    if kind:
        os.close(descriptor)
        raise CorruptRecord(f"{path} is {kind} and no file, so nothing is read from it.")
    return os.fdopen(descriptor, "rb")


def read_bytes(path: Path) -> bytes:
    """Return a regular file's content.

    Raises:
        FileNotFoundError, CorruptRecord: as `opened`.
    """
    with opened(path) as file:
        try:
            return file.read()
        except OSError as error:
            raise UnreadableRecord(path, error) from error
        except MemoryError as error:
            raise CorruptRecord(f"{path} cannot be read: it does not fit into memory.") from error


def read_text(path: Path) -> str:
    """Return a regular file's content, which is UTF-8.

    Raises:
        FileNotFoundError: there is none. CorruptRecord: it cannot be read, or is something else.
    """
    try:
        return read_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise CorruptRecord(f"{path} cannot be read ({error}).") from error


def kind_of(mode: int) -> str:
    """Return in words what is no regular file; an empty string for one that is."""
    kinds: tuple[tuple[Callable[[int], bool], str], ...] = (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a FIFO"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    )
    if stat.S_ISREG(mode):
        return ""
    return next((name for check, name in kinds if check(mode)), "something else")


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all.

    Args:
        path, text: of the file, which is UTF-8.

    Raises:
        OSError: as `write_bytes`.
    """
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all, in a folder that is made if there is none.

    Args:
        path, content: of the file.

    Raises:
        NotReplaced: what lies there is no regular file. OSError: it cannot be written.
    """

    def fill(file: IO[bytes]) -> None:
        file.write(content)

    write(path, fill)


def write(path: Path, fill: Callable[[IO[bytes]], None]) -> None:
    """Write what `fill` puts into an open file, whole or not at all.

    Args:
        path: the file; a symbolic link is followed to the file that it means. Its folder is made
            if there is none.
        fill: gets the open temporary file beside it.

    Raises:
        NotReplaced: what lies there is no regular file. OSError: it cannot be written.
    """
    destination(path).parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary, temporary.open("wb") as file:
        fill(file)
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Have a file filled beside its place, and put there when the block ends well.

    What an earlier process was writing for that place when it was killed is deleted.

    Args:
        path: the file; a symbolic link is followed to the file that it means.

    Yields:
        Where to write; it is gone afterwards.

    Raises:
        NotReplaced: what lies there is no regular file. OSError: it cannot be written.
    """
    target = destination(path)
    for left in left_of(target):
        if not left.is_dir():
            with contextlib.suppress(OSError):
                left.unlink()
    temporary = _beside(target)
    try:
        yield temporary
        temporary.replace(target)
    except OSError as error:
        if error.filename is None:  # a full disk is told of by the write, which knows no name
            error.filename = str(path)
        raise
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


@contextlib.contextmanager
def filling(folder: Path) -> Iterator[Path]:
    """Have a new folder filled beside its place, and put there when the block ends well.

    What an earlier process was filling for that place when it was killed is deleted.

    Args:
        folder: where there is nothing yet, or an empty folder.

    Yields:
        An empty folder to fill; it is gone afterwards.

    Raises:
        OSError: it cannot be made, or something has come to its place meanwhile.
    """
    folder = Path(os.path.realpath(folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in left_of(folder):
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
    temporary = _beside(folder)
    temporary.mkdir()
    try:
        yield temporary
        temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def left_of(place: Path) -> Iterator[Path]:
    """Yield what processes that are gone were filling for a place.

    Args:
        place: of a file or a folder.
    """
    for path in place.parent.glob(f".{glob.escape(place.name)}.*.tmp"):
        left = LEFT.fullmatch(path.name)
        if left and left[1] == place.name and not _writes(int(left[2]), path):
            yield path


def _writes(number: int, path: Path) -> bool:
    """Whether the process of this number may still write a file: it lives, and it is not another
    one, which has got the number since."""
    try:
        return psutil.Process(number).create_time() <= path.stat().st_mtime + CLOCKS_S
    except (psutil.NoSuchProcess, OverflowError, FileNotFoundError):
        return False
    except (psutil.Error, OSError):
        return True


def destination(path: Path) -> Path:
    """Return the file that a path means once links are followed; there may be none yet.

    Raises:
        NotReplaced: what lies there is no regular file. OSError: nobody can tell.
    """
    # realpath: Path.resolve raises what is no OSError where links lead in a circle
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        mode = target.stat().st_mode
        kind = kind_of(mode)
        if kind:
            number = errno.EISDIR if stat.S_ISDIR(mode) else errno.EEXIST
            raise NotReplaced(number, f"it is {kind}, and only a file is replaced", str(path))
    return target


def _beside(path: Path) -> Path:
    """Return the name of a temporary file that nobody else writes to."""
    return path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")


def unwritable(path: Path) -> OSError | None:
    """Return what forbids that a file is written there, or None.

    It is tried, beside the file, which is left as it is: what a system will allow cannot be told
    from permissions alone. One byte is written: a disk that is full still takes names.
    """
    try:
        target = destination(path)
        if not target.parent.is_dir():
            return OSError(errno.ENOENT, f"there is no folder {target.parent}")
    except OSError as error:
        return error
    temporary = _beside(target)
    try:
        temporary.write_bytes(b" ")
    except OSError as error:
        why = f"no file can be made in {target.parent} ({error.strerror})"
        return OSError(error.errno, why)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
    return None


def unusable(path: Path) -> OSError | None:
    """Return what forbids that a file is read or changed in its place, or None; also where there is
    none. It is opened, and left as it is."""
    for mode in (os.O_RDONLY, os.O_RDWR):
        try:
            os.close(os.open(path, mode | os.O_NONBLOCK | os.O_CLOEXEC))
        except FileNotFoundError:
            return None
        except OSError as error:
            return error
    return None


def refuse_link(path: Path) -> None:
    """Check that a file is no symbolic link, before it is read or written for its own sake.

    Raises:
        CorruptRecord: it is one.
    """
    if path.is_symlink():
        raise CorruptRecord(f"{path} is a symbolic link, and should be a file of the harness's own")


def sweep(folder: Path, names: Collection[str] | None = None) -> None:
    """Delete what writers that were killed have left in a folder: files that `write` was filling.

    Only their owner may do this, who knows that nobody writes there.

    Args:
        folder: the owner's. names: of the owner's files, where others may lie beside them; None
            for all.
    """
    for path in folder.glob(".*.tmp"):
        left = LEFT.fullmatch(path.name)
        if left and (names is None or left[1] in names) and not path.is_dir():
            with contextlib.suppress(OSError):
                path.unlink()


def refuse_links(paths: Iterable[Path]) -> None:
    """Check that none of these is a symbolic link, before anything is written or deleted below.

    Raises:
        RecordError: one is.
    """
    for path in paths:
        if path.is_symlink():
            raise RecordError(
                f"{path} is a symbolic link to {path.readlink()}: nothing is written or deleted"
                " through it. Give a folder of the harness's own, or delete the link."
            )
