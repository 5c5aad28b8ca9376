"""Hold a port against what `contract.Port` promises, on a first short run, in words that name file,
line, method and what is wanted.

Two kinds of findings. What makes a port unusable raises `BrokenPort`. What can still be judged (a
parameter of another shape, a loss without `total`) is a remark: the judge has the last word, and
the remark says where its verdict comes from.
"""

from __future__ import annotations

import inspect
from typing import Any, Callable, Dict, List, Mapping, NoReturn, Tuple

import numpy as np

from backends import schedule
from backends.contract import BrokenPort, Port, Status
from backends.diagnosis import user_modules
from backends.diagnosis.statuses import classify
from backends.diagnosis.wants import WANTS

BASE = (
    "backends.contract.Port, or a backend's base class of it such as backends.torch.core.TorchPort"
)


def check_class(port: Any, path: str) -> None:
    """Raise unless a file's `Port` is a class that can be built.

    Args:
        port: what the file calls `Port`; None where it has none. path: the file, for messages.

    Raises:
        BrokenPort: it is missing, no class, not derived from the contract's, or lacks a required
            method.
    """
    if port is None or port is Port:
        raise BrokenPort(
            f"{path} defines no class `Port`; it has to define `class Port(...)`,"
            f" derived from {BASE}"
        )
    if not (isinstance(port, type) and issubclass(port, Port)):
        raise BrokenPort(f"{path}: `Port` is {port!r}; it has to be a class derived from {BASE}")
    missing = sorted(getattr(port, "__abstractmethods__", ()))
    if missing:
        names, wanted = ", ".join(missing), "; ".join(WANTS.get(name, name) for name in missing)
        raise BrokenPort(
            f"{_class_place(port, path)}: class Port lacks the required {names}: {wanted}"
        )


def check_built(port: Any, path: str) -> None:
    """Raise unless the port's constructor has called the one that it inherits.

    Args:
        port: as it was built. path: its file, for messages.

    Raises:
        BrokenPort: it has not.
    """
    attributes = ("config", "setting", "observed_dtypes", "loss_scales", "steps_trained")
    missing = [name for name in attributes if not hasattr(port, name)]
    if missing:
        raise BrokenPort(
            f"{place(type(port), '__init__', path)} does not call"
            f" `super().__init__(config, setting)`, so that the port lacks {', '.join(missing)}"
        )


def place(port: type, method: str, path: str) -> str:
    """Return where a method is written, e.g. "/mine/torch/digits.py, line 16, `train`"; of an
    inherited one, in which file the port is.
    """
    function = inspect.unwrap(getattr(port, method))
    code = getattr(function, "__code__", None)
    if code is not None and user_modules.is_users(code.co_filename):
        return f"{code.co_filename}, line {code.co_firstlineno}, `{method}`"
    return f"{path}, `{method}`"


def _class_place(port: type, path: str) -> str:
    try:
        return f"{path}, line {inspect.getsourcelines(port)[1]}"
    except (OSError, TypeError):  # no source at hand
        return path


