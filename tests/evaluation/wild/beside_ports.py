"""Plain objects beside the ports that were written by hand for the harness: the same workload, the
same builds, and how large the ladder's errors are on either.

The two compare other tensors, of other sizes, so no error stands beside its fellow. What they have
in common is the unit: every tensor has a floor, the most that honest variations of rounding move it
by. So of each stage the largest error in floors is taken. That of the plain objects may be at most
one floor above that of the ports: what an adapter adds is then less than what rounding does.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backends.contract import Stage
from harness.plan import LOCKSTEP_STAGES
from harness.results.verdicts import Fidelity
from tests.evaluation import one_command, pages
from tests.evaluation.wild.catalogue import chosen
from tests.evaluation.wild.tables import PAGE
from tests.evaluation.wild.trying import options, placed
from tests.evaluation.zoo.tables import table

#: Entries of the catalogue that are a workload of this name.
NAMES = ("linear", "cnn", "ehr_mgan")
#: In the order of the sides in their files.
BUILDS = ("tf1", "tf2", "torch")
#: How many floors the plain objects' error may be above the ports'.
WITHIN = 1.0
#: The stage whose tensors are single numbers.
SINGLE = Stage.LOSS.value
SECTION = "BESIDE"

#: By the two builds and the stage.
Errors = Mapping[tuple[str, str, str], "Largest"]


@dataclasses.dataclass(frozen=True)
class Largest:
    """The largest error of a stage, in floors, and of which tensor; how many were compared."""

    floors: float
    tensor: str
    tensors: int


@dataclasses.dataclass(frozen=True)
class Beside:
    """One stage of one pair of builds.

    Attributes:
        name: of the workload. a, b: the builds. stage: which.
        plain, ports: the largest errors; None where a stage was not looked at.
        among: the largest of the ports in floors, of a stage of single numbers on any two builds.
    """

    name: str
    a: str
    b: str
    stage: str
    plain: Largest | None
    ports: Largest | None
    among: float = 0.0

    @property
    def right(self) -> bool:
        """Whether the plain objects' error is the ports' within a floor."""
        if self.plain is None or self.ports is None:
            return False
        return self.plain.floors <= max(self.ports.floors, self.among) + WITHIN


def errors(report: Mapping[str, Any]) -> Errors:
    """Return the largest error of every stage of a report in which everything passed.

    Args:
        report: as `report.json` has it.

    Raises:
        ValueError: something did not pass: there is nothing to lay beside anything.
    """
    if report["summary"]["fidelity"] != Fidelity.PASS:
        raise ValueError(report["summary"]["headline"])
    found = {}
    for row in report["stages"]:
        if row["verdict"] != Fidelity.PASS:  # it is no comparison of two builds
            continue
        compared = row["compared"]
        floors = [
            error / floor if error else 0.0
            for error, floor in zip(compared["errors"], compared["floors"], strict=True)
        ]
        if floors:
            most = max(range(len(floors)), key=floors.__getitem__)
            largest = Largest(floors[most], compared["names"][most], len(floors))
            found[row["a"], row["b"], row["stage"]] = largest
    return found


def beside(name: str, plain: Mapping[str, Any], ports: Mapping[str, Any]) -> list[Beside]:
    """Return every stage of every pair of builds, in order.

    Args:
        name: of the workload. plain, ports: reports.

    Raises:
        ValueError: something did not pass.
    """
    mine, theirs = errors(plain), errors(ports)
    builds = dict.fromkeys((a, b) for a, b, _ in (*mine, *theirs))
    places = [(a, b, stage.value) for a, b in builds for stage in LOCKSTEP_STAGES]
    # Whether two builds give one number to the last bit is chance, which another two do not have.
    among = max((item.floors for place, item in theirs.items() if place[2] == SINGLE), default=0.0)
    return [
        Beside(
            name, *place, mine.get(place), theirs.get(place), among if place[2] == SINGLE else 0.0
        )
        for place in places
    ]


def measured(name: str, scratch: Path, pythons: Sequence[str]) -> list[Beside]:
    """Compare the plain objects and the ports of one workload.

    Args:
        name: of the workload. scratch: a folder. pythons: as `--python` has them.

    Raises:
        ValueError: something did not pass, or no report was made.
    """
    (entry,) = (entry for entry in chosen([name]) if entry.name == name)
    reports = []
    pair = placed(entry, scratch / f"{name}-plain")
    folder = scratch / f"{name}-ports"
    folder.mkdir()
    ports = ["--workloads", name, "--backends", *BUILDS]
    for words, place in (([pair.name], pair.parent), (ports, folder)):
        report, _ = one_command.compare([*words, *options(entry, pythons)], place)
        if isinstance(report, str):
            raise ValueError(report)
        reports.append(report)
    return beside(name, *reports)


def rows(every: Sequence[Beside]) -> str:
    """Return the table.

    Args:
        every: stages of all workloads.
    """
    return table(
        ("workload", "a : b", "stage", "plain objects", "ports", "tensors", "within a floor"),
        [
            (
                f"`{item.name}`",
                f"{item.a} : {item.b}",
                item.stage,
                _floors(item.plain),
                _floors(item.ports),
                f"{item.plain.tensors if item.plain else 0}"
                f" and {item.ports.tensors if item.ports else 0}",
                "yes" if item.right else "**no**",
            )
            for item in every
        ],
    )


def write(every: Sequence[Beside]) -> None:
    """Write the table into the page.

    Args:
        every: stages of all workloads.
    """
    pages.write(PAGE, {SECTION: rows(every)})


def plain_line(item: Beside) -> str:
    """Return a line for the terminal."""
    return (
        f"{item.name} {item.a}:{item.b} {item.stage}: plain objects {_floors(item.plain)} floors,"
        f" ports {_floors(item.ports)}{'' if item.right else ': FURTHER APART'}"
    )


def _floors(largest: Largest | None) -> str:
    return "not looked at" if largest is None else f"{largest.floors:.2f}"
