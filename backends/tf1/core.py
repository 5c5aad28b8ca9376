"""What the `tf1` backend can do, and the part of a port that is not the model.

The same code runs on TF 1.15 and on `tf.compat.v1` of a TF 2 release. Little has to be switched off
for that: inside a `tf.Graph` TF 2 behaves as TF 1 does, save for loops (see `runtime`) and one
default, the kind of variable. Resource variables are asked for on both: a read is then a value that
a later update cannot change, where a ref variable may show it before or after the update, so that
"the loss before the update" would be a race.

A port built on `Tf1Port` declares its inputs, its activations and its loss terms; phases,
gradients, updates, sessions, noise, native input, checkpoints and read-back of settings are here.
Variables and ops only: `tf.layers` and RNN cells are gone from Keras 3.
"""

from __future__ import annotations

import collections
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from backends import loss_scale
from backends.contract import PRECISION_TABLE, Port, Setting, Taught
from backends.parameters import check
from backends.recording import graph_feeding
from backends.recording.graphs import contractions_above
from backends.schedule import columns, phases_at
from backends.source import Batch
from backends.tf1 import checkpoints, foreign, native, optimizers, phases, runtime, undeclared_state
from backends.tf1.phases import SCOPE

#: The abilities of a backend are read from this module.
DEVICES, EXECUTIONS = runtime.DEVICES, runtime.EXECUTIONS
framework_versions, synchronize = runtime.framework_versions, runtime.synchronize
#: `generate` runs about this many input elements at a time: one run for digits, one batch a run for
#: photographs.
CHUNK_ELEMENTS = 1 << 20
STEP_SEED = 0  #: of updates that are asked for one by one without a tape's noise
Tensors = Dict[str, Any]


def ridge(scale: float) -> Callable[[Any], Any]:
    """Return TF1's l2 regulariser, s/2 sum(w^2), what `tf.contrib.layers.l2_regularizer(s)`
    computes: l2_loss holds the half."""
    return lambda weight: scale * tf.nn.l2_loss(weight)


