"""How a TF2 port trains: its variables and optimizers, and the traced functions that draw,
differentiate and update.

What is traced once: the losses and gradients of each kind of phase (looking at a port and updating
it share them), and what each optimizer does with gradients. What differs between phases that share
a trace, the streams of their noise and the loss scale, are arguments.

A workload of one phase gets its whole step as one function, for a call costs 0.1 ms. With several
phases the functions are called one after another: inside a larger function TensorFlow would
optimise the same graph again, a second for each phase.
"""

from __future__ import annotations

import contextlib
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

import tensorflow as tf

from backends.contract import PRECISION_TABLE
from backends.tf2 import optimizers, releases

Tensors = Dict[str, Any]


class Trainer:
    """The trainable side of a port.

    Args:
        port: a `Tf2Port`, of which the declarations are used.
        named: the variable of every parameter by canonical name, as Keras knows it.
    """

    def __init__(self, port: Any, named: Mapping[str, Any]) -> None:
        self.port, self.config = port, port.config
        # Keras 3's optimizers want its wrappers; everything else works on the tf.Variable inside.
        self.weights = {
            item["name"]: optimizers.inner(named[item["name"]])
            for item in self.config["parameters"]
        }
        self.updates = {update["phase"]: update for update in self.config["updates"]}
        table = PRECISION_TABLE[port.setting.precision]
        self.scaled = table["loss_scale_growth"] > 0
        self.optimizers: Dict[str, optimizers.Optimizer] = {}
        for name, options in self.config["optimizers"].items():
            updates = [item for item in self.config["updates"] if item["optimizer"] == name]
            owned = {key for update in updates for key in update["parameters"]}
            variables = {key: named[key] for key in self.weights if key in owned}
            optimizer = optimizers.build(options, variables)
            if self.scaled:
                optimizer = optimizers.Scaled(
                    optimizer, table["loss_scale"], table["loss_scale_growth"]
                )
            self.optimizers[name] = optimizer
        self.own = port.defines("update")
        self.term_names: Dict[str, List[str]] = {}
        self._functions: Dict[Any, Callable[..., Any]] = {}

    # -- tracing -----------------------------------------------------------------------------------

    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function as the port's execution asks. Nothing is traced before the first
        call."""
        if self.port.setting.execution == "eager":
            return function
        return Traced(function, self.port.setting.execution == "compiled", self.port.AUTOGRAPH)

    def _once(self, key: Any, function: Callable[..., Any]) -> Callable[..., Any]:
        if key not in self._functions:
            self._functions[key] = self.compiled(function)
        return self._functions[key]

    def _key(self, phase: str) -> Tuple[Any, ...]:
        return self.port.kind(phase), tuple(self.updates[phase]["parameters"])

    def undisturbed(self) -> Any:
        """Put everything that a forward pass moves back afterwards: Keras moves its statistics in
        every training call."""
        return self.port.undeclared.undisturbed()

    # -- losses and gradients ----------------------------------------------------------------------

    def _differentiation(self, phase: str) -> Callable[..., Any]:
        """Return the function (arrays, noise, loss scale or None) -> (loss terms in one vector,
        gradients by name), unscaled."""
        trained = {name: self.weights[name] for name in self.updates[phase]["parameters"]}

        def run(arrays: Tensors, noise: Tensors, scale: Any) -> Tuple[Any, Tensors]:
            # Only what the phase updates is watched: through anything else nothing is
            # differentiated for its own sake.
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(list(trained.values()))
                terms = self.port.loss_terms(phase, arrays, noise)
                total = terms["total"]
                if scale is not None:
                    total *= tf.cast(scale, total.dtype)
            self.port.observed_dtypes["loss"] = terms["total"].dtype.name
            self.term_names[self.port.kind(phase)] = list(terms)
            gradients = {
                name: value
                for name, value in tape.gradient(total, trained).items()
                if value is not None
            }
            if scale is not None:
                gradients = {
                    name: tf.convert_to_tensor(value) / tf.cast(scale, value.dtype)
                    for name, value in gradients.items()
                }
            return tf.stack(list(terms.values())), gradients

        return self._once(("differentiate", self._key(phase)), run)

    def _scale(self, phase: str) -> Any:
        if not self.scaled:
            return None
        return self.optimizers[self.updates[phase]["optimizer"]].loss_scale.read_value()

    def loss_scale(self, phase: str) -> Optional[float]:
        """Return the present loss scale of a phase's optimizer, None where the precision has no
        dynamic one."""
        return float(self._scale(phase).numpy()) if self.scaled else None

    def differentiate(
        self, phase: str, arrays: Tensors, noise: Tensors, scale: Optional[float] = None
    ) -> Tuple[Any, Tensors]:
        """Return the loss terms of a phase in one vector, and the gradients by parameter.

        `scale` stands for the optimizer's own loss scale.
        """
        factor = self._scale(phase) if scale is None else tf.constant(scale, tf.float32)
        loss, gradients = self._differentiation(phase)(arrays, noise, factor)
        names = [name for name in self.updates[phase]["parameters"] if name in gradients]
        return loss, {name: gradients[name] for name in names}

    def terms(self, phase: str, values: Sequence[float]) -> Dict[str, float]:
        """Return the loss terms of a phase by name."""
        names = self.term_names[self.port.kind(phase)]
        return {name: float(value) for name, value in zip(names, values)}

    # -- updates -----------------------------------------------------------------------------------

    def _whole(self, key: Any, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function of several others, traced as one where there is one phase."""
        return self._once(key, function) if len(self.updates) == 1 else function

    def _apply(self, phase: str, gradients: Tensors) -> None:
        name = self.updates[phase]["optimizer"]
        apply = self._once(("apply", name, tuple(gradients)), self.optimizers[name].apply)
        apply(gradients)

    def update(self, phase: str, arrays: Tensors, noise: Tensors) -> Any:
        """Run one update and return the loss terms before it. A port's own is not traced: it knows
        how it runs."""
        if self.own:
            terms = self.port.update(phase, arrays, noise)
            self.term_names[self.port.kind(phase)] = list(terms)
            return tf.stack([tf.cast(value, self.port.dtype) for value in terms.values()])
        return self.specified(phase, arrays, noise)

    def specified(self, phase: str, arrays: Tensors, noise: Tensors) -> Any:
        """Run one update as the workload specifies it; return the loss terms before it."""

        def run(arrays: Tensors, noise: Tensors) -> Any:
            loss, gradients = self.differentiate(phase, arrays, noise)
            self._apply(phase, gradients)
            return loss

        return self._whole(("update", phase), run)(arrays, noise)

    def update_natively(self, phase: str, rows: Tensors, order: Any, control: Sequence[int]) -> Any:
        """Run one update on rows of the data and on noise that is drawn here; return the loss terms
        before it.

        Args:
            phase: what to run.
            rows: the data, on the device.
            order: row numbers of batches, [steps, batch].
            control: seed, step, and which batch of `order`.
        """

        def take(rows: Tensors, order: Any, control: Any) -> Tuple[Tensors, Tensors]:
            arrays = {name: tf.gather(value, order[control[2]]) for name, value in rows.items()}
            return arrays, self.port.noise.draw(phase, control[3:], control[:2])

        def run(rows: Tensors, order: Any, control: Any) -> Any:
            taking = self._once(("take", self.port.kind(phase)), take)
            return self.update(phase, *taking(rows, order, control))

        control = tf.constant(list(control) + self.port.noise.streams_of(phase), tf.int64)
        return (run if self.own else self._whole(("native", phase), run))(rows, order, control)

    def execution(self) -> Tuple[bool, bool]:
        """Return whether what differentiates is a graph, and whether XLA compiles it, as the
        functions themselves know."""
        function: Any = self._differentiation(self.config["phases"][0])
        graph = isinstance(function, Traced) and not tf.config.functions_run_eagerly()
        return graph, graph and releases.compiles(function.function)

    # -- state -------------------------------------------------------------------------------------

    def visible(self) -> Dict[str, Any]:
        """Return the variables of all optimizers that `optimizer_state` shows, by name."""
        variables = {}
        for name, optimizer in self.optimizers.items():
            for key, variable in optimizer.visible().items():
                variables[f"{name}/{key}"] = variable
        return variables

    def state(self) -> Dict[str, Any]:
        """Return every variable that training changes, by name: what a checkpoint holds."""
        variables = {"weights/" + name: variable for name, variable in self.weights.items()}
        for name, optimizer in self.optimizers.items():
            for key, variable in optimizer.variables().items():
                variables[f"optimizers/{name}/{key}"] = variable
        return variables


