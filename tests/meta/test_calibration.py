"""The calibration of the distribution stage: its machinery sees a test that is not calibrated, on
models that cost nothing.

`tox run -e calibration` runs the whole, with models that are trained; this is the part that every
change has to pass.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from harness.fidelity import equivalence, permutation
from tests.evaluation.calibration import tables
from tests.evaluation.calibration.__main__ import MIXTURE
from tests.evaluation.calibration.pools import HONEST, MUTANTS
from tests.evaluation.calibration.rates import (
    KS,
    SPREADS,
    WELCH,
    Discoveries,
    Rate,
    Verdicts,
    discoveries,
    family,
    interval,
    rates,
    verdicts,
)
from tests.evaluation.calibration.trials import Outcome, Splits, StandIn, repeat
from tests.evaluation.zoo.mutant import plant

#: Few seeds have few labellings: 252, and a level of 5 % is nearly reached.
SMALL = StandIn(terms=2, walks=1, seeds=5)
REPETITIONS = 250


def test_the_shipped_tests_keep_their_level():
    """All six families, on independent repetitions of equal sides, which never fail as a whole."""
    outcomes = repeat(SMALL, REPETITIONS)
    assert {WELCH, SPREADS, KS, "energy distance", "MMD", "classifier"} == {
        rate.family for rate in rates(outcomes)
    }
    assert [] == [rate for rate in rates(outcomes) if not rate.calibrated]
    said = verdicts(outcomes)
    assert said["FAIL"] <= equivalence.ALPHA and said.discovered <= interval(REPETITIONS)[1]


def test_halved_p_values_are_caught(monkeypatch):
    """Of Welch's test and of the permutations; the test that was left alone is not."""
    welch, share = equivalence._welch, permutation._p
    monkeypatch.setattr(equivalence, "_welch", lambda *arguments: 0.5 * welch(*arguments))
    monkeypatch.setattr(permutation, "_p", lambda statistic: 0.5 * share(statistic))
    found = rates(repeat(SMALL, REPETITIONS))
    assert [SPREADS] == [rate.family for rate in found if rate.calibrated]


def test_doubled_p_values_are_caught_too():
    """A test that never rejects has no power; only where a test is known to be conservative is
    it let pass."""
    assert not Rate(WELCH, 1, 0.01, 0.01, 0.01, 500).calibrated
    assert (
        Rate(SPREADS, 1, 0.01, 0.01, 0.01, 500).calibrated
        and not Rate(SPREADS, 1, 0.09, 0.09, 0.09, 500).calibrated
    )


def test_one_test_of_many_that_rejects_too_often_is_caught():
    """The mean of its family hides it."""
    assert Rate(WELCH, 33, 0.05, 0.03, 0.08, 500).calibrated
    assert not Rate(WELCH, 33, 0.05, 0.03, 0.12, 500).calibrated


def test_the_interval_holds_what_it_says():
    """Of binomial draws 99 in 100 lie in it; of 33 tests together as many."""
    low, high = interval(500)
    assert 0.024 <= low < 0.032 and 0.07 < high <= 0.08
    assert interval(500, 33)[0] < low and interval(500, 33)[1] > high
    drawn = np.random.RandomState(0).binomial(500, 0.05, size=4000) / 500
    assert np.mean((drawn >= low) & (drawn <= high)) >= 0.985


def test_a_third_of_the_mixture_differs_and_false_discoveries_are_few():
    """And without the control there would be more."""
    outcomes = repeat(MIXTURE, 10)
    plain = [name for name in outcomes[0].p if family(name) == WELCH]
    assert (45, 16) == (len(plain), len(MIXTURE.different & {*plain}))
    found = discoveries(outcomes, MIXTURE.different)
    assert found.false <= equivalence.ALPHA and found.found > 0.7
    uncontrolled = np.mean(
        [
            len({n for n, p in one.p.items() if p <= 0.05} - MIXTURE.different) > 0
            for one in outcomes
        ]
    )
    assert uncontrolled > 0.5


def test_false_discoveries_are_counted():
    """One of two; and none where nothing is discovered."""
    outcomes = [
        Outcome("FAIL", "a", {"a": 1e-6, "b": 1e-6, "c": 0.9}),
        Outcome("PASS", "c", {"a": 0.9, "b": 0.9, "c": 0.9}),
    ]
    assert Discoveries(2, 0.25, 0.5) == discoveries(outcomes, frozenset({"a"}))


