"""Pages that messages point to are found where the reader is."""

from __future__ import annotations

import ast
from pathlib import Path

from harness.records import pages
from tests import pointed

ROOT = Path(__file__).parents[3]


def test_a_checkout_has_its_own(tmp_path: Path):
    """Named as the other texts name it."""
    assert "docs/nightly.md" == pages.address("nightly.md", tmp_path)


def test_a_wheel_has_what_came_with_it(tmp_path: Path):
    """By a path that can be opened."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/nightly.md").write_text("# Every night")
    assert str(tmp_path / "docs/nightly.md") == pages.address("nightly.md", tmp_path)


def test_every_page_that_is_asked_for_exists():
    """In the checkout; tests/e2e/test_wheel.py looks into the wheel."""
    named = pointed.pages_named(ROOT / "harness")
    assert len(named) > 1
    assert set() == {name for name in named if not (ROOT / "docs" / name).is_file()}


def test_no_message_writes_an_address_out():
    """It would lead nowhere from a wheel."""
    found = {
        (path.name, page)
        for path in (ROOT / "harness").rglob("*.py")
        for page in pointed.written_out(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert set() == found


def test_an_address_that_is_written_out_is_seen():
    """In a message, and not in a docstring or a comment."""
    tree = ast.parse('"""See docs/a.md."""\nx = f"see docs/b.md: {1}"  # docs/c.md\n')
    assert ["docs/b.md"] == list(pointed.written_out(tree))
    assert ["d.md"] == list(pointed.asked(ast.parse("f\"{pages.address('d.md')}\"")))
