"""What the `tf1` backend can do, and the part of a port that is not the model.

The same code runs on TF 1.15 and on `tf.compat.v1` of a TF 2 release. Nothing has to be switched off for that: inside a
`tf.Graph` TF 2 behaves as TF 1 does, save for one default, the kind of variable. Resource variables are asked for on
both: a read is then a value that a later update cannot change, where a ref variable may show it before or after the
update, so that "the loss before the update" would be a race.

A port built on `Tf1Port` declares its inputs, its activations and its loss terms; phases, gradients, updates, sessions,
native input and read-back of settings are here. Variables and ops only: `tf.layers` and RNN cells are gone from Keras 3.
"""

from __future__ import annotations

import collections
import zlib
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from backends.contract import PRECISION_TABLE, Port, Setting
from backends.parameters import check
from backends.source import Batch
from backends.tf1 import optimizers, runtime
from backends.tf1.runtime import DEVICES, EXECUTIONS, framework_versions  # noqa: F401  (a backend's abilities are read here)

SCOPE = "model"
#: `generate` runs about this many input elements at a time: one run for digits, one batch a run for photographs.
CHUNK_ELEMENTS = 1 << 20

Tensors = Dict[str, Any]


def ridge(scale: float) -> Callable[[Any], Any]:
    """Return TF1's l2 regulariser, s/2 sum(w^2): what `tf.contrib.layers.l2_regularizer(s)` computes."""
    return lambda weight: scale * tf.nn.l2_loss(weight)  # l2_loss holds the half


class Phase(object):
    """The tensors of one phase: named loss terms, named gradients of `total`, the update operation."""

    def __init__(self, terms: Tensors, gradients: Tensors, update: Any) -> None:
        self.terms, self.gradients, self.update = terms, gradients, update


