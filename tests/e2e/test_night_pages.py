"""The pages of nights in a real browser: nothing is wrong with them, and each link leads to the
evidence that it names."""

from __future__ import annotations

import urllib.parse
from pathlib import Path

import pytest

from tests.e2e import browsing
from tests.e2e.browsing import DESKTOP, PHONE, visit

pytestmark = pytest.mark.skipif(browsing.chromium() is None, reason=browsing.MISSING)
HOSTILE = Path(__file__).parent / "hostile"
MATRIX = f"""
[night]
budget_s = 500
ports = ["{HOSTILE}"]
[[matrix]]
name = "function"
workloads = ["hostile"]
builds = ["numpy", "numpy"]
precisions = ["fp64"]
threads = 1
judge = ["fidelity"]
[[matrix]]
name = "speed"
workloads = ["hostile"]
builds = ["numpy", "numpy"]
precisions = ["fp64"]
presets = ["small"]
threads = 1
judge = ["speed"]
timing_s = 1
[[matrix]]
name = "gpu"
workloads = ["linear"]
builds = ["torch", "tf2"]
devices = ["gpu"]
precisions = ["fp32"]
"""


@pytest.fixture(scope="module")
def browser():
    with browsing.browser() as started:
        yield started


@pytest.fixture(scope="module")
def nights(new_harness) -> Path:
    """Two nights, as the command wrote them; return their folder."""
    harness = new_harness()
    (harness.folder / "nightly.toml").write_text(MATRIX, encoding="utf-8")
    for date in ("2026-11-20", "2026-11-21"):
        done = harness.run("nightly", "--date", date)
        assert 0 == done.code, done.err
    assert (
        f"reports/nightly/{date}/index.html (summary.md); all nights: reports/nightly/index.html"
        in done.out
    )
    return harness.folder / "reports/nightly"


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["index.html", "2026-11-21/index.html", "history.html"])
def test_pages_of_nights_have_no_fault(
    browser, nights: Path, path: str, scheme: str, size: tuple[int, int]
) -> None:
    """Drawn, quiet, readable and no wider than the window, as they open and with all parts open."""
    with visit(browser, nights / path, size, scheme) as page:
        assert [] == page.faults()
        page.open_all()
        assert [] == page.faults()
        _, faults = page.focus(40)
        assert [] == faults


def test_every_link_leads_to_what_it_names(browser, nights: Path) -> None:
    """From all nights to one, from a verdict to the pair in its cell's report: files and places
    that are there."""
    with visit(browser, nights / "index.html") as page:
        addresses = {link.get_attribute("href") for link in page.page.locator("a").all()}
    assert {"./2026-11-21/index.html", "./2026-11-20/index.html", "./history.html"} < addresses
    with visit(browser, nights / "2026-11-21/index.html") as page:
        links = page.page.locator("table.verdicts a").all()
        targets = [
            urllib.parse.unquote(str(link.get_attribute("href"))).partition("#") for link in links
        ]
        plots, text = (
            page.page.locator("svg.plot:visible").count(),
            page.page.locator("body").inner_text(),
        )
        # Train and generate, night by night; on a machine that other programs keep busy no round
        # counts, and the page says that.
        assert 2 == plots or "the machine was busy" in text
        assert "torch on gpu" in page.page.locator("#missing-builds ~ ul").inner_text()
        cells = page.page.locator("section:has(#cells) table a").all()
        reports = {str(link.get_attribute("href")).split("/")[2] for link in cells}
    # A cell that was only timed has no verdict; its report is a row's in the table of cells.
    assert {"function-hostile"} == {name.split("/")[2] for name, _, _ in targets}
    assert {"function-hostile", "speed-hostile"} == reports
    for name, _, anchor in targets:
        with visit(browser, nights / "2026-11-21" / name) as page:
            assert "hostile: numpy : numpy#2" == page.page.locator(f"#{anchor}").inner_text()
