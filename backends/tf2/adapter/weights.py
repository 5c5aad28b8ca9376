"""The weights of a layer: which variables it owns, what they are called, and the canonical pieces
that they are cut into.

Keras 2 and 3 keep a layer's own variables in lists of different names; a plain `tf.Variable` that
is an attribute of a layer of Keras 3 is in none of them, and is found as an attribute.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, NamedTuple, Sequence, Set, Tuple

import numpy as np
import tensorflow as tf

Steps = Tuple[Tuple[Any, ...], ...]
#: Attributes in which a layer keeps its own variables, in Keras 3 and in Keras 2.
LISTS = (
    *("_trainable_variables", "_non_trainable_variables"),
    *("_trainable_weights", "_non_trainable_weights"),
)
#: Names that `add_weight` gives to what has none.
NAMELESS = ("variable", "Variable", "weight", "")


class Weight(NamedTuple):
    """One variable of a layer.

    Attributes:
        role: its name in its layer. variable: as the layer has it. owner: the layer, or the cell
            inside it, that made it. cuts: the canonical pieces: their role, and their steps.
    """

    role: str
    variable: Any
    owner: Any
    cuts: Tuple[Tuple[str, Steps], ...] = ()

    def pieces(self) -> Tuple[Tuple[str, Steps], ...]:
        """Return the canonical pieces; the whole variable, where nothing else is said."""
        return self.cuts or ((self.role, ()),)


def inner(variable: Any) -> Any:
    """Return the `tf.Variable` behind a variable of Keras' or behind one that casts."""
    if isinstance(variable, tf.Variable) and not hasattr(variable, "_variable"):
        return variable
    for attribute in ("_variable", "_value"):
        held = getattr(variable, attribute, None)
        if isinstance(held, tf.Variable):
            return inner(held)
    return variable


def is_variable(value: Any) -> bool:
    """Return whether a value is a variable, TensorFlow's or Keras'."""
    return isinstance(value, tf.Variable) or isinstance(inner(value), tf.Variable)


def is_parameter(variable: Any) -> bool:
    """Return whether a variable is a weight or a statistic; counters and the states of seed
    generators are none."""
    return bool(inner(variable).dtype.is_floating)


def own_variables(layer: Any) -> Iterator[Any]:
    """Yield the variables that a layer owns itself, each once."""
    seen: Set[int] = set()
    attributes = vars(layer)
    for held in [*(attributes.get(name) or () for name in LISTS), attributes.values()]:
        for variable in list(held):
            if is_variable(variable) and id(inner(variable)) not in seen:
                seen.add(id(inner(variable)))
                yield variable


def own(layer: Any, prefix: str = "") -> List[Weight]:
    """Return the weights that a layer owns itself.

    Args:
        layer: of Keras'. prefix: of their roles.
    """
    weights: Dict[str, Weight] = {}
    for variable in own_variables(layer):
        if not is_parameter(variable):
            continue
        role = prefix + _role(layer, variable)
        name, count = role, 2
        while name in weights:
            name, count = f"{role}_{count}", count + 1
        weights[name] = Weight(name, variable, layer)
    return list(weights.values())


def _role(layer: Any, variable: Any) -> str:
    *around, name = str(variable.name).split(":")[0].split("/")
    if layer.name in around:
        # What a layer has made in a scope of its own: Hugging Face's embeddings of words, types and
        # positions are three weights of one layer.
        last = len(around) - around[::-1].index(layer.name)
        if around[last:]:
            return "/".join((*around[last:], name))
    if name.rstrip("_0123456789") not in NAMELESS:
        return name
    attributes = (key for key, held in vars(layer).items() if _is(held, variable))
    return next(attributes, name or "variable").lstrip("_")


def _is(held: Any, variable: Any) -> bool:
    return is_variable(held) and inner(held) is inner(variable)


def children(layer: Any) -> List[Any]:
    """Return the layers directly inside a layer."""
    flatten = getattr(layer, "_flatten_layers", None)
    return [] if flatten is None else list(flatten(recursive=False, include_self=False))


def everything(layer: Any, prefix: str = "") -> List[Weight]:
    """Return all weights inside a layer that counts as one, by the names of the layers in it."""
    weights = own(layer, prefix)
    for child in children(layer):
        weights += everything(child, f"{prefix}{child.name}/")
    return weights


def recurrent(layer: Any, prefix: str = "") -> List[Weight]:
    """Return the weights of a recurrent layer, which its cell has; of stacked cells those of each
    under `cell_<number>/`."""
    cells = getattr(layer.cell, "cells", None)
    if cells is None:
        return cell(layer.cell, prefix)
    weights: List[Weight] = []
    for index, part in enumerate(cells):
        weights += cell(part, f"{prefix}cell_{index}/")
    return weights


