"""What the `numpy` backend can do, and the part of a port that is not the model.

A second opinion that no framework has a hand in: plain NumPy, gradients by hand, float64 and
float32.
"""

from __future__ import annotations

import functools
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Union

import numpy as np

from backends import schedule
from backends.contract import PRECISION_TABLE, ForcedActivations, Port, Setting, Unsupported
from backends.numpy import teacher_forcing
from backends.parameters import check
from backends.recording.undeclared_state import CONTRACT, Memory, Place, Undeclared
from backends.source import Batch

PRECISIONS = ("fp64", "fp32")
#: What `NumpyPort` sets.
OWN = CONTRACT | frozenset(["dtype", "weights", "updates", "undeclared", "_training"])
DEVICES = ("cpu",)
EXECUTIONS = ("default", "eager")


def framework_versions() -> Dict[str, str]:
    """Return the versions that decide what this backend computes."""
    return {"numpy": np.__version__}


def synchronize(device: str) -> None:
    """Return at once: NumPy's work is done when a call returns."""


def _blas_threads() -> Union[int, str]:
    """Return the size of the BLAS library's thread pool. NumPy can neither set nor read it;
    threadpoolctl can, where it is."""
    try:
        import threadpoolctl
    except ImportError:
        return "unknown"
    sizes = {
        pool["num_threads"]
        for pool in threadpoolctl.threadpool_info()
        if pool["user_api"] == "blas"
    }
    return sizes.pop() if len(sizes) == 1 else "unknown"


class NumpyPort(Port):
    """Base of the NumPy ports: weights in a dict; `forward` on a `new_record()`, `losses` and
    `gradients` written by the port."""

    def __init__(self, config: Mapping[str, Any], setting: Setting) -> None:
        if setting.precision not in PRECISIONS:
            precisions = " and ".join(PRECISIONS)
            raise Unsupported(f"numpy computes in {precisions}, not in {setting.precision}")
        if setting.device not in DEVICES:
            raise Unsupported("numpy runs on the CPU only")
        if setting.execution not in EXECUTIONS:
            raise Unsupported(f"numpy has no {setting.execution} execution")
        kinds = sorted(item["kind"] for item in config["optimizers"].values())
        if kinds != ["sgd"] or len(config["phases"]) != 1:
            raise Unsupported(
                f"the numpy backend has one phase with SGD only, not {', '.join(kinds)}"
            )
        Port.__init__(self, config, setting)
        self.dtype = np.dtype(PRECISION_TABLE[setting.precision]["master"])
        self.weights = {
            item["name"]: np.zeros(item["shape"], self.dtype) for item in config["parameters"]
        }
        self.updates = 0
        self.undeclared = Undeclared(self._places, Memory())
        self._training = False
        # The port's own methods, whatever they move.
        for name in ("forward", "losses", "gradients", "generate", "train_step", "train"):
            setattr(self, name, self._tended(name, getattr(self, name)))

    def _places(self) -> Iterator[Place]:
        for item in self.config["parameters"]:
            # A weight that a look moves is the port's fault, and is told by whoever looked.
            if not item["trainable"]:
                yield Place("declared " + item["name"], self.weights, item["name"], False)
        for name in vars(self):
            if name not in OWN:
                yield Place("port." + name, vars(self), name, True)

    def _tended(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        """Return a method of the port that leaves its state alone, but in training."""

        @functools.wraps(method)
        def run(*args: Any, **kwargs: Any) -> Any:
            if self._training:
                return method(*args, **kwargs)
            if name == "generate":
                source = args[0] if args else kwargs["source"]
                with self.undeclared.generating(source.lockstep):
                    return method(*args, **kwargs)
            if not name.startswith("train"):
                with self.undeclared.undisturbed():
                    return method(*args, **kwargs)
            self._training = True
            try:
                return method(*args, **kwargs)
            finally:
                self._training = False

        return run

    def trainable_values(self) -> Optional[int]:
        return sum(
            self.weights[item["name"]].size
            for item in self.config["parameters"]
            if item["trainable"]
        )

    def parameters(self) -> Dict[str, np.ndarray]:
        return {name: value.copy() for name, value in self.weights.items()}

    def load_parameters(self, values: Mapping[str, np.ndarray]) -> None:
        check(values, self.config, self.parameter_shapes())
        self.undeclared.reset()
        self.weights = {name: np.array(values[name], self.dtype) for name in self.weights}
        self.updates = self.steps_trained = 0

    def forward_from(
        self, batch: Batch, training: bool, teacher: Mapping[str, np.ndarray]
    ) -> ForcedActivations:
        return teacher_forcing.teacher_forced(self, batch, training, teacher)

    def train_step(self, phase: str, batch: Any) -> Dict[str, float]:
        terms = self.losses(phase, batch)
        rate = self.dtype.type(self.config["optimizers"]["sgd"]["learning_rate"])
        for name, gradient in self.gradients(phase, batch).items():
            self.weights[name] -= rate * gradient
        self.updates += 1
        return terms

    def optimizer_state(self) -> Dict[str, np.ndarray]:
        return {"sgd/step": np.array(self.updates)}

    def load_optimizer_state(self, values: Mapping[str, np.ndarray]) -> None:
        if set(values) != {"sgd/step"}:
            workload, names = self.config["workload"], ", ".join(sorted(values)) or "nothing"
            raise KeyError(f"optimizer state of {workload}: expected sgd/step, got {names}")
        self.updates = int(values["sgd/step"])

    def train(self, source: Any, steps: int) -> Dict[str, List[float]]:
        terms: Dict[str, List[float]] = {}
        for _ in range(steps):
            for name, value in self.train_step("train", self._next_batch(source)).items():
                terms.setdefault(name, []).append(value)
            self.steps_trained += 1
        return terms

    def _next_batch(self, source: Any) -> Any:
        source.cursor += 1
        if source.lockstep:
            return source.batch(source.cursor - 1, "train")
        rows = source.shuffled(*schedule.epoch_at(self.config, source.cursor - 1, source.batches()))
        return Batch({name: array[rows] for name, array in source.training_rows().items()}, None)

    def effective(self) -> Dict[str, Any]:
        return {
            "execution": "eager",
            "threads": _blas_threads(),
            "inter_threads": 1,
            "device": "cpu",
            "tf32": False,
            "xla": False,
            "deterministic": "unknown",  # the BLAS library does not tell
            "dtype_policy": self.dtype.name,
        }
