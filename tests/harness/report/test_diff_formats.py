"""What differs between two runs, as Markdown, HTML and in a terminal: the same answer, the
suspects, and what only one run tells; no text is obeyed."""

from __future__ import annotations

import dataclasses
import html.parser
import re

import pytest
from rich.console import Console

from harness.changes import figures
from harness.changes.figures import Diff, FigureDifference
from harness.changes.model import JudgedNight
from harness.commands import diff as diffing
from harness.report import terminal_diff
from tests.harness.changes import sample

HOSTILE = "<script>alert('x')</script> [a](http://x) | `b` \x1b[31m\n# head @me"


def compared(**more: object) -> Diff:
    """Two runs: torch fails since its release, and a setting is told by the first run only."""
    base = sample.report(("tf2", "torch"), ("fp64",))
    after = sample.staged(base, lambda row: row.stage == "loss", verdict="FAIL", **more)
    after = sample.rebuilt(after, "torch", versions={"framework": "9.0"}, effective={"threads": 2})
    return figures.diff(JudgedNight(base), JudgedNight(after))


def drawn(found: Diff) -> str:
    console = Console(width=120, force_terminal=False)
    with console.capture() as captured:
        console.print(terminal_diff.render(found))
    return captured.get()


def rendered(found: Diff, kind: str) -> str:
    return drawn(found) if kind == "terminal" else diffing.render(found, kind)


@pytest.mark.parametrize("kind", ["terminal", "markdown", "html"])
def test_every_form_says_the_same(kind: str):
    """The answer, what changed, the first suspect and why, and apart from it what is not known."""
    text = " ".join(rendered(compared(), kind).replace("&gt;", ">").replace("\\", "").split())
    for said in (
        "1 regression: verdicts that were lost",
        "cnn tf2 : torch is FAIL and was PASS",
        "Suspects, the likeliest first",
        "torch: framework 2.13.0 -> 9.0",
        "touches 1 of 1 rows that changed, and 7 that did not",
        "Told by one run only: changed or not, nobody can say",
        "not reported",
    ):
        assert said in text, said
    assert text.index("Suspects, the") < text.index("Verdicts") < text.index("Told by one run")


@pytest.mark.parametrize("kind", ["terminal", "markdown", "html"])
def test_where_nothing_is_unknown_nothing_is_said_of_it(kind: str):
    """Nor of suspects, where nothing changed."""
    base = JudgedNight(sample.report(("tf2", "torch"), ("fp64",)))
    text = rendered(figures.diff(base, base), kind)
    assert "Nothing else differs" in text
    assert "Told by one run" not in text and "Suspects" not in text


class Reader(html.parser.HTMLParser):
    """Which elements and identifiers a page has."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]


def hostile() -> Diff:
    row = FigureDifference("settings", HOSTILE, HOSTILE, HOSTILE, None, HOSTILE)
    return dataclasses.replace(
        compared(reason=HOSTILE, worst=HOSTILE),
        before=HOSTILE,
        apart=(HOSTILE,),
        differences=(row,),
        unreported=(row,),
    )


def test_the_page_runs_and_loads_nothing():
    """Whatever a name holds: its policy forbids both, and no element of it is one."""
    page = diffing.render(hostile(), "html")
    found = Reader(page)
    assert not {"script", "img", "iframe", "a href"} & {*found.tags}
    assert "default-src 'none'" in page and "\x1b" not in page
    assert len(found.ids) == len({*found.ids}) and 1 == found.tags.count("h1")


def test_markdown_obeys_no_text():
    """No tag, no link, no heading, no mention, no cell that ends early."""
    text = diffing.render(hostile(), "markdown")
    assert {"details", "summary", "/summary", "/details"} == {
        *re.findall(r"(?<!\\)<([/\w]+)", text)
    }
    assert "\x1b" not in text and not re.search(r"(?<!\\)\]\(|(?<!\\)@me", text)
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert all(line.startswith("### ") for line in headings)
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert {6} == {len(re.findall(r"(?<!\\)\|", line)) for line in lines}


@pytest.mark.parametrize("kind", ["markdown", "html"])
def test_the_same_difference_gives_the_same_bytes(kind: str):
    """And ends in a newline."""
    text = diffing.render(compared(), kind)
    assert text == diffing.render(compared(), kind) and text.endswith("\n")
