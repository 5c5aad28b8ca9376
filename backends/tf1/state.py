"""A TF1 port's weights and optimizers as arrays by canonical name: out, in, and to checkpoints and
back."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from backends.contract import Port
from backends.parameters import check
from backends.tf1 import checkpoints, foreign, optimizers, runtime, undeclared_state

Tensors = Dict[str, Any]


class StoredPort(Port):
    """The part of a port that holds state; `Tf1Port` sets the attributes.

    Attributes:
        shapes: the parameters' entries in the configuration, by name.
        weights, state: the variables of the parameters, and of the optimizers, by the contract's
            names.
        trained: the variable that counts training steps in a checkpoint.
    """

    session: Any
    graph: Any
    shapes: Dict[str, Dict[str, Any]]
    weights: Tensors
    state: Tensors
    optimizers: Dict[str, optimizers.Optimizer]
    trained: Any
    _saver: Any

    def _run(self, fetches: Any, feed: Optional[Mapping[Any, Any]] = None) -> Any:
        with runtime.refusals():
            return self.session.run(fetches, feed)

    def _assign(self, pairs: Sequence[Tuple[Any, Any]]) -> None:
        """Set variables to values: their own initialisers, fed."""
        feed = {}
        for variable, value in pairs:
            dtype = variable.dtype.base_dtype.as_numpy_dtype
            feed[variable.initializer.inputs[1]] = np.asarray(value, dtype)
        self._run([variable.initializer for variable, _ in pairs], feed)

    def parameters(self) -> Dict[str, np.ndarray]:
        return dict(self._run({name: self.weights[name] for name in self.shapes}))

    def parameter_shapes(self) -> Dict[str, Tuple[int, ...]]:
        return {name: tuple(self.weights[name].shape.as_list()) for name in self.shapes}

    def trainable_values(self) -> Optional[int]:
        return undeclared_state.trainable_values(self)

    def load_parameters(self, values: Mapping[str, np.ndarray]) -> None:
        check(values, self.config, self.parameter_shapes())
        self.undeclared.reset()
        initializers = []
        for optimizer in self.optimizers.values():
            initializers += [variable.initializer for variable in optimizer.variables()]
        self._run(initializers)
        self._assign([(self.weights[name], values[name]) for name in self.shapes])
        self.steps_trained = self.single_steps = 0

    def optimizer_state(self) -> Dict[str, np.ndarray]:
        return {name: np.asarray(value) for name, value in self._run(self.state).items()}

    def load_optimizer_state(self, values: Mapping[str, np.ndarray]) -> None:
        optimizers.check(values, self.state)
        pairs = [(variable, values[name]) for name, variable in self.state.items()]
        for name, optimizer in self.optimizers.items():
            pairs += optimizer.powers_at(int(values[name + "/step"]))
        self._assign(pairs)

    def save(self, folder: str) -> None:
        if self._saver is None:
            with self.graph.as_default():
                self._saver = tf.train.Saver(
                    self._saved(), max_to_keep=checkpoints.KEPT, save_relative_paths=True
                )
        self._assign([(self.trained, self.steps_trained)])
        checkpoints.save(self.session, self._saver, folder, self.steps_trained)

    def restore(self, folder: str) -> int:
        expected = self._saved()
        values, self.step_origin = checkpoints.read(folder, expected, self.optimizers)
        self._assign([(variable, values[name]) for name, variable in expected.items()])
        self.steps_trained, self.single_steps = int(values[checkpoints.TRAINED]), 0
        return self.steps_trained

    def variables_of(self, path: str) -> Dict[str, Dict[str, Any]]:
        """Return shape and dtype of every variable of a checkpoint, whoever wrote it."""
        return foreign.variables(path)

    def restore_foreign(self, path: str, names: Mapping[str, Any]) -> int:
        """Restore a checkpoint that another program wrote; `names` and what is raised as in
        `foreign.restore`."""
        self.steps_trained, self.step_origin = foreign.restore(self, path, names)
        return self.steps_trained

    def _saved(self) -> Tensors:
        weights = {name: self.weights[name] for name in self.shapes}
        return checkpoints.variables(weights, self.optimizers, self.trained)