def test_splits_share_no_model():
    """Of one pool; and of two each side comes from its own."""
    pool, other = [StandIn(seeds=10).sides(np.random.RandomState(number))[0] for number in (0, 1)]
    a, b = Splits(pool, None, (), 5).sides(np.random.RandomState(0))
    assert len({id(draw) for draw in (*a, *b)}) == 10
    a, b = Splits(pool, other, (), 5).sides(np.random.RandomState(0))
    assert {id(draw) for draw in a} <= {id(draw) for draw in pool} and {id(draw) for draw in b} <= {
        id(draw) for draw in other
    }


def test_processes_that_share_the_work_change_nothing():
    """Each repetition has its own seed."""
    assert repeat(SMALL, 4) == repeat(SMALL, 4, jobs=2)


def power(share):
    return Verdicts(100, {"FAIL": share, "INCONCLUSIVE": 1.0 - share}, 1.0, "some mean", 0.9)


def finding(**changed):
    """Return findings with nothing wrong."""
    said = Verdicts(500, {"INCONCLUSIVE": 0.9, "PASS": 0.1}, 0.02, "", 0.0)
    seen = {mutant.name: 0.1 if mutant.name in tables.MISSED else 0.9 for mutant in MUTANTS}
    good = [Rate(WELCH, 33, 0.05, 0.03, 0.08, 500)]
    planted = {mutant.name: power(seen[mutant.name]) for mutant in MUTANTS}
    whole = tables.Findings(
        good,
        good,
        {tables.STAND_IN: said, HONEST: said, **planted},
        Discoveries(500, 0.03, 0.9),
        {mutant.name: ("some mean", 3.0) for mutant in MUTANTS},
        {HONEST: 32},
    )
    return dataclasses.replace(whole, **changed)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"exact": [Rate(WELCH, 1, 0.1, 0.1, 0.1, 500)]}, "means (Welch): rejects 10.0 %"),
        (
            {
                "verdicts": {
                    **finding().verdicts,
                    HONEST: Verdicts(500, {"FAIL": 0.06}, 0.0, "", 0.0),
                }
            },
            "honest: equal sides FAIL 6.0 %",
        ),
        (
            {"verdicts": {**finding().verdicts, tables.STAND_IN: Verdicts(500, {}, 0.1, "", 0.0)}},
            "stand-in: equal sides show a difference",
        ),
        ({"mixture": Discoveries(500, 0.06, 0.9)}, "6.0 % is false"),
        ({"split": [Rate("MMD", 1, 0.1, 0.1, 0.1, 500)]}, "honest, MMD: rejects 10.0 %"),
        (
            {"verdicts": {**finding().verdicts, "kl_weight_halved": power(0.5)}},
            "kl_weight_halved: found 50.0 % of the time only",
        ),
        (
            {"verdicts": {**finding().verdicts, "no_generator_noise": power(0.9)}},
            "known to be missed, and found 90.0 %",
        ),
    ],
)
def test_what_is_not_calibrated_is_said(changed, said):
    """The program ends with 1 for each, and with 0 if nothing is wrong."""
    assert [] == tables.faults(finding())
    (found,) = tables.faults(finding(**changed))
    assert said in found


def test_too_little_power_stands_out():
    """In the row of its fault, with the quantity that differs most."""
    text = tables.verdicts(finding())
    assert (
        text.count("**10.0 %**") == len(tables.MISSED)
        and text.count("**") == 2 * len(tables.MISSED)
        and "some mean: 3.0" in text
    )


def test_the_page_has_the_places_and_a_page_without_is_refused(tmp_path):
    """What stands between the markers is replaced, nothing else."""
    page = tables.PAGE.read_text(encoding="utf-8")
    assert all(
        f"<!-- {name} -->" in page and f"<!-- /{name} -->" in page
        for name in ("CALIBRATION", "LEVELS", "POWER")
    )
    other = tmp_path / "page.md"
    other.write_text("before <!-- POWER -->\nold\n<!-- /POWER --> after", encoding="utf-8")
    tables.write({"POWER": "new"}, other)
    assert "before <!-- POWER -->\nnew\n<!-- /POWER --> after" == other.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match=r"has no <!-- LEVELS -->"):
        tables.write({"LEVELS": "new"}, other)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_fault_can_be_planted(mutant, tmp_path):
    """What it replaces is there exactly once, and what comes of it is Python."""
    for path in sorted((plant(mutant, tmp_path) / "torch").rglob("*.py")):
        compile(path.read_text(encoding="utf-8"), path, "exec")
