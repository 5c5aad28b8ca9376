"""A whole history as one HTML page, as self-contained as a report: verdicts night by night, a row
with a small drawing for every series, and each as a figure of its own for who opens it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from harness.report.page_templates import environment
from harness.report.plots import history, sparkline
from harness.report.plots.figure import Figure
from harness.report.plots.scale import finite
from harness.results.series import FigureHistory, JudgedHistory
from harness.results.verdicts import Fidelity, Speed

#: Nights in the table of verdicts, the newest; so many of them are shown at once.
NIGHTS, SHOWN = 60, 7
STAGES = (Fidelity.PASS, Fidelity.INCONCLUSIVE, Fidelity.FAIL)
SPEED = (Speed.FASTER, Speed.SAME, Speed.SLOWER, Speed.UNCLEAR, Speed.REFUSED)
#: What comes first in the overview.
FIRST = (Fidelity.FAIL, Fidelity.INCONCLUSIVE, Speed.SLOWER)


@dataclasses.dataclass(frozen=True)
class SeriesLine:
    """A row of the overview.

    Attributes:
        item: what it shows. figure: the same, as large as it gets. anchor: where that stands.
        newest, least, largest: in its unit.
    """

    item: FigureHistory
    figure: Figure
    anchor: str
    spark: Markup
    newest: str
    least: str
    largest: str

    @property
    def pair(self) -> str:
        """Its builds, as printed."""
        return f"{self.item.a} : {self.item.b}" if self.item.b else self.item.a

    @property
    def verdict(self) -> str:
        """The newest one, where there is any."""
        return self.item.verdict if isinstance(self.item, JudgedHistory) else ""


@dataclasses.dataclass(frozen=True)
class WorkloadSection:
    """The series of one workload; those that departed or were slower come first, as do workloads
    that have one."""

    name: str
    anchor: str
    lines: tuple[SeriesLine, ...]


def render(
    title: str,
    histories: Sequence[FigureHistory],
    left_out: int,
    stages: Mapping[str, Mapping[str, int]],
    speed: Mapping[str, Mapping[str, int]],
) -> str:
    """Return the page.

    Args:
        title: its heading.
        histories: what is drawn.
        left_out: how many series are not.
        stages, speed: of each night, how many rows have which verdict, the oldest first.
    """
    points = history.budget(len(histories))
    sections = []
    for number, workload in enumerate(dict.fromkeys(item.workload for item in histories), 1):
        anchor = f"workload-{number}"
        own = [item for item in histories if item.workload == workload]
        sections.append(WorkloadSection(workload, anchor, _lines(own, anchor, points)))
    sections.sort(key=lambda section: min(map(_rank, section.lines), default=len(FIRST)))  # stable
    nights = sorted({*stages, *speed}, reverse=True)
    return (
        environment()
        .get_template("history.html")
        .render(
            title=title,
            sections=sections,
            left_out=left_out,
            stages=stages,
            speed=speed,
            nights=nights[:NIGHTS],
            shown=SHOWN,
            older=len(nights[NIGHTS:]),
            stage_words=STAGES,
            speed_words=SPEED,
        )
    )


def _lines(items: Sequence[FigureHistory], anchor: str, points: int) -> tuple[SeriesLine, ...]:
    lines = []
    for number, item in enumerate(items, 1):
        figure = history.figure(item, points)
        if figure is not None:
            lines.append(_line(item, figure, f"{anchor}-{number}"))
    return tuple(sorted(lines, key=_rank))  # stable


def _rank(line: SeriesLine) -> int:
    words = [str(verdict) for verdict in FIRST]
    return words.index(line.verdict) if line.verdict in words else len(FIRST)


def _line(item: FigureHistory, figure: Figure, anchor: str) -> SeriesLine:
    spelled = history.spelling(item.unit)
    middle, low, high = (finite(column) for column in (item.middle, item.low, item.high))
    return SeriesLine(
        item,
        figure,
        anchor,
        sparkline.draw(item),
        newest=spelled(middle[-1]) if middle else "-",
        least=spelled(min([*low, *middle, *high])),
        largest=spelled(max([*low, *middle, *high])),
    )
