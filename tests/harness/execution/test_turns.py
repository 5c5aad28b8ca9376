"""Turns of workers that only pretend: which palindromes are repeated, and what is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from harness.execution import machine, turns
from harness.execution.verbs import Block, Said, Verb
from harness.speed.disturbance import Waits
from harness.speed.schedule import RoundSize, plan_round

LABELS = ("a", "b")


class Pretending:
    """A worker whose turns are disturbed where a list says so; beyond its end none are."""

    def __init__(self, waits: Sequence[bool]) -> None:
        self.waits, self.asked, self.memory, self.pid = list(waits), 0, None, 0

    def request(self, verb: Verb[Block], samples: int) -> Said[Block]:
        waited = self.waits[self.asked] if self.asked < len(self.waits) else False
        self.asked += 1
        block = Block(
            step_s=(0.001,) * samples,
            steps=samples,
            peak_bytes=1,
            ended_bytes=0,
            calls={},
            calls_base=1.02,
            waits=Waits(0.1, 0.1, 0.1 if waited else 0.0),
            used_s=0.1,
            device_peak_bytes=None,
            resident_bytes=5,
        )
        return Said(block, {})


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program is always at work."""
    worked = iter(range(10**6))
    monkeypatch.setattr(
        machine, "counters", lambda: machine.Counters(1.0 + 0.5 * next(worked), 0.0, 0.0, 3.0)
    )
    monkeypatch.setattr(turns.Peaks, "look", lambda self, tree: None)


def measure(
    waits: Sequence[bool], repeat_s: float = 60.0
) -> tuple[turns.MeasuredTurns, Pretending]:
    """Run four palindromes of two sides, of which `a` waits."""
    workers: Any = {"a": Pretending(waits), "b": Pretending(())}
    size = RoundSize(4, 5)
    planned = plan_round(LABELS, turns.MOST * size.palindromes, 0, 0).palindromes
    return (
        turns.run(workers, planned, size, {label: turns.Peaks() for label in LABELS}, repeat_s, []),
        workers["a"],
    )


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize(
    ("waits", "clean", "disturbed"),
    [
        ([], [True] * 4, False),
        ([False, True], [False, True, True, True, True], False),  # repeated once
        ([True, False, True, False], [False, False, True, True, True, True], False),
        ([True] * 8, [False] * 4, True),  # hopeless
        ([True] * 6, [False] * 3 + [True] * 4, False),  # it calmed down
        (
            [True] * 6 + [False, False] + [True] * 4,
            [False] * 3 + [True, False],
            True,
        ),  # it did not: one of five
    ],
)
def test_disturbed_palindromes_are_repeated(
    waits: list[bool], clean: list[bool], disturbed: bool
) -> None:
    """As often as there were of them, and unless hardly any is clean; with most of them
    disturbed, nothing that is left counts."""
    found, worker = measure(waits)
    told = found.as_json()
    assert (clean, disturbed) == (found.clean, told["disturbed"]) and 2 * len(clean) == worker.asked
    kept = len(clean) if disturbed else sum(clean)
    assert (kept, len(clean) - kept) == (len(told["palindromes"]), len(told["left_out"]))
    assert all(10 == len(steps[label]) for steps in told["palindromes"] for label in LABELS)
    assert told["met"]["load"] == 3.0 and [10 * len(clean), 5] == told["resident_bytes"]["a"][-1]


@pytest.mark.usefixtures("busy")
def test_without_time_nothing_is_repeated() -> None:
    """What is clean counts if it is enough."""
    found, _ = measure([False, True], repeat_s=0.0)
    assert [False, True, True, True] == found.clean and not found.as_json()["disturbed"]


@pytest.mark.usefixtures("busy")
def test_a_round_without_hope_ends_early() -> None:
    """Ten of forty have run, and hardly one is clean: it does not count, however the rest would
    be."""
    workers: Any = {"a": Pretending([True] * 200), "b": Pretending(())}
    size = RoundSize(40, 5)
    planned = plan_round(LABELS, 80, 0, 0).palindromes
    found = turns.run(workers, planned, size, {label: turns.Peaks() for label in LABELS}, 60.0, [])
    assert [False] * 10 == found.clean and found.as_json()["disturbed"]
