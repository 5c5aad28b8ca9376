"""Cohorts in the original's format, as a user may have them, whole or with a fault."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from harness.errors import UsageError
from harness.workloads.ehr_mgan import EhrMGan

STAYS, HOURS, VITALS, INTERVENTIONS = 130, 12, 3, 2


def tables() -> dict[str, np.ndarray]:
    """A cohort as a user may have it: float32, whole numbers, a table of statics with the class
    first."""
    generator = np.random.RandomState(0)
    return {
        "vital_sign_24hrs.pkl": generator.uniform(size=(STAYS, HOURS, VITALS)).astype(np.float32),
        "med_interv_24hrs.pkl": generator.randint(2, size=(STAYS, HOURS, INTERVENTIONS)),
        "statics.pkl": np.stack([np.arange(STAYS) % 4, generator.randint(20, 90, STAYS)], axis=1),
        "min_val": np.array([30.0, 60.0, 5.0]),
        "max_val": np.array([150.0, 160.0, 40.0]),
    }


def write(place: Path, values: dict[str, object]) -> Path:
    """Write the four files; a value of None leaves one out, bytes are written as they are."""
    for name, value in values.items():
        if name.endswith(".pkl") and value is not None:
            (place / name).write_bytes(value if isinstance(value, bytes) else pickle.dumps(value))
    np.savez(
        place / "norm_stats.npz",
        **{
            name: value
            for name, value in values.items()
            if name.endswith("_val") and value is not None
        },
    )
    return place


def refuse(place: Path, **changed: object) -> str:
    """What is said about a cohort with some of its tables changed."""
    names = {
        "vital": "vital_sign_24hrs.pkl",
        "interv": "med_interv_24hrs.pkl",
        "statics": "statics.pkl",
    }
    write(place, {**tables(), **{names.get(name, name): value for name, value in changed.items()}})
    with pytest.raises(UsageError) as caught:
        EhrMGan(str(place)).hyperparameters("tiny")
    assert 2 == caught.value.exit_code
    return str(caught.value)


def at(name: str, place: tuple[int, ...], value: float) -> np.ndarray:
    """A table with one value changed."""
    table = tables()[name].astype(np.float64)
    table[place] = value
    return table
