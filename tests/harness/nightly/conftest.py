"""Nights of small real cells: the NumPy build on `hostile`, an honest port and faulty ones."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.context import Context
from harness.nightly import agenda, cells, config

HOSTILE = Path(__file__).parents[2] / "e2e/hostile"
NOW = datetime.datetime(2026, 11, 21, 1, 30, tzinfo=datetime.timezone.utc)


class Nights:
    """Runs nights in one folder. `said`: the lines of progress. `gate`: while this file exists,
    the port `slows` is slow."""

    hostile = HOSTILE

    def __init__(self, folder: Path) -> None:
        self.folder, self.said = folder, list[str]()
        self.gate = folder / "gate"
        environ = {
            **os.environ,
            "XDG_CACHE_HOME": str(folder / "cache"),
            "HOSTILE_GATE": str(self.gate),
        }
        self.context = Context(environ, NOW, "harness nightly", self.said.append)

    def write(
        self, *entries: tuple[str, str], budget_s: float = 500, more: str = ""
    ) -> config.Config:
        """Write a matrix: an entry for each name, with the fault of the second port ("" is the
        honest one), the first the most urgent."""
        text = f'[night]\nbudget_s = {budget_s}\nlimit_s = 60\nports = ["{HOSTILE}"]\n'
        text += 'pass_env = ["HOSTILE_GATE"]\n'
        for number, (name, fault) in enumerate(entries):
            second = f"numpy@{HOSTILE / fault}" if fault else "numpy"
            text += (
                f'[[matrix]]\nname = "{name}"\npriority = {-number}\nworkloads ='
                f' ["hostile"]\nbuilds = ["numpy", "{second}"]\n'
            )
            text += f'precisions = ["fp64"]\njudge = ["fidelity"]\nthreads = 1\n{more}\n'
        path = self.folder / "nightly.toml"
        path.write_text(text, encoding="utf-8")
        return config.load(path)

    def run(self, made: config.Config, *only: str, date: str = "2026-11-21") -> cells.NightResult:
        """Run a night."""
        return cells.run(
            agenda.NightRequest(made, self.folder / "reports", date, only), self.context
        )


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    return Nights(tmp_path)


@pytest.fixture
def statuses() -> Callable[[cells.NightResult], dict[str, str]]:
    return lambda result: {row.cell.name: row.status for row in result.night.rows}
