"""Updates that no recorded step has shown: a stage of training in which nothing trained. Pure.

A step that gathers gradients over more steps than were recorded leaves every parameter where it
was. Both sides then agree, to the last bit and whatever their optimizers would have done: that says
nothing, and is no PASS.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from backends.contract import PRECISION_TABLE, Stage
from harness.fidelity import variations
from harness.fidelity.evidence import Evidence
from harness.fidelity.verdict import StageVerdict
from harness.results.verdicts import Fidelity

#: By words for what moves them, parameters of which an update moves some at least.
Trained = Mapping[str, Sequence[str]]
#: What helps, by stage.
ADVICE = {
    Stage.UPDATE: (
        "gather gradients over fewer steps in the pair file, and leave an optimizer out that no"
        " step uses"
    ),
    Stage.TRAJECTORY: "train for more steps (--steps), or gather gradients over fewer",
}


def withheld(
    verdict: StageVerdict, a: Evidence, b: Evidence, precision: str, trained: Trained
) -> StageVerdict:
    """Return the verdict on a stage of training; INCONCLUSIVE, whatever else agrees, where no step
    of it has moved what an optimizer or a phase trains, on either side.

    With a dynamic loss scale updates may be skipped, which scales and counts of their own show.

    Args:
        verdict: of any stage. a, b: both sides. precision: of both. trained: by optimizer and
            phase, in words.
    """
    skips = PRECISION_TABLE[precision]["loss_scale_growth"]
    if verdict.stage not in ADVICE or verdict.verdict == Fidelity.FAIL or skips:
        return verdict
    stage = Stage(verdict.stage)
    if not (a.entries(stage) and b.entries(stage)):
        return verdict
    moved = {*_moved(a, stage), *_moved(b, stage)}
    still = [words for words, names in trained.items() if names and moved.isdisjoint(names)]
    if not still:
        return verdict
    steps = {variations.split(entry.name)[0] for entry in b.entries(stage)}
    reason = (
        f"no update was seen of {' and '.join(still)}: in {max(steps)} steps neither side has moved"
        f" a parameter of it; {ADVICE[stage]}; {verdict.reason}"
    )
    return dataclasses.replace(verdict, verdict=Fidelity.INCONCLUSIVE, reason=reason)


def _moved(side: Evidence, stage: Stage) -> Iterator[str]:
    """Yield the parameters that a side's steps have moved."""
    for entry in side.entries(stage):
        name = variations.split(entry.name)[1].partition("parameter/")[2]
        if name and entry.scale != 0.0:
            yield name
