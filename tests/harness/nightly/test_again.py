"""A night that is run again does not look better than it was, and one cell cannot keep the
others from running."""

from __future__ import annotations

import dataclasses
import shutil

import pytest

from harness.environments import provision
from harness.errors import ProvisionFailed
from harness.nightly import agenda, comparison, config, night, page
from harness.nightly.night import CellRow, CellStatus


def test_a_crash_stays_told_when_there_is_no_time_for_another_try(nights, statuses) -> None:
    """The budget of the second run is used up: status, verdict and exit code are those of the
    attempt that was made."""
    made = nights.write(("good", ""), ("dies", "segfault"))
    first = nights.run(made).night
    again = nights.run(
        config.load(nights.write(("good", ""), ("dies", "segfault"), budget_s=0.01).path)
    )
    assert {"good-hostile": "ok", "dies-hostile": "crashed"} == statuses(again)
    assert (first.verdict, 4, first.rows[1].reason) == (
        again.night.verdict,
        again.night.exit_code,
        again.night.rows[1].reason,
    )
    assert [line for line in nights.said if "dies-hostile is left as it is (crashed)" in line]


def test_a_build_that_is_gone_makes_no_crash_unsupported(
    nights, statuses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does a machine that cannot run the cell any more."""
    made = nights.write(("dies", "segfault"))
    nights.run(made)
    monkeypatch.setattr(provision, "locate", _fails)
    again = nights.run(made)
    assert {"dies-hostile": "crashed"} == statuses(again) and 4 == again.night.exit_code


def test_only_leaves_the_others_as_they_are(nights, statuses) -> None:
    """A cell that crashed and is not named keeps its status, its reason and the exit code that
    it gives."""
    made = nights.write(("good", ""), ("dies", "segfault"))
    nights.run(made)
    again = nights.run(made, "good-hostile")
    assert {"good-hostile": "ok", "dies-hostile": "crashed"} == statuses(
        again
    ) and 4 == again.night.exit_code


def test_a_cell_that_takes_the_harness_down_comes_last_and_not_for_ever(nights, statuses) -> None:
    """Killed once, the others run before it; killed twice, it is `crashed` and tried only by
    name."""
    made = nights.write(("kills", ""), ("other", ""))
    found = nights.run(made, "other-hostile")

    def cut_off(killed: int) -> agenda.Night:
        state = night.read(found.folder)
        rows = (CellRow(made.cells[0], CellStatus.RUNNING, killed=killed), CellRow(made.cells[1]))
        night.write(found.folder, dataclasses.replace(state, rows=rows))
        return agenda.opened(asked, nights.context, found.folder, state.key)

    asked = agenda.NightRequest(made, nights.folder / "reports", "2026-11-21", ())
    assert ["other-hostile", "kills-hostile"] == [
        cell.name for cell in agenda.waiting(cut_off(0), asked)
    ]
    state = cut_off(1)
    assert ["other-hostile"] == [cell.name for cell in agenda.waiting(state, asked)]
    assert ("crashed", 2) == (
        state.rows[0].status,
        state.rows[0].killed,
    ) and "--only kills-hostile" in state.rows[0].reason
    again = nights.run(made)
    assert {"kills-hostile": "crashed", "other-hostile": "ok"} == statuses(
        again
    ) and 4 == again.night.exit_code
    assert {"kills-hostile": "ok", "other-hostile": "ok"} == statuses(
        nights.run(made, "kills-hostile")
    )


def _fails(*args, **kwargs):
    raise ProvisionFailed("numpy could not be installed: no index answers")


def test_a_build_that_cannot_be_installed_is_an_error(
    nights, statuses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not `unsupported`: this machine can have it, and a night without it is no good night."""
    monkeypatch.setattr(provision, "locate", _fails)
    found = nights.run(nights.write(("one", "")))
    assert {"one-hostile": "error"} == statuses(found) and 4 == found.night.exit_code
    assert (
        "no index answers" in found.night.rows[0].reason
        and "1 build could not be installed" in found.night.headline
    )


def test_a_defect_in_comparing_costs_no_pages(nights, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, ends with 4, and the next attempt compares."""
    made = nights.write(("one", ""))
    with monkeypatch.context() as patched:
        patched.setattr(comparison.nights, "between", lambda *given: 1 / 0)
        found = nights.run(made)
    assert (
        4 == found.night.exit_code
        and "What changed could not be told: ZeroDivisionError" in found.night.headline
    )
    assert (
        "What changed could not be told" in (found.folder / page.NAME).read_text()
        and (found.folder / "traceback.txt").is_file()
    )
    assert 0 == nights.run(made).night.exit_code


def test_a_night_is_finished_when_its_pages_are_there(
    nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ended while it compares: not finished, 130 or nothing said, and the next attempt goes on."""
    made = nights.write(("one", ""))

    def ended(*given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(comparison.nights, "between", ended)
        with pytest.raises(KeyboardInterrupt):
            nights.run(made)
    state = night.read(nights.folder / "reports/nightly/2026-11-21")
    assert ("ok", False, 130) == (state.rows[0].status, state.finished, state.exit_code)
    found = nights.run(made).night
    assert found.finished and 0 == found.exit_code


def test_a_bad_night_between_two_hides_nothing(nights) -> None:
    """Good, crashed, and then wrong: the third night is held against the first, and the lost
    verdict is told."""
    shutil.copytree(nights.hostile / "numpy", nights.folder / "mine/numpy")
    made = nights.write(("one", ""))
    made.path.write_text(
        made.path.read_text().replace(
            'builds = ["numpy", "numpy"]', 'builds = ["numpy", "numpy@mine"]'
        )
    )
    made = config.load(made.path)
    source = nights.folder / "mine/numpy/hostile.py"
    good = source.read_text()
    assert 0 == nights.run(made, date="2026-11-19").night.exit_code
    source.write_text((nights.hostile / "segfault/numpy/hostile.py").read_text())
    assert 4 == nights.run(made, date="2026-11-20").night.exit_code
    source.write_text((nights.hostile / "nan_loss/numpy/hostile.py").read_text())
    third = nights.run(made, date="2026-11-21").night
    assert ["verdict"] == [one.kind for one in third.changed if one.severity == "regression"], (
        third.changed
    )
    source.write_text(good)
    assert [] == [
        one.text
        for one in nights.run(made, date="2026-11-22").night.changed
        if one.severity == "regression"
    ]


def test_another_matrix_of_the_same_day_is_not_the_night_before(nights) -> None:
    """Two matrices a day: each is held against its own, and the cells of the other are not
    missed."""
    first = nights.write(("cpu", ""))
    other = first.path.with_name("other.toml")
    other.write_text(first.path.read_text().replace('name = "cpu"', 'name = "other"'))
    for date in ("2026-11-20", "2026-11-21"):
        found = nights.run(first, date=date).night
        nights.run(config.load(other), date=date)
    assert "2026-11-20" == found.before and () == found.changed


def test_another_setting_under_the_same_name_is_not_compared(nights) -> None:
    """The cell runs eagerly now: another thing, and not the night before."""
    made = nights.write(("one", ""))
    nights.run(made, date="2026-11-20")
    made.path.write_text(made.path.read_text() + 'execution = "eager"\n')
    found = nights.run(config.load(made.path), date="2026-11-21").night
    assert [] == [one.text for one in found.changed if one.severity != "note"]
