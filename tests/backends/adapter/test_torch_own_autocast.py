"""Autocast of the user's own: off in float32 and float64, and told; it stands in lower ones."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from backends.adapter.draws import Draws
from backends.contract import Setting

pytestmark = [pytest.mark.backends("torch"), pytest.mark.workloads("linear")]
ROWS = {"x": np.random.RandomState(0).normal(size=(8, 4))}


@pytest.mark.parametrize("precision", ["fp64", "fp32", "bf16"])
@pytest.mark.parametrize("way", ["with", "decorated", "disabled"])
def test_autocast_of_the_user_s_own(kit, precision, way):
    import torch

    from backends import pair

    dtypes = []

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden, self.out = torch.nn.Linear(4, 3), torch.nn.Linear(3, 1)

        def forward(self, x):
            if way == "decorated":
                return self.last(torch.autocast("cpu", torch.bfloat16)(self.hidden)(x))
            with torch.autocast("cpu", torch.bfloat16, enabled=way != "disabled"):
                return self.last(self.hidden(x))

        def last(self, x):
            dtypes.append(str(x.dtype))
            return self.out(x.to(self.out.weight.dtype))

    def function():
        torch.manual_seed(0)
        net = Net()
        loss = lambda out, batch: (out.float() ** 2).mean()  # noqa: E731
        return pair.torch(net, torch.optim.SGD(net.parameters(), 0.125), loss=loss)

    enter = torch.autocast.__enter__
    adapter = importlib.import_module("backends.torch.adapter")
    side = adapter.Side(function, Setting(precision=precision, threads=1))
    remarks = [item for item in side.survey(ROWS).remarks if "autocast" in item]
    side.step("train", ROWS, Draws("train"))
    low = precision == "bf16"
    seen = {"fp64": "torch.float64", "fp32": "torch.float32", "bf16": "torch.bfloat16"}[precision]
    if low and way == "disabled":
        seen = "torch.float32"
    assert {seen} == {*dtypes}
    told = f"the code's own autocast to bfloat16 is off in {precision}"
    wanted = [] if low or way == "disabled" else [f"{told}: compare it in --precision bf16"]
    assert wanted == remarks
    assert torch.autocast.__enter__ is enter
    shared = torch.autocast("cpu", torch.bfloat16)
    with side.own_autocast.off(), shared:
        assert not torch.is_autocast_enabled("cpu")
    with shared:
        assert torch.is_autocast_enabled("cpu")
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.is_autocast_enabled("cpu")
