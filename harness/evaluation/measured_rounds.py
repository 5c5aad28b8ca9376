"""What recorded rounds say: step times, what disturbed them, and which steps took another time."""

from __future__ import annotations

import itertools
import math

from backends.contract import ACTIONS
from harness.records import contents, store
from harness.speed import disturbance, estimate, steadiness

#: Where that was found, so much further than it took.
BEYOND = 1.25


def as_round(record: store.Record, action: str) -> estimate.RoundTimes:
    """Return one action of a recorded round for `harness.speed.estimate`.

    Args:
        record: of a round that ended well. action: one that it measured.
    """
    return estimate.RoundTimes(
        tuple(estimate.Palindrome(steps) for steps in record.round.actions[action].palindromes)
    )


def learned(record: store.Record) -> dict[str, dict[str, int]]:
    """Return how many steps later rounds have to warm up, by action and side, where the first one
    has seen a late change."""
    least: dict[str, dict[str, int]] = {}
    for action, measured in record.round.actions.items():
        least[action] = {}
        for label, side in measured.prepared.items():
            steps = side.warmup_steps if side.settled_steps is None else side.settled_steps
            if side.settled_steps != 0:
                least[action][label] = math.ceil(BEYOND * steps)
    return least


def disturbed(record: store.Record) -> bool:
    """Whether the machine disturbed whole actions of a round so much that it makes no verdict;
    older records do not tell."""
    return any(measured.disturbed for measured in whole_actions(record).values())


def met(record: store.Record) -> disturbance.Turn:
    """Return what the whole actions of a round met."""
    return disturbance.together(measured.met for measured in whole_actions(record).values())


def whole_actions(record: store.Record) -> dict[str, contents.Action]:
    """Return what a round has measured of whole steps and whole batches, by action."""
    actions = record.round.actions
    return {action: actions[action] for action in ACTIONS if action in actions}


def changed(record: store.Record) -> dict[tuple[str, str, str], float]:
    """Return by which factor the ratio of two sides changed while a round was measured, by action
    and sides, where it did."""
    factors = {}
    for action, actions in whole_actions(record).items():
        measured = as_round(record, action)
        for a, b in itertools.combinations(actions.palindromes[0], 2):
            if not estimate.unusable(measured, a, b) and (
                factor := steadiness.changed(estimate.palindrome_ratios(measured, a, b))
            ):
                factors[action, a, b] = factor
    return factors
