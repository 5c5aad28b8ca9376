"""What the record of each kind of job holds, as frozen dataclasses; `decoder` makes them of JSON.

A field with a default is one that an older harness did not write. `dict[str, Any]` is an open
mapping whose names belong to others: settings that a framework tells, packages and their versions.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping
from typing import Any, TypeAlias

from backends.contract import SKETCH_BLOCK, SKETCH_SUMS, Status, Word
from harness.fidelity.declarations import Declarations
from harness.fidelity.evidence import LossScale, TensorEntry
from harness.records.decoder import decode
from harness.speed.disturbance import Turn


@dataclasses.dataclass(frozen=True)
class Identity:
    """What a build is, as its worker tells (`backends.protocol.fingerprint`)."""

    python: str
    platform: str
    versions: dict[str, str]
    implementation: str = ""
    executable: str = ""
    machine: str = ""
    processor: str = ""
    cpus: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Opened:
    """A port as its worker has opened it.

    Attributes:
        abilities: the optional methods it has. port: the path of its file.
        sources: name and SHA-256 of each file that decides what it computes; source_hash: of them.
        spec_hash: of the workload's specification and its data.
        import_s, build_s: what importing the framework and building the port took, seconds.
    """

    identity: Identity
    abilities: tuple[str, ...]
    port: str = ""
    sources: tuple[tuple[str, ...], ...] = ()
    source_hash: str = ""
    spec_hash: str = ""
    import_s: float = 0.0
    build_s: float = 0.0


@dataclasses.dataclass(frozen=True)
class SaidOfItself:
    """What a port says of itself; see `harness.fidelity.declarations`."""

    not_shown: tuple[str, ...] = ()
    trainable_values: int | None = None
    undeclared: tuple[str, ...] = ()
    own_training: bool | None = None
    contracted: tuple[str, ...] | None = None
    hidden_averages: tuple[str, ...] = ()
    unseen_averages: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tensors:
    """Recorded tensors.

    Attributes:
        tensors: in recorded order. files: the SHA-256 of each array file.
        noise: by `stage/name` and kind of variation, the largest movements.
        raised: by stage, what the port raised in it.
        loss_scale: by phase, where it is dynamic.
    """

    tensors: tuple[TensorEntry, ...]
    files: dict[str, str]
    noise: dict[str, dict[str, tuple[float, ...]]] = dataclasses.field(default_factory=dict)
    raised: dict[str, str] = dataclasses.field(default_factory=dict)
    loss_scale: dict[str, LossScale] = dataclasses.field(default_factory=dict)
    said: SaidOfItself = dataclasses.field(default_factory=SaidOfItself, metadata={"name": "told"})

    @functools.cached_property
    def shapes(self) -> dict[tuple[str, str], tuple[int, ...]]:
        """The shape of what was kept of each tensor, by stage and name."""
        return {(item.stage, item.name): _kept(item) for item in self.tensors}

    @property
    def declared(self) -> Declarations:
        """What the port says of itself, with what it raised."""
        contracted = self.said.contracted
        return Declarations(
            raised=self.raised,
            not_shown=self.said.not_shown,
            trainable_values=self.said.trainable_values,
            undeclared=self.said.undeclared,
            own_training=self.said.own_training,
            contracted=None if contracted is None else frozenset(contracted),
            hidden_averages=self.said.hidden_averages,
            unseen_averages=self.said.unseen_averages,
        )


def _kept(item: TensorEntry) -> tuple[int, ...]:
    """Return the shape of a tensor, or of its sketch."""
    if not item.sketched:
        return tuple(item.shape)
    return -(-math.prod(item.shape) // SKETCH_BLOCK), SKETCH_SUMS


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recorded(Opened, Tensors):
    """One side's lockstep stages on a tape."""

    effective: dict[str, Any]
    tape_hash: str
    data_hash: str = ""
    remarks: tuple[str, ...] = ()
    peak_bytes: int = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sampled(Opened):
    """A model trained from a seed of its own; `terms` of its losses."""

    effective: dict[str, Any]
    files: dict[str, str]
    terms: tuple[str, ...]
    tape_hash: str = ""
    data_hash: str = ""
    train_s: float = 0.0
    peak_bytes: int = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class TeacherForced(Opened, Tensors):
    """A forward pass in which every layer was given the other side's values.

    Attributes:
        read: by activation, the forced values that it was computed from.
        own: by activation, earlier ones whose computing in this port went into it.
        rooted: those computed from data and weights alone.
    """

    read: dict[str, tuple[str, ...]]
    own: dict[str, tuple[str, ...]]
    rooted: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Attempted:
    """How the first short run of one port ended, and what was remarked."""

    status: Status
    reason: str
    remarks: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class FirstRun:
    """How the first short run of a side's own ports ended, by workload."""

    workloads: dict[str, Attempted]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Repeated(Opened):
    """A run of `harness repeat`: what lockstep and native mode left, by mode."""

    effective: dict[str, Any]
    parts: dict[str, Tensors]


@dataclasses.dataclass(frozen=True)
class Prepared:
    """One side made ready for one timed action.

    Attributes:
        settled_steps: after how many steps of warm-up their times changed last; 0 if they never
            did, None if they were still changing.
        steady: whether steps had stopped getting faster. segment: of the schedule.
    """

    first_step_s: float
    sample_s: float = 0.0
    warmup_s: float = 0.0
    warmup_steps: int = 0
    settled_steps: int | None = 0
    steady: bool = True
    steps_a_sample: int = 1
    segment: str = ""
    effective: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def step_s(self) -> float:
        """How long a step took while it was prepared, seconds."""
        return self.sample_s / max(1, self.steps_a_sample)


