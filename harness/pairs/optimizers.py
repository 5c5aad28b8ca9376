"""Which optimizer of one side does the work of which of the other's, and what slots all have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backends.survey import AVERAGE, OptimizerSurvey, Survey


def optimizers_beside(first: Survey, own: Survey) -> list[OptimizerSurvey]:
    """Return a side's optimizers in the first one's order: by name if both have the same names,
    which sides may list in another order; else as they are.

    Args:
        first, own: what is known of the two sides.
    """
    named = {item.name: item for item in own.optimizers}
    wanted = [item.name for item in first.optimizers]
    if len(named) == len(own.optimizers) and {*wanted} == {*named}:
        return [named[name] for name in wanted]
    return list(own.optimizers)


def names(first: Survey, own: Survey) -> dict[str, str]:
    """Return a side's optimizers by their canonical names.

    Args:
        first, own: what is known of the first side, and of the side.
    """
    beside = zip(first.optimizers, optimizers_beside(first, own), strict=False)
    return {word(first, mine.name): item.name for mine, item in beside}


def owners(
    every: Sequence[Survey], own: Survey, mine: Mapping[str, str], called: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """Return, where sides have different numbers of optimizers, which of a side's own does the work
    of each of the first side's, parameter by parameter; nothing where all have equally many.

    Args:
        every: what is known of all sides, the first one first. own: of the side.
        mine, called: by canonical parameter, its name on the first side and on this one.
    """
    if len({len(survey.optimizers) for survey in every}) == 1:
        return {}
    holders = {piece: item.name for item in own.optimizers for piece in item.pieces}
    held: dict[str, dict[str, str]] = {}
    for item in every[0].optimizers:
        held[word(every[0], item.name)] = {
            name: holders[called[name]]
            for name, piece in mine.items()
            if piece in item.pieces and called.get(name) in holders
        }
    return held


def slots(every: Sequence[Survey], own: Survey) -> dict[str, list[str]]:
    """Return, by canonical optimizer, the words of the slots that all sides have, and `average`
    where this side is seen to keep one: weights do not show that the other keeps none, as they do
    of any other slot.

    Args:
        every: what is known of all sides, the first one first. own: of the side.
    """
    if len({len(survey.optimizers) for survey in every}) > 1:
        # Which of a side's does the work of another's goes by parameter: all have all words.
        common = set.intersection(*map(_all_slots, every))
        common |= {AVERAGE} if any(map(averages, own.optimizers)) else set()
        return {word(every[0], item.name): sorted(common) for item in every[0].optimizers}
    words: dict[str, list[str]] = {}
    ordered = [optimizers_beside(every[0], survey) for survey in every]
    mine = optimizers_beside(every[0], own)
    for index, name in enumerate(names(every[0], own)):
        common = set.intersection(*({*each[index].slots} for each in ordered))
        words[name] = sorted(common | ({AVERAGE} if averages(mine[index]) else set()))
    return words


def averages(optimizer: OptimizerSurvey) -> bool:
    """Return whether an optimizer is seen to keep an average of weights. A copy that is set to the
    weights as they are then is a slot like any other, where both sides have one."""
    return bool(optimizer.averages and optimizer.hyperparameters.get("average_weights"))


def _all_slots(survey: Survey) -> set[str]:
    return {slot for item in survey.optimizers for slot in item.slots}


def word(survey: Survey, own: str) -> str:
    """Return the canonical name of an optimizer: its own, or its kind where it has none.

    Args:
        survey: of the first side. own: its own name.
    """
    for item in survey.optimizers:
        if item.name == own:
            return item.name or item.kind
    return own or "own"