class Tf1Port(Port):
    """Base of the TF1 ports.

    A subclass states `PRODUCT`, the activation that `generate` returns, and defines `inputs`, `activations`, `loss_terms`
    and, where it draws noise, `noise_sites`. `activations` may be called any number of times: variables are shared.
    """

    PRODUCT = ""

    def __init__(self, config: Mapping[str, Any], setting: Setting) -> None:
        runtime.require(setting)
        Port.__init__(self, config, setting)
        table = PRECISION_TABLE[setting.precision]
        self.dtype, self.low_dtype = tf.as_dtype(table["master"]), tf.as_dtype(table["contraction"])
        self.loss_scale = float(table["loss_scale"])
        self.shapes = {item["name"]: item for item in config["parameters"]}
        self.weights = collections.OrderedDict()  # type: Tensors
        self.graph = tf.Graph()
        with self.graph.as_default():
            self._build()
            self.session = tf.Session(config=runtime.session_config(setting))
            self._run(tf.global_variables_initializer())
        self.xla = False
        if setting.execution == "compiled":
            self.xla = runtime.require_clusters(self.session, self._probe())

    # -- what a port declares ---------------------------------------------------------------------------------

    def inputs(self) -> Dict[str, Tuple[Any, List[Optional[int]]]]:
        """Return dtype and shape, batch axis None, of each data array."""
        raise NotImplementedError

    def noise_sites(self, phase: str) -> Dict[str, List[Optional[int]]]:
        """Return the shape, batch axis None, of each site at which a phase draws noise."""
        return {}

    def activations(self, arrays: Tensors, noise: Optional[Tensors], training: bool) -> Tensors:
        """Return named activations in order. `noise` None: draw it here (native mode)."""
        raise NotImplementedError

    def loss_terms(self, phase: str, arrays: Tensors, noise: Optional[Tensors]) -> Tensors:
        """Return the named loss terms of a phase, `total` last."""
        raise NotImplementedError

    # -- what a port uses -------------------------------------------------------------------------------------

    def variable(self, name: str, regularizer: Any = None) -> Any:
        """Return the parameter `<variable scope>/<name>`, in the master dtype; made on the first call, shared afterwards."""
        scope = tf.get_variable_scope().name[len(SCOPE) + 1:]
        canonical = "%s/%s" % (scope, name) if scope else name
        item = self.shapes[canonical]
        self.weights[canonical] = tf.get_variable(
            name, item["shape"], self.dtype, tf.zeros_initializer(), regularizer, item["trainable"], use_resource=True)
        return self.weights[canonical]

    def low(self, tensor: Any) -> Any:
        """Return the tensor in the dtype of contractions."""
        return tf.cast(tensor, self.low_dtype)

    def dropout(self, x: Any, rate: float, noise: Optional[Tensors], site: str) -> Any:
        """Drop with the tape's mask, or with TF's own. The op's seed is fixed by the site: left to itself it would depend on
        the number of ops in the graph (tensorflow#14675); the stream's seed is the graph's."""
        if noise is None:
            return tf.nn.dropout(x, rate=rate, seed=zlib.crc32(site.encode("utf-8")) >> 1)
        return x * noise[site] / (1.0 - rate)

    def regularization(self) -> Any:
        """Return the sum of the regularisation losses of the model's scope. They are collected once, when a variable is
        made, however often the model is called."""
        return tf.add_n(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES, scope=SCOPE + "/"))

    # -- the graph --------------------------------------------------------------------------------------------

    def _build(self) -> None:
        inputs = self.inputs()
        self.arrays = {name: tf.placeholder(dtype, shape, name) for name, (dtype, shape) in inputs.items()}
        self.noise = {}  # type: Dict[str, Tensors]
        for phase in self.config["phases"]:
            sites = self.noise_sites(phase)
            self.noise[phase] = {site: tf.placeholder(self.dtype, shape) for site, shape in sites.items()}
        self.optimizer = optimizers.build(self.config["optimizer"], self.dtype)
        self.step = tf.get_variable("global_step", [], tf.int64, tf.zeros_initializer(), trainable=False, use_resource=True)
        with tf.name_scope("inference"), tf.variable_scope(SCOPE, reuse=tf.AUTO_REUSE):
            self.inference = self.activations(self.arrays, None, False)
        with tf.name_scope("training"), tf.variable_scope(SCOPE, reuse=tf.AUTO_REUSE):
            self.training = self.activations(self.arrays, self.noise[self.config["phases"][0]], True)
        self.observed_dtypes = {name: tensor.dtype.name for name, tensor in self.training.items()}
        self.observed_dtypes["output"] = self.inference[self.PRODUCT].dtype.name
        self.phases = {phase: self._phase(phase, self.arrays, self.noise[phase]) for phase in self.config["phases"]}
        self.state = optimizers.slots(self.optimizer, self.config["optimizer"]["kind"], self._trained(), self.step)
        self.loading = {name: tf.placeholder(self.dtype, weight.shape) for name, weight in self.weights.items()}
        self._load = optimizers.initializers(self.optimizer) + [self.step.initializer]
        self._load += [self.weights[name].assign(value).op for name, value in self.loading.items()]

    def _trained(self) -> Tensors:
        return collections.OrderedDict((name, self.weights[name]) for name in self.shapes if self.shapes[name]["trainable"])

    def _phase(self, phase: str, arrays: Tensors, noise: Optional[Tensors]) -> Phase:
        """Build one phase on the given input: its moving statistics are the UPDATE_OPS of its own name scope."""
        with tf.name_scope("phase_" + phase) as prefix:
            with tf.variable_scope(SCOPE, reuse=tf.AUTO_REUSE):
                terms = self.loss_terms(phase, arrays, noise)
            self.observed_dtypes["loss"] = terms["total"].dtype.name
            trained = self._trained()
            total = terms["total"] if self.loss_scale == 1.0 else terms["total"] * self.loss_scale
            found = tf.gradients(total, list(trained.values()))
            if self.loss_scale != 1.0:
                found = [None if gradient is None else gradient / self.loss_scale for gradient in found]
            gradients = collections.OrderedDict(item for item in zip(trained, found) if item[1] is not None)
            with tf.control_dependencies(list(terms.values()) + tf.get_collection(tf.GraphKeys.UPDATE_OPS, scope=prefix)):
                pairs = [(gradient, trained[name]) for name, gradient in gradients.items()]
                return Phase(terms, gradients, self.optimizer.apply_gradients(pairs, global_step=self.step))

    def _native(self, source: Any) -> Any:
        """Return a callable that runs one native step and returns its loss terms: nothing is fed, nothing waits for Python.

        Row numbers pass through `tf.data` and a batch is gathered at once; passing rows one by one costs more than the step.
        """
        dtypes = {name: tensor.dtype.as_numpy_dtype for name, tensor in self.arrays.items()}
        rows = {name: np.asarray(array, dtypes[name]) for name, array in source.training_rows().items()}
        total, batch = len(next(iter(rows.values()))), source.batch_size
        with self.graph.as_default(), tf.name_scope("native"):
            tf.set_random_seed(source.seed)
            with tf.device("/cpu:0"):
                held = {name: tf.placeholder(array.dtype, array.shape) for name, array in rows.items()}  # fed once
                order = tf.data.Dataset.range(total).shuffle(total, seed=1).batch(batch, drop_remainder=True).repeat()
                gathered = order.map(lambda index: {name: tf.gather(array, index) for name, array in held.items()})
                iterator = tf.data.make_initializable_iterator(gathered.prefetch(2))
                arrays = iterator.get_next()
            fetches, previous = [], []  # type: List[Any], List[Any]
            for phase in self.config["phases"]:
                with tf.control_dependencies(previous):
                    built = self._phase(phase, arrays, None)
                previous = [built.update]
                fetches.append(tf.stack(list(built.terms.values())))
        self._run(iterator.initializer, {held[name]: array for name, array in rows.items()})
        return self, self.session.make_callable([fetches, previous])  # `self` too: its id is the stream's key

    # -- running ----------------------------------------------------------------------------------------------

    def _run(self, fetches: Any, feed: Optional[Mapping[Any, Any]] = None) -> Any:
        with runtime.refusals():
            return self.session.run(fetches, feed)

    def _feed(self, phase: str, batch: Batch, noise: bool = True) -> Dict[Any, Any]:
        feed = {self.arrays[name]: value for name, value in batch.arrays.items() if name in self.arrays}
        if noise and self.noise[phase]:
            if batch.noise is None:
                raise ValueError("phase %s needs the tape's noise at %s" % (phase, ", ".join(sorted(self.noise[phase]))))
            feed.update({self.noise[phase][site]: value for site, value in batch.noise.items()})
        return feed

    def _probe(self) -> Tuple[Any, Dict[Any, Any]]:
        """Return the fetches and a feed of zeros with which a whole update can be tried."""
        phase = self.config["phases"][0]
        tensors = list(self.arrays.values()) + list(self.noise[phase].values())
        shapes = {tensor: [self.config["batch"]] + tensor.shape.as_list()[1:] for tensor in tensors}
        return self.phases[phase].gradients, {tensor: np.zeros(shape) for tensor, shape in shapes.items()}

    def parameters(self) -> Dict[str, np.ndarray]:
        return dict(self._run({name: self.weights[name] for name in self.shapes}))

    def load_parameters(self, values: Mapping[str, np.ndarray]) -> None:
        check(values, self.config)
        self._run(self._load, {self.loading[name]: values[name] for name in self.loading})

    def forward(self, batch: Batch, training: bool) -> Dict[str, np.ndarray]:
        tensors = self.training if training else self.inference
        phase = self.config["phases"][0]
        found = self._run(list(tensors.values()), self._feed(phase, batch, noise=training))
        return {name: runtime.readable(value) for name, value in zip(tensors, found)}

    def losses(self, phase: str, batch: Batch) -> Dict[str, float]:
        found = self._run(self.phases[phase].terms, self._feed(phase, batch))
        return {name: float(found[name]) for name in self.phases[phase].terms}

    def gradients(self, phase: str, batch: Batch) -> Dict[str, np.ndarray]:
        return dict(self._run(self.phases[phase].gradients, self._feed(phase, batch)))

    def train_step(self, phase: str, batch: Batch) -> Dict[str, float]:
        terms = self.phases[phase].terms
        found, _ = self._run([terms, self.phases[phase].update], self._feed(phase, batch))
        return {name: float(found[name]) for name in terms}

    def train(self, source: Any, steps: int) -> Dict[str, List[float]]:
        history = []  # type: List[List[Any]]
        if not source.lockstep:
            _, step = source.stream("tf1 %d" % id(self), self._native)
            with runtime.refusals():
                history = [step()[0] for _ in range(steps)]
        for _ in range(steps if source.lockstep else 0):
            found = [self.train_step(phase, source.batch(source.cursor, phase)) for phase in self.config["phases"]]
            history.append([list(terms.values()) for terms in found])
            source.cursor += 1
        several = len(self.config["phases"]) > 1
        columns = {}  # type: Dict[str, List[float]]
        for index, phase in enumerate(self.config["phases"]):
            for place, name in enumerate(self.phases[phase].terms):
                columns["%s/%s" % (phase, name) if several else name] = [float(row[index][place]) for row in history]
        return columns

    def generate(self, source: Any, count: int) -> np.ndarray:
        rows = {name: array for name, array in source.evaluation_rows(count).items() if name in self.arrays}
        first = next(iter(rows.values()))
        size = max(self.config["batch"], CHUNK_ELEMENTS // max(1, int(np.prod(first.shape[1:]))))
        parts = []
        for start in range(0, max(count, 1), size):
            feed = {self.arrays[name]: array[start:start + size] for name, array in rows.items()}
            parts.append(runtime.readable(self._run(self.inference[self.PRODUCT], feed)))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def optimizer_state(self) -> Dict[str, np.ndarray]:
        return {name: np.asarray(value) for name, value in self._run(self.state).items()}

    def effective(self) -> Dict[str, Any]:
        return runtime.effective(self.session, self.dtype, self.xla)