def cell(layer: Any, prefix: str = "") -> List[Weight]:
    """Return the weights of the cell of a recurrent layer, or of one that is called by hand."""
    weights = []
    for weight in everything(layer, prefix):
        shape = weight.variable.shape
        # `reset_after`: the biases of the input and of the state, in one variable [2, 3 * units].
        if weight.role == prefix + "bias" and len(shape) == 2:
            size = int(shape[1])
            cuts = tuple(
                (prefix + role, (("slice", 0, row, row + 1), ("reshape", (size,))))
                for row, role in enumerate(("bias", "recurrent_bias"))
            )
            weights.append(weight._replace(cuts=cuts))
        else:
            weights.append(weight)
    return weights


def bidirectional(layer: Any) -> List[Weight]:
    """Return the weights of both directions under `forward/` and `backward/`."""
    weights: List[Weight] = []
    for prefix, part in (("forward/", layer.forward_layer), ("backward/", layer.backward_layer)):
        weights += recurrent(part, prefix) if hasattr(part, "cell") else everything(part, prefix)
    return weights


def attention(layer: Any) -> List[Weight]:
    """Return the weights of an attention with heads, kernels as matrices: query, key and value
    [in, heads * size], output [heads * size, out]."""
    weights = own(layer)
    for part in ("query", "key", "value", "output"):
        dense = getattr(layer, f"_{part}_dense", None)
        if dense is None:
            continue
        for weight in own(dense, part + "/"):
            shape = [int(size) for size in weight.variable.shape]
            if weight.role.endswith("/kernel") and len(shape) == 3:
                first, last = (shape[0] * shape[1], -1) if part == "output" else (shape[0], -1)
                flat: Tuple[int, ...] = (first, last)
            elif weight.role.endswith("/bias") and len(shape) == 2:
                flat = (-1,)
            else:
                flat = ()
            cuts = ((weight.role, (("reshape", flat),)),) if flat else ()
            weights.append(weight._replace(cuts=cuts))
    return weights


def einsum(layer: Any) -> List[Weight]:
    """Return the weights of a dense layer whose kernel has several axes of heads or of features:
    the kernel as a matrix [in, out], its axes in the order of what goes in and what comes out.

    A kernel that has an axis which is neither summed over nor made (one matrix for each head) is
    none, and stays as it is.
    """
    operands, _, output = layer.equation.replace(" ", "").partition("->")
    inputs, _, kernel = operands.partition(",")
    summed = [letter for letter in inputs if letter in kernel and letter not in output]
    made = [letter for letter in output if letter in kernel and letter not in inputs]
    if sorted((*summed, *made)) != sorted(kernel):
        return own(layer)
    axes = tuple(kernel.index(letter) for letter in (*summed, *made))
    return [_as_matrix(weight, axes, len(summed)) for weight in own(layer)]


def _as_matrix(weight: Weight, axes: Sequence[int], summed: int) -> Weight:
    """Return a weight of a kernel's layer, whose axes in this order are those that are summed over
    and those that are made, as a matrix; its bias as a vector, if it has all that is made."""
    sizes = [int(size) for size in weight.variable.shape]
    steps: Steps = ()
    if weight.role == "kernel":
        ordered = [sizes[axis] for axis in axes]
        if list(axes) != sorted(axes):
            steps += (("transpose", tuple(axes)),)
        if len(axes) != 2:
            matrix = int(np.prod(ordered[:summed])), int(np.prod(ordered[summed:]))
            steps += (("reshape", matrix),)
    elif weight.role == "bias" and len(sizes) == len(axes) - summed != 1:
        steps = (("reshape", (-1,)),)
    return weight._replace(cuts=((weight.role, steps),)) if steps else weight


def reversible(layer: Any) -> List[Weight]:
    """Return the weights of an embedding that may also be the layer behind the model: a table for
    that of its own, [in, tokens], is a dense kernel."""
    return [
        weight._replace(cuts=(("reverse/kernel", ()),))
        if weight.role == "reverse_embeddings"
        else weight
        for weight in own(layer)
    ]


def transposed_convolution(layer: Any) -> List[Weight]:
    """Return the weights of a transposed convolution: Keras has kernels [*space, out, in]."""
    weights = []
    for weight in own(layer):
        rank = len(weight.variable.shape)
        if weight.role == "kernel":
            axes = (*range(rank - 2), rank - 1, rank - 2)
            weights.append(weight._replace(cuts=(("kernel", (("transpose", axes),)),)))
        else:
            weights.append(weight)
    return weights
