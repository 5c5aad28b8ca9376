"""The tutorial, as a reader follows it: its commands are typed, its changes are made, and what the
page says of the output is what the program prints. Real builds of three frameworks."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs/tutorial"
PAGE = (FOLDER / "index.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"\d+(\.\d+)?(e[+-]?\d+)?")
MOST_COMMANDS = 15
#: Of one command, on a machine that does something else too.
TIMEOUT_S = 300.0
#: As wide as the page shows it.
COLUMNS = 100
#: What the reader has done before the first command of the harness.
BEGINNING = [
    "git clone https://github.com/parity-harness/parity-harness",
    "cd parity-harness",
    "python3 -m venv .venv",
    ". .venv/bin/activate",
    "pip install -q -e .",
    "cp -r docs/tutorial ../leaves",
    "cd ../leaves",
]


def blocks(kind: str) -> list[str]:
    """Return the blocks of code of one kind."""
    return [text for found, text in BLOCK.findall(PAGE) if found == kind]


def commands() -> list[str]:
    """Return all commands of the page, in order."""
    return [line for block in blocks("console") for line in block.splitlines()]


def without_numbers(text: str) -> list[str]:
    """Return lines in which every number is the same, and so is every amount of space."""
    return [" ".join(NUMBER.sub("#", line).replace("─", "").split()) for line in text.splitlines()]


def not_printed(shown: str, printed: str) -> list[str]:
    """Return the lines of a page that a program has not printed in that order, numbers apart."""
    lines = iter(without_numbers(printed))
    return [line for line in without_numbers(shown) if line not in ("", "…") and line not in lines]


def mended(text: str, change: str) -> str:
    """Return a file's text with the change of a page, each of whose lines begins with - or +.

    Raises:
        AssertionError: the old lines are not in it once.
    """
    lines = change.splitlines(keepends=True)
    old = "".join(line[1:] for line in lines if line[0] == "-")
    new = "".join(line[1:] for line in lines if line[0] == "+")
    assert 1 == text.count(old), old
    return text.replace(old, new)


def sections() -> Iterator[tuple[str, str]]:
    """Yield what follows the beginning: a kind of block, and its text, in the order of the page."""
    begun = False
    for kind, text in BLOCK.findall(PAGE):
        begun = begun or text.startswith("harness")
        if begun and kind in ("console", "diff", "text"):
            yield kind, text


def test_the_third_mistake_is_found_within_fifteen_commands():
    """From the clone on; and the first of them are those that the other tests run."""
    typed = commands()
    assert BEGINNING == typed[: len(BEGINNING)]
    before = PAGE[: PAGE.index("**The third mistake.**")]
    assert MOST_COMMANDS >= sum(typed_before(before))


def typed_before(text: str) -> Iterator[int]:
    """Yield how many commands each block of a text has."""
    for kind, block in BLOCK.findall(text):
        if kind == "console":
            yield len(block.splitlines())


def test_what_is_quoted_is_in_the_files():
    """Every line of code on the page; one pair file whole."""
    there = {path: path.read_text(encoding="utf-8") for path in sorted(FOLDER.rglob("*.py"))}
    plain = " ".join(" ".join(text.split()) for text in there.values())
    quoted = [line.strip() for block in blocks("python") for line in block.splitlines()]
    assert [] == [line for line in quoted if line != "..." and line not in plain]
    assert there[FOLDER / "to_keras.py"] in blocks("python")


def test_the_tutorial_says_what_happens(harness):
    """All of it: each command prints what the page shows of it, and ends as its verdict does."""
    shutil.copytree(FOLDER, harness.folder, dirs_exist_ok=True)
    harness.environ["COLUMNS"] = str(COLUMNS)
    printed = ""
    codes = []
    for kind, text in sections():
        if kind == "text":
            assert [] == not_printed(text, printed)
        elif kind == "diff":
            (path,) = (
                path
                for path in harness.folder.rglob("*.py")
                if text.splitlines()[0][1:] in path.read_text(encoding="utf-8").splitlines()
            )
            path.write_text(mended(path.read_text(encoding="utf-8"), text), encoding="utf-8")
        else:
            done = harness.start(*shlex.split(text)[1:]).done(TIMEOUT_S)
            printed = done.out
            codes.append(done.code)
    assert [0, 1, 0, 0, 1, 1, 0] == codes


@pytest.mark.parametrize(
    "printed",
    [
        "✗ FAIL  at forward\nto_keras ✓ 0 ✓ 5 %\n",  # another verdict
        "✗ FAIL  at loss\nto_keras ✓ 0 ✗ 5 %\n",  # another mark
        "to_keras ✓ 0 ✓ 5 %\n✗ FAIL  at loss\n",  # another order
        "✗ FAIL  at loss\n",  # a line less
    ],
)
def test_a_page_that_is_wrong_is_seen(printed: str):
    """Numbers may be others, words, marks and order may not."""
    shown = "✗ FAIL  at loss\n…\nto_keras  ✓ 0 ✓ 4 %\n"
    assert [] == not_printed(shown, "✗ FAIL  at loss\nand more\nto_keras ✓ 0 ✓ 7 %\n")
    assert not_printed(shown, printed)


def test_a_change_that_does_not_fit_is_seen():
    """A line that the file has not is not passed over."""
    assert "new\nrest\n" == mended("old\nrest\n", "-old\n+new\n")
    with pytest.raises(AssertionError):
        mended("other\nrest\n", "-old\n+new\n")
