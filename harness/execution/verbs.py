"""What a worker can be asked for, and what it promises to answer: each verb of
`backends.protocol.session` with the dataclass of its result. Pure.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Generic, TypeVar

from backends.survey import Survey
from harness.records.contents import Identity, Opened, Spent, Tensors
from harness.speed.disturbance import Waits
from harness.speed.forecast import Warmed

Promised = TypeVar("Promised")


@dataclasses.dataclass(frozen=True)
class Verb(Generic[Promised]):
    """A request's name on the wire, and what its answer holds."""

    name: str
    promise: type[Promised]


@dataclasses.dataclass(frozen=True)
class Said(Generic[Promised]):
    """What a worker has answered, checked.

    Attributes:
        content: what the verb promises.
        plain: the same as plain JSON, with what else the worker has told: for records.
    """

    content: Promised
    plain: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Nothing:
    """The answer to `load` and `walk`."""


@dataclasses.dataclass(frozen=True)
class Effective:
    """The answer to `effective`: the settings in effect."""

    effective: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Probed(Effective):
    """The answer to `probe`."""

    remarks: tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TeacherForcedTensors(Tensors):
    """The answer to `teacher_force` and `force_update`."""

    read: dict[str, tuple[str, ...]]
    own: dict[str, tuple[str, ...]]


@dataclasses.dataclass(frozen=True)
class PreparedPort(Warmed):
    """The answer to `prepare` (`backends.measuring.timer.Timer.prepare`)."""

    first_step_s: float
    warmup_steps: int


@dataclasses.dataclass(frozen=True)
class Block:
    """The answer to `block` (`backends.measuring.timer.Timer.block`)."""

    step_s: tuple[float, ...]
    steps: int
    peak_bytes: int
    ended_bytes: int
    calls: dict[int, int]
    calls_base: float
    waits: Waits
    used_s: float
    device_peak_bytes: int | None
    resident_bytes: int | None = None
    device_peak_missing: str = ""


@dataclasses.dataclass(frozen=True)
class Step:
    """The answer to `step`."""

    step_s: float


@dataclasses.dataclass(frozen=True)
class Stepped:
    """The answer to `start`, `advance`, `export` and `continue`: how many steps have been trained.

    `losses`: by name, a value or None a step. `origin`: of the optimizers' step counts.
    """

    step: int
    losses: dict[str, tuple[float | None, ...]] = dataclasses.field(default_factory=dict)
    origin: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Generated:
    """The answer to `generate`."""

    shape: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Variable:
    """One variable of a checkpoint."""

    shape: tuple[int, ...]
    dtype: str


@dataclasses.dataclass(frozen=True)
class Inspected:
    """The answer to `inspect`."""

    variables: dict[str, Variable]


@dataclasses.dataclass(frozen=True)
class Adopted:
    """The answer to `adopt`: what arrived, and which arrays did not."""

    step: int
    lost: tuple[str, ...]
    parameters: int
    state: int


@dataclasses.dataclass(frozen=True)
class Surveyed:
    """The answer to `survey`: one side of a pair. `arrays`: of the data, by name. `batch`: rows of
    a step."""

    survey: Survey
    batch: int
    arrays: dict[str, Variable]


DESCRIBE = Verb("describe", Identity)
OPEN = Verb("open", Opened)
PROBE = Verb("probe", Probed)
EFFECTIVE = Verb("effective", Effective)
RECORD = Verb("record", Tensors)
FORCE_UPDATE = Verb("force_update", TeacherForcedTensors)
TEACHER_FORCE = Verb("teacher_force", TeacherForcedTensors)
LOAD = Verb("load", Nothing)
PREPARE = Verb("prepare", PreparedPort)
BLOCK = Verb("block", Block)
STEP = Verb("step", Step)
SPEND = Verb("spend", Spent)
START = Verb("start", Stepped)
ADVANCE = Verb("advance", Stepped)
CONTINUE = Verb("continue", Stepped)
EXPORT = Verb("export", Stepped)
GENERATE = Verb("generate", Generated)
INSPECT = Verb("inspect", Inspected)
ADOPT = Verb("adopt", Adopted)
SURVEY = Verb("survey", Surveyed)
WALK = Verb("walk", Nothing)

#: What runs a port many times, and tells each time: of a large model it takes minutes.
LONG = (RECORD, TEACHER_FORCE, FORCE_UPDATE)

#: All verbs that a worker of this package knows, by name.
VERBS: dict[str, Verb[Any]] = {
    verb.name: verb
    for verb in (
        *(DESCRIBE, OPEN, PROBE, EFFECTIVE, RECORD, TEACHER_FORCE),
        *(LOAD, PREPARE, BLOCK, STEP, SPEND, START),
        *(ADVANCE, CONTINUE, EXPORT, GENERATE, INSPECT, ADOPT),
        *(SURVEY, WALK, FORCE_UPDATE),
    )
}


def named(name: str) -> Verb[Any]:
    """Return a verb by its name; of one that is none of this package's, the answer may be any
    object.

    Args:
        name: as it goes to the worker.
    """
    return VERBS.get(name) or Verb(name, Nothing)
