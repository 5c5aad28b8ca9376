"""Draws of randomness in Keras and TensorFlow, answered by the tape.

Everything that draws in TensorFlow (Keras' layers and generators, `tf.nn.dropout`, `tf.random`,
`tf.random.Generator`) ends in a few generated operations, and these are replaced while a run is
watched; the functions above them, with their scaling and their bounds, are the framework's own.
What a number is drawn for is read from the frames above: the share that a dropout drops, the bounds
of a uniform draw. NumPy's global functions, from which many programs take their latent noise, are
replaced too.

What cannot be served runs as it is, from seeds that are set before each run, and is listed.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import random
import sys
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple

import numpy as np
import tensorflow as tf

from backends.adapter.draws import Draws, kept
from backends.survey import DROPOUT, NORMAL, OTHER_DRAW, UNIFORM
from backends.tf2.adapter.weights import inner

OPS = "tensorflow.python.ops."
#: Generated operations that draw: their modules, and which kind each is.
OPERATIONS: Dict[str, Dict[str, str]] = {
    "gen_random_ops": {
        "random_uniform": UNIFORM,
        "random_standard_normal": NORMAL,
        "random_uniform_int": "integers",
        "truncated_normal": "truncated normal",
        "parameterized_truncated_normal": "truncated normal",
        "multinomial": "categorical",
        "random_gamma": "gamma",
        "random_poisson_v2": "Poisson",
        "random_shuffle": "shuffling",
    },
    "gen_stateless_random_ops": {
        "stateless_random_uniform": UNIFORM,
        "stateless_random_normal": NORMAL,
        "stateless_random_uniform_int": "integers",
        "stateless_truncated_normal": "truncated normal",
        "stateless_parameterized_truncated_normal": "truncated normal",
        "stateless_multinomial": "categorical",
        "stateless_random_gamma_v2": "gamma",
        "stateless_random_binomial": "binomial",
        "stateless_random_poisson": "Poisson",
    },
    "gen_stateless_random_ops_v2": {
        "stateless_random_uniform_v2": UNIFORM,
        "stateless_random_normal_v2": NORMAL,
        "stateless_random_uniform_int_v2": "integers",
        "stateless_truncated_normal_v2": "truncated normal",
        "stateless_random_gamma_v3": "gamma",
        "stateless_shuffle": "shuffling",
    },
    "gen_stateful_random_ops": {
        "stateful_uniform": UNIFORM,
        "stateful_standard_normal_v2": NORMAL,
        "stateful_uniform_int": "integers",
        "stateful_truncated_normal": "truncated normal",
        "stateful_random_binomial": "binomial",
    },
}
#: Functions of TensorFlow's in whose frame the share that is dropped is `rate`, and those with the
#: numbers that a draw is scaled by.
DROPPING = ("_dropout", "dropout_v2", "general_dropout")
SCALING = {
    UNIFORM: (
        ("random_uniform", "stateless_random_uniform", "uniform"),
        (("low", "minval"), ("high", "maxval")),
    ),
    NORMAL: (
        ("random_normal", "stateless_random_normal", "normal"),
        (("mean", "mean"), ("deviation", "stddev")),
    ),
}
#: NumPy's global functions: the kind, and whether the shape is in positional arguments.
NUMPY = {
    "rand": (UNIFORM, True),
    "random": (UNIFORM, False),
    "random_sample": (UNIFORM, False),
    "uniform": (UNIFORM, False),
    "randn": (NORMAL, True),
    "standard_normal": (NORMAL, False),
    "normal": (NORMAL, False),
}
#: Packages whose own use of NumPy's global functions is none of the user's.
FRAMEWORKS = ("tensorflow.", "keras.", "tf_keras.", "numpy.", "backends.")
#: Seeds of what is not served: the same before each run that is watched.
SEED = 20231


class Server:
    """Answers the draws of one run.

    Args:
        draws: that answer. layer: returns the path of the layer that is running.
        graphs: whether draws in a graph that is being traced are answered, too.

    Attributes:
        made: what a survey says of each draw, in order, `index` being its place among those that
            `draws` was asked for.
    """

    def __init__(self, draws: Draws, layer: Callable[[], str], graphs: bool = False) -> None:
        self.draws, self.layer, self.graphs = draws, layer, graphs
        self.made: List[Dict[str, Any]] = []

    def note(self, kind: str, shape: Tuple[int, ...], **numbers: Any) -> None:
        """Write down a draw that is about to be made."""
        self.made.append(
            dict(numbers, layer=self.layer(), kind=kind, shape=shape, index=len(self.draws.made))
        )

    def value(self, kind: str, shape: Tuple[int, ...]) -> np.ndarray:
        """Return what an operation draws: between 0 and 1, or standard normal."""
        rate, numbers = _purpose(kind)
        if rate is not None:
            self.note(DROPOUT, shape, keep=1.0 - rate)
            # What asks keeps a number that is not below `rate`.
            return kept(self.draws, shape, 1.0 - rate).astype(np.float64)
        self.note(kind, shape, **numbers)
        return self.draws.draw(kind, shape)

    def operation(self, kind: str, original: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer one generated operation."""
        if not (self.graphs or tf.executing_eagerly()):
            self._not_served(kind, (), f"a draw ({kind}) in a graph that is traced")
            return original(*args, **kwargs)
        arguments = inspect.signature(original).bind(*args, **kwargs).arguments
        shape = _static(arguments.get("shape"))
        if kind not in (UNIFORM, NORMAL) or shape is None:
            word = kind if shape is not None or "shape" not in arguments else "of unknown shape"
            self._not_served(kind, shape or (), f"the tape has no draws of this kind: {word}")
            return original(*args, **kwargs)
        dtype = arguments.get("dtype", tf.float32)
        return tf.cast(tf.constant(self.value(kind, shape)), dtype)

    def _not_served(self, kind: str, shape: Tuple[int, ...], reason: str) -> None:
        self.note(OTHER_DRAW, shape, served=False, reason=reason)

    def global_numpy(self, name: str, original: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer a call of one of NumPy's global functions."""
        if _own_code():
            return original(*args, **kwargs)
        kind, shaped = NUMPY[name]
        scaled = name in ("uniform", "normal")
        first, second = ("loc", "scale") if kind == NORMAL else ("low", "high")
        values = dict(zip((first, second), (0.0, 1.0)))
        size = kwargs.get("size")
        if shaped:
            size = args
        elif scaled:
            values.update(zip((first, second), args))
            values.update({key: kwargs[key] for key in (first, second) if key in kwargs})
            size = args[2] if len(args) > 2 else size
        elif args:
            size = args[0]
        shape = np.broadcast(*values.values()).shape if size is None else _tuple(size)
        words = ("mean", "deviation") if kind == NORMAL else ("low", "high")
        numbers = dict(zip(words, map(_number, values.values()))) if scaled else {}
        self.note(kind, shape, **{key: held for key, held in numbers.items() if held is not None})
        value = self.draws.draw(kind, shape)
        begin, end = values.values()
        scaled_value = begin + (end if kind == NORMAL else end - begin) * value
        return float(scaled_value) if size is None and not shape else scaled_value


def _purpose(kind: str) -> Tuple[Optional[float], Dict[str, float]]:
    """Return what TensorFlow draws a number for: the share that a dropout drops, or None; and
    the numbers that the draw is scaled by."""
    names, wanted = SCALING[kind]
    numbers: Dict[str, float] = {}
    for frame in _frames():
        name, held = frame.f_code.co_name, frame.f_locals
        if name in DROPPING and "rate" in held:
            rate = _number(held["rate"])
            if rate is not None:
                return rate, {}
        if name in names and not numbers and wanted[0][1] in held:
            scales = {word: _number(held.get(local)) for word, local in wanted}
            numbers = {word: value for word, value in scales.items() if value is not None}
    return None, numbers


def _frames() -> Iterator[Any]:
    """Yield the frames of TensorFlow's above the operation that is running, up to the first of
    another's."""
    for frame in _above():
        if not _of(frame, "tensorflow.") or _of(frame, "tensorflow.python.keras."):
            return
        yield frame


def _above() -> Iterator[Any]:
    """Yield the frames above this module's, from the innermost."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        if not _of(frame, __name__):
            yield from _up(frame)
            return
        frame = frame.f_back


def _up(frame: Any) -> Iterator[Any]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _of(frame: Any, *packages: str) -> bool:
    """Return whether a frame's module is of a package."""
    return str(frame.f_globals.get("__name__", "")).startswith(packages)


def _own_code() -> bool:
    """Return whether NumPy was called by this package or by a framework, and not by the user."""
    caller = next(_above(), None)
    return caller is None or _of(caller, *FRAMEWORKS)


def _number(value: Any) -> Optional[float]:
    if tf.is_tensor(value):
        value = tf.get_static_value(value)
    try:
        return None if value is None or np.size(value) != 1 else float(value)
    except (TypeError, ValueError):
        return None


def _static(shape: Any) -> Optional[Tuple[int, ...]]:
    """Return the shape of a draw, None where it is not known."""
    value = tf.get_static_value(shape) if tf.is_tensor(shape) else shape
    try:
        return None if value is None else _tuple(value)
    except (TypeError, ValueError):
        return None


def _tuple(size: Any) -> Tuple[int, ...]:
    return tuple(int(length) for length in np.atleast_1d(np.asarray(size, np.int64)))


@contextlib.contextmanager
def served(server: Server) -> Iterator[None]:
    """Have a server answer all draws of TensorFlow's and of NumPy's global functions."""
    replaced: List[Tuple[Any, str, Any]] = []
    for module_name, kinds in OPERATIONS.items():
        try:
            module = importlib.import_module(OPS + module_name)
        except ImportError:  # before TensorFlow 2.5 there is no `gen_stateless_random_ops_v2`
            continue
        for name, kind in kinds.items():
            original = getattr(module, name, None)
            if original is not None:
                replaced.append((module, name, original))
                setattr(module, name, functools.partial(server.operation, kind, original))
    for name in NUMPY:
        original = getattr(np.random, name)
        replaced.append((np.random, name, original))
        setattr(np.random, name, functools.partial(server.global_numpy, name, original))
    try:
        yield
    finally:
        for owner, name, original in replaced:
            setattr(owner, name, original)


def seed(number: int = SEED) -> None:
    """Seed every global generator, for what is not served.

    Args:
        number: what they begin with.
    """
    random.seed(number)
    np.random.seed(number)
    tf.random.set_seed(number)


def seed_layers(layers: Iterable[Any], number: int) -> None:
    """Have the generators that layers of Keras 3 keep begin anew, each with draws of its own.

    Args:
        layers: all of them. number: what they begin with.
    """
    for index, layer in enumerate(layers):
        for held in vars(layer).values():
            if type(held).__name__ == "SeedGenerator":
                inner(held.state).assign([number, index])


@contextlib.contextmanager
def masks_that_are_used(layers: List[Any]) -> Iterator[None]:
    """Let recurrent layers draw the masks that they use, and no others.

    With `implementation=2` those of Keras 2 draw three or four masks and use the first; those of
    Keras 3 draw masks in inference too, and use none of them.

    Args:
        layers: all of the models.
    """
    kinds = {kind for layer in layers for kind in type(layer).__mro__}
    originals = [
        (kind, name, vars(kind)[name], replacement)
        for kind in kinds
        for name, replacement in MASKS.get(kind.__name__, {}).items()
    ]
    for kind, name, original, replacement in originals:
        setattr(kind, name, functools.partialmethod(replacement, original))
    try:
        yield
    finally:
        for kind, name, original, _ in originals:
            setattr(kind, name, original)


def _first_mask(cell: Any, original: Any, inputs: Any, training: Any, count: int = 1) -> Any:
    if getattr(cell, "implementation", 1) == 1 or count == 1:
        return original(cell, inputs, training, count=count)
    mask = original(cell, inputs, training, count=1)
    return None if mask is None else [mask] * count


def _mask_in_training(cell: Any, original: Any, step_input: Any, rate: float) -> Any:
    calls = (frame for frame in _above() if "call" in _name(frame))
    caller = next((frame for frame in calls if "training" in frame.f_locals), None)
    if caller is None or caller.f_locals["training"]:
        return original(cell, step_input, rate)
    ones = tf.ones_like(step_input)
    count = getattr(cell, "dropout_mask_count", None)
    return ones if count is None else [ones] * count


def _name(frame: Any) -> str:
    return str(frame.f_code.co_name)


#: What is replaced, by the class of Keras 2 and of Keras 3.
MASKS: Dict[str, Dict[str, Any]] = {
    "DropoutRNNCellMixin": {
        "get_dropout_mask_for_cell": _first_mask,
        "get_recurrent_dropout_mask_for_cell": _first_mask,
    },
    "DropoutRNNCell": {"_create_dropout_mask": _mask_in_training},
}
