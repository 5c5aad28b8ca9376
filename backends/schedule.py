"""What a step of training consists of: the phases of its segment of the schedule, and how their losses are handed over.

Reads `config["schedule"]` (see `harness/workloads/spec.py`): segments in order, each with the phases that every step runs.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence, Tuple


def phases_at(config: Mapping[str, Any], step: int) -> List[str]:
    """Return the phases that step number `step`, counted from 0, runs in order."""
    for segment in config["schedule"]:
        if segment["steps"] is None or step < segment["steps"]:
            return list(segment["phases"])
        step -= segment["steps"]
    raise IndexError("the schedule of %s has ended: there is no step %d after its last" % (config["workload"], step))


def last_segment(config: Mapping[str, Any]) -> int:
    """Return the first step of the last segment: the one that training spends its time in."""
    return sum(segment["steps"] for segment in config["schedule"][:-1])


def columns(config: Mapping[str, Any], history: Sequence[Sequence[Tuple[str, Mapping[str, float]]]]) -> Dict[str, List[Any]]:
    """Return the losses of consecutive steps as `Port.train` promises them.

    Args:
        config: the workload's configuration.
        history: for each step, for each phase that it ran, the phase and its loss terms.

    Returns:
        By `<term>`, or `<phase>/<term>` where a workload has several phases: one value a step, None where the phase did not run.
    """
    several = len(config["phases"]) > 1
    found = {}  # type: Dict[str, List[Any]]
    for index, step in enumerate(history):
        for phase, terms in step:
            for name, value in terms.items():
                column = found.setdefault("%s/%s" % (phase, name) if several else name, [None] * len(history))
                column[index] = value
    return found
