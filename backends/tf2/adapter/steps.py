"""A training step of the user's, watched: what it differentiates, what it gets, and which
optimizers it calls.

The step runs eagerly, so that there are values to see; `tf.GradientTape.gradient`, through which
Keras' own training goes too, is where gradients are read, and where a teacher's are put in: before
anything is clipped, and before an optimizer sees them.
"""

from __future__ import annotations

import contextlib
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

import numpy as np
import tensorflow as tf

from backends.tf2.adapter import optimizers
from backends.tf2.adapter.paths import Names
from backends.tf2.adapter.weights import inner

#: How a loss is scaled up in float16: Keras 3, Keras 2.
SCALING = ("scale_loss", "get_scaled_loss")
APPLYING = ("apply_gradients", "apply")


@contextlib.contextmanager
def eagerly() -> Iterator[None]:
    """Run what `tf.function` made as the Python that it was made of."""
    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)


class Capture:
    """What a step differentiates, and to what.

    Args:
        names: of the variables. teacher: gradients by own name that take the place of the step's.
        parts: by own name, over how many calls the optimizer that moves it takes the mean: Keras
            divides by them itself, so that what is differentiated counts divided by them.

    Attributes:
        totals: what was differentiated, a call each. whole: the same, as the step returns it,
            divided by nothing. gradients: by own name, as tensors.
        updated: own names of the optimizers that updated something. moved: by optimizer, the
            variables. foreign: names of variables of no model. repeated: own names of parameters
            with a gradient from several calls.
    """

    def __init__(
        self,
        names: Names,
        teacher: Optional[Mapping[str, np.ndarray]] = None,
        parts: Optional[Mapping[str, int]] = None,
    ) -> None:
        self.names, self.teacher, self.parts = names, teacher, parts or {}
        self.totals: List[Any] = []
        self.whole: List[Any] = []
        self.gradients: Dict[str, Any] = {}
        self.updated: List[str] = []
        self.moved: Dict[str, List[str]] = {}
        self.foreign: Set[str] = set()
        self.repeated: Set[str] = set()
        self.scale = 1.0

    def gradient(self, original: Any, tape: Any, target: Any, sources: Any, **options: Any) -> Any:
        """Differentiate, and write down what and to what."""
        result = original(tape, target, sources, **options)
        flat_sources, flat = _leaves(sources), _leaves(result)
        names = [self.names.own_name(source) for source in flat_sources]
        if not any(name is not None for name in names):
            if flat_sources and all(_is_trained(source) for source in flat_sources):
                self.foreign.update(str(source.name) for source in flat_sources)
            return result
        scale, self.scale = self.scale, 1.0
        for value in tf.nest.flatten(target):
            total = tf.cast(tf.reduce_sum(value), tf.float64)
            self.whole.append(total / scale)
            self.totals.append(total / (scale * self._parts_of(names)))
        replaced = [
            self._gradient(name, value, scale) if name is not None and value is not None else value
            for name, value in zip(names, flat)
        ]
        return _like(result, iter(replaced))

    def _parts_of(self, names: Sequence[Optional[str]]) -> int:
        """Return over how many calls the mean of a loss is taken; where the optimizers of its
        variables do not agree, it counts as it is."""
        distinct = {self.parts.get(name, 1) for name in names if name is not None}
        return distinct.pop() if len(distinct) == 1 else 1

    def _gradient(self, name: str, value: Any, scale: float) -> Any:
        scale = scale * self.parts.get(name, 1)
        dense = tf.convert_to_tensor(value)
        dense = dense if scale == 1.0 else dense / tf.cast(scale, dense.dtype)
        if name in self.gradients:
            self.repeated.add(name)
            dense = dense + self.gradients[name]
        first = name not in self.gradients
        self.gradients[name] = dense
        if self.teacher is None or name not in self.teacher:
            return value
        # Several calls to one parameter: the first has the sum, the others nothing.
        forced = self.teacher[name] * scale if first else np.zeros_like(self.teacher[name])
        return _in_place_of(value, forced)

    def scaled(self, original: Any, optimizer: Any, loss: Any, *args: Any, **kwargs: Any) -> Any:
        """Scale a loss, and write down by how much."""
        result = original(optimizer, loss, *args, **kwargs)
        if tf.is_tensor(result) and float(loss) != 0.0:
            self.scale = float(result) / float(loss)
        return result

    def applied(self, name: str, variables: Sequence[Any]) -> None:
        """Write down that an optimizer updates some variables."""
        self.updated.append(name)
        known = [self.names.own_name(variable) for variable in variables]
        self.moved.setdefault(name, []).extend(item for item in known if item is not None)

    def total(self) -> float:
        """Return the sum of what was differentiated; NaN where nothing was."""
        return float(sum(map(float, self.totals))) if self.totals else float("nan")


def _leaves(value: Any) -> List[Any]:
    return list(tf.nest.flatten(value))


def _like(result: Any, values: Iterator[Any]) -> Any:
    """Return values in the structure of what a tape has returned."""
    return tf.nest.pack_sequence_as(result, list(values))


def _is_trained(source: Any) -> bool:
    return isinstance(inner(source), tf.Variable) and bool(inner(source).trainable)


