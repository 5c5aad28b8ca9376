"""The answer in words, what else moved, and the exit code of every kind of conclusion."""

from __future__ import annotations

import pytest

from harness.bisecting import search, summary
from harness.bisecting.record import TriedRelease
from harness.bisecting.verdicts import JudgedRelease
from harness.environments.releases import Release

STATES = {"o": "PASS", "x": "FAIL", "-": None}


def tell(letters: str, told: str = "") -> tuple[str, int, str]:
    """Return answer, exit code and what else moved, for a series and those of it that were
    judged (all, if not given)."""
    series, tried = planted(letters, told or letters)
    found = search.conclude(
        {number: one.judged.state for number, one in tried.items()}, len(series)
    )
    return (
        summary.answer("torch", series, tried, found),
        summary.EXIT_CODES[found.kind],
        summary.moved(series, tried, "torch", found),
    )


def planted(letters: str, told: str) -> tuple[tuple[Release, ...], dict[int, TriedRelease]]:
    """Return releases 2.0, 2.1, ... and what became of them; `.` was not tried. From 2.2 on
    NumPy 2, from 2.3 on another Python."""
    series = tuple(
        Release(f"2.{number}", "3.10" if number < 3 else "3.11") for number in range(len(letters))
    )
    tried = {}
    for number, letter in enumerate(told):
        if letter != ".":
            state = STATES[letter]
            versions = {
                "torch": f"2.{number}",
                "numpy": "1.26.4" if number < 2 else "2.0.0",
                "pip": str(number),
            }
            judged = JudgedRelease(state, state or "not installed", "", "" if state else "no wheel")
            tried[number] = TriedRelease(series[number], judged, versions if state else {}, "")
    return series, tried


@pytest.mark.parametrize(
    ("series", "code", "said"),
    [
        (
            "oxx",
            0,
            "torch 2.1 (FAIL) is the first release that changed; the last before is 2.0 (PASS).",
        ),
        (
            "o--x",
            6,
            (
                "torch changed after 2.0 (PASS) and not later than 2.3 (FAIL); not told between:"
                " 2.1, 2.2 cannot be judged."
            ),
        ),
        (
            "ooo",
            0,
            (
                "Nothing changed: torch 2.0 (PASS) and 2.2 (PASS) agree, as do all 3 releases that"
                " were judged."
            ),
        ),
        (
            "oxo",
            6,
            (
                "torch has no one release that changed: the verdict goes back and forth, between"
                " 2.0 (PASS) and 2.1 (FAIL); between"
            ),
        ),
        ("-ox", 4, "torch 2.0 is an end of the search and cannot be judged: no wheel"),
    ],
)
def test_every_conclusion_has_words_and_a_code(series: str, code: int, said: str) -> None:
    """Found, narrowed down, nothing changed, back and forth, no end."""
    answer, exit_code, _ = tell(series)
    assert answer.startswith(said)
    assert code == exit_code


def test_other_packages_that_moved_are_suspects() -> None:
    """What differs on both sides of the change is named, and the installers are not."""
    assert "" == tell("oxx")[2]
    assert "numpy 1.26.4 → 2.0.0." in tell("ooxx")[2] and "pip" not in tell("ooxx")[2]
    assert "Python 3.10 → 3.11" in tell("oooxx")[2] and "numpy" not in tell("oooxx")[2]


def test_the_table_has_a_row_for_each_release_that_was_tried() -> None:
    """In the order of releases, with the reason where one could not be judged."""
    series, tried = planted("oo-x", "o.-x")
    assert [("2.0", "PASS", ""), ("2.2", "not installed", "no wheel"), ("2.3", "FAIL", "")] == [
        (row[0], row[2], row[4]) for row in summary.lines(series, tried)
    ]
