"""Under which names another program's TF1 checkpoint holds a workload's parameters: a JSON file,
checked before anything is read.

    {"kind": "naming", "schema": 1, "weights": {"W": "dense/kernel", "generator/layer1/W":
     ["cell/Wi", "cell/Wf", "cell/Wo", "cell/Wc"]}, "optimizers": ["adam"], "step": "global_step",
     "ignored": ["dense/counter"]}

`weights` has every parameter of the workload, in its canonical layout; several variables are joined
along their last axis. `optimizers` are Adam's in the order in which the program built them, which
decides how TF1 numbers their variables: the slots of `v` are `v/Adam` and `v/Adam_1` (m and v) of
the first optimizer that updates it, `v/Adam_2` and `v/Adam_3` of the second; the powers are
`beta1_power`, `beta2_power`, then `beta1_power_1` and so on. Where an optimizer had a name or a
scope of its own, it is written `{"optimizer": "adam", "slots": "Own", "powers":
["scope/beta1_power", "scope/beta2_power"]}`. One that is left out begins anew. `step` is the
variable that counts training steps, or their number; without it they follow from the updates. What
is neither named nor `ignored` is refused: a variable that is left behind makes another model.
"""

from __future__ import annotations

import collections
import dataclasses
import difflib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from backends.contract import ADAMS, PRECISION_TABLE
from harness.errors import UsageError

KIND, SCHEMA = "naming", 1
KEYS = {"kind", "schema", "weights", "optimizers", "step", "ignored"}
MAX_BYTES = 16 * 2**20
#: As many variables of a checkpoint a message lists.
LISTED = 200


@dataclasses.dataclass(frozen=True)
class Built:
    """An optimizer of the other program: `slots` is Adam's name, `powers` the variables of its
    powers if not as numbered."""

    optimizer: str
    slots: str = "Adam"
    powers: tuple[str, str] | None = None


@dataclasses.dataclass(frozen=True)
class Naming:
    """What the module's docstring describes. where: the file, for messages."""

    where: str
    weights: Mapping[str, tuple[str, ...]]
    optimizers: tuple[Built, ...] = ()
    step: str | int | None = None
    ignored: tuple[str, ...] = ()


def read(path: Path, config: Mapping[str, Any]) -> Naming:
    """Return what a file says.

    Raises:
        UsageError: it cannot be read, is not JSON, or does not fit the workload's configuration;
            with the name and what is allowed.
    """
    where = f"--names {path}"
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(
                f"{where}: more than {MAX_BYTES} bytes; a file of names is far smaller."
            )
        document = json.loads(
            path.read_text(encoding="utf-8"), object_pairs_hook=_without_duplicates
        )
    except OSError as error:
        raise UsageError(
            f"{where}: cannot be read ({error.strerror}). Give a JSON file; docs/ehr_mgan.md shows"
            " one."
        ) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{where}: not JSON, or not as it must be ({error}). docs/ehr_mgan.md shows a file."
        ) from error
    return parse(document, where, config)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(
            name
            for name, count in collections.Counter(name for name, _ in pairs).items()
            if count > 1
        )
        raise ValueError(f"'{twice}' stands there twice")
    return found


