"""One side of a pair that is a TensorFlow 1 graph and its session.

There are up to two copies of the user's graph: one in which the tape answers what is random, and
which is looked at; and, once a run is timed, the graph as it is (in float64: widened). The state
moves from the one to the other when the other is needed.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from backends.adapter import side as adapter
from backends.adapter.draws import Draws
from backends.adapter.side import Arrays, StepResult, Tap
from backends.contract import ForcedActivations, Setting, Stage, Unsupported
from backends.pair import Declared
from backends.recording import graph_feeding
from backends.survey import Survey
from backends.tf1 import runtime
from backends.tf1.adapter import examination, gradients, initial_values, op_errors, rewrite
from backends.tf1.adapter.apply_ops import Optimizers
from backends.tf1.adapter.cones import operation_of
from backends.tf1.adapter.draws import Answers, Call
from backends.tf1.adapter.engine import Engine
from backends.tf1.adapter.float64 import widen
from backends.tf1.adapter.layers import Layers
from backends.tf1.adapter.model import Model

#: Orders of draws that are remembered; with lengths that vary every batch has its own.
MOST_ORDERS = 256
EXECUTIONS = ("default", "graph")


class Side(adapter.Side):
    """The user's graph. Arguments, and what is raised, as for `backends.adapter.side.Side`."""

    def __init__(self, function: Any, setting: Setting) -> None:
        if setting.precision not in ("fp64", "fp32"):
            raise Unsupported(
                f"a TF1 graph that somebody already has runs in fp64 and fp32: its code says which"
                f" parts are in which dtype, and nothing switches it to {setting.precision}"
            )
        if setting.execution not in EXECUTIONS:
            raise Unsupported(
                f"a TF1 graph that somebody already has runs in a session as it is; there is no"
                f" {setting.execution} execution for it"
            )
        runtime.require(setting)
        self.double = setting.precision == "fp64"
        adapter.Side.__init__(self, function, setting)
        self.optimizers = Optimizers(self.model)
        self.layers = Layers(self.model, self.optimizers)
        self._answers = Answers(self.model.sites, self.double)
        self._orders: Dict[Any, List[Call]] = {}
        self._engines = {True: self._engine(answered=True)}
        self._current = True
        self._dtypes: Dict[str, str] = {}
        self._counts = dict.fromkeys(self.optimizers.names(), 0)
        self.uninitialized = self._engines[True].initialize()
        self._names = [
            name for name in self._engines[True].variables if name not in self.uninitialized
        ]
        self._load()
        self.start = self._read()

    def _declared(self, function: Any) -> Declared:
        self.model = Model(function, self.double)
        return self.model.declared

    def seed(self, seed: int) -> None:
        # The seeds of a graph are its own: another one needs a copy of its own.
        values = self._read()
        if False in self._engines:
            self._engines[False].session.close()
        self._engines[False] = self._engine(answered=False, seed=seed)
        self._engines[False].write({name: values[name] for name in self._names})
        self._current = False

    def _engine(self, answered: bool, seed: Optional[int] = None) -> Engine:
        definition = rewrite.pruned(self.model.definition, self.model.needed)
        if self.double:
            widen(definition, self.model.source.constants, self.model.source.loaded)
        if answered:
            rewrite.hold_back(definition, self.model.held_back())
            rewrite.answer(definition, self._answers, self.double)
            rewrite.seed(definition)
        elif seed is not None:
            rewrite.seed_anew(definition, seed)
        return Engine(definition, self.setting, optimized=not answered)

    def _load(self) -> None:
        """Set what a SavedModel, or a checkpoint, has values for."""
        values = dict(self.model.source.values)
        prefix = self.declared.weights or self.model.source.checkpoint
        if prefix:
            values = initial_values.saved(prefix, self._names, self.layers.parameters())
        self._engines[True].write({name: values[name] for name in self._names if name in values})

    def rows(self) -> Optional[int]:
        return self.model.rows

    # -- copies of the graph -----------------------------------------------------------------------

    def _use(self, answered: bool) -> Engine:
        """Return the copy that is wanted, with the state in it."""
        if answered not in self._engines:
            self._engines[answered] = self._engine(answered)
        if answered != self._current:
            self._engines[answered].write(self._engines[self._current].read(self._names))
            self._current = answered
        return self._engines[answered]

    def _read(self) -> Dict[str, np.ndarray]:
        return self._engines[self._current].read(self._names)

    def _run(self, fetches: Any, feed: Mapping[str, Any], draws: Optional[Draws]) -> Any:
        """Run on values by the names of tensors, as the tape has it or as the session has it."""
        engine = self._use(draws is not None)
        fed = engine.feed(feed)
        if draws is not None:
            order = self.order(fetches, feed)
            self._answers.load(self._answers.ask(draws, order))
        return self._executed(engine, fetches, fed)

    def _executed(self, engine: Engine, fetches: Any, feed: Mapping[Any, Any]) -> Any:
        try:
            return engine.run(fetches, feed)
        except tf.errors.OpError as error:
            failure, self._answers.failure = self._answers.failure, None
            raise (failure or op_errors.located(error, self.model.graph)) from None

    def order(self, fetches: Any, feed: Mapping[str, Any]) -> List[Call]:
        """Return the draws of a run, in the order in which the tape is asked.

        Args:
            fetches: what is run. feed: by the name of a tensor.
        """
        names = tuple(sorted(examination.fetched(fetches)))
        if not self.model.drawn(names):
            return []
        key = names, self.model.shaping(feed)
        if key not in self._orders:
            if len(self._orders) > MOST_ORDERS:
                self._orders.clear()
            engine, before = self._use(True), self.snapshot()
            self._answers.write_down()
            try:
                self._executed(engine, fetches, engine.feed(feed))
            finally:
                self.restore(before)
            self._orders[key] = self._answers.written()
        return self._orders[key]

    # -- state -------------------------------------------------------------------------------------

    def survey(self, arrays: Arrays) -> Survey:
        return examination.survey(self, arrays)

    def parameters(self) -> Dict[str, np.ndarray]:
        return self._engines[self._current].read(self.layers.parameters())

    def assign(self, values: Arrays) -> None:
        self._engines[self._current].write(values)

    def reset(self) -> None:
        kept = self.parameters()
        rest = {name: value for name, value in self.start.items() if name not in kept}
        self._engines[self._current].write({**rest, **self.optimizers.begun(self.start, kept)})
        self._counts = dict.fromkeys(self._counts, 0)

    def snapshot(self) -> Any:
        return self._read(), dict(self._counts)

    def restore(self, snapshot: Any) -> None:
        values, self._counts = snapshot[0], dict(snapshot[1])
        self._engines[self._current].write(values)

    def slots(self) -> Dict[str, Dict[str, Dict[str, np.ndarray]]]:
        places = self.optimizers.slots()
        names = sorted({name for _, _, _, name in places})
        values = self._engines[self._current].read(names)
        slots: Dict[str, Dict[str, Dict[str, np.ndarray]]] = {}
        for optimizer, parameter, word, name in places:
            by_parameter = slots.setdefault(optimizer, {})
            by_parameter.setdefault(parameter, {})[word] = values[name]
        return slots

    def assign_slots(self, optimizer: str, word: str, values: Arrays) -> None:
        places = self.optimizers.places(optimizer, word)
        self._engines[self._current].write({places[name]: own for name, own in values.items()})

    def counts(self) -> Dict[str, int]:
        return dict(self._counts)

    # -- runs --------------------------------------------------------------------------------------

    def step(
        self,
        phase: str,
        arrays: Arrays,
        draws: Optional[Draws],
        gradients: Optional[Arrays] = None,
        watch: bool = True,
    ) -> StepResult:
        feed = self.model.feed(arrays, training=True)
        if gradients is not None:
            feed.update(self._forced(phase, feed, gradients))
        values = self._run(self.step_fetches(phase, watch), feed, draws)
        losses, updated = {}, self.optimizers.of_phase(phase)
        for name, value in values["losses"].items():
            losses[name] = float(np.sum(value))
        totals = [losses.pop(name) for name in list(losses) if name.startswith("total/")]
        losses["total"] = float(sum(totals)) if totals else losses.pop("total")
        for name in updated:
            self._counts[name] += 1
        self._dtypes = {Stage.LOSS.value: next(iter(values["losses"].values())).dtype.name}
        return StepResult(losses, self._gradients(phase, values.get("raw", {})), updated)

    def step_fetches(self, phase: str, watch: bool) -> Dict[str, Any]:
        """Return what a step of a phase runs.

        Args:
            phase: which. watch: whether gradients are wanted.
        """
        fetches: Dict[str, Any] = {"losses": self.model.losses(phase)}
        if watch:
            fetches["raw"] = self.model.gradients(phase)
        return dict(fetches, train=self.model.trains[phase])

    def _gradients(self, phase: str, values: Mapping[str, Any]) -> Dict[str, np.ndarray]:
        return {
            name: gradients.total(parts, self.model.shapes[name]) for name, parts in values.items()
        }

    def _forced(self, phase: str, feed: Mapping[str, Any], forced: Arrays) -> Dict[str, Any]:
        """Return what puts a teacher's gradients in the place of the graph's own."""
        extra: Dict[str, Any] = {}
        for name, calls in self.model.gradients(phase).items():
            if name in forced:
                sparse = [parts[1] for parts in calls if len(parts) == 2]
                rows = self.evaluate(sparse, feed) if sparse else []
                extra.update(gradients.replaced(calls, forced[name], rows))
        return extra

    def look(
        self, arrays: Arrays, training: bool, draws: Optional[Draws], taps: Sequence[Tap]
    ) -> Dict[str, np.ndarray]:
        fetches, feed = self.look_fetches(taps), self.model.feed(arrays, training)
        moves = self.model.moves(tuple(sorted(fetches.values())))
        before = self.snapshot() if moves else None
        try:
            values = self._run(fetches, feed, draws)
        finally:
            if before is not None:
                self.restore(before)
        values = {name: np.asarray(value) for name, value in values.items()}
        self._dtypes = {name: value.dtype.name for name, value in values.items()}
        return values

    def look_fetches(self, taps: Sequence[Tap]) -> Dict[str, str]:
        """Return the names of tensors by those of taps and outputs.

        Args:
            taps: what is looked at.

        Raises:
            KeyError: a layer of that name, or a call or an output of it, is not there.
        """
        fetches = {tap.name: self.layers.tensor(tap.layer, tap.call) for tap in taps}
        order = self.model.cones.order
        placed = sorted(fetches.items(), key=lambda item: order[operation_of(item[1])])
        return dict(placed, **self.model.outputs)

    def look_from(
        self,
        arrays: Arrays,
        training: bool,
        draws: Optional[Draws],
        taps: Sequence[Tap],
        teacher: Arrays,
    ) -> ForcedActivations:
        fetches, feed = self.look_fetches(taps), self.model.feed(arrays, training)
        engine = self._use(True)
        draws = Draws(adapter.FORWARD) if draws is None else draws
        answers = self._answers.ask(draws, self.order(fetches, feed))
        fed = engine.feed(feed)
        tensors = {name: engine.tensor(item) for name, item in fetches.items()}
        sites = [engine.tensor(name + ":0") for name in self._answers.sites]
        before = self.snapshot()

        def run(fetch: Any, values: Mapping[Any, Any]) -> Any:
            self._answers.load(answers)
            return self._executed(engine, fetch, values)

        try:
            return graph_feeding.teacher_forced(
                tensors, [*fed, *sites], fed, teacher, run, tf.get_static_value
            )
        finally:
            self.restore(before)

    def dtypes(self) -> Dict[str, str]:
        return dict(self._dtypes)

    def evaluate(
        self, names: Sequence[str], feed: Mapping[str, Any], state: Optional[Arrays] = None
    ) -> List[Any]:
        """Return tensors' values, with some variables set for that time.

        Args:
            names: of tensors. feed: by the name of a tensor. state: by the variable's name.
        """
        return list(self.aside(list(names), feed, state)[0])

    def aside(
        self, fetches: Any, feed: Mapping[str, Any], state: Optional[Arrays] = None
    ) -> Tuple[Any, Dict[str, np.ndarray]]:
        """Run something that is taken back, with draws of the session's own; return what it gives,
        and the variables behind it.

        Args:
            fetches: what is run. feed, state: as for `evaluate`.
        """
        engine, before = self._use(True), self.snapshot()
        try:
            engine.write(state or {})
            self._answers.write_down()
            return self._executed(engine, fetches, engine.feed(feed)), self._read()
        finally:
            self.restore(before)

    def effective(self) -> Dict[str, Any]:
        dtype = tf.float64 if self.double else tf.float32
        return runtime.effective(self._engines[self._current].session, dtype, False)
