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
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from backends.contract import ADAMS
from harness.errors import CorruptRecord, UsageError
from harness.records import decoder, files, pages
from harness.workloads.spec import ModelSpec

KIND, SCHEMA = "naming", 1
KEYS = {"kind", "schema", "weights", "optimizers", "step", "ignored"}
MAX_BYTES = 16 * 2**20


@dataclasses.dataclass(frozen=True)
class Built:
    """An optimizer of the other program: `slots` is Adam's name, `powers` the variables of its
    powers if not as numbered."""

    optimizer: str
    slots: str = "Adam"
    powers: tuple[str, str] | None = None


@dataclasses.dataclass(frozen=True)
class Naming:
    """What the module's docstring describes. `where`: the file, for messages."""

    where: str
    weights: Mapping[str, tuple[str, ...]]
    optimizers: tuple[Built, ...] = ()
    step: str | int | None = None
    ignored: tuple[str, ...] = ()


def read(path: Path, spec: ModelSpec) -> Naming:
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
        text = files.read_text(path)
        document = decoder.parse(text)
    except CorruptRecord as error:  # a device or a FIFO, which may never end
        raise UsageError(f"--names {error} Give a JSON file.") from error
    except OSError as error:
        raise UsageError(
            f"{where}: cannot be read ({error.strerror}). Give a JSON file;"
            f" {pages.address('ehr_mgan.md')} shows one."
        ) from error
    except ValueError as error:
        raise UsageError(
            f"{where}: not JSON, or not as it must be ({error}). {pages.address('ehr_mgan.md')}"
            " shows a file."
        ) from error
    return parse(document, where, spec)


def render(document: Mapping[str, Any]) -> str:
    """Return a document as the text of a file.

    Args:
        document: as the module's docstring shows it.
    """
    return json.dumps(document, indent=1) + "\n"


def parse(document: Any, where: str, spec: ModelSpec) -> Naming:
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
    weights = _weights(document.get("weights"), spec, refuse)
    step, ignored = document.get("step"), document.get("ignored", [])
    if not (step is None or isinstance(step, str) or (type(step) is int and 0 <= step < 2**53)):
        refuse(f"'step' must be the name of a variable or a number of steps, not {step!r}")
    if not isinstance(ignored, list) or not all(isinstance(item, str) for item in ignored):
        refuse("'ignored' must be a list of names of variables")
    optimizers = document.get("optimizers", [])
    if not isinstance(optimizers, list):
        refuse("'optimizers' must be a list, in the order in which the program built them")
    built = tuple(_built(item, spec, refuse) for item in optimizers)
    for name, count in collections.Counter(item.optimizer for item in built).items():
        if count > 1:
            refuse(f"optimizer {name} stands there {count} times")
    return Naming(where, weights, built, step, tuple(ignored))


def _weights(
    weights: Any, spec: ModelSpec, refuse: Callable[[str], NoReturn]
) -> dict[str, tuple[str, ...]]:
    """Return the variables of every parameter, in the order of the configuration."""
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
    known = [item.name for item in spec.parameters]
    for name in parts.keys() - set(known):
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        refuse(f"{spec.workload} has no parameter {name}{hint}")
    missing = [name for name in known if name not in parts]
    if missing:
        more = f" and {len(missing) - 10} more" if len(missing) > 10 else ""
        refuse(f"'weights' lacks {', '.join(missing[:10])}{more}")
    return {name: tuple(parts[name]) for name in known}


def _built(item: Any, spec: ModelSpec, refuse: Callable[[str], NoReturn]) -> Built:
    entry = {"optimizer": item} if isinstance(item, str) else item
    if (
        not isinstance(entry, dict)
        or not entry.keys() <= {"optimizer", "slots", "powers"}
        or "optimizer" not in entry
    ):
        refuse(
            "an optimizer must be a name, or an object with optimizer, slots and powers, not"
            f" {item!r}"
        )
    optimizer = entry["optimizer"]
    adams = [name for name, meant in spec.optimizers.items() if meant.kind in ADAMS]
    if optimizer not in adams:
        refuse(
            f"{spec.workload} has no Adam named {optimizer!r}; it has {', '.join(adams) or 'none'}"
        )
    slots, powers = entry.get("slots", "Adam"), entry.get("powers")
    if not isinstance(slots, str) or not slots:
        refuse(f"'slots' of {optimizer} must be the optimizer's name in the program, not {slots!r}")
    if powers is None:
        return Built(optimizer, slots)
    if (
        not isinstance(powers, list)
        or len(powers) != 2
        or not all(isinstance(name, str) for name in powers)
    ):
        refuse(f"'powers' of {optimizer} must be two variables, of beta1 and beta2, not {powers!r}")
    return Built(optimizer, slots, (powers[0], powers[1]))
