"""The folder of a new model: refused before anything long begins, and no trace of it where nothing
came of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from harness.errors import UsageError, remedy
from harness.records import files


@contextlib.contextmanager
def making(out: Path, name: str) -> Iterator[None]:
    """Make a model's folder while it is worked on; where nothing has come into it, it goes again,
    with the folders above it that were made for it.

    Args:
        out: the folder. name: of a file that is going to be written there.

    Raises:
        UsageError: it cannot be made, or takes no files.
    """
    fresh = [path for path in (out, *out.parents) if not path.exists()]
    try:
        _make(out, name)
        yield
    finally:
        for path in fresh:
            with contextlib.suppress(OSError):  # something has come into it
                path.rmdir()


def _make(out: Path, name: str) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        if (refusal := files.unwritable(out / name)) is not None:
            raise refusal
    except OSError as error:
        raise UsageError(f"--out {out}: {error.strerror}. {remedy(error)}.") from error
