"""The HTML report in a real browser: it draws, asks for nothing, fits, can be read and can be
used without a mouse."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest

from harness.report import html
from tests.e2e import browsing, screenshots
from tests.e2e.browsing import DESKTOP, PHONE, visit
from tests.harness.report import sample

pytestmark = pytest.mark.skipif(browsing.chromium() is None, reason=browsing.MISSING)
SIZES = {"desktop": DESKTOP, "phone": PHONE}


@pytest.fixture(scope="module")
def browser():
    with browsing.browser() as started:
        yield started


@pytest.fixture(scope="module")
def real(new_harness):
    """The report of a real comparison, as the command wrote it, and the run's folder."""
    harness = new_harness()
    words = (
        "compare",
        "--backends",
        "numpy",
        "torch",
        "--workloads",
        "linear",
        "--precision",
        "fp64",
        "fp32",
        "--no-speed",
    )
    done = harness.run(*words)
    assert 0 == done.code, done.err
    (path,) = harness.folder.glob("reports/*/report.html")
    return harness, path


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A report with one of everything, hostile names included."""
    path = tmp_path_factory.mktemp("full") / "report.html"
    path.write_text(html.render(sample.REPORT), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_a_real_report_has_no_fault(browser, real, size, scheme):
    """As it opens, and with all of its parts clicked open."""
    with visit(browser, real[1], SIZES[size], scheme) as page:
        assert [] == page.faults()
        assert page.open_all() > 10
        assert [] == page.faults()
        assert page.page.locator("svg.plot:visible").count() >= 20


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_a_report_with_everything_has_no_fault(browser, full, size, scheme):
    """Every kind of plot, names that try to be markup, numbers that are none."""
    with visit(browser, full, SIZES[size], scheme) as page:
        page.open_all()
        assert [] == page.faults()
        assert "<script>alert('x')</script>" in page.page.locator("main").inner_text()


def test_a_stored_run_is_rendered_again_to_the_same_bytes(real):
    """By the command, from report.json alone."""
    harness, path = real
    assert 0 == harness.run("report", path.parent, "--format", "html", "--out", "again.html").code
    assert path.read_bytes() == (harness.folder / "again.html").read_bytes()


def test_links_lead_to_what_they_name(browser, full):
    """From the contents to each section; from the first table to the pair, whose evidence is
    there to be opened."""
    with visit(browser, full) as page:
        for link in page.page.locator("nav a").all():
            link.click()
            assert page.page.locator(link.get_attribute("href")).is_visible()
        page.page.locator("table.verdicts tbody a", has_text="linear").first.click()
        heading = page.page.locator("h3", has_text="linear: tf2.10 : tf2")
        top = heading.evaluate("element => element.getBoundingClientRect().top")
        assert 0 <= top < 200
        evidence = heading.locator("xpath=../details")
        assert not evidence.locator("figure").first.is_visible()
        evidence.locator("> summary").click()
        assert evidence.locator("figure").first.is_visible()
        assert [] == page.quiet()


def test_the_numbers_of_a_plot_open_beneath_it(browser, full):
    """As a table with headings."""
    with visit(browser, full) as page:
        figure = page.page.locator("figure", has_text="loss, fp64: error against floor").first
        assert not figure.locator("table").is_visible()
        figure.locator("summary").click()
        assert ["tensor", "verdict", "error", "floor", "threshold"] == figure.locator(
            "thead th"
        ).all_inner_texts()
        assert (
            "train/l2\tFAIL\t3.1e-04\t1.0e-15\t8.0e-15"
            == figure.locator("tbody tr", has_text="train/l2").inner_text()
        )
        titles = figure.locator("svg title").all_text_contents()
        assert "train/l2: error 3.1e-04, floor 1.0e-15, threshold 8.0e-15" in titles


def test_the_page_is_used_without_a_mouse(browser, full):
    """The first stop leads past the head; the focus goes down the page and is seen; what is
    closed opens by a key."""
    with visit(browser, full) as page:
        met, faults = page.focus(400)
        assert [] == faults
        assert ("A", "Skip to the content") == (met[0]["tag"], met[0]["text"]) and len(met) > 40
        assert all(stop["name"] or stop["text"] for stop in met)
    with visit(browser, full) as page:
        page.page.keyboard.press("Tab")
        assert page.page.locator(".skip").bounding_box()["y"] >= 0
        page.page.keyboard.press("Enter")
        assert "content" == page.page.evaluate("document.activeElement.id")
        page.page.locator(".pair details:not([open]) > summary").first.focus()
        page.page.keyboard.press("Enter")
        assert page.page.evaluate("document.activeElement.parentElement.open")


def test_a_wide_table_scrolls_in_itself_by_keys(browser, full):
    """Not the page with it."""
    with visit(browser, full, PHONE) as page:
        region = page.page.locator(".wide").first
        region.focus()
        for _ in range(5):
            page.page.keyboard.press("ArrowRight")
        page.page.wait_for_function(
            "element => element.scrollLeft > 0", arg=region.element_handle()
        )
        assert 0 == page.page.evaluate("window.scrollX")


def test_what_a_screen_reader_is_told(browser, full):
    """Landmarks, headings by level, drawings by name, tables with headings."""
    with visit(browser, full) as page:
        tree = page.page.locator("body").aria_snapshot()
        for part in (
            "- banner",
            '- navigation "Contents"',
            "- main",
            '- heading "Same function?" [level=2]',
            'rowheader "cnn, tf1-compat : torch, fp64',
            '- columnheader "W weights"',
            'heading "cnn: tf1-compat : torch" [level=3]',
            'img "step times of train, fp32: tf1-compat and torch over 6 rounds"',
        ):
            assert part in tree, part


def test_colours_follow_the_scheme_in_plots_too(browser, full):
    """Dark paper, and lines that are light on it."""
    found = {}
    for scheme in ("light", "dark"):
        with visit(browser, full, scheme=scheme) as page:
            found[scheme] = page.page.evaluate(
                "[getComputedStyle(document.body).backgroundColor,"
                " getComputedStyle(document.querySelector('svg .line.sa')).stroke]"
            )
    assert "rgb(255, 255, 255)" == found["light"][0] and "rgb(13, 17, 23)" == found["dark"][0]
    assert found["light"][1] != found["dark"][1]


def test_nothing_is_told_by_colour_alone(browser, full):
    """The two sides differ by dashes, a tensor that departs by its shape, a verdict by its word."""
    with visit(browser, full) as page:
        dashes = page.page.evaluate(
            "['sa', 'sb'].map(side => getComputedStyle(document.querySelector(`svg.plot"
            " .line.${side}`)).strokeDasharray)"
        )
        assert "none" == dashes[0] != dashes[1]
        assert page.page.locator("svg.plot path.cross").count() == 2
        assert all(
            re.search("[A-Z]{4}", text)
            for text in page.page.locator(".verdict:visible").all_inner_texts()
        )


FAULTS = {
    "a name that is not escaped": (
        lambda text: text.replace(
            ">&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;", "><script>alert('x')</script>", 1
        ),
        ["elements that no report has", "says error: "],
    ),
    "a name that ends its attribute": (
        lambda text: text.replace(
            'aria-label="linear, ', 'aria-label="linear" onclick="alert(1)" title="', 1
        ),
        ["elements that no report has"],
    ),
    "an unescaped name in a page without its policy": (
        lambda text: re.sub("<meta http-equiv[^>]*>", "", text).replace(
            "<main", "<b onmouseover=x></b><script>alert('x')</script><main"
        ),
        ["elements that no report has", "dialog: x"],
    ),
    "an external request": (
        lambda text: (
            re.sub("<meta http-equiv[^>]*>", "", text)
            .replace("</style>", "@import url(https://example.invalid/font.css);</style>")
            .replace(
                "</main>",
                "<p style='background: url(https://example.invalid/dot.png)'>x</p></main>",
            )
        ),
        ["asks for https://example.invalid/dot.png"],
    ),
    "an external request that the policy stops": (
        lambda text: text.replace(
            "</main>", "<p style='background: url(https://example.invalid/dot.png)'>x</p></main>"
        ),
        ["says error: "],
    ),
    "a plot without its lines": (
        lambda text: re.sub("<path class='line (sa|sb)' d='[^']*'/>", "", text),
        [": nothing is drawn"],
    ),
    "a plot of numbers that are none": (
        lambda text: re.sub("(<path class='line sa' d=')", r"\1MNaN 3L", text, count=1),
        ["d is MNaN 3L"],
    ),
    "a plot that is cut off": (
        lambda text: re.sub("viewBox='0 0 360 ", "viewBox='0 0 300 ", text),
        ["is cut off"],
    ),
    "a plot without a name": (
        lambda text: re.sub(" role=img aria-label='[^']*'", "", text),
        ["has no name for who cannot see it"],
    ),
    "a page that is too wide": (
        lambda text: text.replace("</main>", "<div style='width: 2000px'>x</div></main>"),
        ["the page is 2"],
    ),
    "text that is too pale": (
        lambda text: text.replace("--dim: #59636e", "--dim: #a9b3be"),
        ["contrast 2."],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(browser, full, tmp_path, fault):
    """Each is in an otherwise good page."""
    plant, expected = FAULTS[fault]
    good = full.read_text(encoding="utf-8")
    path: Path = tmp_path / "bad.html"
    path.write_text(plant(good), encoding="utf-8")
    assert plant(good) != good
    with visit(browser, path) as page:
        faults = page.faults()
    assert all(any(part in one for one in faults) for part in expected), faults


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        (":focus-visible { outline: none }", "one does not see that"),
        (".skip { order: 9 } body { display: flex }", None),
    ],
)
def test_a_focus_that_is_not_seen_is_found(browser, full, tmp_path, style, expected):
    """And one that goes back in the page."""
    path = tmp_path / "bad.html"
    text = full.read_text(encoding="utf-8").replace("</style>", f"{style}</style>")
    path.write_text(
        (
            text
            if expected
            else text.replace("<main ", "<a href='#verdicts' tabindex='7'>x</a><main ")
        ),
        encoding="utf-8",
    )
    with visit(browser, path) as page:
        _, faults = page.focus(6)
    assert any((expected or "the focus goes back") in fault for fault in faults)


def test_the_pictures_of_the_docs_are_taken(browser, tmp_path):
    """Of the committed example of a real run: no fault in it, and three pictures of the size
    that the page shows."""
    with visit(browser, screenshots.EXAMPLE / "report.html") as page:
        assert [] == page.faults()
    taken = screenshots.take(browser, screenshots.EXAMPLE / "report.html", tmp_path)
    shown = [screenshots.IMAGES / path.name for path in taken]
    assert [size(path) for path in shown] == [size(path) for path in taken] and all(
        path.stat().st_size > 20_000 for path in taken
    )


def size(path: Path) -> tuple[int, int]:
    """Return the width and height that a PNG says it has."""
    return struct.unpack(">II", path.read_bytes()[16:24])
