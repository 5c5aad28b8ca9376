"""Every kind of page in a real browser: rules of accessibility, paper, the first screen, and the
filter that needs no script."""

from __future__ import annotations

import pytest

from harness.nightly import index, page
from harness.report import history_page, html
from tests.e2e import browsing, screenshots
from tests.e2e.browsing import DESKTOP, PHONE, visit
from tests.e2e.test_browser import size
from tests.harness.nightly import test_pages
from tests.harness.report import sample, sample_builds, sample_history

pytestmark = pytest.mark.skipif(browsing.chromium() is None, reason=browsing.MISSING)
SIZES = {"desktop": DESKTOP, "phone": PHONE}


@pytest.fixture(scope="module")
def browser():
    with browsing.browser() as started:
        yield started


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A page of every kind, by name."""
    folder = tmp_path_factory.mktemp("pages")
    night = test_pages.made()
    texts = {
        "everything": html.render(sample.REPORT),
        "five builds": html.render(sample_builds.REPORT),
        "history": history_page.render(
            "History",
            sample_history.HISTORIES,
            0,
            sample_history.NIGHTS,
            sample_history.SPEED,
        ),
        "night": page.render(night, [(night.rows[0], sample.REPORT)]),
        "nights": index.render([(folder / f"night-{number}", night) for number in range(20)]),
    }
    found = {}
    for name, text in texts.items():
        found[name] = folder / f"{name}.html"
        found[name].write_text(text, encoding="utf-8")
    return found


PAGES = ("everything", "five builds", "history", "night", "nights")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("window", SIZES)
@pytest.mark.parametrize("name", PAGES)
def test_no_page_breaks_a_rule_of_accessibility(browser, pages, name, window, scheme):
    """Of axe-core, as the page opens; none has to be scrolled sideways."""
    with visit(browser, pages[name], SIZES[window], scheme) as page:
        assert [] == page.accessibility()
        assert [] == page.faults()


def test_what_can_be_opened_breaks_no_rule_either(browser, pages):
    """All parts of the page with everything in it."""
    with visit(browser, pages["everything"]) as page:
        page.unfold()
        assert [] == page.accessibility()


@pytest.mark.parametrize(
    ("plant", "rule"),
    [
        (("<h1>", "<p>"), "page-has-heading-one"),
        (('<html lang="en">', "<html>"), "html-has-lang"),
        (("--dim: #59636e", "--dim: #a9b3be"), "color-contrast"),
        (("</main>", "<a href='#content'></a></main>"), "link-name"),
    ],
)
def test_axe_finds_a_planted_fault(browser, pages, tmp_path, plant, rule):
    """Each is in an otherwise good page."""
    path = tmp_path / "bad.html"
    good = pages["history"].read_text(encoding="utf-8")
    path.write_text(good.replace(*plant), encoding="utf-8")
    assert good.replace(*plant) != good
    with visit(browser, path) as page:
        assert [rule] == [fault.partition(":")[0] for fault in page.accessibility()]


@pytest.mark.parametrize("name", PAGES)
def test_on_paper_all_is_open_and_nothing_is_cut(browser, pages, name):
    """On A4: pairs that are folded, evidence that is closed."""
    with visit(browser, pages[name], browsing.A4) as page:
        assert [] == page.paper()


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("details::details-content { content-visibility: hidden !important }", "closed on paper"),
        (".verdicts .folded { display: none !important }", "not on paper"),
        ("table { width: 900px !important }", "cut on paper"),
    ],
)
def test_a_page_that_prints_badly_is_found(browser, pages, tmp_path, rule, fault):
    """Evidence that stays closed, pairs that stay folded, a table that is cut."""
    path = tmp_path / "bad.html"
    good = pages["five builds"].read_text(encoding="utf-8")
    path.write_text(good.replace("</style>", f"{rule}</style>", 1), encoding="utf-8")
    with visit(browser, path, browsing.A4) as page:
        assert any(fault in one for one in page.paper())


def test_the_first_screen_says_who_is_wrong_and_who_is_slow(browser, pages):
    """Five builds on three workloads, at 1280 x 720, in words and in the matrix and the bars."""
    with visit(browser, pages["five builds"], screenshots.SHORT) as page:
        for text in ("torch departs from all 4 others", "tf2 is 5.9× slower than tf1"):
            box = page.page.locator(".said", has_text=text).bounding_box()
            assert box["y"] + box["height"] < screenshots.SHORT[1]
        last = page.page.locator(".bars .block").last.bounding_box()
        assert last["y"] + last["height"] <= screenshots.SHORT[1]
        failing = page.page.locator(".verdicts tbody tr", has_text="FAIL").all()
        assert 8 == len(failing)
        assert all(row.bounding_box()["y"] < screenshots.SHORT[1] for row in failing)


def test_the_filter_needs_no_script(browser, pages):
    """What departs alone; every pair; one workload; one build."""
    with visit(browser, pages["five builds"]) as page:
        rows = page.page.locator(".verdicts tbody tr:visible")
        assert 8 + 2 + 4 == rows.count()
        page.page.get_by_label("only what departs").check()
        assert 8 == rows.count()
        page.page.get_by_label("every pair").check()
        assert 60 == rows.count()
        page.page.get_by_label("linear", exact=True).check()
        assert 20 == rows.count() and 2 == page.page.locator(".bars .block:visible").count()
        page.page.get_by_label("tf2.10", exact=True).check()
        assert 8 == rows.count() and all("tf2.10" in text for text in rows.all_inner_texts())
        assert 2 == page.page.locator(".bars li:visible").count()
        assert [] == page.faults()


def test_the_picture_of_five_builds_is_of_its_first_screen(browser, pages, tmp_path):
    """As large as the one that the docs show."""
    taken = screenshots.take_five(browser, pages["five builds"], tmp_path)
    assert size(screenshots.IMAGES / taken.name) == size(taken) == screenshots.SHORT
