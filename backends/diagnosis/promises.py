"""Hold a port against what `contract.Port` promises, on a first short run, in words that name file,
line, method and what is wanted.

Two kinds of findings. What makes a port unusable raises `BrokenPort`. What can still be judged (a
parameter of another shape, a loss without `total`) is a remark: the judge has the last word, and
the remark says where its verdict comes from.
"""

from __future__ import annotations

import inspect
from typing import Any, Callable, Dict, List, Mapping, Tuple

import numpy as np

from backends import schedule
from backends.contract import BrokenPort, Port
from backends.diagnosis import user_modules
from backends.diagnosis.statuses import classify
from backends.diagnosis.wants import WANTS

BASE = (
    "backends.contract.Port, or a backend's base class of it such as backends.torch.core.TorchPort"
)


def check_class(port: Any, path: str) -> None:
    """Raise unless a file's `Port` is a class that can be built.

    Raises:
        BrokenPort: it is missing, no class, not derived from the contract's, or lacks a required
            method.
    """
    if port is None or port is Port:
        raise BrokenPort(
            "%s defines no class `Port`; it has to define `class Port(...)`, derived from %s"
            % (path, BASE)
        )
    if not (isinstance(port, type) and issubclass(port, Port)):
        raise BrokenPort(
            "%s: `Port` is %r; it has to be a class derived from %s" % (path, port, BASE)
        )
    missing = sorted(getattr(port, "__abstractmethods__", ()))
    if missing:
        wanted = "; ".join(WANTS.get(name, name) for name in missing)
        raise BrokenPort(
            "%s: class Port lacks the required %s: %s"
            % (_class_place(port, path), ", ".join(missing), wanted)
        )


def check_built(port: Any, path: str) -> None:
    """Raise unless the port's constructor has called the one that it inherits.

    Raises:
        BrokenPort: it has not.
    """
    lacking = [
        name
        for name in ("config", "setting", "observed_dtypes", "loss_scales", "steps_trained")
        if not hasattr(port, name)
    ]
    if lacking:
        raise BrokenPort(
            "%s does not call `super().__init__(config, setting)`, so that the port lacks %s"
            % (place(type(port), "__init__", path), ", ".join(lacking))
        )


def place(port: type, method: str, path: str) -> str:
    """Return where a method is written, e.g. "/mine/torch/digits.py, line 16, `train`"; of an
    inherited one, in which file the port is."""
    function = inspect.unwrap(getattr(port, method))
    code = getattr(function, "__code__", None)
    if code is not None and user_modules.is_users(code.co_filename):
        return "%s, line %d, `%s`" % (code.co_filename, code.co_firstlineno, method)
    return "%s, `%s`" % (path, method)


def _class_place(port: type, path: str) -> str:
    try:
        return "%s, line %d" % (path, inspect.getsourcelines(port)[1])
    except (OSError, TypeError):  # no source at hand
        return path


