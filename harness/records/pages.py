"""Where the pages of documentation lie that messages point to: in a checkout its own, in a wheel
those that came with it.

Only pages that a message names are shipped; a test reads every call and opens the wheel.
"""

from __future__ import annotations

from pathlib import Path


def address(name: str, package: Path | None = None) -> str:
    """Return where a reader finds a page.

    Args:
        name: of a file in `docs/`, e.g. `nightly.md`.
        package: the folder of the package `harness`; this one, if not given.
    """
    inside = (package or Path(__file__).resolve().parents[1]) / "docs" / name
    return str(inside) if inside.is_file() else f"docs/{name}"
