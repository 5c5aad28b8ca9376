"""A first draft of a file of names, from what a TF1 checkpoint of another program holds:
`harness convert SOURCE --from tf1 --workload W --print-names`.

A guess by shape and name that a person reads and mends: two weights of one shape may be the wrong
way round, and nothing here can tell. What has no variable of its shape is null, which
`foreign_names.parse` refuses, so that no gap is passed over.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any

from backends.contract import ADAMS
from harness.models import foreign_names, foreign_variables
from harness.models.foreign_names import Built, Naming
from harness.models.foreign_variables import Variables
from harness.workloads.spec import ModelSpec

#: What TF1's Adam leaves beside the weights, and what counts steps.
SLOT = re.compile(r"/Adam(_\d+)?$")
POWER = re.compile(r"(^|/)beta[12]_power(_\d+)?$")
STEP = "global_step"


def draft(spec: ModelSpec, held: Variables) -> dict[str, Any]:
    """Return a document as `foreign_names.parse` takes it once no weight is null.

    Args:
        spec: of the workload. held: what the checkpoint holds.
    """
    free = [name for name in held if not SLOT.search(name) and not POWER.search(name)]
    shapes = {item.name: tuple(item.shape) for item in spec.parameters}
    weights = _guesses(shapes, {name: held[name].shape for name in free})
    adams = [name for name, meant in spec.optimizers.items() if meant.kind in ADAMS]
    powers = sum(1 for name in held if POWER.search(name) and "beta1" in name)
    optimizers = adams[:powers]
    step = STEP if STEP in held and not held[STEP].shape else None
    naming = Naming(
        where="",
        weights={name: (guess,) if guess else () for name, guess in weights.items()},
        optimizers=tuple(Built(name) for name in optimizers),
        step=step,
    )
    used = foreign_variables.used(naming, spec)
    return {
        "kind": foreign_names.KIND,
        "schema": foreign_names.SCHEMA,
        "weights": weights,
        "optimizers": optimizers,
        "step": step,
        "ignored": sorted(set(held) - used),
    }


def _guesses(
    wanted: Mapping[str, tuple[int, ...]], free: Mapping[str, tuple[int, ...]]
) -> dict[str, str | None]:
    """Return a variable for each parameter: of the same shape, the closest names first, each
    variable once."""
    pairs = sorted(
        (-_likeness(parameter, variable), parameter, variable)
        for parameter, shape in wanted.items()
        for variable, other in free.items()
        if shape == other
    )
    guesses: dict[str, str | None] = dict.fromkeys(wanted)
    taken: set[str] = set()
    for _, parameter, variable in pairs:
        if guesses[parameter] is None and variable not in taken:
            guesses[parameter] = variable
            taken.add(variable)
    return guesses


def _likeness(a: str, b: str) -> float:
    return difflib.SequenceMatcher(None, a.lower(), b.lower()).ratio()
