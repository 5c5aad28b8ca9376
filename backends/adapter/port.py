"""The port that the worker opens for one side of a pair: the contract, on a `Side`."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from backends import contract, schedule
from backends.adapter import pieces
from backends.adapter.draws import Draws
from backends.adapter.side import FORWARD, GENERATE, Side, StepResult, Tap
from backends.contract import ForcedActivations, Setting
from backends.parameters import check
from backends.source import Batch
from backends.survey import AVERAGE, Piece


class Plan:
    """What the harness has decided about one side: `config["pair"]`, read.

    Attributes:
        pieces: canonical name -> the piece of this side, under that name. taps: activations.
        alone: own names of what this side trains and the other has not.
        outputs: canonical name -> (own name, axes). draws: by phase, see `Draws`.
        losses: by phase, canonical name -> own name. optimizers: canonical -> own name.
        owners: where sides have different numbers of optimizers, by canonical optimizer and
            parameter this side's own optimizer; empty where they have equally many.
        slots: by optimizer (canonical), the words that both sides have, and `average` where this
            side keeps one.
        averages: parameters whose average is shown; None: all that have one.
        hidden_averages, unseen_averages: what the port declares of them.
        own_weights: whether every side begins with its own weights, which have to be the same.
        accepted: differences that the user takes for the same, with what this side needs to know.
    """

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.pieces = {item["name"]: piece(item) for item in content["pieces"]}
        self.taps = [Tap(**dict(entry, axes=_axes(entry.get("axes")))) for entry in content["taps"]]
        self.alone: List[str] = list(content.get("alone", ()))
        self.outputs: Dict[str, Tuple[str, Optional[Tuple[int, ...]]]] = {
            name: (entry["own"], _axes(entry.get("axes")))
            for name, entry in content["outputs"].items()
        }
        self.draws: Dict[str, List[Mapping[str, Any]]] = content["draws"]
        self.losses: Dict[str, Dict[str, str]] = content["losses"]
        self.optimizers: Dict[str, str] = content["optimizers"]
        self.owners: Dict[str, Dict[str, str]] = content.get("owners", {})
        self.slots: Dict[str, List[str]] = content["slots"]
        self.averages: Optional[List[str]] = content.get("averages")
        self.hidden_averages: List[str] = list(content.get("hidden_averages", ()))
        self.unseen_averages: List[str] = list(content.get("unseen_averages", ()))
        self.own_weights: bool = content.get("own_weights", False)
        self.accepted: Dict[str, Any] = content.get("accepted", {})

    def shows(self, word: str, name: str) -> bool:
        """Return whether the slot of a parameter is shown: an average that the survey has given up,
        which stays as it was, is none.

        Args:
            word: of the slot. name: of the canonical parameter.
        """
        return word != AVERAGE or self.averages is None or name in self.averages

    def updating(self) -> Iterator[Tuple[str, str, List[str]]]:
        """Yield each canonical optimizer, an own one that does its work, and the parameters that it
        may have slots of."""
        if not self.owners:
            for name, own_name in self.optimizers.items():
                yield name, own_name, list(self.pieces)
        for name, owned in self.owners.items():
            for own_name in dict.fromkeys(owned.values()):
                yield name, own_name, [key for key, own in owned.items() if own == own_name]


def piece(content: Mapping[str, Any]) -> Piece:
    """Return a piece that has come as plain JSON.

    Args:
        content: its fields by name.
    """
    tuples = ("shape", "sources", "steps", "frozen")
    return Piece(**dict(content, **{name: tuple(content[name]) for name in tuples}))


def _axes(axes: Optional[Sequence[int]]) -> Optional[Tuple[int, ...]]:
    return None if axes is None else tuple(axes)


def _shown(value: np.ndarray, axes: Optional[Tuple[int, ...]]) -> np.ndarray:
    return value if axes is None or value.ndim != len(axes) else np.transpose(value, axes)


def _unshown(value: np.ndarray, axes: Optional[Tuple[int, ...]]) -> np.ndarray:
    if axes is None or value.ndim != len(axes):
        return value
    return np.transpose(value, np.argsort(axes))


def _part(batch: Batch, whole: int, first: int, rows: int) -> Batch:
    """Return some rows of so many, with their noise: of a site that has several draws a row, all of
    them; of one that has one draw for all rows, that."""
    if whole == rows:
        return batch
    chosen = slice(first, first + rows)
    noise = {}
    for site, values in (batch.noise or {}).items():
        of_rows = values.ndim > 0 and len(values) % whole == 0
        blocks = values.reshape((whole, -1) + values.shape[1:]) if of_rows else values
        noise[site] = blocks[chosen].reshape((-1,) + values.shape[1:]) if of_rows else values
    arrays = {name: array[chosen] for name, array in batch.arrays.items()}
    return Batch(arrays, None if batch.noise is None else noise)


def _renamed(names: Mapping[str, Sequence[str]], named: Mapping[str, str]) -> Dict[str, List[str]]:
    result = {}
    for own, others in names.items():
        if own in named:
            result[named[own]] = [named[other] for other in others if other in named]
    return result


class Port(contract.Port):
    """One side of a pair.

    Args:
        config: of the inferred workload; `pair` holds the plan of this side.
        setting: how to run. side: the user's objects, built in this setting.
    """

    copies = True  # `pieces` makes arrays of its own, both ways

    def __init__(self, config: Mapping[str, Any], setting: Setting, side: Side) -> None:
        contract.Port.__init__(self, config, setting)
        self.side, self.plan = side, Plan(config["pair"])
        self.hidden_averages = self.plan.hidden_averages
        self.unseen_averages = self.plan.unseen_averages
        if self.plan.accepted:
            self.side.accept(self.plan.accepted)
        #: What the side had when it was built: weights that are in no piece begin there each time.
        self._built: Optional[Dict[str, np.ndarray]] = None
        self._shapes = pieces.Shapes(self.plan.pieces)

    # -- weights and slots -------------------------------------------------------------------------

    def parameters(self) -> Dict[str, np.ndarray]:
        own = self.side.parameters()
        return {name: pieces.canonical(piece, own) for name, piece in self.plan.pieces.items()}

    def load_parameters(self, values: Mapping[str, np.ndarray]) -> None:
        own = self.side.parameters()
        check(values, self.config, self._shapes.of(own))
        if self._built is None:
            self._built = {name: np.array(value) for name, value in own.items()}
            alone = {name: own[name] for name in self.plan.alone if name in own}
            self._built.update(pieces.moved_apart(alone))
        own.update((name, value) for name, value in self._built.items() if name in own)
        self.side.assign(pieces.own_values(self.plan.pieces.values(), values, own))
        self.side.reset()
        self.steps_trained = self.single_steps = 0

    def own_weights(self) -> Optional[Dict[str, np.ndarray]]:
        """Return the weights that this side brings, in canonical form; None where it is not to be
        judged by them."""
        if not self.plan.own_weights:
            return None
        own = self.side.parameters() if self._built is None else self._built
        return {name: pieces.canonical(piece, own) for name, piece in self.plan.pieces.items()}

    def optimizer_state(self) -> Dict[str, np.ndarray]:
        state: Dict[str, np.ndarray] = {}
        slots, counts = self.side.slots(), self.side.counts()
        for name, own_name, members in self.plan.updating():
            count = max(counts.get(own_name, 0), int(state.get(f"{name}/step", 0)))
            state[f"{name}/step"] = np.array(count)
            held = slots.get(own_name, {})
            for word in self.plan.slots.get(name, ()):
                by_parameter = {key: words[word] for key, words in held.items() if word in words}
                for canonical in (item for item in members if self.plan.shows(word, item)):
                    value = pieces.slot(self.plan.pieces[canonical], word, by_parameter)
                    if value is not None:
                        state[f"{name}/{canonical}/{word}"] = value
        return state

    def round_constants(self, which: str) -> None:
        """Vary the optimizers' constants; see `backends.adapter.side.Side`.

        Args:
            which: of them; empty: none.
        """
        self.side.round_constants(which)

    def constants_may_move(self, which: str) -> bool:
        """Return whether that would have made any update so far another one; see there.

        Args:
            which: of them.
        """
        return self.side.constants_may_move(which)

    def training_is_own(self) -> bool:
        return True

    # -- runs --------------------------------------------------------------------------------------

    def _draws(self, phase: str, batch: Batch) -> Draws:
        return Draws(phase, self.plan.draws.get(phase, ()), batch.noise, self.single_steps)

    def forward(self, batch: Batch, training: bool) -> Dict[str, np.ndarray]:
        draws = self._draws(FORWARD if training else GENERATE, batch)
        values = self.side.look(batch.arrays, training, draws, self.plan.taps)
        self.observed_dtypes.update(self.side.dtypes())
        taps = {tap.name: tap for tap in self.plan.taps}
        shown = {
            name: _shown(value, taps[name].axes) for name, value in values.items() if name in taps
        }
        for name, (own, axes) in self.plan.outputs.items():
            shown[name] = _shown(values[own], axes)
        return shown

    def forward_from(
        self, batch: Batch, training: bool, teacher: Mapping[str, np.ndarray]
    ) -> ForcedActivations:
        draws = self._draws(FORWARD if training else GENERATE, batch)
        taps = {tap.name: tap for tap in self.plan.taps}
        own_teacher = {
            name: _unshown(value, taps[name].axes)
            for name, value in teacher.items()
            if name in taps
        }
        forced = self.side.look_from(batch.arrays, training, draws, self.plan.taps, own_teacher)
        shown = {name: (name, tap.axes) for name, tap in taps.items()}
        # What a side gives of outputs is under its own names of them.
        shown.update((own, (name, axes)) for name, (own, axes) in self.plan.outputs.items())
        values = {
            shown[own][0]: _shown(value, shown[own][1])
            for own, value in forced.values.items()
            if own in shown
        }
        named = {own: name for own, (name, _) in shown.items()}
        return ForcedActivations(
            values,
            _renamed(forced.read, named),
            _renamed(forced.own, named),
            [named[own] for own in forced.rooted if own in named],
        )

    def _losses(self, phase: str, result: StepResult) -> Dict[str, float]:
        return {name: float(result.losses[own]) for name, own in self.plan.losses[phase].items()}

    def _looked_at(self, phase: str, batch: Batch, watch: bool) -> StepResult:
        """Run a step and put everything back."""
        before = self.side.snapshot()
        try:
            return self.side.step(phase, batch.arrays, self._draws(phase, batch), watch=watch)
        finally:
            self.side.restore(before)

    def losses(self, phase: str, batch: Batch) -> Dict[str, float]:
        return self._losses(phase, self._looked_at(phase, batch, watch=False))

    def gradients(self, phase: str, batch: Batch) -> Dict[str, np.ndarray]:
        result = self._looked_at(phase, batch, watch=True)
        wanted = {item["phase"]: item["parameters"] for item in self.config["updates"]}[phase]
        gradients = {
            name: pieces.derived(self.plan.pieces[name], result.gradients) for name in wanted
        }
        return {name: value for name, value in gradients.items() if value is not None}

    def train_step(self, phase: str, batch: Batch) -> Dict[str, float]:
        result = self.side.step(phase, batch.arrays, self._draws(phase, batch), watch=False)
        self.single_steps += batch.noise is None
        self.observed_dtypes.update(self.side.dtypes())
        return self._losses(phase, result)

    def update_from(
        self, phase: str, batch: Batch, gradients: Mapping[str, np.ndarray]
    ) -> Dict[str, float]:
        """Run one update of a phase with a teacher's gradients in the place of what the loss is
        differentiated to, before clipping and the optimizer; return the loss terms before it.

        Args:
            phase, batch: as for `train_step`. gradients: canonical, by parameter.
        """
        parts = self.plan.pieces.values()
        own = pieces.own_gradients(parts, gradients, self.side.parameters())
        draws = self._draws(phase, batch)
        return self._losses(phase, self.side.step(phase, batch.arrays, draws, own, watch=False))

    def assume(self, values: Mapping[str, np.ndarray], state: Mapping[str, np.ndarray]) -> None:
        """Go on from a teacher's weights and slots; schedules and counts stay this side's own.

        Args:
            values: canonical, by parameter. state: slots as `optimizer_state` names them; what this
                side has none of is left out.
        """
        parts, own = self.plan.pieces.values(), self.side.parameters()
        self.side.assign(pieces.own_values(parts, values, own))
        for name, own_name, members in self.plan.updating():
            held = self.side.slots().get(own_name, {})
            for word in self.plan.slots.get(name, ()):
                slots = {
                    canonical: state[f"{name}/{canonical}/{word}"]
                    for canonical in members
                    if f"{name}/{canonical}/{word}" in state
                }
                mine = {key: words[word] for key, words in held.items() if word in words}
                taken = pieces.own_slots(parts, word, slots, own, mine)
                changed = {key: taken[key] for key in mine if key in taken}
                if changed:
                    self.side.assign_slots(own_name, word, changed)

    def train(self, source: Any, steps: int) -> Dict[str, List[Any]]:
        self._seed(source)
        history: List[List[Tuple[str, Dict[str, float]]]] = []
        for _ in range(steps):
            step, done = source.cursor, []
            for phase in schedule.phases_at(self.config, step):
                if source.lockstep:
                    batch = source.batch(step, phase)
                    draws: Optional[Draws] = self._draws(phase, batch)
                    rows = batch.arrays
                else:
                    epoch, place = schedule.epoch_at(self.config, step, source.batches())
                    chosen = source.shuffled(epoch, place)
                    rows = {name: value[chosen] for name, value in source.training_rows().items()}
                    draws = None
                result = self.side.step(phase, rows, draws, watch=False)
                done.append((phase, self._losses(phase, result)))
            history.append(done)
            source.cursor += 1
            self.steps_trained += 1
        return schedule.columns(self.config, history)

    def _seed(self, source: Any) -> None:
        """Begin a native run with the draws of its own seed, once."""
        if not source.lockstep:
            source.stream("draws", lambda own: self.side.seed(own.seed))

    def generate(self, source: Any, count: int) -> np.ndarray:
        self._seed(source)
        rows = self.side.rows() or count
        whole = -(-count // rows) * rows  # the last run is filled up with rows from the beginning
        batch = source.generation(whole)
        parts = [
            self._generated(_part(batch, whole, first, rows), rows, source.lockstep)
            for first in range(0, whole, rows)
        ]
        return parts[0] if whole == rows == count else np.concatenate(parts)[:count]

    def _generated(self, batch: Batch, rows: int, lockstep: bool) -> np.ndarray:
        draws = self._draws(GENERATE, batch) if lockstep else None
        values = self.side.look(batch.arrays, False, draws, ())
        self.observed_dtypes.update(self.side.dtypes())
        shown = [_shown(values[own], axes) for own, axes in self.plan.outputs.values()]
        # A model that is handed labels may give a loss before what it was asked for.
        return next((value for value in shown if value.ndim and len(value) == rows), shown[0])

    def effective(self) -> Dict[str, Any]:
        return self.side.effective()
