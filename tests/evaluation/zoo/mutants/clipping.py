"""Bugs of gradient clipping, in `zoo_optimizers`."""

from __future__ import annotations

from tests.evaluation.zoo.mutant import Mutant

ZOO = "zoo_optimizers"
BUILT = "updating.py"
EACH = """\
        for p in parameters:
            p.grad.mul_(config["clip_norm"] / p.grad.norm().clamp(min=config["clip_norm"]))
"""
TOGETHER = """\
        norm = torch.stack([p.grad.norm() for p in parameters]).norm()
        for p in parameters:
            p.grad.mul_(config["clip_norm"] / norm.clamp(min=config["clip_norm"]))
        return True
"""
TORCH = '        torch.nn.utils.clip_grad_norm_(parameters, config["clip_norm"])\n'

MUTANTS = (
    Mutant(
        33,
        "clipping_by_the_global_norm",
        ZOO,
        ((EACH, TORCH),),
        "update",
        "step 1/clip_each/parameter/clip_each/",
        file=BUILT,
    ),
    Mutant(
        34,
        "clipping_with_1e6",
        ZOO,
        ((TOGETHER, TORCH + "        return True\n"),),
        "update",
        "step 1/clip_together/parameter/clip_together/",
        file=BUILT,
    ),
    Mutant(
        35,
        "zero_gradients_for_an_infinite_norm",
        ZOO,
        (("return bool(norm.isfinite())", "return True"),),
        "update",
        "step 2/guarded/parameter/guarded/",
        file=BUILT,
    ),
)