class Traced:
    """A function with one trace for each set of shapes.

    `tf.function` would find the trace itself, but takes longer than a small model's step for it,
    and warns of every new one.

    Args:
        function: of nested dicts, tuples and lists of tensors and None.
        xla: whether XLA compiles it.
        autograph: whether Python's own control flow becomes TensorFlow's; its conversion takes
            longer than tracing.
    """

    def __init__(self, function: Callable[..., Any], xla: bool, autograph: bool) -> None:
        self.function = tf.function(function, autograph=autograph, **releases.xla(xla))
        self.traces: Dict[Any, Callable[..., Any]] = {}

    def __call__(self, *arguments: Any) -> Any:
        flat = tf.nest.flatten(arguments)
        key = tuple(
            releases.shape_key(value) if isinstance(value, tf.Tensor) else value for value in flat
        )
        if key not in self.traces:
            self.traces[key] = self.function.get_concrete_function(*arguments)
        # A call inside a trace belongs to the function that is traced.
        if _noted is not None and tf.executing_eagerly():
            _noted.append(self.traces[key])
        return self.traces[key](*arguments)


#: Where calls of traced functions are noted; None while nobody asks.
_noted: Optional[List[Any]] = None


@contextlib.contextmanager
def calls() -> Iterator[List[Any]]:
    """Note the concrete functions that are called in the block, in order; those that they call
    themselves are inside them."""
    global _noted  # noqa: PLW0603  (the calls of all ports of the process pass here)
    functions: List[Any] = []
    _noted = functions
    try:
        yield functions
    finally:
        _noted = None