class Trial:
    """Calls a port's methods as the harness does and looks at what comes back.

    Args:
        port: built, with its parameters loaded. config: the workload's. path: of the port's file.

    Attributes:
        remarks: what departs from the contract and can be judged all the same.
    """

    def __init__(self, port: Any, config: Mapping[str, Any], path: str) -> None:
        self.port, self.config, self.path = port, config, path
        self.remarks: List[str] = []
        self._done = 0
        self._raised: List[BaseException] = []

    def attempt(self, method: str, call: Callable[[], Any]) -> Any:
        """Return what a call gives, or None where the port's own code raises in it: that costs the
        stages that need the method, and no others.
        """
        try:
            result = call()
        except Exception as error:
            status, reason = classify(error)
            if status != Status.ERROR or isinstance(error, BrokenPort):
                raise
            self._raised.append(error)
            self._remark(method, f"raised {reason}")
            return None
        self._done += 1
        return result

    def end(self) -> None:
        """End the trial.

        Raises:
            Exception: what the first attempt has raised, if every one has.
        """
        if self._raised and not self._done:
            raise self._raised[0]

    def parameters(self) -> Dict[str, Any]:
        """Return what the port's `parameters` does."""
        values = self._named("parameters", self.port.parameters())
        shapes = {item["name"]: tuple(item["shape"]) for item in self.config["parameters"]}
        self._shapes("parameters", values, shapes)
        return values

    def train(self, source: Any) -> Dict[str, List[Any]]:
        """Train one step."""
        before = source.cursor
        phases = schedule.phases_at(self.config, before)
        columns = self.port.train(source, 1)
        if not isinstance(columns, dict):
            self._broken("train", f"returned {_kind(columns)}")
        for name, values in columns.items():
            if not isinstance(values, (list, tuple, np.ndarray)) or len(values) != 1:
                kind = _kind(values)
                if hasattr(values, "__len__"):
                    kind = f"{kind} of {len(values)}"
                self._broken("train", f"gave {kind} for the loss {name} after 1 step")
            if values[0] is not None:
                self._number("train", name, values[0])
        totals = ["total"]
        if len(self.config["phases"]) != 1:
            totals = [f"{phase}/total" for phase in phases]
        self._total("train", columns, totals)
        if source.cursor != before + 1:
            self._remark(
                "train",
                "left source.cursor at %d after 1 step that began at %d" % (source.cursor, before),
            )
        spoilt = sorted(
            name
            for name, value in self.port.parameters().items()
            if not np.all(np.isfinite(np.asarray(value, np.float64)))
        )
        if spoilt:
            self._remark("train", f"left NaN or infinity in {', '.join(spoilt)} after 1 step")
        return columns

    def generate(self, source: Any, count: int) -> Any:
        """Generate some rows; return them as the port does."""
        product = self.port.generate(source, count)
        if not hasattr(product, "dtype"):  # a list of numbers has none that could be told
            self._broken("generate", f"returned {_kind(product)}")
        shape = self._array("generate", "its product", product).shape
        if shape[:1] != (count,):
            self._broken("generate", f"returned an array of shape {shape} for count = {count}")
        return product

    def forward(self, batch: Any, training: bool) -> Dict[str, Any]:
        """Look at the activations."""
        return self._named("forward", self.port.forward(batch, training))

    def losses(self, phase: str, batch: Any) -> Dict[str, Any]:
        """Look at the loss terms."""
        return self._terms("losses", self.port.losses(phase, batch))

    def gradients(self, phase: str, batch: Any) -> Dict[str, Any]:
        """Look at the gradients of a phase."""
        values = self._named("gradients", self.port.gradients(phase, batch))
        updated = {
            name
            for update in self.config["updates"]
            if update["phase"] == phase
            for name in update["parameters"]
        }
        shapes = {
            item["name"]: tuple(item["shape"])
            for item in self.config["parameters"]
            if item["trainable"] and item["name"] in updated
        }
        self._shapes("gradients", values, shapes)
        return values

    def train_step(self, phase: str, batch: Any) -> Dict[str, Any]:
        """Run one update."""
        return self._terms("train_step", self.port.train_step(phase, batch))

    def _terms(self, method: str, terms: Any) -> Dict[str, Any]:
        if not isinstance(terms, dict):
            self._broken(method, f"returned {_kind(terms)}")
        for name, value in terms.items():
            self._number(method, name, value)
        self._total(method, terms, ["total"])
        return terms

    def _named(self, method: str, values: Any) -> Dict[str, Any]:
        if not isinstance(values, dict):
            self._broken(method, f"returned {_kind(values)}")
        for name, value in values.items():
            self._array(method, name, value)
        return values

    def _array(self, method: str, name: str, value: Any) -> np.ndarray:
        try:
            array = np.asarray(value)
        # RuntimeError: torch, of a tensor that requires a gradient.
        except (TypeError, ValueError, RuntimeError) as error:
            self._broken(
                method,
                f"gave {name} as {_kind(value)}, of which NumPy makes no array ({error})",
            )
        if array.dtype.kind not in "fiubc" and array.dtype.name != "bfloat16":
            self._broken(
                method,
                f"gave {name} as {_kind(value)}, of which NumPy makes an array of {array.dtype}",
            )
        return array

    def _number(self, method: str, name: str, value: Any) -> None:
        try:
            number = float(value)
        except (TypeError, ValueError, RuntimeError):
            self._broken(method, f"gave {_kind(value)} for the loss {name}, which is no number")
        if not np.isfinite(number):
            self._remark(method, f"gave the loss {name} = {number} at the first step")

    def _total(self, method: str, terms: Mapping[str, Any], wanted: List[str]) -> None:
        missing = ", ".join(name for name in wanted if name not in terms)
        if missing:
            names = ", ".join(sorted(terms)) or "none"
            self._remark(method, f"gave the loss terms {names} and no {missing}")

    def _shapes(
        self, method: str, values: Mapping[str, Any], shapes: Mapping[str, Tuple[int, ...]]
    ) -> None:
        missing, unknown = sorted(set(shapes) - set(values)), sorted(set(values) - set(shapes))
        if missing:
            self._remark(method, "lacks " + ", ".join(missing))
        if unknown and method == "parameters":
            undeclared = ", ".join(unknown)
            self._remark(method, f"gave {undeclared}, which the workload does not declare")
        for name in sorted(set(shapes) & set(values)):
            own = np.shape(values[name])
            if own != shapes[name]:
                self._remark(method, f"gave {name} in the shape {own}, declared is {shapes[name]}")

    def _remark(self, method: str, what: str) -> None:
        remark = (
            f"{place(type(self.port), method, self.path)} {what}. The contract: {WANTS[method]}"
        )
        if remark not in self.remarks:  # a method may be called on more ways than one
            self.remarks.append(remark)

    def _broken(self, method: str, what: str) -> NoReturn:
        raise BrokenPort(
            f"{place(type(self.port), method, self.path)} {what}. The contract: {WANTS[method]}"
        )


def _kind(value: Any) -> str:
    """Return what something is, in words."""
    return "nothing" if value is None else f"a {type(value).__name__}"
