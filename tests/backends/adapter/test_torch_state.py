"""State of all kinds is put back, nothing is kept, and functions are layers."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from linear_step import ROWS, errors, maker, plain

from backends.adapter.draws import Draws
from backends.adapter.side import FORWARD, GENERATE, Tap

pytestmark = [pytest.mark.backends("torch"), pytest.mark.workloads("linear")]


@pytest.fixture
def torch(kit):
    return importlib.import_module("torch")


@pytest.fixture
def make(torch):
    return maker(torch)


def test_schedules_averages_and_counters_are_put_back(torch, make):
    seen = []

    def program(net):
        optimizer = torch.optim.Adam(net.parameters(), 0.1)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.5, total_steps=50)
        averaged = torch.optim.swa_utils.AveragedModel(net)
        generator = torch.Generator().manual_seed(4)
        state = {"steps": 0, "losses": []}

        def step(batch):
            optimizer.zero_grad()
            value = errors(torch, net, batch) * torch.rand((), generator=generator)
            value.backward()
            optimizer.step()
            schedule.step()
            averaged.update_parameters(net)
            state["steps"] += 1
            state["losses"].append(value.item())
            seen.append((optimizer.param_groups[0]["lr"], state["steps"], len(state["losses"])))
            seen.append((int(averaged.n_averaged), generator.get_state().sum().item()))
            return value

        return optimizer, step

    side = make(program)
    start = side.parameters()
    for _ in range(3):
        side.step("train", ROWS, Draws("train"))
    first = list(seen)
    del seen[:]
    side.assign(start)
    side.reset()
    for _ in range(3):
        side.step("train", ROWS, Draws("train"))
    assert first == seen
    rates = side.survey(ROWS).optimizers[0].rates
    assert rates["0"] < rates["1"] < rates["10"]
    assert side.counts() == {"": 3}


def test_looking_again_and_again_keeps_nothing(torch, make):
    import gc

    side = make(plain(torch), lambda: torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.Tanh()))
    taps = [Tap("a", "0"), Tap("b", "1")]

    def round_of():
        side.look(ROWS, True, Draws(FORWARD), taps)
        side.look_from(ROWS, True, Draws(FORWARD), taps, {"a": np.zeros((6, 2))})
        kept = side.snapshot()
        side.step("train", ROWS, Draws("train"))
        side.restore(kept)
        gc.collect()
        return sum(issubclass(type(each), torch.Tensor) for each in gc.get_objects())

    round_of()
    assert round_of() == round_of()


@pytest.mark.filterwarnings("ignore:Using `torch.compile")
def test_a_compiled_module_is_looked_at_eagerly_under_its_own_names(torch, make):
    def network():
        inner = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Dropout(0.5))
        return torch.compile(
            torch.nn.Sequential(torch.compile(inner, backend="eager"), torch.nn.Linear(3, 2)),
            backend="eager",
        )

    side = make(plain(torch), network)
    found = side.survey(ROWS)
    assert [layer.name for layer in found.layers] == ["0.0", "0.1", "0", "1"]
    assert [piece.name for piece in found.pieces] == [
        "0.0/kernel",
        "0.0/bias",
        "1/kernel",
        "1/bias",
    ]
    assert [(draw.phase, draw.layer) for draw in found.draws] == [
        ("forward", "0.1"),
        ("train", "0.1"),
    ]


def test_gradients_that_cannot_be_seen_are_remarked(torch, make):
    def program(net):
        def step(batch):
            held = dict(net.named_parameters())

            def loss(values):
                output = torch.func.functional_call(net, values, (batch["x"],))
                return ((output - batch["y"]) ** 2).mean()

            gradients = torch.func.grad(loss)(held)
            with torch.no_grad():
                for name, value in held.items():
                    value.sub_(0.1 * gradients[name])
            return loss(held).detach()

        return None, step

    side = make(program)
    found = side.survey(ROWS)
    assert found.phases[0].gradients == () and found.phases[0].losses == ("total",)
    assert [remark for remark in found.remarks if "cannot be seen" in remark]


def test_a_scheduler_that_the_step_does_not_move_is_remarked(torch, make):
    def program(net):
        optimizer, step = plain(torch)(net)
        torch.optim.lr_scheduler.StepLR(optimizer, 30)
        return optimizer, step

    assert [remark for remark in make(program).survey(ROWS).remarks if "scheduler" in remark]
    assert not make(plain(torch)).survey(ROWS).remarks


def test_a_lazy_module_is_refused_with_what_to_do(torch, make):
    with pytest.raises(TypeError, match="call it once"):
        make(plain(torch), lambda: torch.nn.LazyLinear(2))


def test_a_statistic_that_is_another_tensor_after_each_pass_is_put_back(torch, make):
    class Mean(torch.nn.Module):
        """Puts a new tensor in the place of its buffer."""

        def __init__(self):
            super().__init__()
            self.out = torch.nn.Linear(4, 2)
            self.register_buffer("mean", torch.zeros(4))

        def forward(self, x):
            if self.training:
                self.mean = 0.5 * self.mean + 0.5 * x.detach().mean(0)
            return self.out(x - self.mean)

    side = make(plain(torch), Mean)
    start = side.parameters()
    first = side.step("train", ROWS, Draws("train"))
    moved = side.parameters()
    assert not np.array_equal(start["Mean.mean"], moved["Mean.mean"])
    side.look(ROWS, True, Draws(FORWARD), ())
    np.testing.assert_array_equal(side.parameters()["Mean.mean"], moved["Mean.mean"])
    side.assign(start)
    side.reset()
    assert side.step("train", ROWS, Draws("train")).losses == first.losses


def test_a_loop_calls_its_functions_several_times(torch, make):
    class Cell(torch.nn.Module):
        """A layer that is called in a loop."""

        def __init__(self):
            super().__init__()
            self.inner = torch.nn.Linear(4, 4)

        def forward(self, x):
            return torch.sigmoid(self.inner(x)) * torch.sigmoid(x)

    class Net(torch.nn.Module):
        """The loop."""

        def __init__(self):
            super().__init__()
            self.cell, self.out = Cell(), torch.nn.Linear(4, 2)

        def forward(self, x):
            for _ in range(3):
                x = self.cell(x)
            return self.out(x)

    side = make(plain(torch), Net)
    calls = {layer.name: layer.calls for layer in side.survey(ROWS).layers}
    assert calls == {"cell.inner": 3, "cell/sigmoid": 3, "cell/sigmoid_1": 3, "cell": 3, "out": 1}
    taps = [Tap(f"call {call}", "cell/sigmoid", call) for call in range(3)]
    shown = side.look(ROWS, False, Draws(GENERATE), taps)
    assert len({shown[tap.name].tobytes() for tap in taps}) == 3


def test_a_function_is_a_layer_that_can_be_taught(torch, make):
    class Net(torch.nn.Module):
        """Two functions of one name."""

        def __init__(self):
            super().__init__()
            self.a, self.b = torch.nn.Linear(4, 3), torch.nn.Linear(3, 2)

        def forward(self, x):
            return torch.tanh(self.b(torch.nn.functional.leaky_relu(self.a(x), 0.3).tanh()))

    side = make(plain(torch), Net)
    found = {layer.name: layer for layer in side.survey(ROWS).layers}
    assert list(found) == ["a", "leaky_relu", "tanh", "b", "tanh_1"]
    assert found["leaky_relu"].attributes == {"activation": "leaky_relu", "slope": 0.3}
    taps = [Tap(name, name) for name in found]
    teacher = {"tanh": np.zeros((6, 3))}
    forced = side.look_from(ROWS, False, Draws(GENERATE), taps, teacher)
    np.testing.assert_allclose(forced.values["b"], np.tile(side.parameters()["b.bias"], (6, 1)))
    assert forced.read["b"] == ["tanh"] and "a" in forced.rooted
