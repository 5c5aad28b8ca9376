"""The optimizers of both sides, read back and laid beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from backends.contract import Stage
from backends.survey import OptimizerSurvey, Survey
from harness.pairs.attribute_differences import AttributeDifference, same, worded
from harness.pairs.optimizers import optimizers_beside

#: Slots of momentum, and what each adds up.
MOMENTUM, VELOCITY = "momentum", "velocity"
GRADIENTS, UPDATES = str(Stage.GRADIENTS), "updates"
#: Where it is not the next update that shows a word, and why. No other precision overflows or skips
#: an update.
SHOWS: dict[str, tuple[Stage | None, str]] = {
    "loss_scale": (Stage.UPDATE, "in fp16 alone, where it decides which updates are skipped"),
    "loss_scale_backoff": (Stage.TRAJECTORY, "in fp16 alone, once an update is skipped"),
    "loss_scale_growth": (Stage.TRAJECTORY, "in fp16 alone, after loss_scale_interval updates"),
    "loss_scale_interval": (Stage.TRAJECTORY, "in fp16 alone, after so many updates"),
}
#: Words for what a step may also do itself, where nobody reads it: what comes of it tells.
OF_SOME = frozenset(["schedule", "accumulation_steps", "average_momentum", "average_overwrite"])


def of_optimizers(a: Survey, b: Survey, sides: tuple[str, str]) -> Iterator[AttributeDifference]:
    """Yield what is not the same.

    Args:
        a, b: what is known of both sides. sides: their labels.
    """
    counts = len(a.optimizers), len(b.optimizers)
    if counts[0] != counts[1]:
        stage = None if all(counts) else Stage.UPDATE
        values = str(counts[0]), str(counts[1])
        why = "" if stage else "of each parameter the one that has it is compared"
        yield AttributeDifference("optimizers", "number", *values, sides, stage, why)
        return  # which is beside which goes by parameter
    for x, y in zip(a.optimizers, optimizers_beside(a, b), strict=False):
        yield from _of_two_optimizers(x, y, sides)


def _of_two_optimizers(
    x: OptimizerSurvey, y: OptimizerSurvey, sides: tuple[str, str]
) -> Iterator[AttributeDifference]:
    where = f"optimizer {x.name or x.kind}"
    if x.kind != y.kind:
        yield AttributeDifference(where, "kind", x.type, y.type, sides, Stage.UPDATE)
    ours, theirs = _hyper(x), _hyper(y)
    for what in sorted(ours.keys() | theirs.keys()):
        if what in OF_SOME and not (what in ours and what in theirs):
            continue
        if not same(ours.get(what), theirs.get(what)):
            values = worded(ours.get(what)), worded(theirs.get(what))
            stage, why = SHOWS.get(what, (Stage.UPDATE, ""))
            yield AttributeDifference(where, what, *values, sides, stage, why)
    if sums_of_updates(x, y):
        values = (GRADIENTS, UPDATES) if MOMENTUM in x.slots else (UPDATES, GRADIENTS)
        yield AttributeDifference(where, "what momentum adds up", *values, sides, Stage.UPDATE)
    for update in ("0", "1", "10"):
        if update in x.rates and update in y.rates and not same(x.rates[update], y.rates[update]):
            values = worded(x.rates[update]), worded(y.rates[update])
            stage = Stage.TRAJECTORY if update == "10" else Stage.UPDATE
            what = f"learning rate at update {update}"
            yield AttributeDifference(where, what, *values, sides, stage)


def sums_of_updates(x: OptimizerSurvey, y: OptimizerSurvey) -> bool:
    """Return whether the momentum of one side adds up gradients, that of the other updates with
    their rates, which is another thing where the rate changes.

    Args:
        x, y: optimizers that belong together.
    """
    sums = [{MOMENTUM, VELOCITY} & {*each.slots} for each in (x, y)]
    changing = any(len({*each.rates.values()}) > 1 for each in (x, y))
    return changing and sums in ([{MOMENTUM}, {VELOCITY}], [{VELOCITY}, {MOMENTUM}])


def _hyper(optimizer: OptimizerSurvey) -> Mapping[str, Any]:
    """Return the hyper-parameters that do something: a decay of 0 is none, and the learning rate is
    told by its values."""
    return {
        name: value
        for name, value in optimizer.hyperparameters.items()
        if name != "learning_rate" and value not in (None, 0, 0.0, False, "")
    }
