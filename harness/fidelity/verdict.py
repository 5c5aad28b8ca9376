"""What a judge says: of one tensor, of a stage, and which tensor stands for the stage.

A stage's FAIL is named after where the fault is: the first tensor that departs, in the order in
which they were computed. Gradients are computed backwards, from the loss to the input, so
there it is the last one declared.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from backends.contract import Stage
from harness.fidelity.measure import TensorDifference
from harness.results.verdicts import Bounds, Fidelity


@dataclasses.dataclass(frozen=True)
class Sign:
    """What of a float64 departure shows float32, in words, and whether that leaves no doubt."""

    words: str
    certain: bool


@dataclasses.dataclass(frozen=True)
class TensorVerdict:
    """One tensor of a stage: PASS, FAIL, INCONCLUSIVE, NULL or BEYOND (the horizon), with its
    numbers where it was compared.

    `necessary` is what a lower precision cannot cost less than, where that was looked at. `float32`
    says what of a float64 departure shows float32, if anything does. `constants`: whether it passes
    only because hyper-parameters in float32 move it as far. `sketched`: whether the numbers are
    those of its sketch, which shows no place. `by_order`: whether it fails because rows in another
    order move one side alone, and nothing else does.
    """

    name: str
    verdict: Fidelity
    reason: str
    error: float | None = None
    floor: float | None = None
    threshold: float | None = None
    difference: TensorDifference | None = None
    necessary: float | None = None
    float32: Sign | None = None
    constants: bool = False
    sketched: bool = False
    by_order: bool = False

    @property
    def shown(self) -> TensorDifference | None:
        """Where it departs most, and what stands there; None where that is not known."""
        return None if self.sketched else self.difference

    @property
    def margin(self) -> float:
        """error / threshold: above 1 is a FAIL."""
        if self.error is None or not self.threshold:
            return 0.0 if self.error == 0.0 else float("inf")
        return self.error / self.threshold


@dataclasses.dataclass(frozen=True)
class StageVerdict:
    """One stage of a pair.

    Attributes:
        worst: for FAIL the first tensor that departs, else the one nearest to its threshold.
        tensors: all judged ones, in order.
        unseen: what only one side shows, because the other has said that it cannot.
        not_looked_at: that a port lacks the method which the stage needs.
    """

    stage: Stage | Bounds
    verdict: Fidelity
    reason: str
    worst: TensorVerdict | None
    tensors: tuple[TensorVerdict, ...]
    unseen: tuple[str, ...] = ()
    not_looked_at: bool = False

    @property
    def max_error(self) -> float | None:
        """Largest error of any compared tensor, by the error measure."""
        counted = [item for item in self.tensors if item.verdict != Fidelity.NULL]
        return max((item.error for item in counted if item.error is not None), default=None)

    @property
    def beyond(self) -> int:
        """How many tensors lie beyond the horizon."""
        return sum(item.verdict == Fidelity.BEYOND for item in self.tensors)

    @property
    def decided(self) -> int:
        """How many tensors were compared, and agree or depart."""
        return sum(item.verdict in (Fidelity.PASS, Fidelity.FAIL) for item in self.tensors)

    @property
    def null(self) -> tuple[str, ...]:
        """Names of the tensors that are mathematically zero."""
        return tuple(item.name for item in self.tensors if item.verdict == Fidelity.NULL)


def sum_up(
    stage: Stage, verdicts: Sequence[TensorVerdict], phases: Sequence[str] = ()
) -> StageVerdict:
    """Return the stage's verdict: the first FAIL names it; nothing compared is INCONCLUSIVE.

    Args:
        verdicts: of the stage's tensors, in order.
        phases: the workload's, as far as they are known: the first parts of the gradients' names.
    """
    tensors = tuple(verdicts)
    failed = [item for item in verdicts if item.verdict == Fidelity.FAIL]
    unsure = [item for item in verdicts if item.verdict == Fidelity.INCONCLUSIVE]
    passed = [item for item in verdicts if item.verdict == Fidelity.PASS]
    beyond = [item for item in verdicts if item.verdict == Fidelity.BEYOND]
    if failed:
        first = _where_it_starts(stage, failed, phases)
        reason = (
            f"{len(failed)} of {len(verdicts)} tensors depart, {first.name} first ({first.reason})"
        )
        before = [item for item in unsure if verdicts.index(item) < verdicts.index(first)]
        if before and stage != Stage.GRADIENTS:
            reason += (
                f"; before it {_count(before)} undecided, {before[0].name} first"
                f" ({before[0].reason})"
            )
        elif unsure:
            reason += f"; {_count(unsure)} undecided, {unsure[0].name} first ({unsure[0].reason})"
        return StageVerdict(stage, Fidelity.FAIL, reason, first, tensors)
    if unsure or (beyond and not passed):
        first = (unsure or beyond)[0]
        reason = f"{first.name}: {first.reason}"
        return StageVerdict(stage, Fidelity.INCONCLUSIVE, reason, first, tensors)
    excluded = _all_excluded(stage, verdicts)
    if not passed:
        excluded = "every tensor of this stage is mathematically zero"
    if excluded:
        return StageVerdict(stage, Fidelity.INCONCLUSIVE, excluded, None, tensors)
    worst = max(passed, key=lambda item: item.margin)
    reason = (
        "all equal" if worst.error == 0.0 else f"largest at {worst.margin:.2g} of its threshold"
    )
    rounded = sum(item.constants for item in passed)
    if rounded:
        reason += f"; {rounded} of them as hyper-parameters in float32 move them"
    null = len(verdicts) - len(passed) - len(beyond)
    if null:
        reason += f"; {null} more {'is' if null == 1 else 'are'} mathematically zero"
    if beyond:
        reason += f"; {len(beyond)} more are beyond the horizon, from {beyond[0].name} on"
    return StageVerdict(stage, Fidelity.PASS, f"{len(passed)} tensors, {reason}", worst, tensors)


def _count(items: Sequence[TensorVerdict]) -> str:
    return "1 tensor is" if len(items) == 1 else f"{len(items)} tensors are"


def _all_excluded(stage: Stage, verdicts: Sequence[TensorVerdict]) -> str:
    """Return why a stage of training says nothing although some of its tensors agree: that all of
    its parameters were left out."""
    if stage not in (Stage.UPDATE, Stage.TRAJECTORY):
        return ""
    parameters = [item for item in verdicts if "parameter/" in item.name]
    if not parameters or any(item.verdict == Fidelity.PASS for item in parameters):
        return ""
    null = sum(item.verdict == Fidelity.NULL for item in parameters)
    return (
        f"no parameter was compared: of {len(parameters)}, {null} are mathematically zero and"
        f" {len(parameters) - null} beyond the horizon, {parameters[0].name} first"
        f" ({parameters[0].reason})"
    )


def _where_it_starts(
    stage: Stage, failed: Sequence[TensorVerdict], phases: Sequence[str]
) -> TensorVerdict:
    """Return the tensor nearest to the fault: the first computed. Of gradients, the last declared
    one of the first phase that departs: those before it in the network only carry its error on."""
    if stage != Stage.GRADIENTS:
        return failed[0]
    phase = max(
        (phase for phase in phases if failed[0].name.startswith(f"{phase}/")), key=len, default=""
    )
    return [item for item in failed if item.name.startswith(phase)][-1]