class Tf1Port(Port):
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
        self.dtype, self.low_dtype = (
            tf.as_dtype(self.table["master"]),
            tf.as_dtype(self.table["contraction"]),
        )
        self.shapes = {item["name"]: item for item in config["parameters"]}
        self.weights = collections.OrderedDict()  # type: Tensors
        self.changes = []  # type: List[Tuple[Any, Any]]
        self.graph = tf.Graph()
        with self.graph.as_default():
            self._build()
            self.session = tf.Session(config=runtime.session_config(setting, self.REWRITE))
            self._run(tf.global_variables_initializer())
        self.step_origin = dict.fromkeys(self.optimizers, "counted")
        self._saver = None  # type: Any
        self.xla = False
        if setting.execution == "compiled":
            self.xla = runtime.require_clusters(self.session, phases.probe(self))

    # -- what a port declares ----------------------------------------------------------------------

    def inputs(self) -> Dict[str, Tuple[Any, List[Optional[int]]]]:
        """Return dtype and shape of each data array; the batch axis is None where rows may be of
        any number."""
        raise NotImplementedError

    def activations(self, arrays: Tensors, noise: Tensors, training: bool) -> Tensors:
        """Return named activations in order; `noise` by site."""
        raise NotImplementedError

    def loss_terms(self, phase: str, arrays: Tensors, noise: Tensors) -> Tensors:
        """Return the named loss terms of a phase, `total` last."""
        raise NotImplementedError

    def kind(self, phase: str) -> str:
        """Return what phases that have the same losses (of other noise or for another optimizer)
        have in common."""
        return phase

    # -- what a port uses --------------------------------------------------------------------------

    def variable(self, name: str, regularizer: Any = None) -> Any:
        """Return the parameter `<variable scope>/<name>`, in the master dtype; made on the first
        call, shared afterwards."""
        scope = tf.get_variable_scope().name[len(SCOPE) + 1 :]
        canonical = "%s/%s" % (scope, name) if scope else name
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
        statistic: an operation among UPDATE_OPS would run also where an update is skipped."""
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
        found, known = {}, undeclared_state.known()
        with tf.variable_scope(SCOPE, reuse=tf.AUTO_REUSE):
            for mode in look["modes"]:
                with tf.name_scope(mode):
                    sites = self.noise.sites.get(look["phase"], {})
                    found[mode] = self.activations(self.arrays, sites, mode == "training")
        self.undeclared = undeclared_state.of(self, undeclared_state.made(known, self.weights))
        self.training = found["training"]
        self.inference = found.get("inference", self.training)
        self.observed_dtypes.update(
            (name, tensor.dtype.name) for name, tensor in self.training.items()
        )
        self.observed_dtypes["output"] = self.inference[self.PRODUCT].dtype.name
        self.optimizers = phases.build_optimizers(self.config, self.weights, self.dtype, self.table)
        self.phases = phases.Phases(self)
        self.state = collections.OrderedDict()  # type: Tensors
        for optimizer in self.optimizers.values():
            self.state.update(optimizer.state)

    # -- running -----------------------------------------------------------------------------------

    def _run(self, fetches: Any, feed: Optional[Mapping[Any, Any]] = None) -> Any:
        with runtime.refusals():
            return self.session.run(fetches, feed)

    def _assign(self, pairs: Sequence[Tuple[Any, Any]]) -> None:
        """Set variables to values: their own initialisers, fed."""
        self._run(
            [variable.initializer for variable, _ in pairs],
            {
                variable.initializer.inputs[1]: np.asarray(
                    value, variable.dtype.base_dtype.as_numpy_dtype
                )
                for variable, value in pairs
            },
        )

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
        if sites:
            drawn = {self.noise.key: self._key(phase, STEP_SEED, self.single_steps)}
            feed.update(
                drawn
                if batch.noise is None
                else {sites[site]: value for site, value in batch.noise.items()}
            )
        return feed

    def parameters(self) -> Dict[str, np.ndarray]:
        return dict(self._run({name: self.weights[name] for name in self.shapes}))

    def parameter_shapes(self) -> Dict[str, Tuple[int, ...]]:
        return {name: tuple(self.weights[name].shape.as_list()) for name in self.shapes}

    def trainable_values(self) -> Optional[int]:
        return undeclared_state.trainable_values(self)

    def load_parameters(self, values: Mapping[str, np.ndarray]) -> None:
        check(values, self.config, self.parameter_shapes())
        self.undeclared.reset()
        self._run(
            [
                variable.initializer
                for optimizer in self.optimizers.values()
                for variable in optimizer.variables()
            ]
        )
        self._assign([(self.weights[name], values[name]) for name in self.shapes])
        self.steps_trained = self.single_steps = 0

    def forward(self, batch: Batch, training: bool) -> Dict[str, np.ndarray]:
        tensors = self.training if training else self.inference
        feed = self._feed(self.config["forward"]["phase"] if training else "", batch)
        with self.undeclared.undisturbed():
            return {
                name: runtime.readable(value)
                for name, value in zip(tensors, self._run(list(tensors.values()), feed))
            }

    def forward_from(
        self, batch: Batch, training: bool, teacher: Mapping[str, np.ndarray]
    ) -> Taught:
        tensors, phase = (
            (self.training, self.config["forward"]["phase"]) if training else (self.inference, "")
        )
        given = list(self.arrays.values()) + list(
            self.noise.sites.get(self.config["forward"]["phase"], {}).values()
        )
        with self.undeclared.undisturbed():
            return graph_feeding.taught(
                tensors, given, self._feed(phase, batch), teacher, self._run, tf.get_static_value
            )

    def contracted(self, batch: Batch, training: bool) -> List[str]:
        return contractions_above(self.training if training else self.inference)

    def losses(self, phase: str, batch: Batch) -> Dict[str, float]:
        built = self.phases[phase]
        with self.undeclared.undisturbed():
            return dict(
                zip(built.names, self._run(built.values, self._feed(phase, batch)).tolist())
            )

    def gradients(self, phase: str, batch: Batch) -> Dict[str, np.ndarray]:
        built, feed = self.phases[phase], self._feed(phase, batch)

        def scaled(scale: Optional[float]) -> Dict[str, np.ndarray]:
            with self.undeclared.undisturbed():
                return dict(
                    self._run(
                        built.gradients, feed if scale is None else {**feed, built.scale: scale}
                    )
                )

        return loss_scale.settle(
            self, phase, None if built.scale is None else float(self._run(built.scale)), scaled
        )

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
        numbers, found = self.rows.batch(self.session, source.cursor), []
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
            found.append((phase, dict(zip(built.names, values.tolist()))))
        return found

    def generate(self, source: Any, count: int) -> np.ndarray:
        rows = {
            name: array
            for name, array in source.evaluation_rows(count).items()
            if name in self.arrays
        }
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

    # -- state -------------------------------------------------------------------------------------

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
        wanted = self._saved()
        values, self.step_origin = checkpoints.read(folder, wanted, self.optimizers)
        self._assign([(variable, values[name]) for name, variable in wanted.items()])
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
        return checkpoints.variables(
            {name: self.weights[name] for name in self.shapes}, self.optimizers, self.trained
        )

    def effective(self) -> Dict[str, Any]:
        found = runtime.effective(self.session, self.dtype, self.xla)
        return dict(found, execution="callable") if self.setting.execution == "callable" else found
