"""Under load nothing false is said about speed; and the program that counts would see it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tests.evaluation.load import comparing, hogs
from tests.evaluation.load.__main__ import main
from tests.evaluation.round_sizes import RoundSizes

SAME = comparing.Said(
    0,
    "crowd",
    "linear torch : torch",
    "train",
    "UNCLEAR",
    False,
    1.0,
    0,
    "the machine was busy: load 9 on 2 cores",
)


@pytest.mark.parametrize("load", ["none", "core", "crowd", "comes"])
def test_a_build_is_not_different_from_itself_under_load(
    load: str,
) -> None:
    """Real workers, real hogs, two comparisons each; under a crowd it is said that the machine was
    busy, and no verdict is made.

    The program numbers comparisons without a load below zero.
    """
    sizes = RoundSizes(measure_s=0.2, probe_s=0.2)
    found = [
        row
        for number in ((-1, -2) if load == "none" else (0, 1))
        for row in comparing.compare(
            comparing.Asked(number, load, "numpy", "numpy", "linear"), 4.0, sizes, threads=1
        )
    ]
    assert 4 == len(found) and [] == comparing.contradicted(
        found, dict.fromkeys([(row.pair, row.action) for row in found], "SAME")
    )
    if load == "crowd":
        assert {"UNCLEAR"} == {row.verdict for row in found} and all(
            "the machine was busy: load" in row.obstacle for row in found
        )


@pytest.mark.parametrize(
    ("row", "false"),
    [
        (SAME, False),
        (dataclasses.replace(SAME, verdict="SLOWER"), True),
        (dataclasses.replace(SAME, verdict="FASTER"), True),
        (dataclasses.replace(SAME, verdict="SAME"), False),
        (dataclasses.replace(SAME, verdict="SLOWER", load="none"), False),
        (dataclasses.replace(SAME, pair="cnn tf2 : torch", verdict="SLOWER"), True),
        (dataclasses.replace(SAME, pair="cnn tf2 : torch", verdict="FASTER"), False),
        (
            dataclasses.replace(SAME, pair="cnn tf2 : torch", action="generate", verdict="SLOWER"),
            False,
        ),  # nobody knows
    ],
)
def test_a_verdict_that_a_quiet_machine_contradicts_is_seen(
    row: comparing.Said, false: bool
) -> None:
    """A build is as fast as itself; of another pair a quiet run has to say it."""
    told = comparing.Said(-1, "none", "cnn tf2 : torch", "train", "FASTER", True, 0.5, 6, "")
    truth = comparing.quiet([told, row])
    assert false == bool(comparing.contradicted([told, row], truth))
    assert f"| 1 | 1 | {int(row.verdict in comparing.FOUND)} | {int(false)} |" in comparing.table(
        [row], truth
    )


def test_the_program_goes_on_where_it_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And exits with 1 for a single false verdict."""
    ran: list[int] = []

    def compare(one: comparing.Asked, budget_s: float) -> list[comparing.Said]:
        ran.append(one.number)
        verdict = "SLOWER" if one.number == 2 and len(ran) > 3 else "UNCLEAR"
        return [comparing.Said(one.number, one.load, one.pair, "train", verdict, True, 67.0, 5, "")]

    kept = tmp_path / "load.jsonl"
    assert 0 == main(["--pairs", "2", "--kept", str(kept)], compare) and [-1, 0, 1] == ran
    assert 1 == main(["--pairs", "4", "--kept", str(kept)], compare) and [-1, 0, 1, 2, 3] == ran
    said = capsys.readouterr().out
    assert "FALSE: Said(number=2" in said and "no quiet run has settled cnn tf2 : torch" in said
    assert {"core", "crowd", "comes"} == {one.load for one in comparing.asked(60)} and 60 == len(
        comparing.asked(60)
    )
    assert set(comparing.PAIRS) == {(one.a, one.b, one.workload) for one in comparing.asked(60)}


def test_hogs_end_with_what_they_disturb() -> None:
    """Also where that fails."""
    assert {"core", "crowd", "comes"} < {*hogs.LOADS}
    with pytest.raises(ZeroDivisionError), hogs.running("core"):
        raise ZeroDivisionError
