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

from backends.adapter.draws import Draws
from backends.adapter.side import Arrays, StepResult, Tap
from backends.contract import ForcedActivations, Setting, Stage
from backends.survey import Survey
from backends.tf2 import runtime
from backends.tf2.adapter import draws, objects, optimizers, reports, teacher_forcing
from backends.tf2.adapter.built import Built
from backends.tf2.adapter.steps import Capture, captured, eagerly, scalar, scalars
from backends.tf2.adapter.taps import Call, Watcher, flattened, watched
from backends.tf2.adapter.weights import inner

#: Where a model keeps what it has traced.
TRACED = ("train_function", "predict_function")
#: What Keras calls the loss, and the record of dtypes too.
LOSS = Stage.LOSS.value
TOTAL = "total"


class Side(Built):
    """A side of Keras 2 or Keras 3 on TensorFlow.

    Args:
        function: the user's. setting: how to run.

    Raises:
        Unsupported: the setting cannot be honoured with objects like these.
    """

    def __init__(self, function: Any, setting: Setting) -> None:
        Built.__init__(self, function, setting)
        self._dtypes: Dict[str, str] = {}
        #: by phase, the names in what its step returns that add up to what it differentiates.
        self.parts: Dict[str, Tuple[str, ...]] = {}
        self._timed: Optional[Callable[..., Any]] = None

    def survey(self, arrays: Arrays) -> Survey:
        self.prepare(arrays)
        return reports.survey(self, arrays)

    # -- runs --------------------------------------------------------------------------------------

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
            if name == LOSS or name.endswith("_loss")
        }

    @contextlib.contextmanager
    def watching(
        self, answers: Optional[Draws], watcher: Optional[Watcher], graphs: bool = False
    ) -> Iterator[Tuple[Watcher, Optional[draws.Server]]]:
        """Watch the layers, and answer the draws, of what runs inside.

        Args:
            answers: to draws; None: the framework's own. watcher: of layers; None: a new one.
            graphs: whether draws in a graph are answered.
        """
        watcher = watcher or Watcher(self.ready())
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

    def seed(self, seed: int) -> None:
        draws.seed(seed)
        draws.seed_layers(objects.all_layers(self.models.values()), seed)
        # Draws of TensorFlow's in a graph have the seed that was set when it was traced.
        self._timed = None
        for model in self.models.values():
            for name in TRACED:
                if getattr(model, name, None) is not None:
                    setattr(model, name, None)

    def step(
        self,
        phase: str,
        arrays: Arrays,
        draws: Optional[Draws],
        gradients: Optional[Arrays] = None,
        watch: bool = True,
    ) -> StepResult:
        batch = self.batch(arrays)
        if draws is None and gradients is None:
            with eagerly() if self.eager else contextlib.nullcontext():
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
        names = self.ready()
        parts = optimizers.accumulated(self.optimizers, names.variables, self.moved)
        capture = Capture(names, gradients, parts)
        watching, capturing = self.watching(answers, None), captured(capture, self.optimizers)
        with watching as (_, server), eagerly(), capturing:
            returned = self._run(phase, batch)
        losses = {**scalars(returned), TOTAL: capture.total()}
        if capture.totals:
            self._dtypes[LOSS] = self._loss_dtype(returned)
        values: Dict[str, np.ndarray] = {}
        if watch:
            values = {name: np.array(held) for name, held in capture.gradients.items()}
        return StepResult(losses, values, capture.updated), capture, server, returned

    def _loss_dtype(self, returned: Any) -> str:
        held: Any = next(iter(flattened(returned).values()), None)
        return str(held.dtype.name) if tf.is_tensor(held) else str(self.dtype)

    def _own_losses(self, phase: str, returned: Any) -> Dict[str, float]:
        """Return the losses of a step that nobody watched: `total` is what of its own it adds up
        to."""
        losses = scalars(returned)
        if not isinstance(returned, dict):
            value = scalar(returned)
            return {TOTAL: float("nan") if value is None else value}
        parts = self.parts.get(phase, (LOSS,) if LOSS in losses else tuple(losses))
        losses[TOTAL] = float(sum(losses[name] for name in parts))
        return losses

    def look(
        self, arrays: Arrays, training: bool, draws: Optional[Draws], taps: Sequence[Tap]
    ) -> Dict[str, np.ndarray]:
        batch = self.batch(arrays)
        if draws is None and not taps:
            return self.outputs(self._timed_forward(batch, training))
        self.prepare(arrays)
        calls, output, _ = self.watched_look(batch, training, draws)
        by_place: Dict[Tuple[str, int], List[Tap]] = {}
        for tap in taps:
            by_place.setdefault((tap.layer, tap.call), []).append(tap)
        values: Dict[str, np.ndarray] = {}
        for call in calls:
            for tap in by_place.get((call.place.path, call.number), ()):
                if tap.output < len(call.outputs):
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
            with self.watching(answers, None) as (watcher, server), eagerly():
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
        if self.declared.forward is not None or self.eager:
            with eagerly() if self.eager else contextlib.nullcontext():
                return self._forward(batch, training)
        if self._timed is None:
            self._timed = tf.function(self._forward)
        return self._timed(batch, training)

    def look_from(
        self,
        arrays: Arrays,
        training: bool,
        draws: Optional[Draws],
        taps: Sequence[Tap],
        teacher: Arrays,
    ) -> ForcedActivations:
        self.prepare(arrays)
        before = self.snapshot()
        try:
            return teacher_forcing.look_from(
                self, self.batch(arrays), training, draws, (taps, teacher)
            )
        finally:
            self.restore(before)

    def dtypes(self) -> Dict[str, str]:
        return dict(self._dtypes)

    def effective(self) -> Dict[str, Any]:
        variable = inner(next(iter(self.ready().variables.values())))
        kinds: Dict[str, List[str]] = {}
        for place in self.names.places.values():
            policy = getattr(getattr(place.layer, "dtype_policy", None), "name", None)
            if policy is not None and place.path:
                kinds.setdefault(policy, []).append(place.path)
        policies = "; ".join(f"{name}: {', '.join(held)}" for name, held in sorted(kinds.items()))
        return dict(
            runtime.effective(not self.eager, False, variable=variable), dtype_policy=policies
        )
