"""Bugs of learning-rate schedules, in `zoo_schedule`: each is right until the rate changes for the
first time, at the fifth update.

What the fifth update does wrong shows in the loss of the sixth step, or where the change comes one
update early after the fourth.
"""

from __future__ import annotations

from tests.evaluation.zoo.mutant import Mutant

ZOO = "zoo_schedule"
RESCALED = """\
        for state in self.optimizer.state.values():
            state["momentum_buffer"].mul_(before / self.rate())
"""
IN_ORDER = """\
        self.optimizer.step()
        self.schedule(total.detach())
"""
SWAPPED = """\
        self.schedule(total.detach())
        self.optimizer.step()
"""

MUTANTS = (
    Mutant(
        30, "rate_outside_the_velocity", ZOO, ((RESCALED, ""),), "trajectory", "step 6/loss/stepped"
    ),
    Mutant(
        39,
        "scheduler_before_the_optimizer",
        ZOO,
        ((IN_ORDER, SWAPPED),),
        "trajectory",
        "step 4/parameter/",
    ),
    Mutant(
        40,
        "patience_of_torch",
        ZOO,
        (('config["patience"] - 1', 'config["patience"]'),),
        "trajectory",
        "step 6/loss/plateau",
    ),
)
