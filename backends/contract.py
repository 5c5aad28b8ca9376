"""What a port promises: the vocabulary and the abstract class that every port implements.

Owns the words that both sides of the pipe use (settings, stages, job statuses) and `Port`. Imports
the standard library only, and of `backends` what does so too: the harness imports this file in its
own interpreter, the worker in Python 3.7. `Port` is an abstract base class because Python 3.7 has
no `typing.Protocol`.
"""

from __future__ import annotations

import abc
import dataclasses
import enum
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Sequence

from backends.activations import Record
from backends.declarations import Declarations, ShapeMismatch

if TYPE_CHECKING:
    import numpy as np

    from backends.source import Batch, Source

__all__ = [
    "ACTIONS",
    "ADAMS",
    "DEVICES",
    "EXECUTIONS",
    "OPTIONAL",
    "PRECISIONS",
    "PRECISION_TABLE",
    "STAGES",
    "STAGE_LETTERS",
    "STATUSES",
    "ForcedActivations",
    "Port",
    "Setting",
    "ShapeMismatch",
    "Stage",
    "Status",
    "Unsupported",
    "Word",
    "abilities",
]


class Word(str, enum.Enum):
    """A member that is a string in every respect: equal to it, hashed, printed and formatted as it.

    `enum.StrEnum` is this from Python 3.11 on. Python 3.7 puts the methods of `enum.Enum` in the
    place of `str`'s own, so that these are written out.
    """

    __hash__ = str.__hash__

    def __str__(self) -> str:
        return str.__str__(self)

    def __repr__(self) -> str:
        return str.__repr__(self)

    def __format__(self, format_spec: str) -> str:
        return str.__format__(self, format_spec)


class Stage(Word):
    """A rung of the ladder, in the order in which it is climbed."""

    WEIGHTS = "weights"
    FORWARD = "forward"
    LOSS = "loss"
    GRADIENTS = "gradients"
    UPDATE = "update"
    TRAJECTORY = "trajectory"
    #: Judged over seeds.
    DISTRIBUTION = "distribution"


class Status(Word):
    """How a job can end. Everything but `ok` carries a reason."""

    OK = "ok"
    UNSUPPORTED = "unsupported"
    ERROR = "error"
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    OUT_OF_MEMORY = "out of memory"
    DISK_FULL = "disk full"
    CORRUPT = "corrupt"
    INTERRUPTED = "interrupted"


STAGES = tuple(Stage)
STATUSES = tuple(Status)
#: The one-letter spelling of each stage, as used in tables.
STAGE_LETTERS = {stage.value[0].upper(): stage for stage in STAGES}
DEVICES = ("cpu", "gpu", "tpu")
PRECISIONS = ("fp64", "fp32", "tf32", "bf16", "fp16")
#: `default` is the way a backend's users run it: tf1 (`Session.run` with a feed) and tf2 graph,
#: torch and numpy eager. `callable` is tf1's graph behind a prepared callable, which costs a tenth
#: of `Session.run`; few programs use it.
EXECUTIONS = ("default", "eager", "graph", "compiled", "cudagraph", "callable")
#: What is always timed: whole training steps, and whole batches that are generated. Single phases
#: may be timed beside.
ACTIONS = ("train", "generate")
#: Of the stage of updates: the second shows what the first left in the optimizer's slots.
UPDATE_STEPS = 2
#: Of a large tensor's sketch: values of a block, and sums that are kept of it, a 32nd of the values
#: (`backends.recording.sketch`).
SKETCH_BLOCK, SKETCH_SUMS = 512, 16
#: Kinds of optimizers that keep moments and powers of beta; `adamw` decays the weights beside (see
#: `harness/workloads/spec.py`).
ADAMS = ("adam", "adamw")


