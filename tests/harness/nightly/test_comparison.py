"""Two nights, one after the other: what was planted in the second is what changed, and nothing
else."""

from __future__ import annotations

import math
import os
import shutil
from pathlib import Path

import pytest

from harness.execution import rounds
from harness.history import open_history
from harness.nightly import config, night
from harness.report import renderers
from harness.speed import disturbance, steadiness

HOSTILE = Path(__file__).parents[2] / "e2e/hostile"
SPEED = """
[[matrix]]
name = "speed"
priority = 9
workloads = ["hostile"]
builds = ["numpy", "numpy@{port}"]
precisions = ["fp64"]
presets = ["small"]
threads = 1
judge = ["speed"]
timing_s = 1
"""


@pytest.fixture
def short_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds too short to be precise, and precise enough for a port that is ten times slower."""
    monkeypatch.setattr(rounds, "WARMUP_S", 0.02)
    monkeypatch.setattr(rounds, "MEASURE_S", 0.05)
    monkeypatch.setattr(
        disturbance, "WAITED", 2.0
    )  # other tests are at work beside this one, and nobody's business here
    monkeypatch.setattr(disturbance, "LOST", math.inf)
    monkeypatch.setattr(steadiness, "CHANGE", math.inf)


@pytest.mark.usefixtures("short_rounds")
def test_a_slow_down_and_a_fault_are_what_changed(nights, tmp_path: Path) -> None:
    """The second night has a port that became slow without a change of its source, and one whose
    changed source computes something else. These two are the regressions; a night in which nothing
    was planted has none."""
    shutil.copytree(HOSTILE / "numpy", tmp_path / "mine/numpy")
    made = nights.write(("same", ""), ("mine", ""), budget_s=500)
    text = made.path.read_text().replace(
        'name = "mine"\npriority = -1\nworkloads = ["hostile"]\nbuilds = ["numpy", "numpy"]',
        'name = "mine"\npriority = -1\nworkloads = ["hostile"]\nbuilds = ["numpy", "numpy@mine"]',
    ) + SPEED.format(port=HOSTILE / "slows")
    made.path.write_text(text)
    made = config.load(made.path)
    first = nights.run(made, date="2026-11-20").night
    assert (
        ["ok", "ok", "ok"] == [row.status for row in first.rows]
        and () == first.changed
        and 0 == first.exit_code
    )
    second = nights.run(made, date="2026-11-21").night
    assert (
        [] == [one.text for one in second.changed if one.severity == "regression"]
        and 0 == second.exit_code
    )
    nights.gate.touch()
    source = tmp_path / "mine/numpy/hostile.py"
    source.write_text((HOSTILE / "nan_loss/numpy/hostile.py").read_text())
    result = nights.run(made, date="2026-11-22")
    worse = [one for one in result.night.changed if one.severity == "regression"]
    assert {"verdict", "slower"} == {one.kind for one in worse} and 1 == result.night.exit_code, (
        worse
    )
    slower = [one.text for one in worse if one.kind == "slower"]
    assert 1 == len(slower) and "train" in slower[0]
    assert all("numpy@mine" in one.text or "numpy@slows" in one.text for one in worse)
    assert "port of hostile" in " ".join(one.text for one in result.night.changed)
    assert "- **regression**: " in (result.folder / "summary.md").read_text()
    with open_history(nights.folder / "reports/history.sqlite") as history:
        assert [("2026-11-22", 3), ("2026-11-21", 3), ("2026-11-20", 3)] == [
            (one.night, one.runs) for one in history.nights()
        ]


@pytest.mark.usefixtures("short_rounds")
def test_a_slow_down_alone_ends_with_3(nights, tmp_path: Path) -> None:
    """Fidelity is not judged, nothing failed, and a build became slower than it was: exit code
    3."""
    path = tmp_path / "nightly.toml"
    path.write_text(
        f'[night]\nbudget_s = 500\nports = ["{HOSTILE}"]\npass_env = ["HOSTILE_GATE"]\n'
        + SPEED.format(port=HOSTILE / "slows")
    )
    made = config.load(path)
    assert 0 == nights.run(made, date="2026-11-20").night.exit_code
    nights.gate.touch()
    result = nights.run(made, date="2026-11-21")
    found = result.night
    assert (3, ["slower"]) == (
        found.exit_code,
        [one.kind for one in found.changed if one.severity == "regression"],
    ), found.changed
    run = result.folder / found.rows[0].folder
    page = (run / "report.html").read_text()
    assert (
        "time of b / time of a, train: hostile, numpy : numpy@slows" in page
        and page == renderers.render(renderers.load(run), "html")
    )


def test_cells_that_are_gone_are_told(nights) -> None:
    """A cell that was compared last night and is in the matrix no more, and one that the time
    did not reach."""
    nights.run(nights.write(("one", ""), ("two", "")), date="2026-11-20")
    found = nights.run(nights.write(("two", ""), budget_s=0.01), date="2026-11-21").night
    told = " ".join(one.text for one in found.changed)
    assert "one-hostile was compared in the night 2026-11-20 and is in the matrix no more" in told
    assert "two-hostile was compared in the night 2026-11-20; now it is not reached" in told
    assert 5 == found.exit_code


def test_a_history_that_cannot_be_used_costs_no_night(nights) -> None:
    """The file is no database: it is said, the night before is compared with all the same, and
    the file is left as it is."""
    made = nights.write(("one", ""))
    nights.run(made, date="2026-11-20")
    path = nights.folder / "reports/history.sqlite"
    for more in path.parent.glob("history.sqlite-*"):
        more.unlink()
    path.write_bytes(os.urandom(4096))
    before = path.read_bytes()
    found = nights.run(made, date="2026-11-21")
    assert 0 == found.night.exit_code and before == path.read_bytes()
    assert any("history" in one.text and one.kind == "not judged" for one in found.night.changed), (
        found.night.changed
    )
    assert night.read(found.folder).finished
