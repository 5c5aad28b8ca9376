"""The sentences of SECURITY.md, and what is wrong with the list of the tests that hold them.

`tests/data/security.toml` names for each sentence its tests, or says why there can be none. Pages
and lists are texts here, so a fault is tested without a file that has it;
`tests/test_security.py` does so, and holds the page itself to its list.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parent
FIRST = "## What is run"
#: Why a sentence may have no test.
LABELS = {
    "advice": "to the reader, about what to do",
    "definition": "what a word means, or what a list is about",
    "limit": "what is not promised, and shows itself in no run",
    "of others": "what other programs do",
}
#: The end of a beginning that stands for its whole sentence.
MORE = "…"
_END = re.compile(r"(?<=[.?!])\s+")
_RULE = re.compile(r"\|[-:| ]+\|")

#: A sentence's tests, or `says` and `why`; by heading, and by the sentence or its beginning.
Entries = Mapping[str, Mapping[str, Any]]


def sentences(page: str) -> list[tuple[str, str]]:
    """Return the sentences from `FIRST` on, each with its heading; a row of a table is its cells
    with colons between them, and the row above its rule is left out."""
    heading, pairs = "", []
    for block in _blocks(page[page.index(FIRST) :].replace("**", "")):
        if block.startswith("#"):
            heading = block.lstrip("# ")
        else:
            pairs += [(heading, sentence) for sentence in _END.split(block)]
    return pairs


def _blocks(page: str) -> Iterator[str]:
    """Yield headings, paragraphs, items of lists and rows of tables, each in one line."""
    lines = [*page.splitlines(), ""]
    words: list[str] = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        alone = line.startswith(("#", "|"))
        if words and (alone or not line.strip() or line.startswith("- ")):
            yield " ".join(words)
            words = []
        if line.startswith("#"):
            yield line
        elif alone:
            if not _RULE.fullmatch(line) and not _RULE.fullmatch(following):
                yield ": ".join(cell.strip() for cell in line.strip("|").split("|"))
        elif line.strip():
            words.append(line.removeprefix("- ").strip())


def faults(page: str, entries: Entries, names: Callable[[str], set[str] | None]) -> list[str]:
    """Return what is wrong with a list.

    Args:
        page: its sentences. entries: of the list.
        names: returns the tests of a file by its path below `TESTS`, None if there is no such file.
    """
    wrong, held = [], set()
    pairs = sentences(page)
    for heading, under in entries.items():
        for beginning, entry in under.items():
            meant = [pair for pair in pairs if pair[0] == heading and _is(beginning, pair[1])]
            held |= {*meant}
            if len(meant) != 1:
                wrong.append(f"{heading}: {len(meant)} sentences are: {beginning}")
            wrong += [f"{heading}: {beginning}: {fault}" for fault in _entry(entry, names)]
    wrong += [
        f"{heading}: nothing holds: {text}"
        for heading, text in pairs
        if (heading, text) not in held
    ]
    return wrong


def _is(beginning: str, sentence: str) -> bool:
    if beginning.endswith(MORE):
        return sentence.startswith(beginning.removesuffix(MORE).rstrip())
    return sentence == beginning


def _entry(entry: Any, names: Callable[[str], set[str] | None]) -> Iterator[str]:
    """Yield what is wrong with one entry."""
    if isinstance(entry, dict):
        if entry.get("says") not in LABELS:
            yield f"says {entry.get('says')!r}, and may say {', '.join(LABELS)}"
        if not str(entry.get("why", "")).strip() or {*entry} - {"says", "why"}:
            yield "needs its reason, `why`, and nothing else"
        return
    if not entry:
        yield "names no test"
    for test in entry:
        path, _, name = test.partition("::")
        known = names(path)
        if known is None:
            yield f"there is no file tests/{path}"
        elif name not in known:
            yield f"tests/{path} has no test {name}"


def tests_of(path: str) -> set[str] | None:
    """Return the names of the tests in a file below `TESTS`, None if there is no such file."""
    file = TESTS / path
    if not file.is_file():
        return None
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef))
    return {node.name for node in functions if node.name.startswith("test_")}
