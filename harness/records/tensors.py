"""Recorded tensors as one side of a comparison, read one at a time."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from harness.fidelity.evidence import TensorEntry
from harness.records import contents
from harness.records.archives import read_tensor


@dataclasses.dataclass(frozen=True)
class RecordEvidence:
    """Recorded tensors as one side of a comparison (`harness.fidelity.evidence.Evidence`).

    Attributes:
        folder: where the arrays lie. left: the tensors that the record lists.
    """

    folder: Path
    left: contents.Tensors
    digested: bool = False

    def entries(self, stage: str) -> list[TensorEntry]:
        """Return the tensors of a stage in recorded order."""
        return [item for item in self.left.tensors if item.stage == stage]

    def read(self, stage: str, name: str) -> NDArray[Any]:
        """Return one tensor."""
        return read_tensor(self.folder, stage, name, self.left.shapes)

    def noise(self, stage: str, name: str) -> dict[str, list[float]]:
        """Return the tensor's movements by kind of variation."""
        moved = self.left.noise.get(f"{stage}/{name}", {})
        return {variation: [*values] for variation, values in moved.items()}
