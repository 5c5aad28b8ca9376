"""The built documentation as a reader's browser meets it: all pages are there, and nothing is
loaded from elsewhere. `tox run -e docs` builds it before."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route

from docs import docstrings, hooks
from harness import cli
from tests.e2e import browsing

ROOT = Path(__file__).parents[2]
SITE = ROOT / "build/site"
#: What makes a browser load an address; an `a` is followed by readers alone.
LOADING = {"audio", "embed", "iframe", "img", "link", "object", "script", "source", "video"}
VISITED = ["index.html", "tutorial/index.html", "reference/commands.html", "reference/ports.html"]


class Loads(HTMLParser):
    """Collects the addresses that a page loads from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        named = [given.get(name) or "" for name in ("src", "href", "data")]
        if tag in LOADING and given.get("rel") != "canonical":
            self.found += [value for value in named if value.startswith(("http:", "https:", "//"))]


def loaded(text: str) -> list[str]:
    """Return what a page loads from elsewhere."""
    reader = Loads()
    reader.feed(text)
    return reader.found


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Serve the site on this machine."""
    handler = functools.partial(Quiet, directory=str(SITE))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class Quiet(SimpleHTTPRequestHandler):
    """A server that writes no log."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base's name)
        """Say nothing."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with browsing.browser() as started:
        yield started


def outside(browser: Browser, address: str, page: str) -> tuple[list[str], list[str]]:
    """Return what a page asks of other machines, and what the browser reports as wrong."""
    asked: list[str] = []
    wrong: list[str] = []

    def route(request: Route) -> None:
        if request.request.url.startswith((address, "data:", "blob:")):
            request.continue_()
        else:
            asked.append(request.request.url)
            request.abort()

    context = browser.new_context()
    context.route("**/*", route)
    opened = context.new_page()
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("response", lambda answer: wrong.append(answer.url) if answer.status >= 400 else None)
    opened.goto(address + page, wait_until="networkidle")
    context.close()
    return asked, wrong


def test_no_page_names_anything_to_load_from_elsewhere():
    """Neither pages nor style sheets: no fonts, no pictures, no scripts."""
    pages = {path: loaded(path.read_text(encoding="utf-8")) for path in SITE.rglob("*.html")}
    assert len(pages) > 30
    assert {} == {path: found for path, found in pages.items() if found}
    for path in SITE.rglob("*.css"):
        text = path.read_text(encoding="utf-8")
        assert "url(http" not in text and "@import" not in text, path


def test_what_a_page_loads_is_seen():
    """A font, a script, a picture; a link that a reader may follow is none."""
    text = (
        '<link href="https://a/f.css"><script src="//b/s.js"></script><img src="https://c/i.png">'
    )
    assert ["https://a/f.css", "//b/s.js", "https://c/i.png"] == loaded(text)
    assert [] == loaded('<a href="https://a">a</a><img src="i.png">')


@pytest.mark.parametrize("page", VISITED)
def test_a_browser_asks_no_other_machine(browser: Browser, address: str, page: str):
    """What scripts load counts, too; and all that is asked for here is there."""
    assert ([], []) == outside(browser, address, page)


def test_what_a_browser_asks_of_another_machine_is_seen(
    browser: Browser, tmp_path: Path, address: str
):
    """By a script, which no reading of the page would find; and what is missing here."""
    path = SITE / "planted.html"
    path.write_text("<script>fetch('https://example.org/x')</script><img src='no.png'>")
    try:
        asked, wrong = outside(browser, address, path.name)
    finally:
        path.unlink()
    assert ["https://example.org/x"] == asked
    assert {f"{address}no.png", "Failed to fetch"} == set(wrong)


def test_every_command_has_its_help():
    """The reference has a heading for each, and the options of each."""
    page = (SITE / "reference/commands.html").read_text(encoding="utf-8")
    names = [" ".join(("harness", *words)) for words in hooks.commands(cli.app)]
    assert len(names) > 20
    assert [] == [name for name in names if f">{name}<a" not in page]
    assert "--no-speed" in page


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a, b: both.", "a: both.\nb: both."),
        ("    Example:\n        >>> 1", "    Examples:\n        >>> 1"),
        ("One sentence: and more.", "One sentence: and more."),
    ],
)
def test_docstrings_are_translated(text: str, read: str):
    """For the generator, which knows one name at a time and one name for examples."""
    assert read == docstrings.translated(text)


def test_links_that_leave_the_pages_lead_to_the_repository():
    """Files outside `docs/` and folders; pages and addresses stay."""
    text = "[a](../README.md#two-commands) [b](examples/reviews) [c](pairs.md#x) [d](https://e)"
    assert (
        f"[a]({hooks.SOURCE}/blob/main/README.md#two-commands)"
        f" [b]({hooks.SOURCE}/tree/main/docs/examples/reviews) [c](pairs.md#x) [d](https://e)"
    ) == hooks.linked(text, hooks.DOCS)
