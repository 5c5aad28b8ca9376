"""From what the adapters have found out, and what belongs together, to all that a run needs: what
each side's port is told, in canonical names that all sides share."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.survey import Draw, Piece, Survey
from harness.pairs import draws, optimizers, taps
from harness.pairs.decisions import Decided
from harness.pairs.draws import DrawsMatched, SharedDraw
from harness.pairs.matches import PiecePair
from harness.pairs.taps import Axes, TapPair

TOTAL = "total"
#: What a model gives, beside the activations of its layers.
PRODUCT = "product"


@dataclasses.dataclass(frozen=True)
class SurveyedSide:
    """One side. `label`: as in `plan.Side`. `function`: of the pair file."""

    label: str
    function: str
    survey: Survey


@dataclasses.dataclass(frozen=True)
class Against:
    """Another side beside the first one: what belongs together."""

    side: SurveyedSide
    decided: Decided
    draws: DrawsMatched

    @property
    def parameters(self) -> set[str]:
        """Names of the canonical parameters."""
        return {pair.name for pair in self.decided.matched.pieces}

    @property
    def shown(self) -> set[str]:
        """Names of the activations."""
        return {tap.name for tap in self.decided.taps}

    @property
    def answered(self) -> set[tuple[str, int, str]]:
        """What the draws are known by that the tape answers."""
        return {site.place for site in self.draws.sites}


@dataclasses.dataclass(frozen=True)
class Inference:
    """All that has been decided about a pair.

    Attributes:
        first: the side whose names are canonical. others: beside it.
        batch: rows of a step. data: by name. values: the first side's own, by piece; of the disk,
            and read anew whenever one is asked for.
        accepted: differences that the user takes for the same and that are there, by the label of
            the side that has to know of them.
    """

    first: SurveyedSide
    others: tuple[Against, ...]
    batch: int
    data: Mapping[str, NDArray[Any]]
    values: Mapping[str, NDArray[np.float64]]
    accepted: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)

    def surveys(self) -> dict[str, Survey]:
        """Return what is known of every side, by its label."""
        others = {other.side.label: other.side.survey for other in self.others}
        return {self.first.label: self.first.survey, **others}

    def pieces(self) -> list[PiecePair]:
        """Return the canonical parameters: those that every side has, as the first one has them."""
        common = set.intersection(*(other.parameters for other in self.others))
        return [pair for pair in self.others[0].decided.matched.pieces if pair.name in common]

    def taps(self) -> list[TapPair]:
        """Return the activations that every side shows."""
        common = set.intersection(*(other.shown for other in self.others))
        return [tap for tap in self.others[0].decided.taps if tap.name in common]

    def sites(self) -> list[SharedDraw]:
        """Return the draws that the tape answers on every side."""
        common = set.intersection(*(other.answered for other in self.others))
        return [site for site in self.others[0].draws.sites if site.place in common]

    def phases(self) -> list[str]:
        """Return the names of the training phases that every side has, in the first one's order."""
        named = [phase.name for phase in self.first.survey.phases]
        for other in self.others:
            named = [name for name in named if _phase(other.side.survey, name)]
        return named

    def losses(self, phase: str) -> list[str]:
        """Return the loss terms of a phase that every side has, `total` last."""
        surveys = [self.first.survey, *(other.side.survey for other in self.others)]
        named = [_phase(survey, phase) for survey in surveys]
        common = set.intersection(*({*item.losses} for item in named if item))
        return [*sorted(common - {TOTAL}), TOTAL]

    def optimizer(self, phase: str) -> str:
        """Return the canonical name of a phase's (first) optimizer."""
        own = _phase(self.first.survey, phase)
        first = self.first.survey
        return optimizers.word(first, own.optimizers[0]) if own and own.optimizers else "own"

    def updated(self, phase: str) -> list[str]:
        """Return the canonical parameters for which a side has a gradient in a phase, all of them
        together: one that a side does not train is a difference."""
        names = set[str]()
        for pair in self.pieces():
            sides = [(self.first.survey, pair.a)]
            sides += [
                (other.side.survey, part.b)
                for other in self.others
                for part in other.decided.matched.pieces
                if part.name == pair.name
            ]
            for survey, piece in sides:
                trained = _phase(survey, phase)
                sources = _sources(survey, trained.gradients if trained else ())
                if sources & {*piece.sources}:
                    names.add(pair.name)
        return [pair.name for pair in self.pieces() if pair.name in names]

    def trained(self) -> dict[str, tuple[str, ...]]:
        """Return the canonical parameters of each side's optimizers, and those that a phase has
        gradients for, by what trains them in words."""
        groups: dict[str, tuple[str, ...]] = {}
        for label, survey in self.surveys().items():
            called = self._called(label)
            for item in survey.optimizers:
                held = {*item.pieces}
                words = f"{label}'s optimizer {item.name or item.type}"
                groups[words] = tuple(name for name, own in called.items() if own in held)
        groups.update({f"the phase {phase}": tuple(self.updated(phase)) for phase in self.phases()})
        return groups

    def _called(self, label: str) -> dict[str, str]:
        """Return a side's own names of the canonical parameters."""
        for other in self.others:
            if other.side.label == label:
                own = {pair.name: pair.b.name for pair in other.decided.matched.pieces}
                return {pair.name: own[pair.name] for pair in self.pieces()}
        return {pair.name: pair.a.name for pair in self.pieces()}

    def plans(self) -> dict[str, dict[str, Any]]:
        """Return what each side's port is told (`backends.adapter.port.Plan`), by label."""
        plans = {self.first.label: self._plan(self.first, None)}
        for other in self.others:
            plans[other.side.label] = self._plan(other.side, other)
        return plans

    def _plan(self, side: SurveyedSide, against: Against | None) -> dict[str, Any]:
        survey = side.survey
        first = self.first.survey
        every = [*self.surveys().values()]
        matched = (against or self.others[0]).decided.matched.pieces
        called = {pair.name: (pair.b if against else pair.a).name for pair in matched}
        mine = {pair.name: pair.a.name for pair in self.pieces()}
        return {
            "function": side.function,
            "pieces": [plain(item) for item in self._own_pieces(against)],
            "alone": self._alone(survey, against),
            "taps": [*self._own_taps(against)],
            "outputs": _outputs(first, survey),
            "draws": self._own_draws(survey, against),
            "losses": {phase: self._own_losses(phase) for phase in self.phases()},
            "optimizers": optimizers.names(first, survey),
            "owners": optimizers.owners(every, survey, mine, called),
            "slots": optimizers.slots(every, survey),
            "averages": self._averages(survey, against),
            "hidden_averages": list(survey.hidden_averages),
            "unseen_averages": self._unseen_averages(survey, against),
            "own_weights": self.brought(),
            "accepted": dict(self.accepted.get(side.label, {})),
        }

    def brought(self) -> bool:
        """Return whether every side brings the weights that it begins with."""
        return self.first.survey.begins and all(other.side.survey.begins for other in self.others)

    def _own_losses(self, phase: str) -> dict[str, str]:
        return {name: name for name in self.losses(phase)}

    def _own_pieces(self, against: Against | None) -> list[Piece]:
        names = [pair.name for pair in self.pieces()]
        pairs = (against or self.others[0]).decided.matched.pieces
        by_name = {pair.name: pair.b if against else pair.a for pair in pairs}
        return [dataclasses.replace(by_name[name], name=name) for name in names]

    def _alone(self, survey: Survey, against: Against | None) -> list[str]:
        """Return the parameters that this side trains and another has not, by their own names."""
        shared = set[str]()
        for piece in self._own_pieces(against):
            shared |= {*piece.sources}
        return [
            source
            for piece in survey.pieces
            if piece.trainable
            for source in piece.sources
            if source not in shared
        ]

    def _averages(self, survey: Survey, against: Against | None) -> list[str]:
        """Return the canonical parameters of which this side keeps an average."""
        kept = set[str]()
        for item in survey.optimizers:
            kept |= _sources(survey, item.averages)
        return [piece.name for piece in self._own_pieces(against) if kept & {*piece.sources}]

    def _unseen_averages(self, survey: Survey, against: Against | None) -> list[str]:
        """Return what of this side may be an average of the weights, in sentences: parameters that
        belong to nothing and that no gradient moves may be those of a model that is one."""
        beside = self.others if against is None else (against,)
        unmatched = [
            piece
            for other in beside
            for piece in (other.decided.matched.only_b if against else other.decided.matched.only_a)
        ]
        moved = set[str]()
        for phase in survey.phases:
            moved |= _sources(survey, phase.gradients)
        still = [piece.name for piece in unmatched if not moved & {*piece.sources}]
        said = list(survey.unseen_averages)
        if still:
            said.append(
                f"parameters that no gradient moves belong to nothing on the other side ({still[0]}"
                " first). If they are those of a model that is an average, declare it there, too"
            )
        return said

    def _own_taps(self, against: Against | None) -> list[dict[str, Any]]:
        chosen = {tap.name: tap for tap in (against or self.others[0]).decided.taps}
        plans = []
        for tap in self.taps():
            own = chosen[tap.name]
            layer, axes = (own.b, own.axes_b) if against else (own.a, own.axes_a)
            entry = {"name": tap.name, "layer": layer, "axes": listed(axes)}
            plans.append({**entry, "call": own.calls[1 if against else 0]})
        return plans

    def _own_draws(
        self, survey: Survey, against: Against | None
    ) -> dict[str, list[dict[str, Any]]]:
        beside = against or self.others[0]
        common = {site.place: site.name for site in self.sites()}
        named = [
            dataclasses.replace(site, name=common[site.place])
            for site in beside.draws.sites
            if site.place in common
        ]
        return draws.entries(named, survey.draws, first=against is None)


