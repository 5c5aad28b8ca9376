"""What the `tf2` backend can do, and the part of a port that is not the model.

The same code runs on Keras 2 and Keras 3. Three things keep it exact on both: every layer gets its dtype policy by hand,
losses are `tf.nn` ops, and gradients are taken of `tf.Variable`s, which Keras 3 wraps in a class of its own.

A port built on `Tf2Port` declares its layers, inputs, activations and loss terms; phases, gradients, updates, tracing,
native input and read-back of settings are here.
"""

from __future__ import annotations

import collections
import functools
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

import numpy as np
import tensorflow as tf

from backends.contract import PRECISION_TABLE, Port, Setting
from backends.parameters import check
from backends.source import Batch
from backends.tf2 import optimizers, runtime
from backends.tf2.runtime import DEVICES, EXECUTIONS, KERAS_3, framework_versions  # noqa: F401  (abilities are read here)

#: `generate` runs about this many input elements at a time: one call for digits, one batch a call for photographs.
CHUNK_ELEMENTS = 1 << 20

Tensors = Dict[str, Any]


class Tf2Port(Port):
    """Base of the TF2 ports.

    A subclass states `PRODUCT`, the activation that `generate` returns, and defines `build`, `inputs`, `activations`,
    `loss_terms` and, where canonical names are not `<layer>/<attribute>`, `variables`.
    """

    PRODUCT = ""

    def __init__(self, config: Mapping[str, Any], setting: Setting) -> None:
        runtime.require(setting)
        Port.__init__(self, config, setting)
        table = PRECISION_TABLE[setting.precision]
        self.dtype, self.policies = tf.as_dtype(table["master"]), runtime.policies(setting.precision)
        self.loss_scale = float(table["loss_scale"])
        self.generator = tf.random.Generator.from_seed(0)
        self.activation_names = []  # type: List[str]
        with runtime.refusals():
            self.layers = self.build()
            empty = {name: tf.zeros([1] + shape[1:], dtype) for name, (dtype, shape) in self.inputs().items()}
            self.activations(empty, None, False)  # a layer makes its weights when it is first called
        named = self.variables()
        # Keras 3 hands out wrappers, which its optimizers want; everything else works on the tf.Variable inside.
        self.weights = {name: variable.value if KERAS_3 else variable for name, variable in named.items()}
        trainable = [item["name"] for item in config["parameters"] if item["trainable"]]
        self.trained = collections.OrderedDict((name, self.weights[name]) for name in trainable)
        self.statistics = [self.weights[item["name"]] for item in config["parameters"] if not item["trainable"]]
        self.optimizer = optimizers.build(
            config["optimizer"], [named[name] for name in trainable], list(self.trained.values()))
        self._trace()

    # -- what a port declares ---------------------------------------------------------------------------------

    def build(self) -> Dict[str, Any]:
        """Return the layers by name, each with a policy of `self.policies`: `low` for contractions, `rest` otherwise."""
        raise NotImplementedError

    def inputs(self) -> Dict[str, Tuple[Any, List[Optional[int]]]]:
        """Return dtype and shape, batch axis None, of each data array."""
        raise NotImplementedError

    def activations(self, arrays: Tensors, noise: Optional[Tensors], training: bool) -> Tensors:
        """Return named activations in order. `noise` None: draw it here (native mode)."""
        raise NotImplementedError

    def loss_terms(self, phase: str, arrays: Tensors, noise: Optional[Tensors]) -> Tensors:
        """Return the named loss terms of a phase, `total` last."""
        raise NotImplementedError

    def variables(self) -> Tensors:
        """Return the Keras variable of every parameter by canonical name."""
        split = [item["name"].rsplit("/", 1) for item in self.config["parameters"]]
        return {"/".join(parts): getattr(self.layers[parts[0]], parts[1]) for parts in split}

    # -- what a port uses -------------------------------------------------------------------------------------

    def dropout(self, x: Any, rate: float, noise: Optional[Tensors], site: str) -> Any:
        """Drop with the tape's mask, or with TF's own generator. It is an object with state, so that a stream can be seeded
        after tracing: the seed of a stateful op is baked into the graph (tensorflow#33034)."""
        if noise is None:
            return tf.nn.experimental.stateless_dropout(x, rate, seed=self.generator.make_seeds(1)[:, 0])
        return x * noise[site] / (1.0 - rate)

    def regularization(self) -> Any:
        """Return the sum of the layers' regularisation losses; Keras computes them in the variable's dtype."""
        return tf.add_n([tf.cast(loss, self.dtype) for layer in self.layers.values() for loss in layer.losses])

    # -- tracing ----------------------------------------------------------------------------------------------

    def _trace(self) -> None:
        """Make the callables of the port, as its execution asks. Nothing is traced before the first call."""
        self._forward = self._compiled(self._undisturbed(self._observe))
        self._losses = self._compiled(self._undisturbed(self.loss_terms))
        self._gradients = self._compiled(self._undisturbed(lambda *given: self._differentiate(*given)[1]))
        self._update = self._compiled(self._train)
        self._product = self._compiled(lambda arrays: self.activations(arrays, None, False)[self.PRODUCT])

    def _compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if self.setting.execution == "eager":
            return function
        return tf.function(function, jit_compile=True if self.setting.execution == "compiled" else None)

    def _undisturbed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with the running statistics put back behind it: Keras moves them in every training call."""
        def run(*given: Any) -> Any:
            kept = [tf.identity(variable) for variable in self.statistics]
            result = function(*given)
            for variable, value in zip(self.statistics, kept):
                variable.assign(value)
            return result

        return run

    def _observe(self, arrays: Tensors, noise: Optional[Tensors], training: bool) -> List[Any]:
        found = self.activations(arrays, noise, training)
        self.observed_dtypes.update({name: tensor.dtype.name for name, tensor in found.items()})
        self.activation_names = list(found)
        return list(found.values())

    def _differentiate(self, phase: str, arrays: Tensors, noise: Optional[Tensors]) -> Tuple[Tensors, Tensors]:
        with tf.GradientTape() as tape:
            terms = self.loss_terms(phase, arrays, noise)
            self.observed_dtypes["loss"] = terms["total"].dtype.name
            total = terms["total"] if self.loss_scale == 1.0 else terms["total"] * self.loss_scale
        found = tape.gradient(total, self.trained)
        if self.loss_scale != 1.0:
            found = {name: None if value is None else value / self.loss_scale for name, value in found.items()}
        return terms, found

    def _train(self, phase: str, arrays: Tensors, noise: Optional[Tensors]) -> Tensors:
        terms, found = self._differentiate(phase, arrays, noise)
        self.optimizer.apply([found[name] for name in self.trained])
        return terms

    def _step_from(self, iterator: Any) -> Tensors:
        arrays = next(iterator)
        return self._joined([self._update(phase, arrays, None) for phase in self.config["phases"]])

    def _joined(self, found: List[Tensors]) -> Tensors:
        """Return the terms of all phases of a step under one name each."""
        if len(found) == 1:
            return found[0]
        phases = zip(self.config["phases"], found)
        return {"%s/%s" % (phase, name): value for phase, terms in phases for name, value in terms.items()}

    # -- the contract -----------------------------------------------------------------------------------------

    def _tensors(self, arrays: Mapping[str, np.ndarray]) -> Tensors:
        wanted = self.inputs()
        return {name: tf.constant(value, wanted[name][0]) for name, value in arrays.items() if name in wanted}

    def _noise(self, batch: Batch) -> Optional[Tensors]:
        if batch.noise is None:
            return None
        return {site: tf.constant(value, self.dtype) for site, value in batch.noise.items()}

    def parameters(self) -> Dict[str, np.ndarray]:
        return {name: variable.numpy() for name, variable in self.weights.items()}

    def load_parameters(self, values: Mapping[str, np.ndarray]) -> None:
        check(values, self.config)
        for name, variable in self.weights.items():
            variable.assign(tf.constant(values[name], self.dtype))
        self.optimizer.reset()

    def forward(self, batch: Batch, training: bool) -> Dict[str, np.ndarray]:
        with runtime.refusals():
            found = self._forward(self._tensors(batch.arrays), self._noise(batch), training)
        return {name: runtime.readable(value) for name, value in zip(self.activation_names, found)}

    def losses(self, phase: str, batch: Batch) -> Dict[str, float]:
        with runtime.refusals():
            found = self._losses(phase, self._tensors(batch.arrays), self._noise(batch))
        return {name: float(value) for name, value in found.items()}

    def gradients(self, phase: str, batch: Batch) -> Dict[str, np.ndarray]:
        with runtime.refusals():
            found = self._gradients(phase, self._tensors(batch.arrays), self._noise(batch))
        return {name: found[name].numpy() for name in self.trained if found[name] is not None}

    def train_step(self, phase: str, batch: Batch) -> Dict[str, float]:
        with runtime.refusals():
            found = self._update(phase, self._tensors(batch.arrays), self._noise(batch))
        return {name: float(value) for name, value in found.items()}

    def train(self, source: Any, steps: int) -> Dict[str, List[float]]:
        history = []  # type: List[Tensors]
        with runtime.refusals():
            if source.lockstep:
                for _ in range(steps):
                    batches = [(phase, source.batch(source.cursor, phase)) for phase in self.config["phases"]]
                    history.append(self._joined([
                        self._update(phase, self._tensors(batch.arrays), self._noise(batch)) for phase, batch in batches]))
                    source.cursor += 1
            else:
                step = source.stream("tf2 %d" % id(self), self._native)[-1]
                history = [step() for _ in range(steps)]
            # One conversion at the end; it also waits for the device.
            return {name: tf.stack([terms[name] for terms in history]).numpy().tolist() for name in (history or [{}])[0]}

    def _native(self, source: Any) -> Tuple[Any, ...]:
        """Return a callable that runs one native step; before it, what has to live as long as it does.

        Row numbers pass through `tf.data` and a batch is gathered at once: less work than passing single rows. The step is
        traced for this stream and holds its iterator; as an argument of a `tf.function` an iterator is matched with the
        traces at each call, which takes longer than a small model's step.
        """
        self.generator.reset_from_seed(source.seed)
        rows = self._tensors(source.training_rows())
        total = len(next(iter(source.training_rows().values())))
        order = tf.data.Dataset.range(total).shuffle(total, seed=source.seed).batch(source.batch_size, drop_remainder=True)
        batches = order.repeat().map(lambda index: {name: tf.gather(value, index) for name, value in rows.items()})
        iterator = iter(batches.prefetch(2))
        # Not compiled as a whole, XLA has no iterators: it calls `_update`, which is.
        step = functools.partial(self._step_from, iterator)
        if self.setting.execution != "eager":
            step = tf.function(step).get_concrete_function()
        return self, iterator, step  # `self`, because its id is the stream's key

    def generate(self, source: Any, count: int) -> np.ndarray:
        rows = source.evaluation_rows(count)
        size = max(self.config["batch"], CHUNK_ELEMENTS // max(1, int(np.prod(next(iter(rows.values())).shape[1:]))))
        parts = []
        with runtime.refusals():
            for start in range(0, max(count, 1), size):
                arrays = self._tensors({name: array[start:start + size] for name, array in rows.items()})
                product = self._product(arrays)
                parts.append(runtime.readable(product))
            self.observed_dtypes["output"] = product.dtype.name
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def optimizer_state(self) -> Dict[str, np.ndarray]:
        kind = self.config["optimizer"]["kind"]
        state = {"%s/step" % kind: np.asarray(self.optimizer.step)}
        for slot, values in self.optimizer.slots().items():
            for name, value in zip(self.trained, values):
                state["%s/%s/%s" % (kind, name, slot)] = np.asarray(value)
        return state

    def effective(self) -> Dict[str, Any]:
        return runtime.effective(self.layers, self._update, next(iter(self.weights.values())))
