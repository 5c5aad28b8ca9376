"""What the `tf2` backend can do, and the part of a port that is not the model.

The same code runs on Keras 2 and Keras 3. Three things keep it exact on both: every layer gets its
dtype policy by hand, losses are `tf.nn` ops, and gradients are taken of `tf.Variable`s, which Keras
3 wraps in a class of its own.

A port built on `Tf2Port` declares its layers, inputs, activations and loss terms; the contract,
arrays in and arrays out, is here, losses, gradients and updates in `training`, weights and
checkpoints in `state`, native draws in `native`, the process' switches in `runtime`.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple

import numpy as np
import tensorflow as tf

from backends import loss_scale, schedule
from backends.contract import PRECISION_TABLE, ForcedActivations, Port, Setting, Unsupported
from backends.source import Batch
from backends.tf2 import graph_cut, native, runtime, teacher_forcing, undeclared_state
from backends.tf2.state import StoredPort
from backends.tf2.training import Tensors, Trainer

#: The abilities of a backend are read from this module.
DEVICES, EXECUTIONS = runtime.DEVICES, runtime.EXECUTIONS
framework_versions, synchronize = runtime.framework_versions, runtime.synchronize
#: `generate` runs about this many input elements at a time: one call for digits, one batch a call
#: for photographs.
CHUNK_ELEMENTS = 1 << 20


class Tf2Port(StoredPort):
    """Base of the TF2 ports.

    A subclass states `PRODUCT`, the activation that `generate` returns, and defines `build`,
    `inputs`, `activations`, `loss_terms` and, where canonical names are not `<layer>/<attribute>`,
    `variables`.
    """

    PRODUCT = ""
    #: Whether AutoGraph is to turn Python's control flow on tensors into TensorFlow's.
    AUTOGRAPH = True

    def __init__(self, config: Mapping[str, Any], setting: Setting) -> None:
        runtime.require(setting)
        Port.__init__(self, config, setting)
        table = PRECISION_TABLE[setting.precision]
        self.dtype = tf.as_dtype(table["master"])
        self.policies = runtime.policies(setting.precision)
        with runtime.refusals():
            self.layers = self.build()
            named = self.create()
        self.noise = native.Noise(config, self.consumes, self.dtype)
        self.trainer = Trainer(self, named)
        self.weights = self.trainer.weights
        self.undeclared = undeclared_state.of(self)
        self.activation_names: List[str] = []
        self._forward = self.trainer.compiled(self._observe)
        self._product = self.trainer.compiled(
            lambda arrays: self.activations(arrays, None, False)[self.PRODUCT]
        )

    # -- what a port declares ----------------------------------------------------------------------

    def build(self) -> Dict[str, Any]:
        """Return the layers by name, each with a policy of `self.policies`: `low` for contractions,
        `rest` otherwise."""
        raise NotImplementedError

    def inputs(self) -> Dict[str, Tuple[Any, List[Optional[int]]]]:
        """Return dtype and shape, batch axis None, of each data array."""
        raise NotImplementedError

    def activations(self, arrays: Tensors, noise: Optional[Tensors], training: bool) -> Tensors:
        """Return named activations in order, in a `new_record()`.

        Args:
            arrays: of the batch, by the names of `inputs`.
            noise: by site; None in inference mode only.
            training: whether layers run in training mode.
        """
        raise NotImplementedError

    def loss_terms(self, phase: str, arrays: Tensors, noise: Tensors) -> Tensors:
        """Return the named loss terms of a phase, `total` last.

        Args:
            phase: one of `config["phases"]`.
            arrays, noise: as for `activations`; the noise is that of the phase.
        """
        raise NotImplementedError

    def update(self, phase: str, arrays: Tensors, noise: Tensors) -> Tensors:
        """Run one update and return the loss terms before it.

        A port whose own training step is to be judged defines this: it gets a batch and noise as
        tensors, moves its layers' weights, and shows its optimizer's slots in `optimizer_state`, or
        leaves them out (`docs/ports.md`).

        Args:
            phase, arrays, noise: as for `loss_terms`.
        """
        values = self.trainer.specified(phase, arrays, noise)
        return dict(zip(self.trainer.term_names[self.kind(phase)], tf.unstack(values)))

    def create(self) -> Tensors:
        """Return the variable of every parameter by canonical name; here a layer makes its weights
        when it is first called."""
        arrays = {
            name: tf.zeros([1] + shape[1:], dtype) for name, (dtype, shape) in self.inputs().items()
        }
        self.activations(arrays, None, False)
        return self.variables()

    def variables(self) -> Tensors:
        """Return the Keras variable of every parameter by canonical name."""
        split = [item["name"].rsplit("/", 1) for item in self.config["parameters"]]
        return {"/".join(parts): getattr(self.layers[parts[0]], parts[1]) for parts in split}

    def kind(self, phase: str) -> str:
        """Return the same for phases whose losses are the same function: they share a trace."""
        return phase

    def consumes(self, phase: str, site: str) -> bool:
        """Return whether a phase computes with a site that is declared for it."""
        return True

    # -- what a port uses --------------------------------------------------------------------------

    def dropout(self, x: Any, rate: float, noise: Tensors, site: str) -> Any:
        """Return `x` with the mask of a site applied, and what is kept scaled up.

        Args:
            x: activations. rate: the share that is dropped.
            noise: by site; the mask is 1 where a value is kept, else 0.
        """
        return x * noise[site] / (1.0 - rate)

    def regularization(self) -> Any:
        """Return the sum of the layers' regularisation losses; Keras computes them in the
        variable's dtype."""
        losses = [loss for layer in self.layers.values() for loss in layer.losses]
        return tf.add_n([tf.cast(loss, self.dtype) for loss in losses])

    # -- arrays and tensors ------------------------------------------------------------------------

    def _observe(self, arrays: Tensors, noise: Optional[Tensors], training: bool) -> List[Any]:
        record = self.activations(arrays, noise, training)
        self.observed_dtypes.update({name: tensor.dtype.name for name, tensor in record.items()})
        self.activation_names = list(record)
        return list(record.values())

    def _tensors(self, arrays: Mapping[str, np.ndarray]) -> Tensors:
        inputs = self.inputs()
        return {
            name: tf.constant(value, inputs[name][0])
            for name, value in arrays.items()
            if name in inputs
        }

    def _on_device(self, phase: str, batch: Batch) -> Tuple[Tensors, Tensors]:
        """Return a batch and its noise as tensors; noise that the batch lacks is drawn from seed
        0."""
        arrays = self._tensors(batch.arrays)
        if batch.noise is None:
            clock = tf.constant([0, self.single_steps], tf.int64)
            return arrays, self.noise.draw(phase, self.noise.streams_of(phase), clock)
        return arrays, {
            site: tf.constant(batch.noise[site], self.dtype) for site in self.noise.names(phase)
        }

    # -- the contract ------------------------------------------------------------------------------

    def _looked_at(self, batch: Batch, training: bool) -> Tuple[Tensors, Optional[Tensors]]:
        if training:
            return self._on_device(self.config["forward"]["phase"], batch)
        return self._tensors(batch.arrays), None

    def contracted(self, batch: Batch, training: bool) -> List[str]:
        return teacher_forcing.contracted(self, *self._looked_at(batch, training), training)

    def forward(self, batch: Batch, training: bool) -> Dict[str, np.ndarray]:
        with runtime.refusals(), self.undeclared.undisturbed():
            arrays, noise = self._looked_at(batch, training)
            values = self._forward(arrays, noise, training)
        return {name: runtime.readable(value) for name, value in zip(self.activation_names, values)}

    def forward_from(
        self, batch: Batch, training: bool, teacher: Mapping[str, np.ndarray]
    ) -> ForcedActivations:
        with runtime.refusals(), self.undeclared.undisturbed():
            arrays, noise = self._looked_at(batch, training)
            forced = teacher_forcing.teacher_forced(self, arrays, noise, training, teacher)
            if any(forced.read.values()) or not any(forced.own.values()):
                return forced
            try:
                return graph_cut.teacher_forced(self, (arrays, noise), training, teacher)
            except Unsupported:
                return forced  # which shows that nothing was teacher-forced

    def losses(self, phase: str, batch: Batch) -> Dict[str, float]:
        with runtime.refusals(), self.undeclared.undisturbed():
            values, _ = self.trainer.differentiate(phase, *self._on_device(phase, batch))
        return self.trainer.terms(phase, values.numpy())

    def gradients(self, phase: str, batch: Batch) -> Dict[str, np.ndarray]:
        with runtime.refusals():
            arrays, noise = self._on_device(phase, batch)

            def scaled(scale: Optional[float]) -> Dict[str, np.ndarray]:
                with self.undeclared.undisturbed():
                    _, gradients = self.trainer.differentiate(phase, arrays, noise, scale)
                # The gradient of rows that were looked up is sparse: an optimizer may want it so, a
                # comparison does not.
                dense = {name: tf.convert_to_tensor(value) for name, value in gradients.items()}
                return {name: value.numpy() for name, value in dense.items()}

            return loss_scale.settle(self, phase, self.trainer.loss_scale(phase), scaled)

    def train_step(self, phase: str, batch: Batch) -> Dict[str, float]:
        with runtime.refusals():
            if batch.noise is None:
                arrays = self._tensors(batch.arrays)
                order = tf.range(len(next(iter(batch.arrays.values()))), dtype=tf.int64)[tf.newaxis]
                control = [0, self.single_steps, 0]
                values = self.trainer.update_natively(phase, arrays, order, control)
                self.single_steps += 1
            else:
                values = self.trainer.update(phase, *self._on_device(phase, batch))
        return self.trainer.terms(phase, values.numpy())

    def train(self, source: Any, steps: int) -> Dict[str, List[Any]]:
        history: List[Tuple[int, str, Any]] = []
        run = self._lockstep if source.lockstep else self._native
        with runtime.refusals():
            for index in range(steps):
                phases = schedule.phases_at(self.config, source.cursor)
                history += [(index, phase, terms) for phase, terms in run(source, phases)]
                source.cursor += 1
                self.steps_trained += 1
            # One conversion a phase at the end; it also waits for the device.
            values: Dict[str, Any] = {}
            for phase in {phase for _, phase, _ in history}:
                stacked = tf.stack([terms for _, name, terms in history if name == phase])
                values[phase] = iter(stacked.numpy().tolist())
        done: List[List[Tuple[str, Dict[str, float]]]] = [[] for _ in range(steps)]
        for index, phase, _ in history:
            done[index].append((phase, self.trainer.terms(phase, next(values[phase]))))
        return schedule.columns(self.config, done)

    def _lockstep(self, source: Any, phases: List[str]) -> List[Tuple[str, Any]]:
        """Run one step on the tape; return each phase with its loss terms."""
        terms = []
        for phase in phases:
            inputs = self._on_device(phase, source.batch(source.cursor, phase))
            terms.append((phase, self.trainer.update(phase, *inputs)))
        return terms

    def _native(self, source: Any, phases: List[str]) -> List[Tuple[str, Any]]:
        """Run one step on draws of the framework's own."""
        batches = source.stream(f"tf2 {id(self)}", self._batches)[-1]
        order, index = batches.at(source.cursor)
        control = [source.seed, source.cursor, index]
        return [
            (phase, self.trainer.update_natively(phase, batches.rows, order, control))
            for phase in phases
        ]

    def _batches(self, source: Any) -> Tuple[Any, ...]:
        """Return the batches of a source; before them the port, because its id is the stream's
        key."""
        return self, native.Rows(self._tensors(source.training_rows()), source, self.noise)

    def generate(self, source: Any, count: int) -> np.ndarray:
        rows = source.evaluation_rows(count)
        first = next(iter(rows.values()))
        size = max(self.config["batch"], CHUNK_ELEMENTS // max(1, int(np.prod(first.shape[1:]))))
        parts = []
        with runtime.refusals(), self.undeclared.generating(source.lockstep):
            for start in range(0, max(count, 1), size):
                chunk = {name: array[start : start + size] for name, array in rows.items()}
                product = self._product(self._tensors(chunk))
                parts.append(runtime.readable(product))
            self.observed_dtypes["output"] = product.dtype.name
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def dtype_policy(self) -> str:
        """Return which layers compute in which dtype, as they say themselves."""
        kinds: Dict[str, List[str]] = {}
        for name, layer in self.layers.items():
            kinds.setdefault(layer.dtype_policy.name, []).append(name)
        return "; ".join(f"{policy}: {', '.join(names)}" for policy, names in sorted(kinds.items()))

    def effective(self) -> Dict[str, Any]:
        variable = next(iter(self.weights.values()))
        return dict(
            runtime.effective(*self.trainer.execution(), variable=variable),
            dtype_policy=self.dtype_policy(),
        )
