"""A real browser on a report: what is wrong with a page as a reader meets it. Each check returns
its faults in words.

Chromium is driven through playwright; everything that is asked for beside the page itself is
counted, and refused.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import importlib.resources
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route, sync_playwright

#: Names of the program, the first that is found is taken.
NAMES = (
    "/usr/bin/chromium",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
MISSING = f"no Chromium on this machine: none of {', '.join(NAMES)}"
DESKTOP, PHONE = (1280, 900), (390, 844)
#: Least contrast of text, Web Content Accessibility Guidelines 2.2, level AA; of large or bold
#: large text.
CONTRAST, CONTRAST_LARGE = 4.5, 3.0

#: Of every drawing that is laid out: what it lacks.
DRAWINGS = """() => {
const drawings = [...document.querySelectorAll('svg.plot')].filter(svg => svg.checkVisibility());
return drawings.flatMap((svg, number) => {
  const found = [], name = svg.getAttribute('aria-label') || `drawing ${number}`;
  const box = svg.getBoundingClientRect();
  if (box.width < 100 || box.height < 40) found.push(`${name}: is ${box.width} x ${box.height}`);
  if (svg.getAttribute('role') !== 'img' || !svg.hasAttribute('aria-label'))
    found.push(`${name}: has no name for who cannot see it`);
  const view = svg.viewBox.baseVal;
  const kinds = '.line, .band, .box, .bar, circle, .cross, .square, .floor, .limit';
  const marks = [...svg.querySelectorAll(kinds)].filter(mark => {
    const place = mark.getBBox();
    return (place.width > 0 || place.height > 0) && getComputedStyle(mark).display !== 'none';
  });
  if (!marks.length) found.push(`${name}: nothing is drawn`);
  for (const mark of [...svg.querySelectorAll('path, circle, text')])
    for (const {name: attribute, value} of mark.attributes)
      if (/NaN|Infinity|undefined|None/.test(value) && attribute !== 'class')
        found.push(`${name}: ${attribute} is ${value.slice(0, 40)}`);
  for (const text of svg.querySelectorAll('text')) {
    const place = text.getBBox();
    if (place.x < view.x - 2 || place.x + place.width > view.x + view.width + 2
        || place.y + place.height > view.y + view.height + 2)
      found.push(`${name}: '${text.textContent}' is cut off`);
  }
  return found;
});
}"""

#: Of all text that can be seen, its contrast against what is behind it, where that is too little.
CONTRASTS = """([least, large]) => {
  const rgb = text => (text.match(/[\\d.]+/g) || [0, 0, 0]).map(Number);
  const linear = part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => [r, g, b].map(part => linear(part / 255))
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode, element = text.parentElement;
    if (!text.data.trim() || !element.checkVisibility()) continue;
    if (element.closest('style, title, .vh')) continue;
    const style = getComputedStyle(element), back = light(behind(element));
    const fore = light(rgb(element.closest('svg') ? style.fill : style.color));
    const contrast = (Math.max(fore, back) + 0.05) / (Math.min(fore, back) + 0.05);
    if (contrast < (parseFloat(style.fontSize) >= 24 ? large : least)) {
      const what = `${element.tagName} '${text.data.trim().slice(0, 30)}'`;
      found.add(`${what} ${element.getAttribute('class')}: contrast ${contrast.toFixed(2)}`);
    }
  }
  return [...found];
}"""

#: All rules of axe-core, best practices among them: what each that is broken says, and where first.
ACCESSIBILITY = """async () => {
  const {violations} = await axe.run(document, {resultTypes: ['violations']});
  return violations.map(({id, help, nodes}) =>
    `${id}: ${help}: ${nodes.length} times, first ${nodes[0].target.join(' ')}`);
}"""

#: On paper: what is hidden, and tables and drawings that are wider than what holds them.
PAPER = """() => {
  const found = [], shown = element => element.checkVisibility();
  for (const part of document.querySelectorAll('details'))
    for (const child of part.children)
      if (child.matches('table, div, p, dl, figure, code, section') && !shown(child))
        found.push(`closed on paper: ${part.querySelector('summary').textContent.trim()}`);
  for (const row of document.querySelectorAll('tbody tr'))
    if (!shown(row)) found.push(`not on paper: ${row.textContent.trim().slice(0, 40)}`);
  const wide = document.documentElement.clientWidth;
  for (const part of document.querySelectorAll('table, svg.plot, pre, code')) {
    const box = part.getBoundingClientRect();
    if (shown(part) && box.right > wide + 1)
      found.push(`cut on paper: ${part.textContent.trim().slice(0, 40)} ends at ${box.right}`);
  }
  return found;
}"""
#: Of an A4 page without its margins of 12 mm, CSS pixels.
A4 = (703, 1032)

#: What has the focus: a number that grows down the page, what it is, and whether one sees that it
#: has it.
FOCUSED = """() => {
  const at = document.activeElement;
  const all = [...document.querySelectorAll('*')], style = getComputedStyle(at);
  return {place: all.indexOf(at), tag: at.tagName, text: (at.textContent || '').trim().slice(0, 40),
          name: at.getAttribute('aria-label') || at.labels?.[0]?.textContent.trim() || '',
          seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
          href: at.getAttribute('href') || ''};
}"""


def chromium() -> str | None:
    """Return the path of a Chromium, or None."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@functools.cache
