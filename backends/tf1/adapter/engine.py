"""A copy of the graph in a session of its own: fetches by name, all variables in and out."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.python.ops import gen_resource_variable_ops, gen_state_ops

from backends.contract import Setting
from backends.tf1 import runtime
from backends.tf1.adapter.cones import REFS, VARIABLES


class Engine:
    """One GraphDef in a session.

    Args:
        definition: of the graph. setting: how to run.
        optimized: whether TensorFlow's graph optimizers may have it, as a user's session lets them.

    Attributes:
        variables: names of their operations, in order. shapes: theirs.
    """

    def __init__(self, definition: Any, setting: Setting, optimized: bool) -> None:
        self.graph = tf.Graph()
        self.variables = [node.name for node in definition.node if node.op in VARIABLES]
        self._reads: Dict[str, Any] = {}
        self._values: Dict[str, Any] = {}
        self._assigns: Dict[str, Any] = {}
        with self.graph.as_default(), tf.device(None):
            tf.import_graph_def(definition, name="")
            with tf.name_scope("adapter"):
                for node in definition.node:
                    if node.op in VARIABLES:
                        self._access(node)
        self._initializers = self._first_assigns(definition)
        config = runtime.session_config(setting, optimized)
        config.allow_soft_placement = True
        self.session = tf.Session(graph=self.graph, config=config)

    def _access(self, node: Any) -> None:
        handle = self.graph.get_tensor_by_name(node.name + ":0")
        dtype = tf.as_dtype(node.attr["dtype"].type)
        value = tf.placeholder(dtype)
        self._values[node.name] = value
        if node.op in REFS:
            self._reads[node.name] = gen_state_ops.assign(handle, value, validate_shape=False)
            self._assigns[node.name] = self._reads[node.name].op
            self._reads[node.name] = handle
        else:
            self._reads[node.name] = gen_resource_variable_ops.read_variable_op(handle, dtype)
            self._assigns[node.name] = gen_resource_variable_ops.assign_variable_op(handle, value)

    def _first_assigns(self, definition: Any) -> Dict[str, str]:
        assigns = {}
        for node in definition.node:
            if node.op in ("Assign", "AssignVariableOp") and node.name.endswith("/Assign"):
                variable = node.input[0].split(":", 1)[0]
                if node.name == variable + "/Assign":
                    assigns[variable] = node.name
        return assigns

    def initialize(self) -> List[str]:
        """Run all initial assignments, and return the variables that have none."""
        waiting = dict(self._initializers)
        while waiting:
            try:
                self.session.run(list(waiting.values()))
                break
            except tf.errors.FailedPreconditionError as error:
                left = self._unready(waiting)
                if len(left) == len(waiting):
                    raise error
                waiting = left
        return [name for name in self.variables if name not in self._initializers]

    def _unready(self, assigns: Mapping[str, str]) -> Dict[str, str]:
        left = {}
        for variable, name in assigns.items():
            try:
                self.session.run(name)
            except tf.errors.FailedPreconditionError:
                left[variable] = name
        return left

    def read(self, names: Iterable[str]) -> Dict[str, np.ndarray]:
        """Return variables' values.

        Args:
            names: of their operations.
        """
        values = self.session.run({name: self._reads[name] for name in names})
        return {name: np.array(value) for name, value in values.items()}

    def write(self, values: Mapping[str, np.ndarray]) -> None:
        """Set variables.

        Args:
            values: by the names of their operations.
        """
        feed = {}
        for name, value in values.items():
            place = self._values[name]
            feed[place] = np.asarray(value, place.dtype.as_numpy_dtype)
        self.session.run([self._assigns[name] for name in values], feed)

    def tensor(self, name: str) -> Any:
        """Return a tensor of this copy.

        Args:
            name: of the tensor.
        """
        return self.graph.get_tensor_by_name(name)

    def feed(self, values: Mapping[str, Any]) -> Dict[Any, np.ndarray]:
        """Return a feed of what is given by name, in the dtypes of this copy.

        Args:
            values: by the name of a tensor.
        """
        feed = {}
        for name, value in values.items():
            tensor = self.tensor(name)
            feed[tensor] = np.asarray(value, tensor.dtype.as_numpy_dtype)
        return feed

    def run(self, fetches: Any, feed: Mapping[Any, Any]) -> Any:
        """Run the session on fetches by name and a feed by tensor.

        Args:
            fetches: names, in any structure that a session takes. feed: of `feed`.

        Raises:
            Unsupported: TensorFlow has no kernel for it.
        """
        with runtime.refusals():
            return self.session.run(fetches, feed)
