"""Bugs of loss scaling, in `zoo_scaling`."""

from __future__ import annotations

from tests.evaluation.zoo.mutant import Mutant

ZOO = "zoo_scaling"
UNSCALE = """\
        for item in gradients:
            item.div_(self.scale.scale)
"""
CLIP = "        self.clip(gradients)\n"
STEP = """\
        if not overflow:
            self.optimizer.step()
            self.scheduler.step()
"""
STEP_AND_COUNT = """\
        if not overflow:
            self.optimizer.step()
        self.scheduler.step()
"""
SETTLE = "        self.scale.settle(torch.tensor(float(overflow)))\n"

MUTANTS = (
    Mutant(
        36,
        "clipped_while_scaled",
        ZOO,
        ((UNSCALE + CLIP, CLIP + UNSCALE),),
        "update",
        "step 1/train/parameter/",
    ),
    Mutant(
        37,
        "scale_moved_before_unscaling",
        ZOO,
        ((UNSCALE + CLIP + STEP + SETTLE, SETTLE + UNSCALE + CLIP + STEP),),
        "update",
        "step 2/train/parameter/",
    ),
    Mutant(
        38,
        "schedule_counts_overflows",
        ZOO,
        ((STEP, STEP_AND_COUNT),),
        "trajectory",
        "step 4/parameter/",
        precision="fp16",
    ),
)
