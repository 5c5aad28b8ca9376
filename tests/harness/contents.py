"""The least that records of each kind hold, as plain JSON: tests put into it what they are
about."""

from __future__ import annotations

from typing import Any

IDENTITY: dict[str, Any] = {
    "python": "3.11.7",
    "platform": "Linux",
    "versions": {"numpy": "2.0.0"},
}


def opened(**more: Any) -> dict[str, Any]:
    """Return what a worker tells of a port that it has opened."""
    return {"identity": IDENTITY, "abilities": [], "port": "/port.py", "source_hash": "0", **more}


def recorded(**more: Any) -> dict[str, Any]:
    """Return what a job of the lockstep stages leaves."""
    return {
        **opened(),
        "effective": {},
        "tape_hash": "0",
        "data_hash": "0",
        "tensors": [],
        "files": {},
        **more,
    }


def sampled(*terms: str, **more: Any) -> dict[str, Any]:
    """Return what a training from a seed of its own leaves."""
    return {**opened(), "effective": {}, "files": {}, "terms": list(terms), **more}


def round_of(actions: dict[str, Any], *labels: str, **more: Any) -> dict[str, Any]:
    """Return what a round leaves: actions in which whatever is missing is nothing."""
    whole = {
        name: {
            "palindromes": [],
            **action,
            "prepared": {
                label: {"first_step_s": 0.1, **side} for label, side in action["prepared"].items()
            },
        }
        for name, action in actions.items()
    }
    return {
        "actions": whole,
        "opened": {label: opened() for label in labels},
        "rows_a_step": 8,
        **more,
    }
