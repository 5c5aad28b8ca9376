"""Teacher-forced looks: the port's activations once more, eagerly, with a record that answers with
the teacher's."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

import numpy as np
import torch

from backends.contract import ForcedActivations, Unsupported
from backends.recording.teacher_forcing import (
    DATA,
    TEACHER,
    WEIGHT,
    ForcedRecord,
    Node,
    fits,
    survey,
)
from backends.torch.dependencies import Tracer
from backends.torch.effective_settings import CONTRACTIONS
from backends.torch.state import Tensors


class Look:
    """One teacher-forced look at a `TorchPort` whose mode is set, traced.

    Attributes:
        kept: the activations as they were when they were set. starts: the node that each was.
            tracer: tells what it was computed from.

    Raises:
        Unsupported: the port compiles pieces of itself, which do not tell what they compute from
            what.
    """

    def __init__(
        self, port: Any, arrays: Tensors, noise: Tensors, teacher: Mapping[str, np.ndarray]
    ) -> None:
        if port.compiler is not None and not port.COMPILED_WHOLE:
            workload = port.config["workload"]
            raise Unsupported(
                f"the port of {workload} compiles pieces of itself, which cannot be teacher-forced"
            )
        self.port, self.teacher, self.tracer = port, teacher, Tracer()
        self.starts: Dict[str, Node] = {}
        held = dict(port.undeclared.arrays(), **dict(port.model.named_parameters()))
        leaves = ((WEIGHT, held), (WEIGHT, port.weights), (DATA, arrays), (DATA, noise))
        for kind, tensors in leaves:
            for name, tensor in tensors.items():
                if isinstance(tensor, torch.Tensor):
                    self.tracer.mark((kind, name), tensor)
        port.forced_record = record = ForcedRecord(self._answer, self._keep)
        try:
            with self.tracer, torch.no_grad():
                activations = port.activations(arrays, noise)
        finally:
            port.forced_record = None
        if activations is record:
            self.kept: Tensors = dict(record.kept)
        else:
            self.kept = dict(activations)
            self.starts = {name: self.tracer.show(name, value) for name, value in self.kept.items()}

    def _answer(self, name: str, own: torch.Tensor) -> torch.Tensor:
        shape = self.port.shown(own).shape
        if not fits(self.teacher, name, shape, own.is_complex()):
            return own
        # A tensor of its own for each reader, in the layout of the port's: what a port does in
        # place hits nobody else.
        value = torch.as_tensor(np.array(self.teacher[name])).to(own.device, own.dtype)
        return self.tracer.mark((TEACHER, name), self.port.unshown(value))

    def _keep(self, name: str, value: torch.Tensor) -> torch.Tensor:
        self.starts[name] = self.tracer.show(name, value)
        return value.detach().clone()

    def result(self) -> ForcedActivations:
        """Return what `Port.forward_from` promises."""
        walks = {name: self.tracer.ancestry(self.starts[name]) for name in self.kept}
        values = {
            name: self.port.array(self.port.shown(value)) for name, value in self.kept.items()
        }
        return ForcedActivations(values, *survey(walks, self.starts))

    def contracted(self) -> List[str]:
        """Return the activations that a contraction is upstream of."""
        done = {node for node, name in self.tracer.operations.items() if CONTRACTIONS.match(name)}
        return [name for name in self.kept if done & set(self.tracer.ancestry(self.starts[name]))]


def teacher_forced(
    port: Any, arrays: Tensors, noise: Tensors, teacher: Mapping[str, np.ndarray]
) -> ForcedActivations:
    """Return what `Port.forward_from` promises, of a `TorchPort` whose mode is set."""
    return Look(port, arrays, noise, teacher).result()
