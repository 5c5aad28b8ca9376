"""Teacher-forced looks at modules: each layer that is tapped returns the teacher's value, and what
torch computes is traced below all layers, to say from what each value was really computed."""

from __future__ import annotations

from typing import Any, Dict, Mapping, NamedTuple, Optional, Sequence

import numpy as np
import torch

from backends.adapter.draws import Draws
from backends.adapter.side import FORWARD, Arrays, Tap
from backends.contract import ForcedActivations
from backends.recording.teacher_forcing import DATA, TEACHER, WEIGHT, Node, fits, survey
from backends.torch.adapter import values
from backends.torch.adapter.draws import Tape
from backends.torch.adapter.taps import Record
from backends.torch.dependencies import Tracer


class TeacherValues(NamedTuple):
    """What is looked at, and what the teacher has there: by tap."""

    taps: Sequence[Tap]
    teacher: Mapping[str, np.ndarray]


class ForcedRun:
    """Answers for layers with the teacher's values, and keeps their own.

    Args:
        teacher_values: what is forced. tracer: tells what each value was computed from.

    Attributes:
        kept: the layers' own values by tap, in order. starts: the node that each was.
    """

    def __init__(self, teacher_values: TeacherValues, tracer: Tracer) -> None:
        self.teacher, self.tracer = teacher_values.teacher, tracer
        self.kept: Dict[str, torch.Tensor] = {}
        self.starts: Dict[str, Node] = {}
        self._record = Record(teacher_values.taps)

    def seen(self, path: str, call: int, module: Any, inputs: Any, output: Any) -> Any:
        """Answer for one layer, as `taps.Seen` says."""
        wanted = self._record.wanted(path, call)
        if not wanted:
            return output
        count = iter(range(len(list(values.tensors(output)))))
        return values.replaced(output, lambda own: self._answer(wanted.get(next(count), ()), own))

    def _answer(self, names: Sequence[str], own: torch.Tensor) -> torch.Tensor:
        answer = own
        for name in names:
            self.starts[name] = self.tracer.show(name, own)
            self.kept[name] = own.detach().clone()
            if fits(self.teacher, name, own.shape, own.is_complex()):
                # A tensor of its own, so that what is done to it in place hits nobody else; it lies
                # in memory as the own one does, which decides in what order kernels sum.
                value = torch.empty_like(own.detach())
                value.copy_(torch.from_numpy(np.array(self.teacher[name])))
                answer = self.tracer.mark((TEACHER, name), value)
        return answer


def look_from(
    side: Any, rows: Arrays, training: bool, draws: Optional[Draws], teacher_values: TeacherValues
) -> ForcedActivations:
    """Return what `Side.look_from` promises; the caller puts the state back.

    Args:
        side: whose model runs. rows: the batch. training: in which mode. draws: that answer.
        teacher_values: taps and the teacher's values.
    """
    tracer = Tracer()
    forced = ForcedRun(teacher_values, tracer)
    batch = side.batch(rows)
    held = dict(side.inventory.tensors())
    for model in side.declared.models.values():
        held.update({f"buffer {name}": value for name, value in model.named_buffers()})
    for kind, tensors in ((WEIGHT, held), (DATA, batch)):
        for name, value in tensors.items():
            tracer.mark((kind, name), value)
    tape = Tape(
        Draws(FORWARD) if draws is None else draws,
        mark=lambda value: tracer.mark((DATA, "draws"), value),
    )
    # The tape above the tracer: what it puts in is seen.
    running = side.running(forced.seen)
    with side.mode(training), tracer, side.serving(tape), running.watching(), torch.no_grad():
        output = side.call(batch)
        for name, value in values.tensors(output):
            forced.starts[name] = tracer.show(name, value)
            forced.kept[name] = value.detach().clone()
    walks = {name: tracer.ancestry(forced.starts[name]) for name in forced.kept}
    kept = {name: values.array(value) for name, value in forced.kept.items()}
    return ForcedActivations(kept, *survey(walks, forced.starts))
