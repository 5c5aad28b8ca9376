"""State dicts on disk: files of `torch.save` that hold tensors alone, and safetensors.

Neither runs code: the first are read with `weights_only=True`, of the second the header is JSON and
the rest numbers (https://github.com/huggingface/safetensors#format), read here.
"""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List, Mapping, Tuple

import torch

DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
#: The largest header that the format allows.
LARGEST_HEADER_BYTES = 100_000_000
#: Where training scripts put a state dict beside other things.
WITHIN = ("state_dict", "model_state_dict", "model", "module")


def _whole(name: str, entry: Any, size: int) -> Tuple[str, List[int], int, int]:
    """Return dtype, shape, begin and end of an entry of a header.

    Raises:
        ValueError: it is none, or does not fit the file.
    """
    try:
        dtype, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        sizes = [int(length) for length in shape]
        width = torch.empty((), dtype=DTYPES[dtype]).element_size()
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{name} has no dtype, shape and place that can be read") from error
    count = 1
    for length in sizes:
        count *= length
    fits = all(isinstance(each, int) for each in (begin, end)) and 0 <= begin <= end <= size
    if min([*sizes, 0]) < 0 or not fits or end - begin != count * width:
        raise ValueError(f"{name} does not lie in the file where its header says")
    return dtype, sizes, begin, end


def safetensors(path: str) -> Dict[str, torch.Tensor]:
    """Return the tensors of a safetensors file.

    Args:
        path: of the file.

    Raises:
        ValueError: it is damaged, or holds numbers of a kind that torch is not read as here.
    """
    with open(path, "rb") as file:
        content = file.read()
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > min(LARGEST_HEADER_BYTES, len(content) - 8):
        raise ValueError(f"{path} is no safetensors file: its header is longer than the file")
    try:
        header = json.loads(content[8 : 8 + length].decode("utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is no safetensors file: its header is no JSON") from error
    if not isinstance(header, dict):
        raise ValueError(f"{path} is no safetensors file: its header is no object")
    data = memoryview(content)[8 + length :]
    tensors: Dict[str, torch.Tensor] = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        try:
            dtype, shape, begin, end = _whole(name, entry, len(data))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
        if begin == end:
            tensors[name] = torch.empty(shape, dtype=DTYPES[dtype])
        else:
            flat = torch.frombuffer(bytearray(data[begin:end]), dtype=DTYPES[dtype])
            tensors[name] = flat.reshape(shape)
    return tensors


def _state(path: str) -> Mapping[str, Any]:
    if not os.path.isfile(path):
        raise FileNotFoundError(f"weights={path!r}: there is no such file")
    if path.endswith(".safetensors"):
        return safetensors(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of any kind: the file may hold anything
        # Not torch's own words: they advise to unpickle it all the same.
        raise ValueError(
            f"weights={path!r} is no state dict that torch reads without running code"
            f" ({type(error).__name__}). Save one with torch.save(model.state_dict(), path)"
        ) from error
    while isinstance(content, Mapping):
        inner = [name for name in WITHIN if isinstance(content.get(name), Mapping)]
        if not inner:
            return content
        content = content[inner[0]]
    raise ValueError(f"weights={path!r} holds no state dict, but a {type(content).__name__}")


def _fill(path: str, model: Any, content: Mapping[str, Any]) -> None:
    """Load a state dict into a model.

    Raises:
        ValueError: it is another model's.
    """
    try:
        model.load_state_dict(content)
    except RuntimeError as error:
        own = set(model.state_dict())
        starts = {name.partition(".")[0] for name in content if name.partition(".")[2] in own}
        hint = "".join(f" Its names begin with {start}., the model's do not." for start in starts)
        words = " ".join(str(error).split())
        raise ValueError(f"weights={path!r} does not fit the model: {words}{hint}") from error


def load(path: str, models: Mapping[str, Any]) -> None:
    """Load a state dict into the models of a side.

    Args:
        path: of a .pt, .pth or .safetensors file. models: by name; of several, the file has the
            state dict of each under its name, or its names with the model's in front.

    Raises:
        FileNotFoundError: there is none. ValueError: it is none, is damaged, or is another model's.
    """
    content = _state(path)
    if len(models) == 1:
        _fill(path, next(iter(models.values())), content)
        return
    for name, model in models.items():
        inner = content.get(name)
        if not isinstance(inner, Mapping):
            start = name + "."
            inner = {
                key[len(start) :]: value for key, value in content.items() if key.startswith(start)
            }
        _fill(path, model, inner)
