"""The objects of one side, built for one setting: named, brought to where they begin, and put back
there."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Set, Tuple

import numpy as np
import tensorflow as tf

from backends import pair
from backends.adapter import side
from backends.adapter.side import Arrays
from backends.contract import PRECISION_TABLE, Setting, Unsupported
from backends.pair import Declared
from backends.tf2 import runtime
from backends.tf2.adapter import checkpoints, draws, holdings, objects, optimizers
from backends.tf2.adapter.own_policies import OwnPolicies
from backends.tf2.adapter.paths import Names
from backends.tf2.adapter.state import Snapshot, State, value_of
from backends.tf2.adapter.steps import Capture, captured, eagerly
from backends.tf2.adapter.taps import Watcher
from backends.tf2.adapter.weights import inner

EXECUTIONS = ("default", "graph", "eager")


class Built(side.Side):
    """The part of a side that holds objects and state; `Side` runs them.

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
        self.eager = setting.execution == "eager"
        side.Side.__init__(self, function, setting)
        self.models = self.declared.models
        self.holdings = holdings.of(
            [*self.declared.steps.values(), self.declared.forward], list(self.models.values())
        )
        self.optimizers = self._optimizers()
        self.state = State(
            list(self.models.values()), list(self.optimizers.values()), self.holdings
        )
        self.names: Any = None
        self._initial: Optional[Snapshot] = None
        self._begun: Dict[str, int] = {}
        #: By optimizer, the parameters that the steps have it move, by own name.
        self.moved: Dict[str, Set[str]] = {}
        if objects.is_built(self.models):
            self._name()

    def _declared(self, function: Any) -> Declared:
        objects.set_dtypes(self.setting)
        draws.seed()
        self.own_policies = OwnPolicies(self.setting, objects.packages())
        with self.own_policies.aside():
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
        known = {id(optimizer) for optimizer in compiled.values()}
        for name, optimizer in held.items():
            if id(optimizer) not in known:
                known.add(id(optimizer))
                compiled[name] = optimizer
        return {"": next(iter(compiled.values()))} if len(compiled) == 1 else compiled

    # -- what `Side` does --------------------------------------------------------------------------

    def batch(self, arrays: Arrays) -> Dict[str, Any]:
        """Return a batch as tensors."""
        return objects.tensors(arrays, self.dtype)

    def _forward(self, batch: Dict[str, Any], training: bool) -> Any:
        raise NotImplementedError

    def _run(self, phase: str, batch: Dict[str, Any]) -> Any:
        raise NotImplementedError

    def watching(self, answers: Any, watcher: Any, graphs: bool = False) -> Any:
        """Watch what runs inside."""
        raise NotImplementedError

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
            with objects.dtypes_refused(self.setting, None):
                self._forward(self.batch(arrays), training=False)
            self._name()
        for optimizer in self.optimizers.values():
            optimizers.begin(optimizer)
        before = self.state.snapshot()
        made: Dict[int, Tuple[Any, np.ndarray]] = {}

        def note_new() -> None:
            for key, variable in self.state.variables().items():
                if key not in before.variables and key not in made:
                    made[key] = variable, value_of(variable)

        note_new()
        used: List[str] = []
        watcher = Watcher(self.names)
        with objects.dtypes_refused(self.setting, watcher), self.watching(None, watcher), eagerly():
            for phase in self.phases():
                capture = Capture(self.names)
                with captured(capture, self.optimizers, before_update=note_new):
                    self._run(phase, self.batch(arrays))
                used += capture.updated
                for name, moved in capture.moved.items():
                    self.moved.setdefault(name, set()).update(moved)
        self._keep_optimizers(used)
        for key, variable in self.state.variables().items():
            if key not in before.variables and key not in made:  # of metrics, which begin at zero
                made[key] = variable, np.zeros_like(value_of(variable))
        self._initial = before._replace(variables={**before.variables, **made})
        self.state.restore(self._initial)
        self._begun = {
            name: optimizers.count(optimizer) for name, optimizer in self.optimizers.items()
        }

    def _keep_optimizers(self, used: List[str]) -> None:
        """Forget optimizers that nobody declared and no step calls: a model that is compiled
        without any gets one all the same."""
        if not self.declared.optimizers and used:
            kept = {name: held for name, held in self.optimizers.items() if name in used}
            self.optimizers = {"": kept[used[0]]} if len(kept) == 1 else kept

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
                if self.eager:
                    model.run_eagerly = True
                model.make_train_function()

    def phases(self) -> List[str]:
        """Return the names of the training phases."""
        return list(self.declared.steps) or [pair.TRAIN]

    def ready(self) -> Any:
        """Return the names of layers and weights.

        Raises:
            RuntimeError: no batch has built them yet.
        """
        if self.names is None:
            raise RuntimeError(
                "the model has no weights before its first call: call `prepare` or `survey` with a"
                " batch first"
            )
        return self.names

    # -- state -------------------------------------------------------------------------------------

    def parameters(self) -> Dict[str, np.ndarray]:
        return {name: value_of(inner(held)) for name, held in self.ready().variables.items()}

    def assign(self, values: Arrays) -> None:
        for name, variable in self.ready().variables.items():
            held = inner(variable)
            held.assign(tf.cast(tf.constant(np.asarray(values[name])), held.dtype))

    def reset(self) -> None:
        if self._initial is None:
            return
        parameters = {id(inner(held)) for held in self.ready().variables.values()}
        kept = {key: item for key, item in self._initial.variables.items() if key not in parameters}
        self.state.restore(self._initial._replace(variables=kept))
        for optimizer in self.optimizers.values():
            optimizers.averages_begin(optimizer, list(self.names.variables.values()))

    def snapshot(self) -> Snapshot:
        return self.state.snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        self.state.restore(snapshot)

    def slots(self) -> Dict[str, Dict[str, Dict[str, np.ndarray]]]:
        variables = self.ready().variables
        return {
            name: optimizers.slots(optimizer, variables)
            for name, optimizer in self.optimizers.items()
        }

    def assign_slots(self, optimizer: str, word: str, values: Arrays) -> None:
        held = optimizers.slot_variables(self.optimizers[optimizer], self.ready().variables)
        for name, value in values.items():
            inner(held[name][word]).assign(value)

    def counts(self) -> Dict[str, int]:
        return {
            name: optimizers.count(optimizer) - self._begun.get(name, 0)
            for name, optimizer in self.optimizers.items()
        }
