"""What a step of training consists of: the phases of its segment of the schedule, and how their
losses are handed over.

Reads `config["schedule"]` (see `harness/workloads/spec.py`): segments in order, each with the
phases that every step runs.
"""

from __future__ import annotations

import collections
from typing import Any, Dict, List, Mapping, Sequence, Tuple


def phases_at(config: Mapping[str, Any], step: int) -> List[str]:
    """Return the phases that a step runs, in order.

    Args:
        config: the workload's configuration. step: counted from 0.

    Raises:
        IndexError: the schedule has ended.

    Example:
        >>> segments = [
        ...     {"name": "pretraining", "steps": 10, "phases": ["vae"]},
        ...     {"name": "joint", "steps": None, "phases": ["discriminator", "generator"]},
        ... ]
        >>> phases_at({"schedule": segments}, 9), phases_at({"schedule": segments}, 10)
        (['vae'], ['discriminator', 'generator'])
    """
    left = step
    for segment in config["schedule"]:
        if segment["steps"] is None or left < segment["steps"]:
            return list(segment["phases"])
        left -= segment["steps"]
    raise IndexError(
        f"the schedule of {config['workload']} has ended: it has {step - left} steps, and no step"
        f" {step}, counted from 0"
    )


def epoch_at(config: Mapping[str, Any], step: int, batches: int) -> Tuple[int, int]:
    """Return the epoch that a step is in, counted on through all of training, and which of its
    batches is the step's.

    Each segment begins with an epoch of its own, as EHR-M-GAN's joint training does in the
    original; where the steps of a segment are no whole number of epochs, its last one is short.

    Args:
        config: the workload's configuration. step: counted from 0. batches: of a whole epoch.

    Raises:
        IndexError: the schedule has ended.

    Example:
        Five steps of four batches: the second epoch is cut short, the next segment begins a third.

        >>> segments = [{"steps": 5, "phases": ["vae"]}, {"steps": None, "phases": ["joint"]}]
        >>> [epoch_at({"schedule": segments}, step, batches=4) for step in (3, 4, 5)]
        [(0, 3), (1, 0), (2, 0)]
    """
    before = 0
    for segment in config["schedule"]:
        if segment["steps"] is None or step < segment["steps"]:
            return before + step // batches, step % batches
        step -= segment["steps"]
        before += -(-segment["steps"] // batches)
    raise IndexError(f"the schedule of {config['workload']} has ended {step + 1} steps before")


def last_segment(config: Mapping[str, Any]) -> int:
    """Return the first step of the last segment: the one that training spends its time in."""
    return sum(segment["steps"] for segment in config["schedule"][:-1])


def updates_by(config: Mapping[str, Any], step: int) -> Dict[str, int]:
    """Return how many updates each optimizer has made after so many training steps.

    Args:
        config: the workload's configuration.
        step: how many have been made; those after the schedule's end make no update.

    Example:
        >>> updates = [{"phase": "d", "optimizer": "adam_d"}, {"phase": "g", "optimizer": "adam_g"}]
        >>> config = {
        ...     "optimizers": {"adam_d": {}, "adam_g": {}},
        ...     "updates": updates,
        ...     "schedule": [{"steps": None, "phases": ["d", "d", "g"]}],
        ... }
        >>> updates_by(config, 10), steps_seen(config, {"adam_d": 20})
        ({'adam_d': 20, 'adam_g': 10}, 10)
    """
    updates = dict.fromkeys(config["optimizers"], 0)
    for segment in config["schedule"]:
        run = step if segment["steps"] is None else min(step, segment["steps"])
        for name, count in _each_step(config, segment).items():
            updates[name] += run * count
        step -= run
    return updates


def steps_seen(config: Mapping[str, Any], updates: Mapping[str, int]) -> int:
    """Return after how many training steps the optimizers have made these updates; the inverse of
    `updates_by`.

    A model that another program trained may have seen more or fewer steps of an earlier segment
    than the schedule has: it stands in the last segment that has begun, as far as that has come,
    and those before count as the schedule has them.

    Args:
        config: the workload's configuration.
        updates: by optimizer; those that are not known may be missing.

    Raises:
        ValueError: a segment has no optimizer of its own that is known, or they do not agree.
    """
    seen, before = 0, 0
    each = [_each_step(config, segment) for segment in config["schedule"]]
    for index, (segment, own) in enumerate(zip(config["schedule"], each)):
        others = {name for other, counts in enumerate(each) if other != index for name in counts}
        steps = {
            name: updates[name] / count
            for name, count in own.items()
            if name in updates and name not in others
        }
        if len(set(steps.values())) != 1 or min(steps.values()) % 1:
            known = ", ".join("%s: %d" % (name, updates[name]) for name in sorted(steps))
            raise ValueError(
                f"the updates of the optimizers do not tell how many steps of {segment['name']}"
                f" the model has seen ({known or 'none are known'}): give its step"
            )
        run = int(min(steps.values()))
        if run:
            seen = before + (run if segment["steps"] is None else min(run, segment["steps"]))
        before += segment["steps"] or 0
    return seen


def _each_step(config: Mapping[str, Any], segment: Mapping[str, Any]) -> Dict[str, int]:
    """Return how many updates each optimizer makes in a step of a segment."""
    optimizer = {update["phase"]: update["optimizer"] for update in config["updates"]}
    return dict(collections.Counter(optimizer[phase] for phase in segment["phases"]))


def columns(
    config: Mapping[str, Any], history: Sequence[Sequence[Tuple[str, Mapping[str, float]]]]
) -> Dict[str, List[Any]]:
    """Return the losses of consecutive steps as `Port.train` promises them.

    Args:
        config: the workload's configuration.
        history: for each step, for each phase that it ran, the phase and its loss terms.

    Returns:
        By `<term>`, or `<phase>/<term>` where a workload has several phases: one value a step, None
        where the phase did not run.

    Example:
        >>> steps = [[("d", {"total": 2.0})], [("d", {"total": 1.0}), ("g", {"total": 5.0})]]
        >>> columns({"phases": ["d", "g"]}, steps)
        {'d/total': [2.0, 1.0], 'g/total': [None, 5.0]}
    """
    several = len(config["phases"]) > 1
    losses: Dict[str, List[Any]] = {}
    for index, step in enumerate(history):
        for phase, terms in step:
            for name, value in terms.items():
                key = f"{phase}/{name}" if several else name
                losses.setdefault(key, [None] * len(history))[index] = value
    return losses
