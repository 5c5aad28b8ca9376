"""State dicts that a side begins with: read without running anything, and refused when damaged."""

from __future__ import annotations

import importlib
import json
import struct

import numpy as np
import pytest

from backends import pair
from backends.adapter.draws import Draws
from backends.contract import Setting, Unsupported

pytestmark = [pytest.mark.backends("torch"), pytest.mark.workloads("linear")]
HEADER = {
    "weight": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]},
    "bias": {"dtype": "BF16", "shape": [1], "data_offsets": [8, 10]},
    "__metadata__": {"format": "pt"},
}
DATA = struct.pack("<2f", 1.5, -2.0) + b"\x80\x3f"


def written(path, header, data=DATA):
    content = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(content)) + content + data)
    return str(path)


@pytest.fixture
def opened(kit):
    """A function that opens a side on a checkpoint."""
    torch = importlib.import_module("torch")
    adapter = importlib.import_module("backends.torch.adapter")

    def make(path, precision="fp64"):
        def function():
            return pair.torch(torch.nn.Linear(2, 1), weights=path)

        return adapter.Side(function, Setting(precision=precision))

    return make


def test_safetensors_are_read(opened, tmp_path):
    side = opened(written(tmp_path / "model.safetensors", HEADER))
    values = side.parameters()
    assert values["Linear.weight"].tolist() == [[1.5, -2.0]]
    assert values["Linear.bias"].tolist() == [1.0]


@pytest.mark.parametrize(
    "header",
    [
        b"{",
        b"[]",
        {"weight": {"dtype": "F32", "shape": [1, 3], "data_offsets": [0, 8]}},
        {"weight": {"dtype": "F32", "shape": [1, 2], "data_offsets": [8, 16]}},
        {"weight": {"dtype": "F32", "shape": [-1, -2], "data_offsets": [0, 8]}},
        {"weight": {"dtype": "F9", "shape": [1, 2], "data_offsets": [0, 8]}},
        {"weight": 3},
    ],
)
def test_damaged_safetensors_are_refused(opened, tmp_path, header):
    with pytest.raises(ValueError, match=r"model\.safetensors"):
        opened(written(tmp_path / "model.safetensors", header))


def test_state_dicts_of_torch_are_read_also_from_inside_a_training_s_checkpoint(opened, tmp_path):
    torch = importlib.import_module("torch")
    state = {"weight": torch.full((1, 2), 3.0), "bias": torch.zeros(1)}
    for content in (state, {"epoch": 3, "model_state_dict": state}):
        path = str(tmp_path / "model.pt")
        torch.save(content, path)
        assert opened(path).parameters()["Linear.weight"].tolist() == [[3.0, 3.0]]


def test_objects_in_a_file_are_not_made(opened, tmp_path):
    torch = importlib.import_module("torch")
    path = str(tmp_path / "model.pth")
    torch.save({"weight": torch.nn.Linear(2, 1)}, path)
    with pytest.raises(ValueError, match="no state dict that torch reads without running code"):
        opened(path)


@pytest.mark.parametrize("content", ["no checkpoint at all", ""])
def test_a_file_that_is_no_checkpoint_is_named(opened, tmp_path, content):
    path = tmp_path / "w.pt"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"weights='.*w\.pt' is no state dict"):
        opened(str(path))


def test_names_of_a_wrapped_model_are_told(opened, tmp_path):
    torch = importlib.import_module("torch")
    path = str(tmp_path / "model.pt")
    torch.save({"module.weight": torch.ones(1, 2), "module.bias": torch.zeros(1)}, path)
    with pytest.raises(ValueError, match=r"model\.pt' does not fit .* begin with module\., the"):
        opened(path)


def test_a_file_that_is_not_there_is_named(opened, tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        opened(str(tmp_path / "none.pt"))


def test_half_precision_without_a_loss_scale_is_refused(kit):
    torch = importlib.import_module("torch")
    adapter = importlib.import_module("backends.torch.adapter")

    def function():
        net = torch.nn.Linear(2, 1)
        optimizer = torch.optim.SGD(net.parameters(), 0.1)
        return pair.torch(net, optimizer, loss=lambda output, _: output.mean())

    with pytest.raises(Unsupported, match="loss scale"):
        adapter.Side(function, Setting(precision="fp16"))
    side = adapter.Side(function, Setting(precision="bf16"))
    side.look({"x": np.ones((3, 2))}, False, None, ())
    assert side.dtypes() == {"output": "bfloat16"}
    result = side.step("train", {"x": np.ones((3, 2))}, Draws("train"))
    assert {value.dtype.name for value in result.gradients.values()} == {"float32"}
    with pytest.raises(Unsupported, match="eagerly"):
        adapter.Side(function, Setting(execution="compiled"))