def parse(document: Any, where: str, config: Mapping[str, Any]) -> Naming:
    """Return what a document says; raises as `read` does."""

    def refuse(problem: str) -> NoReturn:
        raise UsageError(f"{where}: {problem}.")

    if (
        not isinstance(document, dict)
        or document.get("kind") != KIND
        or document.get("schema") != SCHEMA
    ):
        refuse(f'it must be an object with "kind": "{KIND}" and "schema": {SCHEMA}')
    for name in document.keys() - KEYS:
        refuse(f"unknown key '{name}'; known: {', '.join(sorted(KEYS))}")
    weights = document.get("weights")
    if not isinstance(weights, dict):
        refuse(
            "'weights' must be an object: parameter -> variable, or a list of variables to be"
            " joined"
        )
    parts = {name: (value,) if isinstance(value, str) else value for name, value in weights.items()}
    for name, value in parts.items():
        if (
            not isinstance(value, tuple | list)
            or not value
            or not all(isinstance(item, str) and item for item in value)
        ):
            refuse(f"'weights' of {name} must be the name of a variable, or a list of names")
    known = [item["name"] for item in config["parameters"]]
    for name in parts.keys() - set(known):
        close = difflib.get_close_matches(name, known, n=1)
        refuse(
            f"{config['workload']} has no parameter {name}"
            + (f"; did you mean {close[0]}?" if close else "")
        )
    missing = [name for name in known if name not in parts]
    if missing:
        refuse(
            f"'weights' lacks {', '.join(missing[:10])}"
            + (f" and {len(missing) - 10} more" if len(missing) > 10 else "")
        )
    step, ignored = document.get("step"), document.get("ignored", [])
    if not (step is None or isinstance(step, str) or (type(step) is int and 0 <= step < 2**53)):
        refuse(f"'step' must be the name of a variable or a number of steps, not {step!r}")
    if not isinstance(ignored, list) or not all(isinstance(item, str) for item in ignored):
        refuse("'ignored' must be a list of names of variables")
    optimizers = document.get("optimizers", [])
    if not isinstance(optimizers, list):
        refuse("'optimizers' must be a list, in the order in which the program built them")
    built = tuple(_built(item, config, refuse) for item in optimizers)
    for name, count in collections.Counter(item.optimizer for item in built).items():
        if count > 1:
            refuse(f"optimizer {name} stands there {count} times")
    return Naming(where, {name: tuple(parts[name]) for name in known}, built, step, tuple(ignored))


def _built(item: Any, config: Mapping[str, Any], refuse: Any) -> Built:
    given = {"optimizer": item} if isinstance(item, str) else item
    if (
        not isinstance(given, dict)
        or not given.keys() <= {"optimizer", "slots", "powers"}
        or "optimizer" not in given
    ):
        refuse(
            "an optimizer must be a name, or an object with optimizer, slots and powers, not"
            f" {item!r}"
        )
    adams = [name for name, options in config["optimizers"].items() if options["kind"] in ADAMS]
    if given["optimizer"] not in adams:
        refuse(
            f"{config['workload']} has no Adam named {given['optimizer']!r}; it has"
            f" {', '.join(adams) or 'none'}"
        )
    slots, powers = given.get("slots", "Adam"), given.get("powers")
    if not isinstance(slots, str) or not slots:
        refuse(
            f"'slots' of {given['optimizer']} must be the optimizer's name in the program, not"
            f" {slots!r}"
        )
    if powers is not None and (
        not isinstance(powers, list)
        or len(powers) != 2
        or not all(isinstance(name, str) for name in powers)
    ):
        refuse(
            f"'powers' of {given['optimizer']} must be two variables, of beta1 and beta2, not"
            f" {powers!r}"
        )
    return Built(given["optimizer"], slots, None if powers is None else (powers[0], powers[1]))


def resolve(
    naming: Naming, config: Mapping[str, Any], held: Mapping[str, Mapping[str, Any]], precision: str
) -> dict[str, Any]:
    """Return which variables make what, as `backends/tf1/foreign.py` takes it.

    Args:
        held: shape and dtype of each variable of the checkpoint. precision: of the model; its
            weights' dtype is the variables'.

    Raises:
        UsageError: a variable is missing, named twice, of another shape or dtype, or left over;
            with what the checkpoint holds.
    """
    slots, powers = _slots(naming, config), _powers(naming)
    shapes = {item["name"]: list(item["shape"]) for item in config["parameters"]}
    wanted = {name: (parts, shapes[name]) for name, parts in naming.weights.items()}
    wanted.update(
        {name: (parts, shapes[_parameter(name, shapes)]) for name, parts in slots.items()}
    )
    names = [part for parts, _ in wanted.values() for part in parts] + [
        name for pair in powers.values() for name in pair
    ]
    if isinstance(naming.step, str):
        names.append(naming.step)
    problems = [
        f"there is no {name}{_nearest(name, held)}"
        for name in dict.fromkeys(names)
        if name not in held
    ]
    problems += [
        f"{name} is named {count} times"
        for name, count in collections.Counter(names).items()
        if count > 1
    ]
    dtype = PRECISION_TABLE[precision]["master"]
    for name, (parts, shape) in wanted.items():
        if all(part in held for part in parts):
            problems += _misfit(name, parts, shape, dtype, held)
    for name in [part for pair in powers.values() for part in pair] + (
        [naming.step] if isinstance(naming.step, str) else []
    ):
        if name in held and held[name]["shape"]:
            problems.append(
                f"{name} has the shape {held[name]['shape']}; it must be a single number"
            )
    left = sorted(set(held) - set(names) - set(naming.ignored))
    if left and not problems:
        problems.append(
            f"{_some(left)} would be left behind; name what it is, or put it under 'ignored'"
        )
    if problems:
        raise UsageError(f"{naming.where}: {_some(problems, '; ')}.\n{_listing(naming, held)}")
    return {
        "weights": {name: list(parts) for name, parts in naming.weights.items()},
        "slots": {name: list(parts) for name, parts in slots.items()},
        "powers": {name: list(pair) for name, pair in powers.items()},
        "step": naming.step,
    }


