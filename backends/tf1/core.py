"""What the `tf1` backend can do, and the part of a port that is not the model.

The same code runs on TF 1.15 and on `tf.compat.v1` of a TF 2 release. Little has to be switched off
for that: inside a `tf.Graph` TF 2 behaves as TF 1 does, save for loops (see `runtime`) and one
default, the kind of variable. Resource variables are asked for on both: a read is then a value that
a later update cannot change, where a ref variable may show it before or after the update, so that
"the loss before the update" would be a race.

A port built on `Tf1Port` declares its inputs, its activations and its loss terms; the graph, its
runs are here, losses, gradients and updates in `training`, weights and checkpoints in `state`,
native draws in `native`, the process' switches in `runtime`. Variables and ops only: `tf.layers`
and RNN cells are gone from Keras 3.
"""

from __future__ import annotations

import collections
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from backends import loss_scale
from backends.contract import PRECISION_TABLE, ForcedActivations, Port, Setting
from backends.schedule import columns, phases_at
from backends.source import Batch
from backends.tf1 import native, runtime, teacher_forcing, undeclared_state
from backends.tf1.state import StoredPort, Tensors
from backends.tf1.training import SCOPE, Phases, build_optimizers, probe

#: The abilities of a backend are read from this module.
DEVICES, EXECUTIONS = runtime.DEVICES, runtime.EXECUTIONS
framework_versions, synchronize = runtime.framework_versions, runtime.synchronize
#: `generate` runs about this many input elements at a time: one run for digits, one batch a run for
#: photographs.
CHUNK_ELEMENTS = 1 << 20
#: Of single updates without a tape's noise.
STEP_SEED = 0


def ridge(scale: float) -> Callable[[Any], Any]:
    """Return TF1's l2 regulariser, s/2 sum(w^2), what `tf.contrib.layers.l2_regularizer(s)`
    computes: l2_loss holds the half."""
    return lambda weight: scale * tf.nn.l2_loss(weight)