def axe() -> str:
    """Return the source of axe-core, as its wheel brings it."""
    return (importlib.resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8")


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Start Chromium without a window."""
    program = chromium()
    assert program is not None, MISSING
    with sync_playwright() as started:
        # Its sandbox needs rights that a container's root does not have; the page is our own.
        made = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield made
        finally:
            made.close()


@dataclasses.dataclass
class Visit:
    """An open page, with all that it did: what it asked for beside itself, what it wrote to the
    console, dialogs it opened."""

    page: Page
    asked: list[str] = dataclasses.field(default_factory=list)
    said: list[str] = dataclasses.field(default_factory=list)

    def quiet(self) -> list[str]:
        """Return requests, messages of the console and dialogs."""
        return [f"asks for {url}" for url in self.asked] + [f"says {text}" for text in self.said]

    def markup(self) -> list[str]:
        """Return elements that no part of a report is made of: markup out of a name."""
        count = self.page.locator(
            "script, img, iframe, object, embed, form, b, bold, [onclick], [onerror], [onload],"
            " input:not(.filter .choice input[type=radio])"
        ).count()
        return [f"{count} elements that no report has"] if count else []

    def drawings(self) -> list[str]:
        """Return what the drawings that can be seen lack."""
        return [str(fault) for fault in self.page.evaluate(DRAWINGS)]

    def width(self) -> list[str]:
        """Return whether the page has to be scrolled sideways."""
        page, window = self.page.evaluate(
            "[document.documentElement.scrollWidth, window.innerWidth]"
        )
        return [f"the page is {page} wide in a window of {window}"] if page > window else []

    def contrast(self) -> list[str]:
        """Return text that is hard to read."""
        return [str(fault) for fault in self.page.evaluate(CONTRASTS, [CONTRAST, CONTRAST_LARGE])]

    def accessibility(self) -> list[str]:
        """Return what axe-core finds."""
        self.page.evaluate(axe())
        return [str(fault) for fault in self.page.evaluate(ACCESSIBILITY)]

    def paper(self) -> list[str]:
        """Return what is closed, hidden or cut off when the page is printed."""
        self.page.emulate_media(media="print")
        try:
            return [str(fault) for fault in self.page.evaluate(PAPER)]
        finally:
            self.page.emulate_media(media="screen")

    def focus(self, steps: int) -> tuple[list[dict[str, Any]], list[str]]:
        """Press Tab so many times; return what had the focus, and where that goes back in the
        page or is not seen."""
        met, faults = [], []
        for _ in range(steps):
            self.page.keyboard.press("Tab")
            now = self.page.evaluate(FOCUSED)
            if now["tag"] == "BODY":
                break  # past the end
            if met and now["place"] <= met[-1]["place"]:
                faults.append(f"the focus goes back from {met[-1]['text']!r} to {now['text']!r}")
            if not now["seen"]:
                faults.append(f"one does not see that {now['tag']} {now['text']!r} has the focus")
            met.append(now)
        return met, faults

    def open_all(self) -> int:
        """Click every closed part of the page open, from the top down, and return how many there
        were."""
        count = 0
        while True:
            closed = self.page.locator("details:not([open]) > summary:visible")
            if not closed.count():
                return count
            closed.first.click()
            count += 1

    def unfold(self) -> None:
        """Open every closed part of the page at once."""
        self.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")

    def faults(self) -> list[str]:
        """Return what is wrong with the page as it stands."""
        return self.quiet() + self.markup() + self.drawings() + self.width() + self.contrast()


@contextlib.contextmanager
def visit(
    browser: Browser, path: Path, size: tuple[int, int] = DESKTOP, scheme: str = "light"
) -> Iterator[Visit]:
    """Open a file as a reader does, with no network at all."""
    address = path.resolve().as_uri()
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
        offline=True,
        reduced_motion="reduce",
    )
    page = context.new_page()
    found = Visit(page)

    def route(one: Route) -> None:
        if one.request.url.partition("#")[0] == address:
            one.continue_()
        else:
            found.asked.append(one.request.url)
            one.abort()

    def dialog(one: Any) -> None:
        found.said.append(f"dialog: {one.message}")
        one.dismiss()

    context.route("**/*", route)
    page.on("console", lambda one: found.said.append(f"{one.type}: {one.text}"))
    page.on("pageerror", lambda one: found.said.append(f"error: {one}"))
    page.on("dialog", dialog)
    page.goto(address)
    try:
        yield found
    finally:
        context.close()
