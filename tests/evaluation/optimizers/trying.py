"""One kind of optimizer compared as a user compares a pair, and what the report says of each
combination."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backends.contract import Stage
from harness.pairs.known_differences import FLOAT32, NAMES
from harness.results.verdicts import Fidelity
from tests.evaluation import one_command
from tests.evaluation.optimizers.catalogue import PAIRS, RECIPES, Entry, Plant

STEPS = 20
#: What two sides may be apart by after all steps without a difference that has a name.
NEAR = 1e-9
#: Differences that are accepted in every comparison: those that are not there are passed over.
ACCEPTED = tuple(name for name in NAMES if name != FLOAT32)
PORT = "torch_side.py"


@dataclasses.dataclass(frozen=True)
class Combined:
    """What is said of one combination.

    Attributes:
        name: of it. failed: the first stage at which it departs; empty where it agrees at all.
        error: the largest after all steps.
    """

    name: str
    failed: str
    error: float

    @property
    def near(self) -> bool:
        """Whether both sides end within 1e-9."""
        return not self.failed and self.error <= NEAR


@dataclasses.dataclass(frozen=True)
class Said:
    """What came of one entry.

    Attributes:
        entry: which. problem: why there is no report. combined: each combination.
        accepted: the differences that are there, by name. lasted_s: the command.
    """

    entry: Entry
    problem: str = ""
    combined: tuple[Combined, ...] = ()
    accepted: tuple[str, ...] = ()
    lasted_s: float = 0.0

    @property
    def right(self) -> bool:
        """Whether every combination agrees."""
        return 0 < self.agreeing == len(self.combined)

    @property
    def agreeing(self) -> int:
        """How many combinations agree."""
        return sum(not item.failed for item in self.combined)

    @property
    def near(self) -> int:
        """How many end within 1e-9."""
        return sum(item.near for item in self.combined)

    @property
    def largest(self) -> float:
        """The largest error of any."""
        return max((item.error for item in self.combined), default=0.0)

    @property
    def names(self) -> tuple[str, ...]:
        """The differences, with float32 where that leaves the sides further apart than 1e-9."""
        rounded = any(not item.failed and not item.near for item in self.combined)
        return (*self.accepted, *((FLOAT32,) if rounded else ()))


def compared(entry: Entry, scratch: Path, pythons: Sequence[str], plants: Sequence[Plant]) -> Said:
    """Compare one entry.

    Args:
        entry: which. scratch: a folder for it. pythons: as `--python` has them.
        plants: mistakes that are made in the port.

    Raises:
        ValueError: a mistake cannot be made: its text is not there, or several times.
    """
    folder = scratch / (entry.name + ("-planted" if plants else ""))
    shutil.copytree(PAIRS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    port = folder / RECIPES / PORT
    for plant in plants:
        text = port.read_text(encoding="utf-8")
        if text.count(plant.old) != 1:
            raise ValueError(f"{plant.what}: {plant.old!r} stands {text.count(plant.old)} times")
        port.write_text(text.replace(plant.old, plant.new), encoding="utf-8")
    (folder / "it.py").write_text(entry.text(), encoding="utf-8")
    words = ["it.py", "--precision", "fp64", "--steps", str(STEPS), "--accept", *ACCEPTED]
    words += ["--python", *pythons] if pythons else []
    report, lasted = one_command.compare(words, folder)
    if isinstance(report, str):
        return Said(entry, problem=report, lasted_s=lasted)
    return read(entry, report, lasted)


def read(entry: Entry, report: dict[str, Any], lasted_s: float) -> Said:
    """Return what a report says.

    Args:
        entry: what was compared. report: as `report.json` has it. lasted_s: the command.
    """
    names = entry.combinations()
    failed, errors = dict.fromkeys(names, ""), dict.fromkeys(names, 0.0)
    for row in report["stages"]:
        stage, compared_ = row["stage"], row["compared"]
        columns = (compared_[key] for key in ("names", "errors", "verdicts"))
        for tensor, error, verdict in zip(*columns, strict=True):
            name = next((part for part in tensor.split("/") if part in failed), None)
            if name is None:
                continue  # what all of them give together
            if verdict == Fidelity.FAIL and not row["accepted"] and not failed[name]:
                failed[name] = stage
            last = stage == Stage.TRAJECTORY and tensor.startswith(f"step {STEPS}/parameter/")
            errors[name] = max(errors[name], error) if last else errors[name]
    accepted = {
        name for row in report["stages"] if row["accepted"] for name in row["excuse"].split(", ")
    }
    combined = tuple(Combined(name, failed[name], errors[name]) for name in names)
    return Said(entry, "", combined, tuple(sorted(accepted)), lasted_s)


@dataclasses.dataclass(frozen=True)
class Finding:
    """A planted mistake and where it showed.

    Attributes:
        plant: which. failed: the stage, by combination that it is in. others: combinations that
            depart without it.
    """

    plant: Plant
    failed: tuple[tuple[str, str], ...]
    others: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """The stages at which it shows, in words."""
        return ", ".join(sorted({stage or "nowhere" for _, stage in self.failed}))

    @property
    def right(self) -> bool:
        """Whether every combination with it fails at its stage, and no other one fails."""
        stages = {stage for _, stage in self.failed}
        return stages == {str(self.plant.stage)} and not self.others


def findings(plants: Sequence[Plant], said: Said) -> list[Finding]:
    """Return what is said of mistakes that were planted together, each in combinations of its own.

    Args:
        plants: all that were. said: of the entry.
    """
    every = []
    spoilt = {item.name for plant in plants for item in said.combined if _is_in(plant, item)}
    others = tuple(item.name for item in said.combined if item.failed and item.name not in spoilt)
    for plant in plants:
        mine = [item for item in said.combined if _is_in(plant, item)]
        every.append(Finding(plant, tuple((item.name, item.failed) for item in mine), others))
    return every


def _is_in(plant: Plant, combined: Combined) -> bool:
    """Whether a mistake is in a combination."""
    if not plant.spoilt:
        return True
    return plant.spoilt in combined.name.split("_")
