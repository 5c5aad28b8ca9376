"""Evidence that tests write by hand: tensors and noise in memory."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from harness.fidelity.evidence import TensorEntry


@dataclasses.dataclass
class Memory:
    """One side: name -> array of one stage; `moved` is what an honest variation moves each
    tensor by; `scales` of updates."""

    tensors: dict
    moved: dict = dataclasses.field(default_factory=dict)
    scales: dict = dataclasses.field(default_factory=dict)
    digested: bool = False
    kind: str = "ulp"
    repeats: dict = dataclasses.field(default_factory=dict)

    def entries(self, stage):
        return [
            TensorEntry(
                stage,
                name,
                np.shape(value),
                str(np.asarray(value).dtype),
                self.scales.get(name, 0.0),
                largest(value),
            )
            for name, value in self.tensors.items()
        ]

    def read(self, stage, name):
        return np.asarray(self.tensors[name])

    def noise(self, stage, name):
        found = {self.kind: [self.moved[name]]} if name in self.moved else {}
        return {**found, "repeat": [self.repeats.get(name, 0.0)]}


def largest(value):
    return float(np.max(np.abs(np.asarray(value)))) if np.size(value) else 0.0


@pytest.fixture
def memory():
    return Memory
