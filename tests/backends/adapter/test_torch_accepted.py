"""What is done about the known differences that a user accepts: torch's step is the one that Keras
makes, by its formulas in NumPy; without the name it is another one."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from backends.adapter.draws import Draws
from backends.contract import Setting

pytestmark = [pytest.mark.backends("torch"), pytest.mark.workloads("linear")]
RATE, BETAS, DECAY = 2.0**-6, (0.9, 0.999), 2.0**-5
TORCHS, KERAS = 1e-3, 1e-2
ROWS = {"x": np.random.RandomState(0).normal(size=(8, 4))}
STEPS = 3


def side(net, optimizer, forward=None):
    from backends import pair

    adapter = importlib.import_module("backends.torch.adapter")
    declared = pair.torch(net, optimizer, loss=lambda out, batch: (out**2).mean(), forward=forward)
    return adapter.Side(lambda: declared, Setting(precision="fp64", threads=1))


def trained(made, accepted):
    """What parameters are after some steps, and the gradients of each."""
    made.accept(accepted)
    made.assign(made.parameters())
    gradients = [made.step("train", ROWS, Draws("train")).gradients for _ in range(STEPS)]
    return made.parameters(), gradients


def keras_adam(value, gradients, epsilon, betas, decay=0.0):
    """Kingma and Ba, arXiv:1412.6980, the order at the end of section 2; the decay decoupled.
    `betas`: those whose powers correct the bias."""
    first = second = np.zeros_like(value)
    for step, gradient in enumerate(gradients, 1):
        value = value * (1.0 - RATE * decay)
        first = first + (1.0 - BETAS[0]) * (gradient - first)
        second = second + (1.0 - BETAS[1]) * (gradient**2 - second)
        rate = RATE * np.sqrt(1.0 - betas[1] ** step) / (1.0 - betas[0] ** step)
        value = value - rate * first / (np.sqrt(second) + epsilon)
    return value


@pytest.mark.parametrize("name", ["Adam", "AdamW"])
@pytest.mark.parametrize(
    "left_out", [None, "adam-epsilon-place", "adam-epsilon-value", "float32-constants"]
)
def test_adam_is_keras_own(kit, name, left_out):
    import torch

    names = {
        "adam-epsilon-place": {"": KERAS},
        "adam-epsilon-value": {"": KERAS},
        "float32-constants": {"": KERAS},
    }
    names.pop(left_out, None)
    torch.manual_seed(0)
    net = torch.nn.Linear(4, 3).double()
    kind = getattr(torch.optim, name)
    decay = DECAY if name == "AdamW" else 0.0
    optimizer = kind(net.parameters(), RATE, BETAS, TORCHS, decay)
    made = side(net, optimizer)
    start = made.parameters()
    end, gradients = trained(made, names)
    rounded = [float(np.float32(beta)) for beta in BETAS]
    for key, value in start.items():
        wanted = keras_adam(value, [each[key] for each in gradients], KERAS, rounded, decay)
        apart = np.max(np.abs(end[key] - wanted))
        assert (apart < 1e-15) == (left_out is None), (key, apart)
    (group,) = optimizer.param_groups
    assert (RATE, TORCHS, decay) == (group["lr"], group["eps"], group["weight_decay"])


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("momentum", [0.25, None])
def test_a_running_variance_divided_by_n(kit, accepted, momentum):
    import torch

    net = torch.nn.BatchNorm1d(4, momentum=momentum, affine=True).double()
    made = side(net, torch.optim.SGD(net.parameters(), RATE))
    end, _ = trained(made, {"bn-unbiased-variance": {"": True}} if accepted else {})
    wanted = np.ones(4)
    for step in range(1, STEPS + 1):
        share = 1.0 / step if momentum is None else momentum
        wanted = (1.0 - share) * wanted + share * ROWS["x"].var(0)
    (variance,) = (value for name, value in end.items() if name.endswith("running_var"))
    assert (np.max(np.abs(variance - wanted)) < 1e-14) == accepted


@pytest.mark.parametrize("accepted", [True, False])
def test_two_biases_move_as_one(kit, accepted):
    import torch

    torch.manual_seed(0)
    net = torch.nn.RNN(2, 3, batch_first=True).double()

    def forward(batch):
        return net(batch["x"].reshape(-1, 2, 2))[0]

    made = side(net, torch.optim.SGD(net.parameters(), RATE), forward)
    first, second = (f"RNN.bias_{word}_l0" for word in ("ih", "hh"))
    start = made.parameters()
    end, gradients = trained(made, {"lstm-two-biases": {second: first}} if accepted else {})
    moved = -RATE * sum(each[first] for each in gradients)
    apart = end[first] + end[second] - (start[first] + start[second] + moved)
    assert (np.max(np.abs(apart)) < 1e-15) == accepted
    assert bool(np.all(end[second] == 0)) == accepted
    assert net.bias_hh_l0.requires_grad
