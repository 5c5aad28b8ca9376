"""Teacher-forced looks: the port's activations once more, eagerly, with a record that answers with the teacher's."""

from __future__ import annotations

from typing import Any, Mapping

import numpy as np
import torch

from backends.contract import Unsupported
from backends.teaching import DATA, TEACHER, WEIGHT, Lesson, Taught, fits, survey
from backends.torch.state import Tensors
from backends.torch.tracing import Tracer


def taught(port: Any, arrays: Tensors, noise: Tensors, teacher: Mapping[str, np.ndarray]) -> Taught:
    """Return what `Port.forward_from` promises, of a `TorchPort` whose mode is set.

    Raises:
        Unsupported: the port compiles pieces of itself, which do not tell what they compute from what.
    """
    if port.compiler is not None and not port.COMPILED_WHOLE:
        raise Unsupported("the port of %s compiles pieces of itself, which cannot be taught" % port.config["workload"])
    tracer = Tracer()
    for kind, tensors in ((DATA, arrays), (DATA, noise), (WEIGHT, port.weights)):
        for name, tensor in tensors.items():
            tracer.mark((kind, name), tensor)

    def answer(name: str, own: torch.Tensor) -> torch.Tensor:
        shape = port.shown(own).shape
        if not fits(teacher, name, shape):
            return own
        # A tensor of its own for each reader, in the layout of the port's: what a port does in place hits nobody else.
        value = port.unshown(torch.as_tensor(np.array(teacher[name])).to(own.device, own.dtype))
        return tracer.mark((TEACHER, name), value)

    port.lesson = lesson = Lesson(answer)
    try:
        with tracer, torch.no_grad():
            found = port.activations(arrays, noise)
    finally:
        port.lesson = None
    kept = lesson.kept if found is lesson else dict(found)
    walks = {name: tracer.ancestry(value) for name, value in kept.items()}
    origins = survey(walks, {name: tracer.node(value) for name, value in kept.items()})
    return Taught({name: port.array(port.shown(value)) for name, value in kept.items()}, *origins)
