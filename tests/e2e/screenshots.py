"""Render `reports/example` anew from its report.json, and take the pictures of docs/report.md of
it: `python -m tests.e2e.screenshots`."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from harness.report import html, renderers
from harness.results.model import Report
from tests.e2e.browsing import browser, visit
from tests.harness.report import sample, sample_builds, sample_series

IMAGES = Path(__file__).parents[2] / "docs/images"
EXAMPLE = Path(__file__).parents[2] / "reports/example"
SHORT = (1280, 720)
PHONE = (390, 760)


def report() -> Report:
    """Return the sample of the tests without its hostile names."""

    def clean(rows):
        return tuple(
            row
            for row in rows
            if sample.HOSTILE not in repr(row) and repr(sample.HOSTILE) not in repr(row)
        )

    full = sample.REPORT
    named = dataclasses.replace(
        sample_series.COMPARED,
        **{
            name: getattr(sample_series.COMPARED, name)[:-1]
            for name in ("names", "verdicts", "errors", "floors", "thresholds")
        },
    )
    stages = tuple(
        dataclasses.replace(row, compared=named) if row.compared == sample_series.COMPARED else row
        for row in full.stages
    )
    speed = tuple(dataclasses.replace(row, a_cost=None, b_cost=None) for row in full.speed)
    spreads = tuple(
        dataclasses.replace(one, channels=one.channels[:3], quantiles=one.quantiles[:3])
        for one in full.spreads
    )
    change = dataclasses.replace(sample.HISTORY[0].changes[0], suspect="torch 2.12.0 → 2.13.0")
    return dataclasses.replace(
        full,
        stages=clean(stages),
        speed=clean(speed),
        jobs=clean(full.jobs),
        quality=clean(full.quality),
        curves=clean(full.curves),
        spreads=spreads,
        history=(dataclasses.replace(sample.HISTORY[0], changes=(change,)),),
        builds=clean(full.builds),
        notes=clean(full.notes),
    )


def take(started: Browser, page: Path, folder: Path) -> list[Path]:
    """Take all pictures of a page; return their paths."""
    paths = [folder / f"{name}.png" for name in ("report", "report_pair", "report_phone")]
    with visit(started, page, SHORT) as found:
        found.page.screenshot(path=paths[0])
    with visit(started, page, (1280, 1100), "dark") as found:
        pair = found.page.locator(".pair").first
        if pair.locator("> details").get_attribute("open") is None:
            pair.locator("> details > summary").click()
        pair.locator("h4", has_text="Error against floor").evaluate(
            "element => element.scrollIntoView()"
        )
        found.page.screenshot(path=paths[1])
    with visit(started, page, PHONE) as found:
        found.page.screenshot(path=paths[2])
    return paths


def take_five(started: Browser, page: Path, folder: Path) -> Path:
    """Take the picture of the first screen of five builds on three workloads; return its path."""
    path = folder / "report_five.png"
    with visit(started, page, SHORT) as found:
        found.page.screenshot(path=path)
    return path


def main() -> None:
    """Render the example, and take the pictures into docs/images."""
    renderers.write(renderers.load(EXAMPLE), EXAMPLE)
    with browser() as started:
        take(started, EXAMPLE / "report.html", IMAGES)
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "report.html"
            page.write_text(html.render(sample_builds.REPORT), encoding="utf-8")
            take_five(started, page, IMAGES)


if __name__ == "__main__":
    main()
