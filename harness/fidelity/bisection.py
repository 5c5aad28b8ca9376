"""Find the first bad step of a trajectory: bisect between the last look that passed and the first
that did not. Pure.

A trajectory is looked at after 1, 2, 4, ... and all T steps, and at the losses of every step. So
for parameters at most T/2 steps lie between the last look that passed and the first that failed,
and ceil(log2(T/2)) replays find the step; what is looked at in the last step alone takes up to
ceil(log2(T)).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from harness.fidelity.verdict import StageVerdict
from harness.results.verdicts import Fidelity

#: How the names of losses begin, behind their step.
LOSSES = "loss/"


@dataclasses.dataclass(frozen=True)
class BadStep:
    """Where a trajectory departs.

    Attributes:
        good: up to this step both sides agree. bad: the run up to this step is known to depart; the
            first bad step if it follows `good`.
        replays: how many runs it took. steps: of the whole trajectory.
        stopped: why the search ended before it was done, or empty.
    """

    good: int
    bad: int
    replays: int
    steps: int
    stopped: str = ""

    def __str__(self) -> str:
        replays = f"{self.replays} replay{'' if self.replays == 1 else 's'}"
        if self.bad == self.good + 1:
            return f"first bad step {self.bad} of {self.steps}, found in {replays}"
        return (
            f"first bad step between {self.good + 1} and {self.bad} of {self.steps}"
            f" ({self.stopped})"
        )


def steps_of(name: str) -> int:
    """Return the step in a name of the trajectory stage, `step <number>/...`."""
    return int(name.split("/", 1)[0].removeprefix("step "))


def bracket(verdict: StageVerdict, steps: int) -> BadStep:
    """Return what a failed verdict itself says: the first bad step, and the last look before it at
    which what departs there agreed.

    A tensor that was not looked at before, what the trained model generates or a parameter of a
    later phase, may have departed at any step: that others agreed says nothing of it. A loss is
    that of the weights before its step's update, so it shows what the step before did, and the
    parameters' looks tell up to where those agreed.
    """
    bad = min(steps_of(item.name) for item in verdict.tensors if item.verdict == Fidelity.FAIL)
    departing = {
        _what(item.name)
        for item in verdict.tensors
        if item.verdict == Fidelity.FAIL and steps_of(item.name) == bad
    }
    agreed = dict.fromkeys(departing, 0)
    for item in verdict.tensors:
        step, what = steps_of(item.name), _what(item.name)
        if what == LOSSES or item.verdict != Fidelity.PASS or step >= bad:
            continue
        shown = {what, LOSSES} if what.startswith("parameter/") else {what}
        for seen in shown & agreed.keys():
            agreed[seen] = max(agreed[seen], step)
    return BadStep(min(agreed.values()), bad, 0, steps)


def _what(name: str) -> str:
    """Return what a tensor is looked at as, whatever the step; the losses, all together, are seen
    in the parameters."""
    rest = name.partition("/")[2]
    return LOSSES if rest.startswith(LOSSES) else rest


def first_bad_step(
    verdict: StageVerdict, steps: int, replay: Callable[[int], StageVerdict]
) -> BadStep:
    """Bisect a trajectory for its first bad step.

    Args:
        verdict: of the whole trajectory, a FAIL. steps: its length.
        replay: judges both sides again over the first so many steps of the same tape.
    """
    search = bracket(verdict, steps)
    while search.bad - search.good > 1:
        middle = (search.good + search.bad) // 2
        replayed = replay(middle)
        search = dataclasses.replace(search, replays=search.replays + 1)
        if replayed.verdict == Fidelity.PASS:
            search = dataclasses.replace(search, good=middle)
        elif replayed.verdict == Fidelity.FAIL:
            search = dataclasses.replace(search, bad=bracket(replayed, middle).bad)
        else:
            stopped = f"a replay is {replayed.verdict}: {replayed.reason}"
            return dataclasses.replace(search, stopped=stopped)
    return search
