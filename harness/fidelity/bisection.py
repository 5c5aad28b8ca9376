"""Find the first bad step of a trajectory: bisect between the last look that passed and the first that did not. Pure.

A trajectory is looked at after 1, 2, 4, ... and all T steps, and at the losses of every step. So at most T/2 steps lie between
the last look that passed and the first that failed, and ceil(log2(T/2)) replays find the step.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from harness.fidelity.verdict import FAIL, PASS, StageVerdict


@dataclasses.dataclass(frozen=True)
class BadStep:
    """Where a trajectory departs.

    Attributes:
        good: up to this step both sides agree. bad: the run up to this step is known to depart; the first bad step if it
            follows `good`.
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
        return f"first bad step between {self.good + 1} and {self.bad} of {self.steps} ({self.stopped})"


def steps_of(name: str) -> int:
    """Return the step in a name of the trajectory stage, `step <number>/...`."""
    return int(name.split("/", 1)[0].removeprefix("step "))


def bracket(verdict: StageVerdict, steps: int) -> BadStep:
    """Return what a failed verdict itself says: looks before the first bad step that passed, and the first that did not."""
    bad = min(steps_of(item.name) for item in verdict.tensors if item.verdict == FAIL)
    looks = {steps_of(item.name) for item in verdict.tensors if "/loss/" not in item.name and item.verdict == PASS}
    return BadStep(max((look for look in looks if look < bad), default=0), bad, 0, steps)


def first_bad_step(verdict: StageVerdict, steps: int, replay: Callable[[int], StageVerdict]) -> BadStep:
    """Bisect.

    Args:
        verdict: of the whole trajectory, a FAIL. steps: its length.
        replay: judges both sides again over the first so many steps of the same tape.
    """
    found = bracket(verdict, steps)
    while found.bad - found.good > 1:
        middle = (found.good + found.bad) // 2
        said = replay(middle)
        if said.verdict not in (PASS, FAIL):
            return dataclasses.replace(found, replays=found.replays + 1, stopped=f"a replay is {said.verdict}: {said.reason}")
        good, bad = (middle, found.bad) if said.verdict == PASS else (found.good, bracket(said, middle).bad)
        found = dataclasses.replace(found, good=good, bad=bad, replays=found.replays + 1)
    return found
