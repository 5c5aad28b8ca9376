"""The user's graph with what they have declared about it, by names of tensors and operations: what
is fed, what inference gives, losses, gradients and updates of each phase, draws."""

from __future__ import annotations

import hashlib
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

import numpy as np

from backends.contract import Stage
from backends.tf1.adapter.cones import SHAPES, VARIABLES, Cones, operation_of, writes
from backends.tf1.adapter.draws import Site, sites_of
from backends.tf1.adapter.graph_source import Differentiated, Source, flattened

#: By variable, of each call of `tf.gradients`, the gradient, or its values and indices.
Places = Dict[str, List[List[str]]]


class Model:
    """A graph and its meaning.

    Args:
        function: the user's. double: whether it is to run in float64.

    Attributes:
        declared: what the function returned. source: of the graph. graph: as Python has it.
        definition: its GraphDef. cones: what is upstream of what.
        feeds: names of tensors by the data's names. outputs: those of inference, by name.
        trains: operations by phase. variables: the operations of those that are needed, by name.
        shapes: of these. sites: what draws. needed: names of all operations that can ever run.
        remarks: what could not be found out.
    """

    def __init__(self, function: Any, double: bool) -> None:
        self.source = Source()
        self.remarks: List[str] = []
        self.declared = self.source.open(function, double)
        self.graph = self.source.graph
        self.definition = self.graph.as_graph_def()
        self.cones = Cones.of(self.definition.node)
        self._name_all()
        starts = [*self.outputs.values(), *self.feeds.values()]
        starts += [pair[0] for pair in self._training]
        self._phases = {phase: self._calls_of(phase) for phase in self.trains}
        for phase, names in self.trains.items():
            starts += [*names, *self._losses.get(phase, {}).values()]
            # What is differentiated need not be upstream of the update.
            starts += self.losses(phase).values()
        cone = self.cones.above(starts)
        self._find_variables(cone, starts)
        # What updates statistics is asked about even where no training runs it.
        updates = [getattr(item, "op", item).name for item in self.collection("update_ops")]
        self.needed = self.cones.above([*starts, *self._initializers, *updates])
        initial = self.cones.above(self._initializers)
        order = {name: self.cones.order[name] for name in cone if name not in initial}
        self.sites: List[Site] = sites_of(self.graph, order)
        self.taken_from_updates: List[str] = []
        self._drawn: Dict[Tuple[str, ...], bool] = {}
        self._moving: Dict[Tuple[str, ...], bool] = {}
        self._shaping = self._shaping_feeds()

    def _name_all(self) -> None:
        declared, source = self.declared, self.source
        self.feeds = {name: source.tensor(item) for name, item in declared.feeds.items()}
        self.outputs = flattened(source, declared.product)
        self._training = [
            (source.tensor(item), *values) for item, values in declared.training.items()
        ]
        self.trains: Dict[str, List[str]] = {}
        for phase, item in declared.trains.items():
            items = item if isinstance(item, (list, tuple)) else [item]
            self.trains[phase] = [source.operation(part) for part in items]
        losses = declared.losses
        if not set(losses) <= set(self.trains) and len(self.trains) == 1:
            losses = {next(iter(self.trains)): losses}  # several of one phase
        self._losses: Dict[str, Dict[str, str]] = {}
        for phase, item in losses.items():
            terms = item if isinstance(item, Mapping) else {"total": item}
            self._losses[phase] = {name: source.tensor(part) for name, part in terms.items()}
        for phase in self._losses:
            if phase not in self.trains and self.trains:
                raise ValueError(f"pair.tf1: the loss {phase!r} is that of no phase of `train`")

    def _find_variables(self, cone: Set[str], starts: Sequence[str]) -> None:
        self.variables: Dict[str, Any] = {}
        self._initializers: List[str] = []
        for op in self.graph.get_operations():
            if op.type in VARIABLES and op.name in cone:
                self.variables[op.name] = op
        # An initial value may read further variables.
        waiting = list(self.variables)
        while waiting:
            name = waiting.pop() + "/Assign"
            if name in self.cones.order and name not in self._initializers:
                self._initializers.append(name)
                for other in self.cones.above([name]):
                    op = self.graph.get_operation_by_name(other)
                    if op.type in VARIABLES and other not in self.variables:
                        self.variables[other] = op
                        waiting.append(other)
        self.shapes = {name: _shape(op) for name, op in self.variables.items()}

    # -- phases ------------------------------------------------------------------------------------

    def _calls_of(self, phase: str) -> List[Differentiated]:
        """Return the calls of `tf.gradients` whose gradients a phase's update is made of."""
        cone = self.cones.above(self.trains[phase])
        calls = []
        for call in self.source.differentiated:
            pairs = {
                name: parts
                for name, parts in call.gradients.items()
                if operation_of(parts[0]) in cone
            }
            if pairs:
                calls.append(Differentiated(call.totals, pairs))
        return calls

    def losses(self, phase: str) -> Dict[str, str]:
        """Return a phase's losses by name. What is differentiated is `total`, or several
        `total/...`; what the user calls the loss is `loss` beside it where it is another one.

        Args:
            phase: which.
        """
        named = dict(self._losses.get(phase, {}))
        totals: List[str] = []
        for call in self._phases.get(phase, []):
            totals += [name for name in call.totals if name not in totals]
        if not totals:
            if "total" not in named and named:
                last = list(named)[-1]
                named["total"] = named[last]
            return named
        if len(totals) == 1 and "total" in named and self._same(named["total"], totals[0]):
            named.pop("total")
            return dict(named, total=totals[0])
        if "total" in named:
            named[Stage.LOSS.value] = named.pop("total")
        named.update((f"total/{index}", name) for index, name in enumerate(totals))
        return named

    def _same(self, name: str, other: str) -> bool:
        """Return whether two tensors are one but for copies and checks."""
        roots = []
        for item in (name, other):
            tensor = self.graph.get_tensor_by_name(item)
            while tensor.op.type in ("Identity", "CheckNumerics"):
                tensor = tensor.op.inputs[0]
            roots.append(tensor.name)
        return bool(roots[0] == roots[1])

    def loss_names(self, phase: str) -> List[str]:
        """Return the names that a step's losses have, `total` last.

        Args:
            phase: which.
        """
        names = [name for name in self.losses(phase) if name.split("/")[0] != "total"]
        return [*names, "total"]

    def gradients(self, phase: str) -> Places:
        """Return where a phase's gradients are, by variable.

        Args:
            phase: which.
        """
        places: Places = {}
        for call in self._phases[phase]:
            for name, parts in call.gradients.items():
                places.setdefault(name, []).append(list(parts))
        return places

    def use_gradients(self, phase: str, places: Mapping[str, Sequence[str]]) -> None:
        """Take other tensors as a phase's gradients, where none is known.

        Args:
            phase: which. places: by variable, names of tensors.
        """
        if not self._phases[phase] and places:
            pairs = {name: tuple(parts) for name, parts in places.items()}
            self._phases[phase] = [Differentiated([], pairs)]
            self.taken_from_updates.append(phase)

    def held_back(self) -> Dict[str, List[str]]:
        """Return, by the name of an operation that moves state, what is to be seen before it does:
        the losses and gradients of the one phase that runs it."""
        writers: Dict[str, List[str]] = {}
        for phase, trains in self.trains.items():
            for name in self.cones.above(trains):
                if writes(self.graph.get_operation_by_name(name).type):
                    writers.setdefault(name, []).append(phase)
        held: Dict[str, List[str]] = {}
        for name, phases in writers.items():
            if len(phases) == 1:
                held.setdefault(phases[0], []).append(name)
        waits: Dict[str, List[str]] = {}
        for phase, names in held.items():
            seen = [operation_of(item) for item in self.losses(phase).values()]
            for calls in self.gradients(phase).values():
                seen += [operation_of(part) for parts in calls for part in parts]
            before = self.cones.above(seen)
            plain = [item for item in dict.fromkeys(seen) if not self._in_loop(item)]
            for name in names:
                if name not in before and not self._in_loop(name):
                    waits[name] = plain
        return waits

    def _in_loop(self, name: str) -> bool:
        op = self.graph.get_operation_by_name(name)
        return op._get_control_flow_context() is not None

    # -- runs --------------------------------------------------------------------------------------

    def feed(self, arrays: Mapping[str, Any], training: bool) -> Dict[str, Any]:
        """Return what is fed, by the name of a tensor.

        Args:
            arrays: a batch, by the data's names. training: in which mode.
        """
        feed = {name: arrays[key] for key, name in self.feeds.items() if key in arrays}
        for name, in_training, in_inference in self._training:
            feed[name] = in_training if training else in_inference
        return feed

    @property
    def rows(self) -> Optional[int]:
        """How many rows the placeholders of the data have, if the graph says so."""
        shapes = [self.graph.get_tensor_by_name(name).shape for name in self.feeds.values()]
        first = [shape.as_list()[0] for shape in shapes if shape.ndims]
        return next((rows for rows in first if rows is not None), None)

    def drawn(self, fetches: Sequence[str]) -> bool:
        """Return whether a run draws anything.

        Args:
            fetches: names of tensors and operations.
        """
        names = tuple(fetches)
        if names not in self._drawn:
            cone = self.cones.above(names)
            self._drawn[names] = any(site.name in cone for site in self.sites)
        return self._drawn[names]

    def left(self, fetches: Iterable[str]) -> List[Site]:
        """Return the sites of a run that TensorFlow itself draws.

        Args:
            fetches: names of tensors and operations.
        """
        cone = self.cones.above(fetches)
        return [site for site in self.sites if site.left and site.name in cone]

    def moves(self, fetches: Sequence[str]) -> bool:
        """Return whether a run moves state.

        Args:
            fetches: names of tensors and operations.
        """
        names = tuple(fetches)
        if names not in self._moving:
            types = [self.graph.get_operation_by_name(n).type for n in self.cones.above(names)]
            self._moving[names] = any(writes(kind) for kind in types)
        return self._moving[names]

    def shaping(self, feed: Mapping[str, Any]) -> Tuple[Any, ...]:
        """Return what of a feed decides how many draws there are, and of which shape.

        Args:
            feed: by the name of a tensor.
        """
        key: List[Any] = []
        for name in sorted(feed):
            value = np.asarray(feed[name])
            key.append((name, value.shape))
            if operation_of(name) in self._shaping:
                key.append(hashlib.sha256(value.tobytes()).hexdigest())
        return tuple(key)

    def _shaping_feeds(self) -> Set[str]:
        """Return the operations that shapes of draws, or numbers of iterations, are computed from
        by value."""
        starts: List[str] = []
        loops = any(site.loop is not None for site in self.sites)
        for site in self.sites:
            starts.append(self.graph.get_operation_by_name(site.name).inputs[0].op.name)
            starts += [] if site.threshold is None else [site.threshold]
        if loops:
            starts += [op.name for op in self.graph.get_operations() if op.type == "LoopCond"]
        return self.cones.above(
            starts, lambda name: self.graph.get_operation_by_name(name).type in SHAPES
        )

    def collection(self, name: str) -> List[Any]:
        """Return a collection of the user's graph.

        Args:
            name: its key.
        """
        return list(self.graph.get_collection(name))


def _shape(op: Any) -> Tuple[int, ...]:
    return tuple(int(dimension.size) for dimension in op.get_attr("shape").dim)
