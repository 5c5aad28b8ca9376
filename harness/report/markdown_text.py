"""Text and tables in GitHub-flavoured Markdown, escaped.

A pipe does not end a cell, an angle bracket does not start HTML, a backtick does not end code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from harness.report.format import one_line

SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~&#$@])|\b(https?):|\b(www)\.")


def escape(text: str) -> str:
    """Return text that Markdown shows as it is, on one line; addresses do not become links."""
    return SPECIAL.sub(_inert, one_line(text))


def _inert(match: re.Match[str]) -> str:
    character, scheme, host = match.groups()
    if character:
        return f"\\{character}"
    return f"{scheme}\\:" if scheme else f"{host}\\."


def escaped(*words: str) -> list[str]:
    """Return words as cells of a table."""
    return [escape(word) for word in words]


def code(text: str, cell: bool = True) -> str:
    """Return a code span, its fence longer than any run of backticks in it.

    Args:
        cell: whether it stands inside a table, where a pipe ends a cell.
    """
    shown = (one_line(text).replace("|", "\\|") if cell else one_line(text)) or " "
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    space = " " if "`" in shown else ""
    return f"{fence}{space}{shown}{space}{fence}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a table's lines; cells are already escaped. An empty table has none."""
    body = ["| " + " | ".join(cells) + " |" for cells in rows]
    if not body:
        return []
    return ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *body]