def plain(piece: Piece) -> dict[str, Any]:
    """Return a piece as plain JSON."""
    return {name: _listed(value) for name, value in dataclasses.asdict(piece).items()}


def _listed(value: Any) -> Any:
    return [_listed(item) for item in value] if isinstance(value, (list, tuple)) else value


def listed(axes: Axes) -> list[int] | None:
    """Return axes as JSON has them."""
    return None if axes is None else list(axes)


def _phase(survey: Survey, name: str) -> Any:
    return next((phase for phase in survey.phases if phase.name == name), None)


def _sources(survey: Survey, names: Sequence[str]) -> set[str]:
    """Return the side's own parameters behind pieces of these names."""
    chosen = {*names}
    return {source for piece in survey.pieces if piece.name in chosen for source in piece.sources}


def _outputs(first: Survey, own: Survey) -> dict[str, dict[str, Any]]:
    """Return the canonical outputs of a side: by name where it has the same ones, else in order, of
    the shape that is wanted if it has one: one side may give its loss too."""
    plans, left = {}, list(own.outputs)
    named = {*first.outputs} <= {*own.outputs}
    for name, shape in first.outputs.items():
        wanted = tuple(shape)
        alike = [other for other in left if sorted(own.outputs[other]) == sorted(wanted)]
        other = name if named else next(iter([*alike, *left]), None)
        if other is None:
            break
        left.remove(other)
        held = tuple(own.outputs[other])
        orders = [] if held == wanted else taps.orders_of(held, wanted)
        # A layer may well be called `output`.
        plans[PRODUCT + name.removeprefix("output")] = {
            "own": other,
            "axes": list(orders[0]) if orders else None,
        }
    return plans


def unshared_draws(inference: Inference) -> list[tuple[str, Draw]]:
    """Return the draws that only one side makes, or that the tape cannot answer, with its label.

    Args:
        inference: of the pair.
    """
    listed_draws = []
    for other in inference.others:
        listed_draws += [(inference.first.label, draw) for draw in other.draws.only_a]
        listed_draws += [(other.side.label, draw) for draw in other.draws.only_b]
    return listed_draws
