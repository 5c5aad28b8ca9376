"""One side made of Keras models: their own training step and forward pass, run as the harness asks,
and watched.

Whatever is looked at runs eagerly, with everything that watches put in before and taken out after;
a timed run (no draws) runs the user's objects as they are, and nothing is hooked.
"""

from __future__ import annotations

import contextlib
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np
import tensorflow as tf

from backends import pair
from backends.adapter import side
from backends.adapter.draws import Draws
from backends.adapter.side import FORWARD, GENERATE, Arrays, StepResult, Tap
from backends.contract import PRECISION_TABLE, Setting, Taught, Unsupported
from backends.pair import Declared
from backends.survey import Survey
from backends.tf2 import releases, runtime
from backends.tf2.adapter import checkpoints, draws, forcing, holdings, objects, optimizers, reports
from backends.tf2.adapter.paths import Names
from backends.tf2.adapter.state import Snapshot, State, value_of
from backends.tf2.adapter.steps import Capture, captured, eagerly, scalar, scalars
from backends.tf2.adapter.taps import Call, Watcher, flattened, watched
from backends.tf2.adapter.weights import inner

EXECUTIONS = ("default", "graph", "eager")
TOTAL = "total"


class Side(side.Side):
    """A side of Keras 2 or Keras 3 on TensorFlow.

    Args:
        function: the user's. setting: how to run.

    Raises:
        Unsupported: the setting cannot be honoured with objects like these.
    """

    def __init__(self, function: Any, setting: Setting) -> None:
        if setting.execution not in EXECUTIONS:
            raise Unsupported(
                f"a step of the user's own runs as it was written; {setting.execution} execution is"
                " for them to ask for"
            )
        runtime.require(setting)
        self.dtype = PRECISION_TABLE[setting.precision]["master"]
        self._eager = setting.execution == "eager"
        side.Side.__init__(self, function, setting)
        self.models = self.declared.models
        self.holdings = holdings.of([*self.declared.steps.values(), self.declared.forward])
        self.optimizers = self._optimizers()
        self.state = State(
            list(self.models.values()), list(self.optimizers.values()), self.holdings
        )
        self.names: Any = None
        self._initial: Optional[Snapshot] = None
        self._begun: Dict[str, int] = {}
        self._dtypes: Dict[str, str] = {}
        #: by phase, the names in what its step returns that add up to what it differentiates.
        self._parts: Dict[str, Tuple[str, ...]] = {}
        self._timed: Optional[Callable[..., Any]] = None
        if objects.is_built(self.models):
            self._name()

    def _declared(self, function: Any) -> Declared:
        objects.set_dtypes(self.setting)
        draws.seed()
        return objects.check_declared(function())

    def _optimizers(self) -> Dict[str, Any]:
        """Return the optimizers by own name: those that were declared, else compiled ones, else
        what the steps hold."""
        if self.declared.optimizers:
            return dict(self.declared.optimizers)
        compiled = {
            name: model.optimizer
            for name, model in self.models.items()
            if getattr(model, "optimizer", None) is not None
        }
        held = dict(self.holdings.optimizers)
        for name, model in self.holdings.models.items():
            optimizer = getattr(model, "optimizer", None)
            if optimizer is not None:
                held[name] = optimizer
        if not self.declared.steps:
            held = {}
        known = {id(optimizer) for optimizer in compiled.values()}
        for name, optimizer in held.items():
            if id(optimizer) not in known:
                known.add(id(optimizer))
                compiled[name] = optimizer
        return {"": next(iter(compiled.values()))} if len(compiled) == 1 else compiled

    # -- building ----------------------------------------------------------------------------------

    def prepare(self, arrays: Arrays) -> None:
        """Build what is built at the first call: weights of subclassed models, slots, metrics.

        Args:
            arrays: one batch of training rows.
        """
        if self._initial is not None:
            return
        draws.seed()
        self._compile_functions()
        if self.names is None:
            self._forward(self._batch(arrays), training=False)
            self._name()
        before = self.state.snapshot()
        made: Dict[int, Tuple[Any, np.ndarray]] = {}

        def note_new() -> None:
            for key, variable in self.state.variables().items():
                if key not in before.variables and key not in made:
                    made[key] = variable, value_of(variable)

        note_new()
        with self._watching(None, None), eagerly():
            for phase in self.phases():
                capture = Capture(self.names)
                with captured(capture, self.optimizers, before_update=note_new):
                    self._run(phase, self._batch(arrays))
        for key, variable in self.state.variables().items():
            if key not in before.variables and key not in made:  # of metrics, which begin at zero
                made[key] = variable, np.zeros_like(value_of(variable))
        self._initial = before._replace(variables={**before.variables, **made})
        self.state.restore(self._initial)
        self._begun = {
            name: optimizers.count(optimizer) for name, optimizer in self.optimizers.items()
        }

    def _name(self) -> None:
        """Name layers and weights, once all models are built."""
        objects.check_dtypes(self.models, self.setting)
        self.names = Names(self.models)
        if self.declared.weights is not None:
            checkpoints.load(self.models, self.declared.weights)

    def _compile_functions(self) -> None:
        """Have compiled models make their training functions now: made while functions run eagerly,
        they would stay eager in timed runs."""
        for model in [*self.models.values(), *self.holdings.models.values()]:
            if getattr(model, "optimizer", None) is not None and hasattr(
                model, "make_train_function"
            ):
                if self._eager:
                    model.run_eagerly = True
                model.make_train_function()

    def phases(self) -> List[str]:
        """Return the names of the training phases."""
        return list(self.declared.steps) or [pair.TRAIN]

    def _ready(self) -> Any:
        if self.names is None:
            raise RuntimeError(
                "the model has no weights before its first call: call `prepare` or `survey` with a"
                " batch first"
            )
        return self.names

    def survey(self, arrays: Arrays) -> Survey:
        self.prepare(arrays)
        return reports.survey(self, arrays)

    # -- state -------------------------------------------------------------------------------------

    def parameters(self) -> Dict[str, np.ndarray]:
        return {name: value_of(inner(held)) for name, held in self._ready().variables.items()}

    def assign(self, values: Arrays) -> None:
        for name, variable in self._ready().variables.items():
            held = inner(variable)
            held.assign(tf.cast(tf.constant(np.asarray(values[name])), held.dtype))

    def reset(self) -> None:
        if self._initial is None:
            return
        parameters = {id(inner(held)) for held in self._ready().variables.values()}
        kept = {key: item for key, item in self._initial.variables.items() if key not in parameters}
        self.state.restore(self._initial._replace(variables=kept))
        for optimizer in self.optimizers.values():
            optimizers.averages_begin(optimizer, list(self.names.variables.values()))

    def snapshot(self) -> Snapshot:
        return self.state.snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        self.state.restore(snapshot)

    def slots(self) -> Dict[str, Dict[str, Dict[str, np.ndarray]]]:
        variables = self._ready().variables
        return {
            name: optimizers.slots(optimizer, variables)
            for name, optimizer in self.optimizers.items()
        }

    def counts(self) -> Dict[str, int]:
        return {
            name: optimizers.count(optimizer) - self._begun.get(name, 0)
            for name, optimizer in self.optimizers.items()
        }

    # -- runs --------------------------------------------------------------------------------------

    def _batch(self, arrays: Arrays) -> Dict[str, Any]:
        return objects.tensors(arrays, self.dtype)

    def _forward(self, batch: Dict[str, Any], training: bool) -> Any:
        """Run the user's forward pass, or the model on `x`."""
        if self.declared.forward is not None:
            return self.declared.forward(batch, training)
        model = next(iter(self.models.values()))
        return model(batch["x"], training=training)

    def _run(self, phase: str, batch: Dict[str, Any]) -> Any:
        """Run a step of the user's, or the compiled model's own, and return what it returns."""
        if self.declared.steps:
            return self.declared.steps[phase](batch)
        model = next(iter(self.models.values()))
        options = {} if "sample_weight" not in batch else {"sample_weight": batch["sample_weight"]}
        model.reset_metrics()
        returned = model.train_on_batch(batch["x"], batch["y"], return_dict=True, **options)
        return {
            name: value
            for name, value in returned.items()
            if name == "loss" or name.endswith("_loss")
        }

    @contextlib.contextmanager
    def _watching(
        self, answers: Optional[Draws], watcher: Optional[Watcher], graphs: bool = False
    ) -> Iterator[Tuple[Watcher, Optional[draws.Server]]]:
        """Watch the layers, and answer the draws, of what runs inside.

        Args:
            answers: to draws; None: the framework's own. watcher: of layers; None: a new one.
            graphs: whether draws in a graph are answered.
        """
        watcher = watcher or Watcher(self._ready())
        draws.seed()
        with contextlib.ExitStack() as stack:
            stack.enter_context(watched(watcher, list(self.models.values())))
            server = None
            if answers is not None:
                server = draws.Server(answers, watcher.layer, graphs)
                layers = objects.all_layers(self.models.values())
                stack.enter_context(draws.masks_that_are_used(layers))
                stack.enter_context(draws.served(server))
            yield watcher, server

    def step(
        self,
        phase: str,
        arrays: Arrays,
        draws: Optional[Draws],
        gradients: Optional[Arrays] = None,
        watch: bool = True,
    ) -> StepResult:
        batch = self._batch(arrays)
        if draws is None and gradients is None:
            with eagerly() if self._eager else contextlib.nullcontext():
                return StepResult(self._own_losses(phase, self._run(phase, batch)))
        result, _, _, _ = self.watched_step(phase, batch, draws, gradients, watch)
        return result

    def watched_step(
        self,
        phase: str,
        batch: Dict[str, Any],
        answers: Optional[Draws],
        gradients: Optional[Arrays] = None,
        watch: bool = True,
    ) -> Tuple[StepResult, Capture, Any, Any]:
        """Run a step eagerly; return what it did, what was captured, the server of draws, and what
        the step returned.

        Args:
            phase, gradients, watch: as for `step`. batch: as tensors. answers: to draws.
        """
        self.prepare({name: np.asarray(value) for name, value in batch.items()})
        capture = Capture(self._ready(), gradients)
        with self._watching(answers, None) as (_, server), eagerly():
            with captured(capture, self.optimizers):
                returned = self._run(phase, batch)
        losses = {**scalars(returned), TOTAL: capture.total()}
        if capture.totals:
            self._dtypes["loss"] = self._loss_dtype(returned)
        values: Dict[str, np.ndarray] = {}
        if watch:
            values = {name: np.array(held) for name, held in capture.gradients.items()}
        return StepResult(losses, values, capture.updated), capture, server, returned

    def _loss_dtype(self, returned: Any) -> str:
        held = next(iter(flattened(returned).values()), None)
        return str(held.dtype.name) if tf.is_tensor(held) else self.dtype

    def _own_losses(self, phase: str, returned: Any) -> Dict[str, float]:
        """Return the losses of a step that nobody watched: `total` is what of its own it adds up
        to."""
        losses = scalars(returned)
        if not isinstance(returned, dict):
            value = scalar(returned)
            return {TOTAL: float("nan") if value is None else value}
        parts = self._parts.get(phase, ("loss",) if "loss" in losses else tuple(losses))
        losses[TOTAL] = float(sum(losses[name] for name in parts))
        return losses

    def look(
        self, arrays: Arrays, training: bool, draws: Optional[Draws], taps: Sequence[Tap]
    ) -> Dict[str, np.ndarray]:
        batch = self._batch(arrays)
        if draws is None and not taps:
            return self.outputs(self._timed_forward(batch, training))
        self.prepare(arrays)
        calls, output, _ = self.watched_look(batch, training, draws)
        by_place = {(call.place.path, call.number): call for call in calls}
        values: Dict[str, np.ndarray] = {}
        for tap in taps:
            call = by_place.get((tap.layer, tap.call))
            if call is not None and tap.output < len(call.outputs):
                tensor = call.outputs[tap.output]
                self._dtypes[tap.name] = tensor.dtype.name
                values[tap.name] = runtime.readable(tensor)
        return {**values, **self.outputs(output)}

    def watched_look(
        self, batch: Dict[str, Any], training: bool, answers: Optional[Draws]
    ) -> Tuple[List[Call], Any, Any]:
        """Run a forward pass eagerly and put its state back; return the layers' calls, what the
        pass returned, and the server of draws.

        Args:
            batch: as tensors. training: in which mode. answers: to draws.
        """
        before = self.snapshot()
        try:
            with self._watching(answers, None) as (watcher, server), eagerly():
                output = self._forward(batch, training)
        finally:
            self.restore(before)
        return watcher.calls, output, server

    def outputs(self, output: Any) -> Dict[str, np.ndarray]:
        """Return what a forward pass gave as arrays: `output`, or `output/<name>`."""
        values = {}
        for name, tensor in flattened(output).items():
            key = "output" + name
            held = tf.convert_to_tensor(tensor)
            self._dtypes[key] = held.dtype.name
            values[key] = runtime.readable(held)
        return values

    def _timed_forward(self, batch: Dict[str, Any], training: bool) -> Any:
        """Run the model as `predict` does, in a graph, unless the user's forward pass is their
        own."""
        if self.declared.forward is not None or self._eager:
            with eagerly() if self._eager else contextlib.nullcontext():
                return self._forward(batch, training)
        if self._timed is None:
            self._timed = tf.function(self._forward, **releases.xla(False))
        return self._timed(batch, training)

    def look_from(
        self,
        arrays: Arrays,
        training: bool,
        draws: Optional[Draws],
        taps: Sequence[Tap],
        teacher: Arrays,
    ) -> Taught:
        self.prepare(arrays)
        before = self.snapshot()
        try:
            return forcing.look_from(self, self._batch(arrays), training, draws, (taps, teacher))
        finally:
            self.restore(before)

    def dtypes(self) -> Dict[str, str]:
        return dict(self._dtypes)

    def effective(self) -> Dict[str, Any]:
        variable = inner(next(iter(self._ready().variables.values())))
        kinds: Dict[str, List[str]] = {}
        for place in self.names.places.values():
            policy = getattr(getattr(place.layer, "dtype_policy", None), "name", None)
            if policy is not None and place.path:
                kinds.setdefault(policy, []).append(place.path)
        policies = "; ".join(f"{name}: {', '.join(held)}" for name, held in sorted(kinds.items()))
        return dict(
            runtime.effective(not self._eager, False, variable=variable), dtype_policy=policies
        )


__all__ = ["FORWARD", "GENERATE", "Side"]
