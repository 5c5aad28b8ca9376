"""A TF2 port's weights and optimizers as arrays by canonical name: out, in, and to checkpoints and
back."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Tuple

import numpy as np
import tensorflow as tf

from backends.contract import Port
from backends.parameters import check
from backends.tf2 import checkpoints, undeclared_state
from backends.tf2.training import Tensors, Trainer


class StoredPort(Port):
    """The part of a port that holds state; `Tf2Port` sets the attributes."""

    dtype: Any
    weights: Tensors
    trainer: Trainer

    def parameters(self) -> Dict[str, np.ndarray]:
        return {name: variable.numpy() for name, variable in self.weights.items()}

    def parameter_shapes(self) -> Dict[str, Tuple[int, ...]]:
        return {name: tuple(variable.shape.as_list()) for name, variable in self.weights.items()}

    def trainable_values(self) -> Optional[int]:
        return undeclared_state.trainable_values(self)

    def load_parameters(self, values: Mapping[str, np.ndarray]) -> None:
        check(values, self.config, self.parameter_shapes())
        self.undeclared.reset()
        for name, variable in self.weights.items():
            variable.assign(tf.constant(values[name], self.dtype))
        for optimizer in self.trainer.optimizers.values():
            optimizer.reset()
        self.steps_trained = self.single_steps = 0

    def optimizer_state(self) -> Dict[str, np.ndarray]:
        variables = self.trainer.visible()
        return {name: np.asarray(variable.numpy()) for name, variable in variables.items()}

    def load_optimizer_state(self, values: Mapping[str, np.ndarray]) -> None:
        expected = self.trainer.visible()
        missing, unknown = sorted(set(expected) - set(values)), sorted(set(values) - set(expected))
        if missing or unknown:
            workload = self.config["workload"]
            raise KeyError(
                f"optimizers of {workload}: missing {missing or 'none'}; unknown"
                f" {unknown or 'none'}"
            )
        for name, variable in expected.items():
            if np.shape(values[name]) != tuple(variable.shape):
                raise ValueError(
                    f"{name} has shape {np.shape(values[name])}, expected {tuple(variable.shape)}"
                )
        for name, optimizer in self.trainer.optimizers.items():
            optimizer.load({key: values[f"{name}/{key}"] for key in optimizer.visible()})

    def save(self, folder: str) -> None:
        trained = tf.Variable(self.steps_trained, dtype=tf.int64)
        state: Dict[str, Any] = dict(self.trainer.state(), trained=trained)
        checkpoints.save(folder, state, self.steps_trained)

    def restore(self, folder: str) -> int:
        trained = tf.Variable(0, dtype=tf.int64)
        checkpoints.restore(folder, dict(self.trainer.state(), trained=trained))
        self.steps_trained, self.single_steps = int(trained.numpy()), 0
        return self.steps_trained