@dataclasses.dataclass(frozen=True)
class Action:
    """What one round has measured of one action; mappings without another word are by side.

    Attributes:
        palindromes: step times, seconds, of those that count.
        disturbed: whether other programs disturbed most of them. met: what they did meanwhile.
        resident_bytes: steps so far and resident memory, a turn each.
        calls: how many calls took about how long, by class; calls_base: the classes' ratio.
    """

    prepared: dict[str, Prepared]
    palindromes: tuple[dict[str, tuple[float, ...]], ...]
    disturbed: bool = False
    met: Turn = dataclasses.field(default_factory=Turn)
    resident_bytes: dict[str, tuple[tuple[int, ...], ...]] = dataclasses.field(default_factory=dict)
    peak_bytes: dict[str, int] = dataclasses.field(default_factory=dict)
    mapped_bytes: dict[str, int | None] = dataclasses.field(default_factory=dict)
    marks_set_back: dict[str, bool] = dataclasses.field(default_factory=dict)
    device_peak_bytes: dict[str, int | None] = dataclasses.field(default_factory=dict)
    device_peak_missing: dict[str, str] = dataclasses.field(default_factory=dict)
    calls: dict[str, dict[int, int]] = dataclasses.field(default_factory=dict)
    calls_base: dict[str, float] = dataclasses.field(default_factory=dict)


class FlopsCounter(Word):
    """Who counted the operations of a step: what `backends/<backend>/cost.py` calls itself."""

    #: Nobody could.
    NOBODY = ""
    SESSION_GRAPH = "TensorFlow's registry of float operations, on the session's graph"
    TRACED_FUNCTIONS = "TensorFlow's registry of float operations, on the traced functions"
    TORCH = "torch.utils.flop_counter"


@dataclasses.dataclass(frozen=True)
class Spent:
    """What one step costs beside time; `missing` says of each that is None why."""

    flops: float | None = None
    rate: float | None = None
    energy_j: float | None = None
    flops_source: FlopsCounter = FlopsCounter.NOBODY
    missing: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def by_product(self) -> bool:
        """Whether the counter follows the one activation that a port names as its product, so that
        a `generate` which fetches more is half counted."""
        return self.flops_source == FlopsCounter.SESSION_GRAPH


@dataclasses.dataclass(frozen=True)
class MachineState:
    """What the machine did beside, before or after a round."""

    cores: float | None = None


@dataclasses.dataclass(frozen=True)
class Round:
    """A round of timed turns.

    Attributes:
        operations: of a step of each whole action, by the workload's own count.
        spent: by action and side; of the first round alone.
    """

    actions: dict[str, Action]
    opened: dict[str, Opened]
    rows_a_step: int
    labels: tuple[str, ...] = ()
    machine: tuple[MachineState, ...] = ()
    baseline_bytes: dict[str, int | None] = dataclasses.field(default_factory=dict)
    operations: dict[str, float | None] = dataclasses.field(default_factory=dict)
    spent: dict[str, dict[str, Spent]] = dataclasses.field(default_factory=dict)
    imported_s: float = 0.0
    tape_hash: str = ""


@dataclasses.dataclass(frozen=True)
class Description:
    """What a record's job was, as far as readers of records look at it; `plan` makes the whole.

    Attributes:
        side: of a job of one side. labels: of all sides of a round. steps: of training.
        round: its number. check, own_seed, teacher, run: of jobs of one kind each, see `KINDS`.
    """

    side: str = ""
    workload: str = ""
    preset: str = ""
    precision: str = ""
    seed: int = 0
    steps: int = 0
    round: int = 0
    labels: tuple[str, ...] | None = None
    check: bool | None = None
    own_seed: int | None = None
    teacher: str | None = None
    run: int | None = None


Contents: TypeAlias = Recorded | Sampled | TeacherForced | FirstRun | Repeated | Round
#: What tells a kind of job from the others: a field of its description, in the order of looking.
KINDS: tuple[tuple[str, type[Contents]], ...] = (
    ("labels", Round),
    ("check", FirstRun),
    ("own_seed", Sampled),
    ("teacher", TeacherForced),
    ("run", Repeated),
)


def described(job: Mapping[str, Any], where: str) -> Description:
    """Return a job's description.

    Args:
        job: as `plan` made it. where: the file, for messages.

    Raises:
        CorruptRecord: it is none.
    """
    return decode(Description, dict(job), f"{where}: job")


def kind(job: Description) -> type[Contents]:
    """Return what the record of a job holds."""
    own = (contents for field, contents in KINDS if getattr(job, field) is not None)
    return next(own, Recorded)


def read(job: Description, result: Mapping[str, Any], where: str) -> Contents:
    """Return the contents of a record that ended well.

    Args:
        job: whose. result: what the worker answered. where: the file, for messages.

    Raises:
        CorruptRecord: they are not what such a job leaves.
    """
    return decode(kind(job), dict(result), f"{where}: result")


def unlisted(left: Contents) -> list[str]:
    """Return the array files that such a record has to list and does not."""
    if isinstance(left, Sampled):
        needed = {"losses.npz", "samples.npz"}
    else:
        needed = {f"{item.stage}.npz" for item in getattr(left, "tensors", ())}
    return sorted(needed - set(files(left)))


def files(left: Contents) -> dict[str, str]:
    """Return the SHA-256 of each array file beside a record."""
    return left.files if isinstance(left, (Tensors, Sampled)) else {}
