"""What is changed in a copy of the user's GraphDef before it is run, beside its dtypes (see
`widening`): the tape in the place of randomness, losses before updates.

The copy is imported by `tf.import_graph_def` and not by `tf.train.import_meta_graph`: what the
latter adds (variables, savers and while contexts of Python's) is only needed to build on, and of
the collections the user's own graph is asked.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, Mapping, Set

import tensorflow.compat.v1 as tf
from tensorflow.core.framework import types_pb2

from backends.tf1.adapter.draws import BOUNDED, LEFT, RANDOM, Answers
from backends.tf1.adapter.float64 import DOUBLE, SINGLE
from backends.tf1.adapter.graph_source import SEED


def pruned(definition: Any, wanted: Set[str]) -> Any:
    """Return a GraphDef of some of the nodes of another, in the same order.

    Args:
        definition: the other. wanted: names of nodes, closed under what they need.
    """
    part = tf.GraphDef()
    part.versions.CopyFrom(definition.versions)
    part.library.CopyFrom(definition.library)
    part.node.extend(node for node in definition.node if node.name in wanted)
    return part


# -- randomness ------------------------------------------------------------------------------------


def seed(definition: Any) -> None:
    """Give random operations that have no seed one each: initial values are the same every time.

    Args:
        definition: changed in place.
    """
    for index, node in enumerate(definition.node):
        if node.op in RANDOM and not node.attr["seed"].i and not node.attr["seed2"].i:
            if node.op.startswith("Stateless"):
                continue
            node.attr["seed"].i, node.attr["seed2"].i = SEED, index + 1


def seed_anew(definition: Any, number: int) -> None:
    """Give all random operations another seed, each with draws of its own.

    Args:
        definition: changed in place. number: of the seed.
    """
    for index, node in enumerate(definition.node):
        if node.op in RANDOM and not node.op.startswith("Stateless"):
            # Two zeros would be no seed at all.
            node.attr["seed"].i, node.attr["seed2"].i = number, index + 1


def answer(definition: Any, answers: Answers, double: bool) -> None:
    """Put Python functions that answer from the tape in the place of random operations; loops run
    one iteration after the other.

    Args:
        definition: changed in place. answers: what answers. double: whether it was widened.
    """
    for node in definition.node:
        if node.op in ("Enter", "RefEnter"):
            node.attr["parallel_iterations"].i = 1
        if node.name not in answers.sites or node.op in LEFT:
            continue
        site = answers.sites[node.name]
        data = [item for item in node.input if not item.startswith("^")]
        after = [item for item in node.input if item.startswith("^")]
        kind = node.attr["dtype"].type or (DOUBLE if double else SINGLE)
        kinds = [node.attr["T"].type or types_pb2.DT_INT32]
        inputs = [data[0]]
        if node.op in BOUNDED:
            inputs, kind = data, node.attr["Tout"].type
            kinds += [kind, kind]
        if site.threshold is not None:
            inputs, kinds = [*inputs, site.threshold], [*kinds, kind]
        node.Clear()
        node.name, node.op = site.name, "PyFunc"
        node.input.extend([*inputs, *after])
        node.attr["token"].s = answers.tokens[site.name].encode()
        node.attr["Tin"].list.type.extend(kinds)
        node.attr["Tout"].list.type.extend([kind])


# -- order -----------------------------------------------------------------------------------------


def hold_back(definition: Any, writers: Mapping[str, Iterable[str]]) -> None:
    """Have operations that move state wait for what is to be seen as it was before.

    Args:
        definition: changed in place. writers: by their names, those of what they wait for.
    """
    by_name: Dict[str, Any] = {node.name: node for node in definition.node}
    for name, before in writers.items():
        node = by_name[name]
        known = set(node.input)
        node.input.extend("^" + item for item in before if "^" + item not in known)
