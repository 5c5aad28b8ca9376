"""What a terminal shows of two reports at four widths, kept under `tests/data/terminal`: `python -m
tests.harness.report.golden` writes it anew, for the difference to be read."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from harness.report import renderers, terminal
from harness.results.model import Report
from tests.e2e import screenshots

FOLDER = Path(__file__).parents[2] / "data" / "terminal"
WIDTHS = (80, 100, 120, 160)


def reports() -> dict[str, Report]:
    """Return one of five builds that agree, a real one, and one in which much goes wrong."""
    return {"example": renderers.load(screenshots.EXAMPLE), "failing": screenshots.report()}


def drawn(report: Report, width: int) -> str:
    """Return what a terminal shows, without what only fills its lines."""
    stream = io.StringIO()
    Console(file=stream, width=width).print(terminal.render(report))
    return "".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines())


def main() -> None:
    """Write all of them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, report in reports().items():
        for width in WIDTHS:
            path = FOLDER / f"{name}-{width}.txt"
            path.write_text(drawn(report, width), encoding="utf-8")


if __name__ == "__main__":
    main()
