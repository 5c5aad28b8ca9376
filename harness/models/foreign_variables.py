"""Which variables of another program's TF1 checkpoint make which of a workload's arrays, by a
`Naming`; that they fit is checked before anything is carried over.

Slots are numbered as TF1 numbers them. What does not fit is refused in one line, by the first thing
that is wrong: weights go before the slots and powers that follow from them.
"""

from __future__ import annotations

import collections
import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from backends.contract import PRECISION_TABLE
from harness.errors import UsageError
from harness.execution.verbs import Variable
from harness.models.foreign_names import Naming
from harness.workloads.spec import ModelSpec

#: As many variables of a checkpoint a message names.
LISTED = 3
#: Shape and dtype of each variable of a checkpoint.
Variables = Mapping[str, Variable]


def resolve(naming: Naming, spec: ModelSpec, held: Variables, precision: str) -> dict[str, Any]:
    """Return which variables make what, as `backends/tf1/foreign.py` takes it.

    Args:
        naming: what the file of names says.
        spec: of the workload.
        held: what the checkpoint holds.
        precision: of the model; its weights' dtype is the variables'.

    Raises:
        UsageError: a variable is missing, named twice, of another shape or dtype, or left over;
            with the closest ones that the checkpoint holds.
    """
    slots, powers = _slots(naming, spec), _powers(naming)
    shapes = {item.name: tuple(item.shape) for item in spec.parameters}
    wanted = {name: (parts, shapes[name]) for name, parts in naming.weights.items()}
    wanted |= {name: (parts, shapes[_parameter(name, shapes)]) for name, parts in slots.items()}
    numbers = [name for pair in powers.values() for name in pair]
    if isinstance(naming.step, str):
        numbers.append(naming.step)
    names = [part for parts, _ in wanted.values() for part in parts] + numbers
    of_weights = [part for parts in naming.weights.values() for part in parts]
    problems = _misnamed(of_weights, naming, held) or _misnamed(names, naming, held)
    dtype = PRECISION_TABLE[precision]["master"]
    for name, (parts, shape) in wanted.items():
        if all(part in held for part in parts):
            problems += _misfit(name, parts, shape, dtype, held)
    for name in numbers:
        if name in held and held[name].shape:
            shape = held[name].shape
            problems.append(f"{name} has the shape {[*shape]}; it must be a single number")
    left = sorted(set(held) - set(names) - set(naming.ignored))
    if left and not problems:
        problems.append(
            f"{_some(left)} would be left behind; name what it is, or put it under 'ignored'"
        )
    if problems:
        more = f" (the first of {len(problems)} problems)" if len(problems) > 1 else ""
        raise UsageError(
            f"{naming.where}: {problems[0]}{more}. `--print-names` in place of --names shows what"
            " the checkpoint holds."
        )
    return {
        "weights": {name: list(parts) for name, parts in naming.weights.items()},
        "slots": {name: list(parts) for name, parts in slots.items()},
        "powers": {name: list(pair) for name, pair in powers.items()},
        "step": naming.step,
    }


def used(naming: Naming, spec: ModelSpec) -> set[str]:
    """Return every variable that a naming means: weights, their slots, powers and the step.

    Args:
        naming: a parameter that has no variable yet has an empty tuple. spec: of the workload.
    """
    named = [*naming.weights.values(), *_slots(naming, spec).values(), *_powers(naming).values()]
    steps = [naming.step] if isinstance(naming.step, str) else []
    return {part for parts in named for part in parts} | set(steps)


def _slots(naming: Naming, spec: ModelSpec) -> dict[str, tuple[str, ...]]:
    """Return the variables of each slot, numbered as TF1 does: by variable, in the order of the
    optimizers that update it."""
    used: collections.Counter[str] = collections.Counter()
    slots = {}
    for built in naming.optimizers:
        for parameter in _updated(spec, built.optimizer):
            bases = [f"{part}/{built.slots}" for part in naming.weights[parameter]]
            for slot in ("m", "v"):
                numbered = tuple(base + _suffix(used[base]) for base in bases)
                slots[f"{built.optimizer}/{parameter}/{slot}"] = numbered
                used.update(bases)
    return slots


