"""The replay of recorded rounds: the rule as shipped holds what is promised, and the replay would
show if it did not.

`tox run -e replay` makes all the tables of docs/speed.md from 2,000 comparisons a figure; this is
the part that every change has to pass.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from harness.speed.estimate import ALPHA, Estimate, RoundTimes, estimate_logs, half_width, log_ratio
from harness.speed.replay import Rates, bound, rates, shown
from harness.speed.verdict import judge
from tests.evaluation.replay import choices, peers, recorded, tables
from tests.evaluation.replay.__main__ import fixed, power
from tests.evaluation.replay.tables import POINTS, TARGETS, faults

TRIES = 400


def test_the_rule_as_shipped_holds_on_held_out_rounds():
    """At the points for which something is promised; with so few tries, within what chance
    allows."""
    found = power(TRIES, [*TARGETS, *((most, 0.0) for most, _ in TARGETS)])
    assert all(found[point].slower >= wanted for point, wanted in TARGETS.items())
    assert all(
        rates.detected <= bound(ALPHA, TRIES) and not rates.material
        for (_, slowdown), rates in found.items()
        if not slowdown
    )


def test_halves_share_no_round():
    """And together they are the recording."""
    halves = recorded.rounds()
    assert (121, 120) == (len(halves.chosen_by), len(halves.held_out))
    assert not {id(one) for one in halves.chosen_by} & {id(one) for one in halves.held_out}
    assert 315 == len(recorded.processes()) and {120} == {
        len(steps) for steps in recorded.processes()
    }


def test_a_slow_down_is_injected_into_the_samples_of_one_side():
    """It moves the log ratio by what it is, and the sign says which side it was."""
    one = recorded.rounds().held_out[:1]
    plain, slow = recorded.log_ratios(one), recorded.log_ratios(one, 0.05)
    assert plain[0] == pytest.approx(-plain[1])
    assert [math.log(1.05)] * 2 == pytest.approx(
        [after - before for before, after in zip(plain, slow, strict=True)]
    )


# -- planted faults: what the replay is for --------------------------------------------------------


def careless(logs: list[float], most: int) -> Estimate:
    """Look after every round, and spend 1 % each time."""
    found = Estimate(0)
    for look in range(5, most + 1):
        found = estimate_logs(logs[:look], final=True)
        half = half_width(found.spread, look, ALPHA)
        found = Estimate(
            look,
            found.ratio,
            found.ratio * math.exp(-half),
            found.ratio * math.exp(half),
            found.spread,
        )
        if found.low > 1.0 or found.high < 1.0:
            break
    return found


def test_a_rule_that_looks_too_often_is_found_out():
    """Most likely where there are many rounds to look after."""
    logs = recorded.log_ratios(recorded.rounds().held_out)
    found = rates(logs, 60, TRIES, 1, careless)
    assert found.detected > bound(ALPHA, TRIES)
    assert ["identical builds, at most 60 rounds"] == [
        line.split(":")[0] for line in faults({**promised(), (60, 0.0): found})
    ]


def test_palindromes_taken_for_rounds_are_found_out():
    """Blocks of the same two processes are not independent."""

    def pooled(one: RoundTimes) -> list[float]:
        return [log_ratio(RoundTimes((palindrome,)), "a", "b") for palindrome in one.palindromes]

    held_out = recorded.rounds().held_out
    draw = np.random.RandomState(0)
    hits = 0
    for _ in range(TRIES):
        chosen = [
            log
            for number in draw.randint(len(held_out), size=8)
            for log in pooled(held_out[number])
        ]
        hits += judge(estimate_logs(chosen, final=True)).verdict in ("FASTER", "SLOWER")
    assert hits / TRIES > bound(ALPHA, TRIES)


def promised() -> dict[tuple[int, float], Rates]:
    """Return rates with nothing wrong."""
    held = {
        point: Rates(point[0], 2000, wanted, 0.0, 0.0, 5.0) for point, wanted in TARGETS.items()
    }
    return held | {(most, 0.0): Rates(most, 2000, 0.005, 0.005, 0.0, 5.0) for most, _ in TARGETS}


@pytest.mark.parametrize(
    ("point", "rates", "said"),
    [
        (
            (8, 0.0),
            Rates(8, 2000, 0.011, 0.0, 0.0, 5.0),
            "identical builds, at most 8 rounds: 1.1 % detected, 0.0 % material",
        ),
        (
            (8, 0.0),
            Rates(8, 2000, 0.0, 0.001, 0.001, 5.0),
            "identical builds, at most 8 rounds: 0.1 % detected, 0.1 % material",
        ),
        (
            (8, 0.05),
            Rates(8, 2000, 0.94, 0.06, 0.0, 5.0),
            "5 % slower, at most 8 rounds: 94.0 % SLOWER, 95 % wanted",
        ),
        (
            (60, 0.01),
            Rates(60, 2000, 0.79, 0.0, 0.0, 5.0),
            "1 % slower, at most 60 rounds: 79.0 % SLOWER, 80 % wanted",
        ),
    ],
)
def test_what_is_not_held_is_said(point, rates, said):
    """The program ends with 1 for each, and with 0 if all is held."""
    assert [] == faults(promised())
    assert [said] == faults({**promised(), point: rates})


# -- what else could have been chosen --------------------------------------------------------------


def test_the_arrays_do_what_the_shipped_code_does():
    """Detection at the end of a run, run by run."""
    for most, slowdown in ((8, 0.03), (25, 0.01), (60, 0.0)):
        logs = choices.drawn(slowdown, most, 60, 3)
        for one in logs:
            theirs = judge(shown([float(log) for log in one], most)).verdict in ("FASTER", "SLOWER")
            assert theirs == bool(choices.ended(choices.SHIPPED, one[None]).detected)


def test_the_shipped_choices_are_among_the_compared_and_hold_the_targets():
    """On the half by which they were chosen; and each test over rounds keeps its level."""
    (looking, ends), *others = choices.compared(POINTS, 1000, 4)
    assert choices.SHIPPED == looking and all(other is not looking for other, _ in others)
    found = dict(zip(POINTS, ends, strict=True))
    assert (
        all(found[point].detected >= wanted for point, wanted in TARGETS.items())
        and found[60, 0.0].detected <= ALPHA
    )
    assert all(
        share <= bound(ALPHA, 1000)
        for (_, slowdown), one in fixed(1000).items()
        if not slowdown
        for share in one.values()
    )
    assert {"lower quartile", "median"} <= {
        one.location for one in choices.spreads()
    } and "median" in choices.ROUNDS


@pytest.mark.parametrize("peer", peers.PEERS, ids=lambda peer: peer.differs.__name__)
def test_a_rule_sees_what_is_plain_and_nothing_in_a_copy(peer):
    """Processes whose steps scatter by 1 %; the second side is a copy, or takes a third longer."""
    draw = np.random.RandomState(0)
    side = [list(1e-3 * (1.0 + 0.01 * draw.uniform(size=120))) for _ in range(peer.processes)]
    assert 0 == peer.differs(side, side)
    assert 1 == peer.differs(side, [[1.33 * step for step in steps] for steps in side])


def test_random_order_makes_an_honest_test_of_one_that_is_not():
    """The same processes and the same test; the machine's drift goes to both sides."""
    welch = next(peer for peer in peers.PEERS if peer.differs is peers.welch)
    assert peers.replay(welch).false > 3.0 * peers.replay(peers.SHUFFLED).false


def test_the_page_has_the_places_and_a_page_without_is_refused(tmp_path):
    """What stands between the markers is replaced, nothing else."""
    page = tables.PAGE.read_text(encoding="utf-8")
    assert all(
        f"<!-- {name} -->" in page and f"<!-- /{name} -->" in page
        for name in ("REPLAY", "MATERIAL", "PEERS", "CHOSEN")
    )
    other = tmp_path / "page.md"
    other.write_text("before <!-- PEERS -->\nold\n<!-- /PEERS --> after", encoding="utf-8")
    tables.write({"PEERS": "new"}, other)
    assert "before <!-- PEERS -->\nnew\n<!-- /PEERS --> after" == other.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match=r"has no <!-- REPLAY -->"):
        tables.write({"REPLAY": "new"}, other)


def test_what_is_promised_stands_out():
    """In bold, in the row of its rounds."""
    points = itertools.product(tables.ROUNDS_AT_MOST, tables.SLOWDOWNS)
    every = {
        (most, slowdown): Rates(most, 2000, 0.9 * (slowdown > 0), 0.0, 0.0, 5.0)
        for most, slowdown in points
    }
    text = tables.rule(tables.Findings(every, [], [], {}, []))
    assert len(TARGETS) == text.count("**90.0 %**")