class Trial(object):
    """Calls a port's methods as the harness does and looks at what comes back.

    Args:
        port: built, with its parameters loaded. config: the workload's. path: of the port's file.

    Attributes:
        remarks: what departs from the contract and can be judged all the same.
    """

    def __init__(self, port: Any, config: Mapping[str, Any], path: str) -> None:
        self.port, self.config, self.path = port, config, path
        self.remarks = []  # type: List[str]
        self._done, self._raised = 0, []  # type: int, List[BaseException]

    def attempt(self, method: str, call: Callable[[], Any]) -> Any:
        """Return what a call gives, or None where the port's own code raises in it: that costs the
        stages that need the method, and no others."""
        try:
            found = call()
        except Exception as error:
            told = classify(error)
            if told[0] != "error" or isinstance(error, BrokenPort):
                raise
            self._raised.append(error)
            self._remark(method, "raised %s" % told[1])
            return None
        self._done += 1
        return found

    def end(self) -> None:
        """Raise what the first attempt has raised if every one has."""
        if self._raised and not self._done:
            raise self._raised[0]

    def parameters(self) -> Dict[str, Any]:
        """Return what the port's `parameters` does."""
        found = self._named("parameters", self.port.parameters())
        shapes = {item["name"]: tuple(item["shape"]) for item in self.config["parameters"]}
        self._shapes("parameters", found, shapes)
        return found

    def train(self, source: Any) -> Dict[str, List[Any]]:
        """Train one step."""
        before = source.cursor
        phases = schedule.phases_at(self.config, before)
        columns = self.port.train(source, 1)
        if not isinstance(columns, dict):
            self._broken("train", "returned %s" % _kind(columns))
        for name, values in columns.items():
            if not isinstance(values, (list, tuple, np.ndarray)) or len(values) != 1:
                told = (
                    "%s of %d" % (_kind(values), len(values))
                    if hasattr(values, "__len__")
                    else _kind(values)
                )
                self._broken("train", "gave %s for the loss %s after 1 step" % (told, name))
            if values[0] is not None:
                self._number("train", name, values[0])
        totals = (
            ["total"]
            if len(self.config["phases"]) == 1
            else ["%s/total" % phase for phase in phases]
        )
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
            self._remark("train", "left NaN or infinity in %s after 1 step" % ", ".join(spoilt))
        return columns

    def generate(self, source: Any, count: int) -> np.ndarray:
        """Generate some rows."""
        found = self.port.generate(source, count)
        array = self._array("generate", "its product", found)
        if array.shape[:1] != (count,):
            self._broken(
                "generate", "returned an array of shape %s for count = %d" % (array.shape, count)
            )
        return found

    def forward(self, batch: Any, training: bool) -> Dict[str, Any]:
        """Look at the activations."""
        return self._named("forward", self.port.forward(batch, training))

    def losses(self, phase: str, batch: Any) -> Dict[str, Any]:
        """Look at the loss terms."""
        return self._terms("losses", self.port.losses(phase, batch))

    def gradients(self, phase: str, batch: Any) -> Dict[str, Any]:
        """Look at the gradients of a phase."""
        found = self._named("gradients", self.port.gradients(phase, batch))
        shapes = {
            item["name"]: tuple(item["shape"])
            for item in self.config["parameters"]
            if item["trainable"]
        }
        own = {
            name
            for update in self.config["updates"]
            if update["phase"] == phase
            for name in update["parameters"]
        }
        self._shapes(
            "gradients", found, {name: shape for name, shape in shapes.items() if name in own}
        )
        return found

    def train_step(self, phase: str, batch: Any) -> Dict[str, Any]:
        """Run one update."""
        return self._terms("train_step", self.port.train_step(phase, batch))

    def _terms(self, method: str, terms: Any) -> Dict[str, Any]:
        if not isinstance(terms, dict):
            self._broken(method, "returned %s" % _kind(terms))
        for name, value in terms.items():
            self._number(method, name, value)
        self._total(method, terms, ["total"])
        return terms

    def _named(self, method: str, found: Any) -> Dict[str, Any]:
        if not isinstance(found, dict):
            self._broken(method, "returned %s" % _kind(found))
        for name, value in found.items():
            self._array(method, name, value)
        return found

    def _array(self, method: str, name: str, value: Any) -> np.ndarray:
        try:
            array = np.asarray(value)
        except (
            TypeError,
            ValueError,
            RuntimeError,
        ) as error:  # RuntimeError: torch, of a tensor that requires a gradient
            self._broken(
                method,
                "gave %s as %s, of which NumPy makes no array (%s)" % (name, _kind(value), error),
            )
        if array.dtype.kind not in "fiubc" and array.dtype.name != "bfloat16":
            self._broken(
                method,
                "gave %s as %s, of which NumPy makes an array of %s"
                % (name, _kind(value), array.dtype),
            )
        return array

    def _number(self, method: str, name: str, value: Any) -> None:
        try:
            number = float(value)
        except (TypeError, ValueError, RuntimeError):
            self._broken(
                method, "gave %s for the loss %s, which is no number" % (_kind(value), name)
            )
        if not np.isfinite(number):
            self._remark(method, "gave the loss %s = %s at the first step" % (name, number))

    def _total(self, method: str, terms: Mapping[str, Any], wanted: List[str]) -> None:
        lacking = [name for name in wanted if name not in terms]
        if lacking:
            self._remark(
                method,
                "gave the loss terms %s and no %s"
                % (", ".join(sorted(terms)) or "none", ", ".join(lacking)),
            )

    def _shapes(
        self, method: str, found: Mapping[str, Any], shapes: Mapping[str, Tuple[int, ...]]
    ) -> None:
        missing, unknown = sorted(set(shapes) - set(found)), sorted(set(found) - set(shapes))
        if missing:
            self._remark(method, "lacks %s" % ", ".join(missing))
        if unknown and method == "parameters":
            self._remark(
                method, "gave %s, which the workload does not declare" % ", ".join(unknown)
            )
        for name in sorted(set(shapes) & set(found)):
            if np.shape(found[name]) != shapes[name]:
                self._remark(
                    method,
                    "gave %s in the shape %s, declared is %s"
                    % (name, np.shape(found[name]), shapes[name]),
                )

    def _remark(self, method: str, what: str) -> None:
        self.remarks.append(
            "%s %s. The contract: %s"
            % (place(type(self.port), method, self.path), what, WANTS[method])
        )

    def _broken(self, method: str, what: str) -> None:
        raise BrokenPort(
            "%s %s. The contract: %s"
            % (place(type(self.port), method, self.path), what, WANTS[method])
        )


def _kind(value: Any) -> str:
    """Return what something is, in words."""
    return "nothing" if value is None else "a %s" % type(value).__name__
