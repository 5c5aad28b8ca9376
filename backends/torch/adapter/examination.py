"""The survey of a side: its forward passes and each of its steps are run on one batch and watched,
and everything is put back."""

from __future__ import annotations

import dataclasses
import time
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Tuple

import torch

from backends.adapter.draws import Draws
from backends.adapter.side import FORWARD, GENERATE, Arrays
from backends.survey import AVERAGE, Draw, Layer, OptimizerSurvey, Phase, Piece, Survey
from backends.torch.adapter import initializers, optimizers, remarks, rules, values
from backends.torch.adapter.calls import Calls
from backends.torch.adapter.draws import Tape
from backends.torch.adapter.functions import Function
from backends.torch.adapter.hidden_averages import HiddenAverages
from backends.torch.adapter.state import large_kept
from backends.torch.adapter.steps import Watch
from backends.torch.adapter.taps import Layers, Running

#: Updates whose learning rates are told, and how long steps are run to reach them.
RATES, LONGEST_S = (0, 1, 10), 20.0
#: Steps that are looked at, of one that gathers gradients and does not update each time.
MOST_STEPS = 44


def _holds_others(module: Any) -> bool:
    return any(True for _ in module.children())


class Examination:
    """One survey at work.

    Args:
        side: whose. rows: one batch.
    """

    def __init__(self, side: Any, rows: Arrays) -> None:
        self.side, self.rows = side, rows
        self.layers = Layers()
        self.calls: Dict[str, int] = {}
        self.functions: Dict[str, Function] = {}
        self.draws: List[Draw] = []
        self.outputs: Dict[str, Tuple[int, ...]] = {}
        self.reductions: Dict[str, str] = {}
        self.clippings: Dict[str, Dict[str, float]] = {}
        self.rates: Dict[str, List[float]] = {}
        self.updated: Dict[str, Tuple[str, ...]] = {}
        #: By optimizer, the steps until its first update.
        self.steps_before: Dict[str, int] = {}
        #: By phase, the steps that were looked at.
        self.looked: Dict[str, int] = {}
        self.slots: Dict[str, Tuple[str, ...]] = {}
        self.hidden = HiddenAverages()
        #: By optimizer, the parameters whose averages are slots of its own.
        self.averaged: Dict[str, List[str]] = {}
        self.steps: Dict[str, Tuple[Any, Tuple[str, ...]]] = {}
        #: As the scalers begin.
        self.scale = optimizers.loss_scale(side.scalers)
        self.remarks: List[str] = list(side.remarks)

    # -- runs --------------------------------------------------------------------------------------

    def _run(self, phase: str, call: Any) -> Any:
        """Run something with draws served and layers noted; return what it does, and how often
        each layer was called."""
        running: Running = self.side.running(self.layers.seen)
        tape = Tape(Draws(phase), running.place)
        with self.side.serving(tape) as drawn, running.watching():
            result = call()
            beside = drawn()
        self.draws += tape.made
        self.remarks += [
            f"{phase} draws from {name}, which no tape answers: seeded alike in every run"
            for name in beside
        ]
        self.functions.update(running.functions)
        return result, running.calls

    def forward(self) -> None:
        """Look at a forward pass in each mode."""
        for phase in (FORWARD, GENERATE):
            before = self.side.snapshot()
            try:
                with self.side.mode(phase == FORWARD):
                    call = lambda: self.side.call(self.side.batch(self.rows))  # noqa: E731
                    output, calls = self._run(phase, call)
            finally:
                self.side.restore(before)
            self.calls = {**calls, **self.calls}
        drawn = any(draw.phase == GENERATE for draw in self.draws)
        runs = not drawn and self.side.runs_compiled(Draws(GENERATE))
        if runs:
            self.side.look_compiled(self.rows)
        self.remarks += self.side.compiled.remarks(runs)
        self.outputs = {name: tuple(part.shape) for name, part in values.tensors(output)}

    def phase(self, name: str) -> None:
        """Look at a step, and at those after it for their learning rates."""
        before = self.side.snapshot()
        self.remarks += [
            f"{kept} beside the models is too large to be copied: a step must not write to it"
            for kept in large_kept(before[0])
        ]
        watched, begun_at = self.side.averages.watched(), self.side.parameters()
        begun = time.perf_counter()
        seen = self.side.watch()
        calls = Calls(seen)
        try:

            def call() -> Any:
                with seen.watching(), calls.watching():
                    return self.side.steps[name](self.side.batch(self.rows))

            returned, _ = self._run(name, call)
            result = self.side.result(name, returned, seen)
            self.steps[name] = (result, tuple(result.losses))
            self._note(name, seen, calls)
            self.hidden.note(self.side, begun_at)
            for count in range(1, MOST_STEPS + 1):
                self.side.averages.note(watched)
                watched = self.side.averages.watched()
                self._count_steps(seen, count)
                over = count == MOST_STEPS or time.perf_counter() - begun > LONGEST_S
                if over or not self._incomplete(seen):
                    break
                with self.side.serving(Tape(Draws(name))), self._again(seen).watching():
                    self.side.steps[name](self.side.batch(self.rows))
            self.looked[name] = count
            self._note_updates(name, seen)
        finally:
            self.side.restore(before)

    def _count_steps(self, seen: Watch, count: int) -> None:
        for name in seen.rates:
            self.steps_before.setdefault(name, count)

    def _again(self, seen: Watch) -> Watch:
        """Return what watches one more step: rates alone are wanted."""
        other: Watch = self.side.watch(copies=False)
        other.rates, other.updated = seen.rates, seen.updated
        return other

    def _incomplete(self, seen: Watch) -> bool:
        # Of several phases, each need not use every optimizer.
        waiting = len(self.side.steps) == 1 and len(seen.rates) < len(self.side.optimizers)
        waiting = waiting or not seen.rates
        return waiting or any(len(rates) <= RATES[-1] for rates in seen.rates.values())

    def _note(self, phase: str, seen: Watch, calls: Calls) -> None:
        if calls.reductions:
            self.reductions[phase] = "+".join(sorted(calls.reductions))
        for number, words in calls.clippings.items():
            if number < len(seen.updated):
                self.clippings.setdefault(seen.updated[number], {}).update(words)

        if not self.steps[phase][0].gradients:
            self.remarks.append(
                f"{phase} computes its gradients where they cannot be seen: neither in `backward`"
                " nor in `torch.autograd.grad`"
            )

    def _note_updates(self, phase: str, seen: Watch) -> None:
        held = self.side.slots()
        names = {id(value): own for own, value in self.side.inventory.parameters().items()}
        self.updated[phase] = tuple(seen.rates)
        for name in seen.rates:
            met = [word for slots in held[name].values() for word in slots]
            self.slots[name] = tuple(dict.fromkeys(met))
            self.averaged[name] = optimizers.averaged(self.side.optimizers[name], names)
        for name, rates in seen.rates.items():
            self.rates.setdefault(name, rates)
            if len(rates) <= RATES[-1]:
                self.remarks.append(
                    f"the learning rate at update {RATES[-1]} is not known: it takes too long to"
                    " come to it"
                )

    # -- what it says ------------------------------------------------------------------------------

    def survey(self) -> Survey:
        """Return what has been found out."""
        self.remarks += self.side.own_autocast.remarks()
        if self.looked:
            unseen = [name for name in self.side.optimizers if name not in self.rates]
            limits = f"at most {MOST_STEPS} of each, or {LONGEST_S:.0f} s"
            self.remarks += remarks.unseen_updates(self.side, unseen, self.looked, limits)
        order = [path for path in self.layers.order if path not in self.functions]
        held = self.side.inventory.pieces(order)
        layers = tuple(self._layers(held))
        listed = {layer.name for layer in layers}
        self.remarks += [
            f"the draw {draw.index} of {draw.phase} is not served: {draw.reason}"
            for draw in self.draws
            if not draw.served
        ]
        members = tuple(self._optimizers(held))
        hidden = self.hidden.sentences(self.side)
        return Survey(
            framework=f"torch {torch.__version__}",
            pieces=held,
            layers=layers,
            draws=tuple(
                draw if draw.layer in listed else dataclasses.replace(draw, layer="")
                for draw in self.draws
            ),
            optimizers=members,
            phases=tuple(self._phases(held)),
            outputs=self.outputs,
            losses=self.reductions,
            remarks=(*dict.fromkeys(self.remarks), *hidden),
            hidden_averages=hidden,
            unseen_averages=tuple(dict.fromkeys(self.side.averages.unseen)),
        )

    def _layers(self, held: Iterable[Piece]) -> Iterator[Layer]:
        by_layer: Dict[str, List[Piece]] = {}
        for piece in held:
            by_layer.setdefault(piece.layer, []).append(piece)
        modules = dict(self.side.inventory.modules, **self.functions)
        drawn = self.side.drawn or self.side.parameters()
        silent = [path for path in modules if path not in self.layers.outputs and path in by_layer]
        called = [path for path in self.layers.order if not self._is_model(path, by_layer)]
        for path in (*called, *silent):
            module, own = modules[path], by_layer.get(path, [])
            described = rules.describe(module)
            attributes = dict(described.attributes)
            if own:
                attributes["trainable"] = any(piece.trainable for piece in own)
            yield Layer(
                name=path,
                kind=described.kind,
                type=module.name if path in self.functions else type(module).__name__,
                parent=self._parent(path),
                calls=self.calls.get(path, 0),
                outputs=self.layers.outputs.get(path, ()),
                axes=self.layers.axes.get(path),
                attributes=attributes,
                initializers=initializers.words(drawn, own),
            )

    def _is_model(self, path: str, by_layer: Mapping[str, Any]) -> bool:
        """Whether a layer is the only model itself, which holds nothing but others: its output is
        the side's."""
        model = self.side.inventory.modules[path] if path not in self.functions else None
        top = path == self.side.inventory.top
        return model is not None and top and path not in by_layer and _holds_others(model)

    def _parent(self, path: str) -> str:
        if path in self.functions:
            path = path.rpartition("/")[0] + "."  # the layer itself is around it
        while "." in path:
            path = path.rpartition(".")[0]
            if path in self.layers.outputs:
                return path
        return ""

    def _canonical(self, held: Iterable[Piece], own: Iterable[str]) -> Tuple[str, ...]:
        names = set(own)
        return tuple(piece.name for piece in held if names & set(piece.sources))

    def _optimizers(self, held: Iterable[Piece]) -> Iterator[OptimizerSurvey]:
        names = {id(value): name for name, value in self.side.inventory.parameters().items()}
        for name, optimizer in self.side.optimizers.items():
            rates = self.rates.get(name) or [optimizers.rate(optimizer)]
            if hasattr(optimizer.step, "_wrapped_by_lr_sched") and len(set(rates)) == 1:
                self.remarks.append(
                    f"a scheduler of the optimizer {name or type(optimizer).__name__} is not moved"
                    " by its step, or not within the updates that were looked at"
                )
            words = dict(optimizers.hyperparameters(optimizer), **self.clippings.get(name, {}))
            words.update(self.side.averages.hyperparameters(optimizer, names))
            words.update(self.scale)
            yield OptimizerSurvey(
                name=name,
                type=type(optimizer).__name__,
                kind=optimizers.kind(optimizer),
                hyperparameters=words,
                rates={str(at): rates[at] for at in RATES if at < len(rates)},
                slots=self._slots(name, names),
                averages=self._canonical(held, self._averages(name, names)),
                pieces=self._canonical(held, optimizers.owned(optimizer, names)),
                steps=self.steps_before.get(name, 1),
            )

    def _phases(self, held: Iterable[Piece]) -> Iterator[Phase]:
        for name, (result, terms) in self.steps.items():
            gradients = self._canonical(held, result.gradients)
            yield Phase(name, self.updated[name], terms, gradients)

    def _slots(self, name: str, names: Mapping[int, str]) -> Tuple[str, ...]:
        """Return the words of an optimizer's slots, without averages that have been given up."""
        kept = self._averages(name, names)
        return tuple(word for word in self.slots.get(name, ()) if kept or word != AVERAGE)

    def _averages(self, name: str, names: Mapping[int, str]) -> List[str]:
        """Return the parameters of an optimizer whose averages are slots."""
        kept = self.side.averages.averaged(self.side.optimizers[name], names)
        return [*self.averaged.get(name, ()), *kept]


def survey(side: Any, rows: Arrays) -> Survey:
    """Return the survey of a side.

    Args:
        side: a `Side`. rows: one batch of training rows.
    """
    examination = Examination(side, rows)
    before = side.snapshot()
    try:
        examination.forward()
        for name in side.steps:
            examination.phase(name)
    finally:
        side.restore(before)
    examination.remarks += side.averages.withdraw()
    return examination.survey()