def _slots(naming: Naming, config: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the variables of each slot, numbered as TF1 does: by variable, in the order of the
    optimizers that update it."""
    used: collections.Counter[str] = collections.Counter()
    found = {}
    for built in naming.optimizers:
        updated = [
            update["parameters"]
            for update in config["updates"]
            if update["optimizer"] == built.optimizer
        ]
        for parameter in dict.fromkeys(name for names in updated for name in names):
            for slot in ("m", "v"):
                bases = [f"{part}/{built.slots}" for part in naming.weights[parameter]]
                found[f"{built.optimizer}/{parameter}/{slot}"] = tuple(
                    base + _suffix(used[base]) for base in bases
                )
                used.update(bases)
    return found


def _powers(naming: Naming) -> dict[str, tuple[str, str]]:
    found, numbered = {}, 0
    for built in naming.optimizers:
        found[built.optimizer] = built.powers or (
            f"beta1_power{_suffix(numbered)}",
            f"beta2_power{_suffix(numbered)}",
        )
        numbered += built.powers is None
    return found


def _suffix(number: int) -> str:
    return f"_{number}" if number else ""


def _parameter(slot: str, parameters: Mapping[str, Any]) -> str:
    """Return the parameter that a slot `<optimizer>/<parameter>/m` belongs to; both may have
    slashes."""
    words = slot.split("/")[:-1]
    return next(
        name
        for name in ("/".join(words[start:]) for start in range(1, len(words)))
        if name in parameters
    )


def _misfit(
    name: str,
    parts: tuple[str, ...],
    shape: list[int],
    dtype: str,
    held: Mapping[str, Mapping[str, Any]],
) -> list[str]:
    shapes = [held[part]["shape"] for part in parts]
    joined = (
        [*shapes[0][:-1], sum(item[-1] for item in shapes)]
        if len(parts) > 1 and all(shapes)
        else shapes[0]
    )
    if joined != shape or any(item[:-1] != shape[:-1] for item in shapes):
        return [
            f"{' + '.join(f'{part} {item}' for part, item in zip(parts, shapes, strict=True))}"
            f" makes no {name} {shape}"
        ]
    other = sorted({held[part]["dtype"] for part in parts} - {dtype})
    return (
        [
            f"{parts[0]} is {other[0]}, {name} must be {dtype}: give --precision as the program"
            " had it"
        ]
        if other
        else []
    )


def _nearest(name: str, held: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, held, n=2, cutoff=0.7)
    return f" (nearest: {', '.join(close)})" if close else ""


def _some(items: list[str], between: str = ", ") -> str:
    return between.join(items[:10]) + (
        f"{between}and {len(items) - 10} more" if len(items) > 10 else ""
    )


def _listing(naming: Naming, held: Mapping[str, Mapping[str, Any]]) -> str:
    """Return what a checkpoint holds, without the slots that follow from the names of their
    variables."""
    slots = {"Adam", *(item.slots for item in naming.optimizers)}
    slot = re.compile(rf"/({'|'.join(map(re.escape, slots))})(_\d+)?$")
    shown = [
        f"  {name} {held[name]['dtype']} {held[name]['shape']}"
        for name in sorted(held)
        if not slot.search(name)
    ]
    more = [f"  and {len(shown) - LISTED} more"] if len(shown) > LISTED else []
    others = len(held) - len(shown)
    return "\n".join(
        [f"The checkpoint holds (and {others} slots of optimizers):", *shown[:LISTED], *more]
    )