class Tf1Port(StoredPort):
    """Base of the TF1 ports.

    A subclass states `PRODUCT`, the activation that `generate` returns, and defines `inputs`,
    `activations` and `loss_terms`. `activations` may be called any number of times: variables are
    shared. `REWRITE` False keeps Grappler out: it goes over the whole graph for every new
    combination of fetches, which only pays where it finds something.

    `step_origin`: for each optimizer, where the count of updates of the last restored checkpoint is
    from.
    """

    PRODUCT = ""
    REWRITE = True

    def __init__(self, config: Mapping[str, Any], setting: Setting) -> None:
        runtime.require(setting)
        Port.__init__(self, config, setting)
        self.table = PRECISION_TABLE[setting.precision]
        self.dtype = tf.as_dtype(self.table["master"])
        self.low_dtype = tf.as_dtype(self.table["contraction"])
        self.shapes = {item["name"]: item for item in config["parameters"]}
        self.weights: Tensors = collections.OrderedDict()
        self.changes: List[Tuple[Any, Any]] = []
        self.graph = tf.Graph()
        with self.graph.as_default():
            self._build()
            self.session = tf.Session(config=runtime.session_config(setting, self.REWRITE))
            self._run(tf.global_variables_initializer())
        self.step_origin = dict.fromkeys(self.optimizers, "counted")
        self._saver: Any = None
        self.xla = False
        if setting.execution == "compiled":
            self.xla = runtime.require_clusters(self.session, probe(self))

    # -- what a port declares ----------------------------------------------------------------------

    def inputs(self) -> Dict[str, Tuple[Any, List[Optional[int]]]]:
        """Return dtype and shape of each data array; the batch axis is None where rows may be of
        any number."""
        raise NotImplementedError

    def activations(self, arrays: Tensors, noise: Tensors, training: bool) -> Tensors:
        """Return named activations in order.

        Args:
            arrays: of the batch, by the names of `inputs`.
            noise: by site.
            training: of the mode whose graph is being built.
        """
        raise NotImplementedError

    def loss_terms(self, phase: str, arrays: Tensors, noise: Tensors) -> Tensors:
        """Return the named loss terms of a phase, `total` last.

        Args:
            phase: one of `config["phases"]`.
            arrays: of the batch, by the names of `inputs`.
            noise: of that phase, by site.
        """
        raise NotImplementedError

    def kind(self, phase: str) -> str:
        """Return what phases that have the same losses (of other noise or for another optimizer)
        have in common."""
        return phase

    # -- what a port uses --------------------------------------------------------------------------

    def variable(self, name: str, regularizer: Any = None) -> Any:
        """Return the parameter `<variable scope>/<name>`, in the master dtype; made on the first
        call, shared afterwards.

        Args:
            name: the last part of its canonical one.
            regularizer: what its loss is computed by, as `tf.get_variable` takes it; the sum of all
                is `regularization`.
        """
        scope = tf.get_variable_scope().name[len(SCOPE) + 1 :]
        canonical = f"{scope}/{name}" if scope else name
        item = self.shapes[canonical]
        self.weights[canonical] = tf.get_variable(
            name,
            item["shape"],
            self.dtype,
            tf.zeros_initializer(),
            regularizer,
            item["trainable"],
            use_resource=True,
        )
        return self.weights[canonical]

    def low(self, tensor: Any) -> Any:
        """Return the tensor in the dtype of contractions."""
        return tf.cast(tensor, self.low_dtype)

    def subtract(self, variable: Any, change: Any) -> None:
        """Let the update of the phase that is being built subtract `change` from a running
        statistic: an operation among UPDATE_OPS would run also where an update is skipped.

        Args:
            variable: of the running statistic.
            change: a tensor of its shape.
        """
        self.changes.append((variable, change))

    def regularization(self) -> Any:
        """Return the sum of the regularisation losses of the model's scope. They are collected
        once, when a variable is made, however often the model is called."""
        return tf.add_n(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES, scope=SCOPE + "/"))

    # -- the graph ---------------------------------------------------------------------------------

    def _build(self) -> None:
        inputs = self.inputs()
        self.rows = native.Rows(inputs, self.config)
        self.arrays = self.rows.arrays
        self.noise = native.Noise(self.config, self.dtype, next(iter(inputs.values()))[1][0])
        self.trained = tf.Variable(
            0, False, dtype=tf.int64, use_resource=True, name="trained_steps"
        )
        look = self.config["forward"]
        by_mode, known = {}, undeclared_state.known()
        with tf.variable_scope(SCOPE, reuse=tf.AUTO_REUSE):
            for mode in look["modes"]:
                with tf.name_scope(mode):
                    sites = self.noise.sites.get(look["phase"], {})
                    by_mode[mode] = self.activations(self.arrays, sites, mode == "training")
        self.undeclared = undeclared_state.of(self, undeclared_state.made(known, self.weights))
        self.training = by_mode["training"]
        self.inference = by_mode.get("inference", self.training)
        self.observed_dtypes.update(
            (name, tensor.dtype.name) for name, tensor in self.training.items()
        )
        self.observed_dtypes["output"] = self.inference[self.PRODUCT].dtype.name
        self.optimizers = build_optimizers(self.config, self.weights, self.dtype, self.table)
        self.phases = Phases(self)
        self.state: Tensors = collections.OrderedDict()
        for optimizer in self.optimizers.values():
            self.state.update(optimizer.state)

    # -- running -----------------------------------------------------------------------------------

    def _key(self, phase: str, seed: int, step: int) -> np.ndarray:
        return np.array([seed, step, self.noise.number(phase)], np.int64)

    def _feed(self, phase: str, batch: Batch) -> Dict[Any, Any]:
        """Return what a phase consumes: data, and noise where it has any: the tape's, or what draws
        it in the graph."""
        feed = {
            self.rows.entries[name]: value
            for name, value in batch.arrays.items()
            if name in self.arrays
        }
        sites = self.noise.entries.get(phase, {})
        if sites and batch.noise is None:
            feed[self.noise.key] = self._key(phase, STEP_SEED, self.single_steps)
        elif sites and batch.noise is not None:
            feed.update((sites[site], value) for site, value in batch.noise.items())
        return feed

    def _looked_at(self, batch: Batch, training: bool) -> Dict[Any, Any]:
        return self._feed(self.config["forward"]["phase"] if training else "", batch)

    def forward(self, batch: Batch, training: bool) -> Dict[str, np.ndarray]:
        tensors = self.training if training else self.inference
        with self.undeclared.undisturbed():
            values = self._run(list(tensors.values()), self._looked_at(batch, training))
        return {name: runtime.readable(value) for name, value in zip(tensors, values)}

    def forward_from(
        self, batch: Batch, training: bool, teacher: Mapping[str, np.ndarray]
    ) -> ForcedActivations:
        with self.undeclared.undisturbed():
            return teacher_forcing.teacher_forced(
                self, self._looked_at(batch, training), training, teacher
            )

    def contracted(self, batch: Batch, training: bool) -> List[str]:
        return teacher_forcing.contracted(self, training)

    def losses(self, phase: str, batch: Batch) -> Dict[str, float]:
        built = self.phases[phase]
        with self.undeclared.undisturbed():
            values = self._run(built.values, self._feed(phase, batch))
        return dict(zip(built.names, values.tolist()))

    def gradients(self, phase: str, batch: Batch) -> Dict[str, np.ndarray]:
        built, feed = self.phases[phase], self._feed(phase, batch)

        def scaled(scale: Optional[float]) -> Dict[str, np.ndarray]:
            scaled_feed = feed if scale is None else {**feed, built.scale: scale}
            with self.undeclared.undisturbed():
                return dict(self._run(built.gradients, scaled_feed))

        present = None if built.scale is None else float(self._run(built.scale))
        return loss_scale.settle(self, phase, present, scaled)

    def train_step(self, phase: str, batch: Batch) -> Dict[str, float]:
        built, feed = self.phases[phase], self._feed(phase, batch)
        self.single_steps += batch.noise is None
        return dict(zip(built.names, self._run([built.values, built.update], feed)[0].tolist()))

    def train(self, source: Any, steps: int) -> Dict[str, List[Any]]:
        assignments = [] if source.lockstep else self.rows.assignments(source)
        if assignments:
            self._assign(assignments)
        step = self._lockstep if source.lockstep else self._native
        history = []
        with runtime.refusals():
            for _ in range(steps):
                history.append(step(source, phases_at(self.config, source.cursor)))
                source.cursor += 1
                self.steps_trained += 1
        return columns(self.config, history)

    def _lockstep(self, source: Any, names: List[str]) -> List[Tuple[str, Dict[str, float]]]:
        return [
            (phase, self.train_step(phase, source.batch(source.cursor, phase))) for phase in names
        ]

    def _native(self, source: Any, names: List[str]) -> List[Tuple[str, Dict[str, float]]]:
        """Run a step's phases, one call each: they share tensors, which a call computes once. The
        rows are in the graph's memory and noise is drawn there: a few numbers are fed."""
        numbers, terms = self.rows.batch(self.session, source.cursor), []
        for phase in names:
            built = self.phases[phase]
            key = self._key(phase, source.seed, source.cursor)
            if self.setting.execution == "callable":
                if built.step is None:
                    built.step = runtime.callable_of(
                        self.session,
                        [self.noise.key, self.rows.numbers],
                        built.values,
                        built.update,
                    )
                values = built.step(key, numbers)[0]
            else:
                values = self.session.run(
                    [built.values, built.update], {self.noise.key: key, self.rows.numbers: numbers}
                )[0]
            terms.append((phase, dict(zip(built.names, values.tolist()))))
        return terms

    def generate(self, source: Any, count: int) -> np.ndarray:
        evaluation = source.evaluation_rows(count)
        rows = {name: array for name, array in evaluation.items() if name in self.arrays}
        first = next(iter(rows.values()))
        size = max(self.config["batch"], CHUNK_ELEMENTS // max(1, int(np.prod(first.shape[1:]))))
        parts = []
        with self.undeclared.generating(source.lockstep):
            for start in range(0, max(count, 1), size):
                feed = {
                    self.rows.entries[name]: array[start : start + size]
                    for name, array in rows.items()
                }
                parts.append(runtime.readable(self._run(self.inference[self.PRODUCT], feed)))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def effective(self) -> Dict[str, Any]:
        effective = runtime.effective(self.session, self.dtype, self.xla)
        if self.setting.execution == "callable":
            effective["execution"] = "callable"
        return effective
