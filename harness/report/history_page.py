"""A whole history as one HTML page, as self-contained as a report: how every figure went over all
runs, and the verdicts night by night."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from harness.report.page_templates import environment
from harness.report.plots import history
from harness.report.plots.figure import Figure
from harness.results.series import FigureHistory
from harness.results.verdicts import Fidelity, Speed

#: Nights in the table of verdicts, the newest.
NIGHTS = 60
STAGES = (Fidelity.PASS, Fidelity.INCONCLUSIVE, Fidelity.FAIL)
SPEED = (Speed.FASTER, Speed.SAME, Speed.SLOWER, Speed.UNCLEAR, Speed.REFUSED)


@dataclasses.dataclass(frozen=True)
class WorkloadSection:
    """The figures of one workload."""

    name: str
    anchor: str
    figures: tuple[Figure, ...]


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
        drawn = [history.figure(item, points) for item in histories if item.workload == workload]
        figures = tuple(figure for figure in drawn if figure is not None)
        sections.append(WorkloadSection(workload, f"workload-{number}", figures))
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
            older=len(nights[NIGHTS:]),
            stage_words=STAGES,
            speed_words=SPEED,
        )
    )