def _in_place_of(value: Any, forced: np.ndarray) -> Any:
    """Return a teacher's gradient in the form of the step's own: for some rows alone, where the own
    one is, and the teacher's has no others.

    A row that occurs several times keeps the shares of its own gradient where the teacher's sum is
    about its own; an optimizer may treat such a row otherwise than one that occurs once.
    """
    dense = tf.constant(forced, value.dtype)
    if not isinstance(value, tf.IndexedSlices):
        return dense
    rows = np.asarray(value.indices).reshape(-1)
    others = np.ones(len(forced), bool)
    others[rows] = False
    if np.any(forced[others]):
        return dense
    counts = np.bincount(rows, minlength=len(forced))[rows]
    own = np.asarray(tf.convert_to_tensor(value))
    parts = np.asarray(value.values).reshape((len(rows), *forced.shape[1:]))
    ratio = np.divide(forced, own, out=np.full(own.shape, np.inf), where=own != 0)[rows]
    missing = (forced - own)[rows] / counts.reshape((-1,) + (1,) * (forced.ndim - 1))
    with np.errstate(invalid="ignore"):
        shares = np.where(np.abs(ratio) <= 2.0, parts * ratio, parts + missing)
    values = tf.reshape(tf.constant(shares, value.dtype), tf.shape(value.values))
    return tf.IndexedSlices(values, value.indices, value.dense_shape)


def _replace(replaced: List[Tuple[Any, str, Any]], owner: Any, name: str, wrapped: Any) -> None:
    """Put a method in the place of a class's own or inherited one."""
    replaced.append((owner, name, vars(owner).get(name)))
    setattr(owner, name, wrapped)


def _watched_gradient(capture: Capture) -> Any:
    """Return `GradientTape.gradient`, seen by a capture."""
    original = tf.GradientTape.gradient
    differentiating: List[int] = []

    def gradient(tape: Any, target: Any, sources: Any, *args: Any, **kwargs: Any) -> Any:
        options = dict(zip(("output_gradients", "unconnected_gradients"), args), **kwargs)
        if differentiating:
            # A part of a model that is computed once more, and differentiated by itself.
            return original(tape, target, sources, **options)
        differentiating.append(id(tape))
        try:
            return capture.gradient(original, tape, target, sources, **options)
        finally:
            differentiating.pop()

    return gradient


@contextlib.contextmanager
def captured(
    capture: Capture,
    by_name: Mapping[str, Any],
    before_update: Optional[Callable[[], None]] = None,
) -> Iterator[None]:
    """Have a capture see what a step differentiates and which optimizers it calls.

    Args:
        capture: what sees. by_name: the optimizers by own name.
        before_update: called when an optimizer has made its variables, before it moves anything.
    """
    replaced: List[Tuple[Any, str, Any]] = []
    names = {id(optimizer): name for name, optimizer in by_name.items()}
    inside = {id(optimizers.unwrapped(optimizer)): name for name, optimizer in by_name.items()}
    running: List[int] = []

    def applying(method: Any, takes_pairs: bool) -> Any:
        def apply(optimizer: Any, *args: Any, **kwargs: Any) -> Any:
            name = names.get(id(optimizer), inside.get(id(optimizer)))
            if name is None or running:
                return method(optimizer, *args, **kwargs)
            variables: Optional[Sequence[Any]]
            if takes_pairs:
                pairs = args[0] if args else kwargs.pop("grads_and_vars")
                pairs = list(pairs)
                args = (pairs, *args[1:])
                variables = [variable for _, variable in pairs]
            else:
                variables = args[1] if len(args) > 1 else kwargs.get("trainable_variables")
            variables = list(variables) if variables is not None else _known(optimizer)
            running.append(id(optimizer))
            try:
                if before_update is not None:
                    optimizers.build(optimizer, variables)
                    before_update()
                capture.applied(name, variables)
                return method(optimizer, *args, **kwargs)
            finally:
                running.pop()

        return apply

    def scaling(method: Any) -> Any:
        def scale(optimizer: Any, loss: Any, *args: Any, **kwargs: Any) -> Any:
            return capture.scaled(method, optimizer, loss, *args, **kwargs)

        return scale

    try:
        _replace(replaced, tf.GradientTape, "gradient", _watched_gradient(capture))
        kinds = {type(item) for item in by_name.values()}
        kinds |= {type(optimizers.unwrapped(item)) for item in by_name.values()}
        for kind in kinds:
            for name in APPLYING:
                if hasattr(kind, name):
                    method = getattr(kind, name)
                    _replace(replaced, kind, name, applying(method, name == "apply_gradients"))
            for name in SCALING:
                if hasattr(kind, name):
                    _replace(replaced, kind, name, scaling(getattr(kind, name)))
        yield
    finally:
        for owner, name, held in reversed(replaced):
            if held is None:
                delattr(owner, name)
            else:
                setattr(owner, name, held)


def _known(optimizer: Any) -> List[Any]:
    return list(getattr(optimizer, "_trainable_variables", None) or ())


def scalars(returned: Any) -> Dict[str, float]:
    """Return the scalars that a step returns, by name: of a dict its own, of a single value none.

    Args:
        returned: by the user's step.
    """
    if not isinstance(returned, Mapping):
        return {}
    values = {}
    for name, value in returned.items():
        number = scalar(value)
        if number is not None and name != "total":
            values[str(name)] = number
    return values


def scalar(value: Any) -> Optional[float]:
    """Return a number, or the number in a tensor of one element; None for anything else."""
    try:
        array = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
        return float(array.reshape(())) if array.size == 1 and array.dtype.kind in "biufV" else None
    except (TypeError, ValueError, AttributeError):
        return None