def sketch_size(values: int, least: int) -> int:
    """Return how many numbers, float64, the sketch of a tensor has; 0 where the tensor is too small
    for one and is kept whole.

    Args:
        values: of the tensor. least: values that a tensor with a sketch has; 0: none has one.
    """
    return -(-values // SKETCH_BLOCK) * SKETCH_SUMS if least and values >= least else 0


def _row(
    master: str, contraction: str, loss_scale: float = 1.0, loss_scale_growth: int = 0
) -> Dict[str, Any]:
    return {
        "master": master,
        "contraction": contraction,
        "accumulate": master,
        "rest": master,
        "loss_scale": loss_scale,
        "loss_scale_growth": loss_scale_growth,
    }


#: What each precision means, for every port. `master`: dtype of the stored weights, optimizer slots
#: and running statistics. `contraction`: dtype of the operands and results of convolutions and
#: matrix products, and of the relu, pooling and reshaping between them; a kernel's gradient is the
#: result of one, however many products it is summed up from, so that it overflows at the same loss
#: scale everywhere. `accumulate`: what the kernel sums in. `rest`: dropout, normalisation, softmax,
#: loss and optimizer. `loss_scale`: the factor by which the loss is multiplied before
#: differentiation and the gradients divided after it; powers of two are exact. Where
#: `loss_scale_growth` is not 0 the scale is dynamic, one for each optimizer: an update whose
#: gradients are not all finite is skipped (nothing but the scale and the count of skipped updates
#: changes) and halves the scale; `loss_scale_growth` good updates in a row double it.
PRECISION_TABLE: Dict[str, Dict[str, Any]] = {
    "fp64": _row("float64", "float64"),
    "fp32": _row("float32", "float32"),
    # The operands of a contraction are rounded to 10 explicit mantissa bits by the tensor cores;
    # storage stays float32.
    "tf32": _row("float32", "float32"),
    "bf16": _row("float32", "bfloat16"),
    "fp16": _row("float32", "float16", 2.0**15, 2000),
}


class Unsupported(Exception):
    """This build cannot do what was asked, and says why.

    Ends a job in the status `unsupported`, never in a fallback.
    """


class BrokenPort(Exception):
    """A port breaks its promises so that it cannot run at all; says where and what is wanted."""


@dataclasses.dataclass(frozen=True)
class Setting:
    """How a port is to run.

    Attributes:
        device: one of `DEVICES`.
        precision: one of `PRECISIONS`; its meaning is `PRECISION_TABLE[precision]`.
        execution: one of `EXECUTIONS`.
        threads: size of the framework's intra-operation thread pool; inter-operation pools have one
            thread.
        deterministic: ask the framework for deterministic kernels.
    """

    device: str = "cpu"
    precision: str = "fp32"
    execution: str = "default"
    threads: int = 1
    deterministic: bool = False


class ForcedActivations:
    """What a teacher-forced pass has computed.

    Attributes:
        values: each activation, in order, as `forward` returns it.
        read: for each, the activations whose teacher's value it was computed from.
        own: for each, earlier activations whose computing in this port went into it, so that an
            error in one of them shows in it: where one of these departs, that this one departs says
            nothing.
        rooted: those that are known to be computed from data and weights alone, and from no other
            activation: their input is right.
    """

    __slots__ = ("own", "read", "rooted", "values")

    def __init__(
        self,
        values: Mapping[str, np.ndarray],
        read: Mapping[str, Sequence[str]],
        own: Mapping[str, Sequence[str]],
        rooted: Sequence[str] = (),
    ) -> None:
        self.values = dict(values)
        self.read = {name: list(names) for name, names in read.items()}
        self.own = {name: list(names) for name, names in own.items()}
        self.rooted = list(rooted)


class Port(Declarations, abc.ABC):
    """One workload on one backend.

    A port's file defines exactly one concrete subclass named `Port`. The worker builds it as
    `Port(config, setting)`. Arrays cross this interface as NumPy arrays in the workload's canonical
    names and layouts (kernels [in, out] or [height, width, in, out], images NHWC). bfloat16 values
    are handed over as float32.

    Required: `train`, `generate`, `parameters`, `load_parameters`. Each optional method unlocks a
    finer stage; a port that leaves it out is judged by what it has and the report says what was not
    looked at.

    Example:
        y = w x, trained on its mean squared error. Most ports extend the base class of their
        backend, which brings all of this but the model itself.

        >>> import numpy as np
        >>> from backends.source import TapeSource
        >>> class Scaling(Port):
        ...     def parameters(self):
        ...         return {"w": self.w}
        ...
        ...     def load_parameters(self, values):
        ...         self.w = np.array(values["w"], np.float64)
        ...
        ...     def generate(self, source, count):
        ...         return self.w * source.evaluation_rows(count)["x"]
        ...
        ...     def train(self, source, steps):
        ...         errors = []
        ...         for _ in range(steps):
        ...             rows = source.batch(source.cursor, "train").arrays
        ...             error = self.w * rows["x"] - rows["y"]
        ...             self.w = self.w - 0.25 * np.mean(2.0 * error * rows["x"], axis=0)
        ...             errors.append(float(np.mean(error**2)))
        ...             source.cursor += 1
        ...         return {"total": errors}
        >>> port = Scaling({"workload": "scaling"}, Setting(device="cpu", precision="fp64"))
        >>> port.load_parameters({"w": np.zeros(1)})
        >>> x = np.array([[1.0], [-1.0]])
        >>> tape = {"batches": np.array([[0, 1], [1, 0]])}
        >>> source = TapeSource({"x": x, "y": 3.0 * x, "eval_x": x}, tape, batch=2)
        >>> port.train(source, 2)
        {'total': [9.0, 2.25]}
        >>> port.generate(source, 3).tolist()
        [[2.25], [-2.25], [2.25]]
        >>> abilities(Scaling)
        []
    """

    def __init__(self, config: Mapping[str, Any], setting: Setting) -> None:
        """Build the model, its optimizers and its graph.

        Args:
            config: the workload's configuration, plain JSON: hyper-parameters, and what
                `harness/workloads/spec.py` declares: `parameters`, `phases`, `updates` (what each
                phase updates with which optimizer), `schedule`, `optimizers`, `noise`, `forward`.
            setting: how to run.

        Raises:
            Unsupported: the setting cannot be honoured by this framework on this machine.
        """
        self.config = config
        self.setting = setting
        #: dtype of each activation, output and loss as the framework itself named it, last time it
        #: was computed.
        self.observed_dtypes: Dict[str, str] = {}
        #: by phase, the loss scale of the last `gradients`: {"scale", "halved"}; empty where the
        #: precision has no dynamic one.
        self.loss_scales: Dict[str, Dict[str, float]] = {}
        #: whole steps that `train` has run since `load_parameters`, which sets it to 0; checkpoints
        #: hold it.
        self.steps_trained = 0
        #: updates that `train_step` has run on noise of its own since `load_parameters` or
        #: `restore`, which set it to 0.
        self.single_steps = 0
        #: after `restore`, by optimizer: where its step count comes from, if the checkpoint itself
        #: did not hold it.
        self.step_origin: Dict[str, str] = {}
        #: during `forward_from`, the record that answers with the teacher's values; else None.
        self.forced_record: Any = None

    def new_record(self) -> Any:
        """Return where a port keeps its activations by name: a dict that shows each as it was when
        it was set. What a port computes from what it reads back from there can be teacher-forced:
        in `forward_from` the record keeps the port's values and answers with the teacher's.
        """
        return Record() if self.forced_record is None else self.forced_record

    # -- required ----------------------------------------------------------------------------------

    @abc.abstractmethod
    def train(self, source: Source, steps: int) -> Dict[str, List[Any]]:
        """Run `steps` whole training steps and return when they are done.

        Step number `source.cursor` runs the phases of its segment of the schedule
        (`backends.schedule.phases_at`). In native mode an epoch goes through one permutation of the
        rows, and each segment begins with an epoch of its own (`backends.schedule.epoch_at`).

        Args:
            source: a `TapeSource` (lockstep: batches and noise are given) or a `NativeSource` (the
                framework draws them; a port that restores exactly draws them as a function of the
                source's seed, the step and the site alone).
            steps: how many; `source.cursor` is advanced by as many.

        Returns:
            Every loss term's value before each update, `steps` values a term, None at a step that
            did not run its phase (see `backends.schedule.columns`). Device work has finished on
            return.
        """

    @abc.abstractmethod
    def generate(self, source: Source, count: int) -> np.ndarray:
        """Return the model's product for `count` inputs, in inference mode: predictions, class
        probabilities, samples.

        Args:
            source: where inputs (and, for a generative model, noise) come from:
                `source.generation(count)`.
            count: number of rows; rows are taken from the evaluation inputs in order, starting
                again at their end.

        Returns:
            Array [count, ...] (a workload may ask for whole batches only). Device work has finished
            on return.
        """

    @abc.abstractmethod
    def parameters(self) -> Dict[str, np.ndarray]:
        """Return all weights and running statistics by canonical name.

        In canonical layout, and in their stored dtype.
        """

    @abc.abstractmethod
    def load_parameters(self, values: Mapping[str, np.ndarray]) -> None:
        """Set all weights and running statistics, and reset the optimizers to their initial state.

        Args:
            values: exactly the names, shapes and layouts of `parameters`; float64, rounded to the
                stored dtype here.

        Raises:
            KeyError: a name is missing or unknown.
            ShapeMismatch: a shape differs. Nothing has changed then.
        """

    # -- optional: each unlocks a finer stage ------------------------------------------------------
    # None of these but `train_step` changes the port's state.

    def forward(self, batch: Batch, training: bool) -> Dict[str, np.ndarray]:
        """Return inner activations and outputs by name, in the order of their computation.

        Args:
            batch: its first axis is the batch; `batch.noise` is None in inference mode.
            training: whether dropout drops and statistics are those of the batch; running ones are
                left as they are.

        Returns:
            Arrays in the dtype in which they were computed, bfloat16 as float32; outputs last. Kept
            in a `new_record()`, each is shown as it was when it was set.
        """
        raise NotImplementedError

    def forward_from(
        self, batch: Batch, training: bool, teacher: Mapping[str, np.ndarray]
    ) -> ForcedActivations:
        """Return the activations of `forward`, each computed from the teacher's values of those
        before it where that can be had.

        Which of the teacher's values each was computed from, and which activations of the port's
        own went into it, is found out and handed over with them, never assumed: a port that goes on
        with its own values is not teacher-forced, and that shows.

        Args:
            batch, training: as for `forward`.
            teacher: activations by name, as `forward` of a port of the same workload returns them.
                Names that this port does not have, and values of another shape, are not used.

        Raises:
            Unsupported: no activation can be teacher-forced in this setting.
        """
        raise NotImplementedError

    def losses(self, phase: str, batch: Batch) -> Dict[str, float]:
        """Return the loss terms of a phase; the last, `total`, is what is differentiated.

        Args:
            phase: one of `config["phases"]`.
            batch: rows, and the noise of that phase; where it is None, the port draws it as
                `train_step` would.

        Returns:
            Finite or not, as they are; unscaled.
        """
        raise NotImplementedError

    def gradients(self, phase: str, batch: Batch) -> Dict[str, np.ndarray]:
        """Return the gradient of the phase's `total` for each trainable parameter that the phase
        updates (unscaled).

        Where the loss scale is dynamic: at the scale to which training would come down. It starts
        at the present scale of the phase's optimizer and is halved, no further than 1, while the
        phase's gradients are not all finite; those at 1 are returned as they are.
        `loss_scales[phase]` says which scale it was. The optimizer's own does not change
        (`backends.loss_scale.settle` does all that).

        Args:
            phase: one of `config["phases"]`.
            batch: as for `losses`.

        Returns:
            By the parameter's canonical name, in its canonical shape.
        """
        raise NotImplementedError

    def train_step(self, phase: str, batch: Batch) -> Dict[str, float]:
        """Run one update of one phase on the given batch and noise; return the loss terms before
        the update.

        Where `batch.noise` is None the port draws it, for `forward` in training mode, `losses` and
        `gradients` too: as a function of the phase and of `single_steps` alone, so that what is
        looked at is what the next such update runs on. Only such an update moves the count on;
        `train` and updates on given noise do not. Checkpoints do not hold it: single updates are no
        part of a training.

        Args:
            phase: one of `config["phases"]`; what it updates, and by which optimizer, is in
                `config["updates"]`.
            batch: as for `losses`.
        """
        raise NotImplementedError

    def optimizer_state(self) -> Dict[str, np.ndarray]:
        """Return the state of every optimizer of `config["optimizers"]`.

        Slots `<optimizer>/<parameter>/m` and `/v`, the count of updates `<optimizer>/step`, and
        where the loss scale is dynamic `<optimizer>/loss_scale`, `<optimizer>/good` (good updates
        since it last changed) and `<optimizer>/skipped`.
        """
        raise NotImplementedError

    def load_optimizer_state(self, values: Mapping[str, np.ndarray]) -> None:
        """Set what `optimizer_state` returns: slots, step counts and, where it is dynamic, the loss
        scale.

        Powers of beta follow from the step count. `load_parameters` resets all of it, so it comes
        first.

        Raises:
            KeyError: a name is missing or unknown. ValueError: a shape differs.
        """
        raise NotImplementedError

    def save(self, folder: str) -> None:
        """Write a checkpoint in the framework's own format: weights, optimizer slots, step counts,
        and how many steps `train` has run since the parameters were loaded.

        Args:
            folder: made if need be; it keeps the last three checkpoints.
        """
        raise NotImplementedError

    def restore(self, folder: str) -> int:
        """Read the newest checkpoint in a folder, and continue as if nothing had stopped.

        Returns:
            The number of training steps it has seen: where the source's cursor has to stand.

        Raises:
            FileNotFoundError: there is no checkpoint. ValueError: it is another model's, or
                damaged.
        """
        raise NotImplementedError

    # -- what the framework really does ------------------------------------------------------------

    def effective(self) -> Dict[str, Any]:
        """Read back the effective settings, from the framework and not from `setting`.

        Returns:
            `execution`, `threads`, `inter_threads`, `device`, `tf32`, `xla`, `deterministic`,
            `dtype_policy` and whatever else the backend can tell. The worker adds the dtypes that
            it observes in a step. What a port does not tell is "unknown" in a comparison.
        """
        return {}


OPTIONAL = (
    "forward",
    "forward_from",
    "losses",
    "gradients",
    "train_step",
    "optimizer_state",
    "load_optimizer_state",
    "save",
    "restore",
)


def abilities(port: type) -> List[str]:
    """Return the optional methods that a port class implements."""
    return [name for name in OPTIONAL if getattr(port, name) is not getattr(Port, name)]