def _updated(spec: ModelSpec, optimizer: str) -> Iterator[str]:
    """Yield the parameters that an optimizer updates, each once, in the order of the updates."""
    names: dict[str, None] = {}
    for update in spec.updates:
        if update.optimizer == optimizer:
            names |= dict.fromkeys(update.parameters)
    yield from names


def _powers(naming: Naming) -> dict[str, tuple[str, str]]:
    """Return the variables of each optimizer's powers of beta1 and beta2."""
    powers, numbered = {}, 0
    for built in naming.optimizers:
        suffix = _suffix(numbered)
        powers[built.optimizer] = built.powers or (f"beta1_power{suffix}", f"beta2_power{suffix}")
        numbered += built.powers is None
    return powers


def _suffix(number: int) -> str:
    return f"_{number}" if number else ""


def _parameter(slot: str, parameters: Mapping[str, Any]) -> str:
    """Return the parameter of a slot `<optimizer>/<parameter>/m`; both may have slashes."""
    words = slot.split("/")[:-1]
    names = ["/".join(words[start:]) for start in range(1, len(words))]
    return next(name for name in names if name in parameters)


def _misnamed(names: Sequence[str], naming: Naming, held: Variables) -> list[str]:
    """Return what is wrong with names as such: there is no such variable, or it has two uses."""
    counts = collections.Counter(names)
    words = sorted({"Adam", *(item.slots for item in naming.optimizers)})
    slot = re.compile(rf"/({'|'.join(map(re.escape, words))})(_\d+)?$")
    plain = {name: held[name] for name in held if not slot.search(name)}
    missing = [
        f"there is no {name}{_nearest(name, held if slot.search(name) else plain)}"
        for name in counts
        if name not in held
    ]
    free = {name: plain[name] for name in plain if name not in counts}
    twice = [
        f"{name} is named {count} times{_meant(name, naming, free)}"
        for name, count in counts.items()
        if count > 1
    ]
    return missing + twice


def _meant(name: str, naming: Naming, free: Variables) -> str:
    """Return for which parameters a variable is named, and which others one of them may mean."""
    users = [parameter for parameter, parts in naming.weights.items() if name in parts]
    for_users = f", for {_some(users)}" if users else ""
    return for_users + _nearest(name, free, "named nowhere, and like it")


def _misfit(
    name: str, parts: tuple[str, ...], shape: tuple[int, ...], dtype: str, held: Variables
) -> list[str]:
    """Return why variables, joined along their last axis, do not make an array, if they do not."""
    shapes = [held[part].shape for part in parts]
    joined = shapes[0]
    if len(parts) > 1 and all(shapes):
        joined = (*shapes[0][:-1], sum(item[-1] for item in shapes))
    if joined != shape or any(item[:-1] != shape[:-1] for item in shapes):
        pieces = [f"{part} {[*item]}" for part, item in zip(parts, shapes, strict=True)]
        return [f"{' + '.join(pieces)} makes no {name} {[*shape]}"]
    other = sorted({held[part].dtype for part in parts} - {dtype})
    if not other:
        return []
    return [
        f"{parts[0]} is {other[0]}, {name} must be {dtype}: give --precision as the program had it"
    ]


def _nearest(name: str, held: Mapping[str, Any], word: str = "nearest") -> str:
    close = difflib.get_close_matches(name, held, n=LISTED, cutoff=0.7)
    return f" ({word}: {', '.join(close)})" if close else ""


def _some(items: list[str]) -> str:
    """Return the first few, and how many more there are."""
    more = f" and {len(items) - LISTED} more" if len(items) > LISTED else ""
    return ", ".join(items[:LISTED]) + more
