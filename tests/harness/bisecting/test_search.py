"""The search for the first changed release: over planted series, with releases that cannot be
judged, and series that go back and forth."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.bisecting import search
from harness.bisecting.search import Conclusion, ConclusionKind

STATES = {"o": "PASS", "x": "FAIL", "y": "ERROR", "-": None}


def run(series: str, confirm: int = 0) -> tuple[Conclusion, list[int]]:
    """Search a series written as letters; return the conclusion and what was judged, in order."""
    asked: list[int] = []

    def judge(number: int) -> str | None:
        asked.append(number)
        return STATES[series[number]]

    states = search.search(len(series), judge, confirm)
    return search.conclude(states, len(series)), asked


def changes(series: str) -> list[tuple[int, int]]:
    """Return every two neighbours, leaving out what cannot be judged, of which one is as the
    first and one is not."""
    known = [number for number, letter in enumerate(series) if letter != "-"]
    return [
        (a, b)
        for a, b in itertools.pairwise(known)
        if (series[a] == series[0]) != (series[b] == series[0])
    ]


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        ("ox", Conclusion(ConclusionKind.LOCATED, 0, 1, (), ((0, 1),))),
        ("oooxxxx", Conclusion(ConclusionKind.LOCATED, 2, 3, (), ((2, 3),))),
        (
            "xo",
            Conclusion(ConclusionKind.LOCATED, 0, 1, (), ((0, 1),)),
        ),  # a FAIL at the beginning is what the others are compared with
        # changed is changed, whatever to
        ("ooxyyxy", Conclusion(ConclusionKind.LOCATED, 1, 2, (), ((1, 2),))),
        ("o-x", Conclusion(ConclusionKind.NARROWED, 0, 2, (1,), ((0, 2),))),
        ("oo---xx", Conclusion(ConclusionKind.NARROWED, 1, 5, (2, 3, 4), ((1, 5),))),
        ("o-oxx-x", Conclusion(ConclusionKind.LOCATED, 2, 3, (), ((2, 3),))),
        ("oooo", Conclusion(ConclusionKind.UNCHANGED)),
        ("-oox", Conclusion(ConclusionKind.NO_END, bad=0)),
        ("oox-", Conclusion(ConclusionKind.NO_END, bad=3)),
    ],
)
def test_planted_series(series: str, expected: Conclusion) -> None:
    """What is said of series whose change is known."""
    assert expected == run(series)[0]


def test_ends_come_first_and_agreeing_ends_end_the_search() -> None:
    """Nothing between is judged where nothing changed, unless it is asked for."""
    assert [0, 8] == run("ooooooooo")[1]
    assert [0, 8, 4] == run("ooooooooo", confirm=1)[1]


def test_an_end_that_cannot_be_judged_ends_the_search() -> None:
    """The other end would be judged for nothing."""
    assert [0] == run("-oox", confirm=3)[1]
    assert [0, 3] == run("oox-", confirm=3)[1]


def test_a_change_back_is_seen_where_somebody_looks() -> None:
    """Between two releases that agree another verdict is no change that lasts; without a look it
    cannot be known."""
    assert ConclusionKind.UNCHANGED == run("oooxxooo")[0].kind
    seen = run("oooxxooo", confirm=1)[0]
    assert (ConclusionKind.BACK_AND_FORTH, 2, 3) == (seen.kind, seen.good, seen.bad)


def test_a_look_moves_the_change_to_the_first_one() -> None:
    """A changed release in the part that was thought to be as the first is searched for its
    beginning."""
    series = "oxoooooooooooooooooooxxxxx"
    assert (20, 21) == (run(series)[0].good, run(series)[0].bad)
    found = run(series, confirm=len(series))[0]
    assert (ConclusionKind.BACK_AND_FORTH, 0, 1) == (found.kind, found.good, found.bad)
    assert ((0, 1), (1, 2), (20, 21)) == found.changes


@settings(deadline=None)
@given(good=st.integers(1, 60), bad=st.integers(1, 60), confirm=st.integers(0, 3))
def test_one_change_is_found_in_a_logarithm_of_steps(good: int, bad: int, confirm: int) -> None:
    """Two ends, a halving each time, and what is asked for on top."""
    found, asked = run("o" * good + "x" * bad, confirm)
    assert (ConclusionKind.LOCATED, good - 1, good) == (found.kind, found.good, found.bad)
    assert len(asked) == len(set(asked)) <= 2 + math.ceil(math.log2(good + bad - 1)) + confirm


@st.composite
def monotone(draw: st.DrawFn) -> str:
    """Draw a series with one change in which releases between the ends may be unjudgeable."""
    good, bad = draw(st.integers(1, 25)), draw(st.integers(1, 25))
    letters = ["o"] * good + ["x"] * bad
    for number in draw(st.sets(st.integers(1, good + bad - 1))):
        if number < good + bad - 1:
            letters[number] = "-"
    return "".join(letters)


@settings(deadline=None)
@given(series=monotone(), confirm=st.integers(0, 5))
def test_releases_that_cannot_be_judged_are_passed_over(series: str, confirm: int) -> None:
    """The answer is as narrow as what can be judged allows, and names what is left between."""
    found, asked = run(series, confirm)
    ((good, bad),) = changes(series)
    assert (good, bad) == (found.good, found.bad)
    assert found.between == tuple(range(good + 1, bad)) and all(
        series[number] == "-" for number in found.between
    )
    assert found.kind == (ConclusionKind.NARROWED if found.between else ConclusionKind.LOCATED)
    assert len(asked) == len(set(asked))


@settings(deadline=None)
@given(series=st.text("ox-", min_size=2, max_size=25), confirm=st.integers(0, 25))
def test_no_series_is_told_wrongly(series: str, confirm: int) -> None:
    """Whatever the series: a change that is named is one, what lies between could not be judged,
    and none is judged twice."""
    found, asked = run(series, confirm)
    assert len(asked) == len(set(asked))
    if "-" in (series[0], series[-1]):
        assert found.kind == ConclusionKind.NO_END
        return
    if found.good is not None and found.bad is not None:
        assert series[found.good] == series[0] and series[found.bad] not in ("-", series[0])
        assert all(series[number] == "-" for number in range(found.good + 1, found.bad))
    assert (found.kind == ConclusionKind.UNCHANGED) == (found.changes == ())
    assert (found.kind == ConclusionKind.BACK_AND_FORTH) == (len(found.changes) > 1)
    assert (series[0] != series[-1]) <= (found.kind != ConclusionKind.UNCHANGED)


@settings(deadline=None)
@given(
    series=st.text("ox-", min_size=2, max_size=25).filter(
        lambda series: "-" not in (series[0], series[-1])
    )
)
def test_a_series_that_is_looked_at_as_a_whole_hides_nothing(series: str) -> None:
    """With every release judged, back and forth is said if and only if there is more than one
    change, and all are named."""
    found, asked = run(series, confirm=len(series))
    assert sorted(asked) == list(range(len(series)))
    assert list(found.changes) == changes(series)
    assert (found.kind == ConclusionKind.BACK_AND_FORTH) == (len(found.changes) > 1)
    assert (found.kind in (ConclusionKind.LOCATED, ConclusionKind.NARROWED)) == (
        len(found.changes) == 1
    )


def test_a_row_of_broken_releases_is_leapt_over() -> None:
    """Forty that cannot be judged in the middle of a hundred do not have to be tried one by one
    to find a change outside of them."""
    series = "o" * 20 + "x" * 10 + "-" * 40 + "x" * 30
    found, asked = run(series)
    assert (ConclusionKind.LOCATED, 19, 20) == (found.kind, found.good, found.bad)
    assert len(asked) < 15
