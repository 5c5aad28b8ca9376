"""The user's graph: built by their function, handed over as it is, or loaded.

It is built once, in the dtypes that its code says, and nothing is put into it. What is only known
while Python builds is written down then: what was differentiated to which gradients, and the
numbers that constants were made of, before they became float32. Patches are in for that time alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Tuple

import numpy as np
import tensorflow
import tensorflow.compat.v1 as tf
from tensorflow.python.framework import ops, tensor_util
from tensorflow.python.ops import gradients_util, nn, nn_impl

from backends.contract import Unsupported
from backends.pair import Declared

#: Of the initial values, where the user sets none.
SEED = 20


class Differentiated:
    """One call of `tf.gradients`.

    Attributes:
        totals: names of the tensors whose sum was differentiated.
        gradients: by the name of a variable's operation, the name of its gradient, or those of its
            values and indices where it is sparse.
    """

    def __init__(self, totals: List[str], gradients: Dict[str, Tuple[str, ...]]) -> None:
        self.totals, self.gradients = totals, gradients


class Source:
    """Where a side's graph comes from.

    Attributes:
        graph: the user's, as it is. named: tensors that their function returned, by key.
        differentiated: calls of `tf.gradients`, in order.
        constants: what constants were made of, by the bytes that the graph has of them.
        checkpoint: prefix of the checkpoint that lies beside a MetaGraph, or None.
        values: of variables, by name, where a SavedModel brought some.
        loaded: whether Python has not built it here.
    """

    def __init__(self) -> None:
        self.graph: Any = tf.Graph()
        self.named: Dict[str, Any] = {}
        self.differentiated: List[Differentiated] = []
        self.constants: Dict[bytes, np.ndarray] = {}
        self.checkpoint: Optional[str] = None
        self.values: Dict[str, np.ndarray] = {}
        self.loaded = False

    def open(self, function: Callable[[], Declared], double: bool) -> Declared:
        """Call the side's function, and build or load its graph.

        Args:
            function: the user's. double: for float64, in which there is no fused batch norm.

        Raises:
            TypeError: it declares something else. Unsupported: see `_load`.
        """
        with self._watched(double), self.graph.as_default():
            tf.set_random_seed(SEED)
            declared: Any = function()
            if not isinstance(declared, Declared) or declared.framework != "tf1":
                raise TypeError("the function of a tf1 side returns pair.tf1(...)")
            if callable(declared.graph):
                returned: Any = declared.graph()
                self.named = dict(returned or {})
        if isinstance(declared.graph, tf.Graph):
            self.graph = declared.graph
        elif isinstance(declared.graph, str):
            self._load(declared.graph)
        elif not callable(declared.graph):
            kind = type(declared.graph).__name__
            raise TypeError(f"pair.tf1(graph=...) is a graph, a function or a path, not a {kind}")
        return declared

    @contextlib.contextmanager
    def _watched(self, double: bool) -> Iterator[None]:
        helper, proto = gradients_util._GradientsHelper, tensor_util.make_tensor_proto

        def gradients(ys: Any, xs: Any, *args: Any, **kwargs: Any) -> Any:
            result = helper(ys, xs, *args, **kwargs)
            self._differentiated(ys, xs, result)
            return result

        def make_tensor_proto(values: Any, *args: Any, **kwargs: Any) -> Any:
            made = proto(values, *args, **kwargs)
            self._constant(values, made)
            return made

        def new_graph() -> None:
            # Programs begin with it; this graph is as good as new then.
            if self.graph.get_operations():
                reset()

        reset = ops.reset_default_graph
        changes = [
            (gradients_util, "_GradientsHelper", gradients),
            (tensor_util, "make_tensor_proto", make_tensor_proto),
        ]
        modules = (nn, nn_impl, tf.nn, tensorflow.nn) if double else ()
        changes += [(module, "reset_default_graph", new_graph) for module in (ops, tf, tensorflow)]
        changes += [(module, "fused_batch_norm", unfused_batch_norm) for module in modules]
        with contextlib.ExitStack() as stack:
            for module, name, function in changes:
                if hasattr(module, name):
                    stack.callback(setattr, module, name, getattr(module, name))
                    setattr(module, name, function)
            yield

    def _differentiated(self, ys: Any, xs: Any, gradients: Any) -> None:
        ys = list(ys) if isinstance(ys, (list, tuple)) else [ys]
        xs = list(xs) if isinstance(xs, (list, tuple)) else [xs]
        if not all(isinstance(y, tf.Tensor) for y in ys) or isinstance(gradients, tf.Tensor):
            return
        pairs: Dict[str, Tuple[str, ...]] = {}
        for x, gradient in zip(xs, gradients):
            name = _variable_of(x)
            if name is None or gradient is None:
                continue
            sparse = isinstance(gradient, tf.IndexedSlices)
            parts = (gradient.values, gradient.indices) if sparse else (gradient,)
            pairs[name] = tuple(part.name for part in parts)
        if pairs:
            self.differentiated.append(Differentiated([y.name for y in ys], pairs))

    def _constant(self, values: Any, made: Any) -> None:
        if made.dtype != tf.float32.as_datatype_enum:
            return
        try:
            exact = np.asarray(values, np.float64)
        except (TypeError, ValueError):
            return
        # What was made of a float32 has no other digits than those.
        if getattr(values, "dtype", None) != np.float32:
            self.constants.setdefault(digest(tensor_util.MakeNdarray(made)), exact)

    def _load(self, path: str) -> None:
        self.loaded, self.graph = True, tf.Graph()
        if os.path.isdir(path):
            with self.graph.as_default(), tf.Session() as session:
                tf.saved_model.loader.load(session, _tags(path), path)
                variables = tf.global_variables()
                values = session.run([variable.value() for variable in variables])
                names = [variable.op.name for variable in variables]
                self.values = dict(zip(names, values))
            return
        with self.graph.as_default():
            tf.train.import_meta_graph(path)
        prefix = path[: -len(".meta")] if path.endswith(".meta") else path
        if os.path.exists(prefix + ".index"):
            self.checkpoint = prefix

    def tensor(self, item: Any) -> str:
        """Return the name of a tensor that the user has named by itself, its key or its name.

        Raises:
            ValueError: there is none.
        """
        if isinstance(item, str) and item in self.named:
            item = self.named[item]
        if isinstance(item, str):
            item = item if ":" in item else item + ":0"
            try:
                return str(self.graph.get_tensor_by_name(item).name)
            except KeyError:
                raise ValueError(f"pair.tf1: the graph has no tensor {item}") from None
        if isinstance(item, tf.Operation):
            return str(item.outputs[0].name)
        if isinstance(item, tf.Variable) or hasattr(item, "handle"):
            item = item.value()
        return str(item.name)

    def operation(self, item: Any) -> str:
        """Return the name of an operation, of a tensor its operation's.

        Raises:
            ValueError: there is none.
        """
        if isinstance(item, str) and item in self.named:
            item = self.named[item]
        if isinstance(item, str):
            name = item.split(":", 1)[0]
            try:
                return str(self.graph.get_operation_by_name(name).name)
            except KeyError:
                raise ValueError(f"pair.tf1: the graph has no operation {name}") from None
        return str(getattr(item, "op", item).name)


def digest(value: np.ndarray) -> bytes:
    """Return what a constant is known by.

    Args:
        value: as the graph has it, float32.
    """
    content = repr(value.shape).encode() + value.astype(np.float32).tobytes()
    return hashlib.sha256(content).digest()


def flattened(source: Source, product: Any, name: str = "output") -> Dict[str, str]:
    """Return the names of the tensors of inference by the names that surveys have them by.

    Args:
        source: of the graph. product: a tensor, or several in tuples, lists and dicts.
        name: of the whole.
    """
    if isinstance(product, str) and isinstance(source.named.get(product), (dict, list, tuple)):
        product = source.named[product]
    items: Any = None
    if isinstance(product, Mapping):
        items = list(product.items())
    elif isinstance(product, (list, tuple)):
        items = list(enumerate(product))
    if items is None:
        return {name: source.tensor(product)}
    outputs: Dict[str, str] = {}
    for key, value in items:
        outputs.update(flattened(source, value, f"{name}/{key}"))
    return outputs


def _variable_of(x: Any) -> Optional[str]:
    """Return the name of the variable that something was differentiated to, or None."""
    op: Any = getattr(x, "op", None)
    while op is not None and op.type in ("Identity", "ReadVariableOp", "Enter"):
        op = op.inputs[0].op
    known = op is not None and op.type in ("VariableV2", "Variable", "VarHandleOp")
    return str(op.name) if known else None


def _tags(path: str) -> List[str]:
    from tensorflow.python.saved_model import loader_impl

    # TF 1.15 has it under another name.
    parse = getattr(loader_impl, "parse_saved_model", None) or loader_impl._parse_saved_model
    model = parse(path)
    tags = [list(item.meta_info_def.tags) for item in model.meta_graphs]
    for wanted in (["train"], ["serve"]):
        if wanted in tags:
            return wanted
    if not tags:
        raise Unsupported(f"the SavedModel {path} holds no graph")
    return tags[0]


def unfused_batch_norm(  # noqa: PLR0913, PLR0917  (TensorFlow's own)
    x: Any,
    scale: Any,
    offset: Any,
    mean: Any = None,
    variance: Any = None,
    epsilon: float = 0.001,
    data_format: str = "NHWC",
    is_training: bool = True,
    name: Any = None,
    exponential_avg_factor: float = 1.0,
) -> Any:
    """Return what `tf.nn.fused_batch_norm` does, by operations that have a float64 kernel.

    As there, the variance that is returned, and that moving averages are made of, is the unbiased
    one, while the biased one normalizes; epsilon is 1.001e-5 at least.
    """
    x = tf.convert_to_tensor(x)
    scale, offset = tf.convert_to_tensor(scale), tf.convert_to_tensor(offset)
    channels_first = data_format.startswith("NC")
    rank = x.shape.ndims or 4
    axes = [0, *range(2, rank)] if channels_first else list(range(rank - 1))
    shape = [1, -1] + [1] * (rank - 2) if channels_first else [-1]
    with tf.name_scope(name, "FusedBatchNorm"):
        reported = [mean, variance]
        if is_training:
            mean = tf.reduce_mean(x, axes)
            centred = x - tf.reshape(mean, shape)
            variance = tf.reduce_mean(tf.square(centred), axes)
            count = tf.cast(tf.size(x) // tf.size(mean), x.dtype)
            unbiased = variance * (count / tf.maximum(count - 1.0, 1.0))
            if exponential_avg_factor == 1.0:
                reported = [mean, unbiased]
            else:
                share = exponential_avg_factor
                reported = [
                    old * (1.0 - share) + new * share
                    for old, new in zip(reported, (mean, unbiased))
                ]
        factor = scale * tf.rsqrt(variance + tf.constant(max(epsilon, 1.001e-5), x.dtype))
        moved = x - tf.reshape(mean, shape)
        y = moved * tf.reshape(factor, shape) + tf.reshape(offset, shape)
        return y, reported[0], reported[1]
