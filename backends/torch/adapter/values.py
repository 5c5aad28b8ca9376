"""What layers return, taken apart and put together again: tensors, tuples, named tuples, mappings,
dataclasses, in one another; and arrays of a batch as tensors."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any, Callable, Dict, Iterator, List, Mapping, Tuple

import numpy as np
import torch

from backends.torch.state import READABLE

OUTPUT = "output"


def _entries(value: Any) -> List[Tuple[str, Any]]:
    """Return what a value is made of, by name; nothing for what is no container."""
    if isinstance(value, Mapping):
        return [(str(key), entry) for key, entry in value.items()]
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return list(zip(value._fields, value))
    if isinstance(value, (tuple, list)):
        return [(str(index), entry) for index, entry in enumerate(value)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)]
    return []


def tensors(value: Any, name: str = OUTPUT) -> Iterator[Tuple[str, torch.Tensor]]:
    """Yield the tensors in a value, each with its path.

    Args:
        value: what a layer or a model returned. name: of all of it.
    """
    if isinstance(value, torch.Tensor):
        yield name, value
        return
    for word, entry in _entries(value):
        yield from tensors(entry, f"{name}/{word}")


def replaced(value: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """Return a value with each tensor in it changed, in the order of `tensors`.

    Args:
        value: what a layer returned. change: from a tensor to what takes its place.
    """
    if isinstance(value, torch.Tensor):
        return change(value)
    if not _entries(value):
        return value
    entries = {word: replaced(entry, change) for word, entry in _entries(value)}
    if isinstance(value, Mapping):
        other = copy.copy(value)
        for key in list(other):
            other[key] = entries[str(key)]  # type: ignore[index]
        return other
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*entries.values())
    if isinstance(value, (tuple, list)):
        return type(value)(entries.values())
    other = copy.copy(value)
    for word, entry in entries.items():
        object.__setattr__(other, word, entry)
    return other


def array(tensor: torch.Tensor) -> np.ndarray:
    """Return a copy of a tensor as an array; low precisions as float32.

    Args:
        tensor: dense or sparse, on any device.
    """
    tensor = tensor.detach()
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    if tensor.dtype in READABLE:
        tensor = tensor.to(READABLE[tensor.dtype])
    copied: np.ndarray = tensor.resolve_conj().resolve_neg().cpu().numpy().copy()
    return copied


def batch(
    arrays: Mapping[str, np.ndarray], dtype: torch.dtype, device: torch.device
) -> Dict[str, torch.Tensor]:
    """Return a batch as fresh tensors: real numbers in `dtype`, anything else as it is.

    Args:
        arrays: by name. dtype: of real numbers. device: where they go.
    """
    own: Dict[str, torch.Tensor] = {}
    for name, value in arrays.items():
        # A copy: a step may work on its batch in place.
        tensor = torch.from_numpy(np.array(value, order="C"))
        own[name] = tensor.to(device, dtype if tensor.is_floating_point() else None)
    return own
