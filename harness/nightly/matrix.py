"""Cells of a matrix: their order, their share of the time, the exit code of a night. Pure.

A *cell* is one comparison: one workload, its builds, its precisions, one preset, one device, one
seed. Builds and precisions stay together in a cell because they are judged against each other;
everything else is multiplied.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
import shlex
from collections.abc import Iterable, Sequence

FIDELITY, SPEED = "fidelity", "speed"
JUDGED = (FIDELITY, SPEED)
#: Exit codes of a night, the first that applies (docs: README, Exit codes).
FAILED, NOT_OK, NOTHING, OPEN, REGRESSED = 1, 4, 5, 6, 3
ORDER = (FAILED, NOT_OK, OPEN, REGRESSED)


@dataclasses.dataclass(frozen=True, kw_only=True)
class CellSettings:
    """What an entry of the configuration and each of its cells have in common.

    Attributes:
        priority: the higher, the earlier. judge: `fidelity`, `speed` or both.
        stages, execution, threads, steps, data: as the options of `harness compare`.
        timing_s: the most that timing takes in one cell, seconds, beyond the least number of
            rounds.
        estimate_s: what one cell takes, seconds, where the harness's own estimate is known to be
            wrong.
    """

    priority: int
    builds: tuple[str, ...]
    precisions: tuple[str, ...]
    judge: tuple[str, ...]
    stages: tuple[str, ...]
    execution: str
    timing_s: float
    threads: int | None = None
    steps: int | None = None
    data: str | None = None
    estimate_s: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class MatrixEntry(CellSettings):
    """One `[[matrix]]` of the configuration, its defaults filled in.

    Attributes:
        presets: empty for those of `harness compare`, tiny for fidelity and small for speed.
    """

    name: str
    workloads: tuple[str, ...]
    devices: tuple[str, ...]
    presets: tuple[str, ...]
    seeds: tuple[int, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cell(CellSettings):
    """One comparison of a night; `name` is also that of its folder."""

    name: str
    workload: str
    device: str
    preset: str | None
    seed: int

    @property
    def timed(self) -> bool:
        """Whether speed is measured."""
        return SPEED in self.judge

    def words(self) -> list[str]:
        """Return the command line that makes this comparison by itself."""
        words = [
            "harness",
            "compare",
            "--workloads",
            self.workload,
            "--backends",
            *self.builds,
            "--precision",
            *self.precisions,
        ]
        for option, value, default in (
            ("--preset", self.preset, None),
            ("--device", self.device, "cpu"),
            ("--seed", self.seed, 0),
            ("--data", self.data, None),
            ("--execution", self.execution, "default"),
            ("--threads", self.threads, None),
            ("--steps", self.steps, None),
        ):
            words += [option, str(value)] if value != default else []
        if self.stages:
            words += ["--stages", *self.stages]
        if not self.timed:
            words.append("--no-speed")
        if FIDELITY not in self.judge:
            words.append("--no-fidelity")
        return words

    @property
    def command(self) -> str:
        """The same as one line for a shell."""
        return shlex.join(self.words())


def cells(entries: Iterable[MatrixEntry]) -> tuple[Cell, ...]:
    """Return all cells, the highest priority first; equals stay in the configuration's order."""
    unordered = [cell for entry in entries for cell in _multiplied(entry)]
    return tuple(sorted(unordered, key=lambda cell: -cell.priority))


def _multiplied(entry: MatrixEntry) -> list[Cell]:
    """Return the cells of an entry. What the entry has only one of is not in their names."""
    shared = {field.name: getattr(entry, field.name) for field in dataclasses.fields(CellSettings)}
    multiplied = []
    for device, preset, seed, workload in itertools.product(
        entry.devices, entry.presets or (None,), entry.seeds, entry.workloads
    ):
        varied = ((preset, entry.presets), (device, entry.devices), (f"seed{seed}", entry.seeds))
        words = [entry.name, workload]
        words += [str(word) for word, all_of_it in varied if len(all_of_it) > 1]
        name = "-".join(re.sub(r"[^\w.]+", "_", word) for word in words)
        multiplied.append(
            Cell(name=name, workload=workload, device=device, preset=preset, seed=seed, **shared)
        )
    return multiplied


def share_s(left_s: float, needed_s: float, timed: int) -> float:
    """Return what each of the cells that are timed may take beyond what it needs.

    Args:
        left_s: what is left of the night's budget.
        needed_s: what all waiting cells need, at least.
        timed: how many of them are timed.
    """
    return max(0.0, left_s - needed_s) / timed if timed else 0.0


def exit_code(codes: Sequence[int], regressed: bool) -> int:
    """Return the exit code of a night.

    Args:
        codes: of every cell that was tried. A cell in which everything was unsupported (5) is
            passed over unless all were.
        regressed: whether something became worse than it was.
    """
    met = {*codes, *([REGRESSED] if regressed else [])}
    if not met - {NOTHING}:
        return NOTHING
    return next((code for code in ORDER if code in met), 0)
