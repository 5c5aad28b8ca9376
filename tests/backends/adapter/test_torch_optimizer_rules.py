"""torch's optimizers step as Keras' do where that difference is accepted: each beside the formula
in NumPy; without the name it is another step."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from backends.adapter.draws import Draws
from backends.contract import Setting

pytestmark = [pytest.mark.backends("torch"), pytest.mark.workloads("linear")]
RATES = (2.0**-6, 2.0**-8, 2.0**-7)
EPSILON, RHO, MOMENTUM, BETAS = 1e-2, 0.875, 0.75, (0.875, 0.96875)
ROWS = {"x": np.random.RandomState(0).normal(size=(8, 4))}


def rmsprop(gradients, centered=False, momentum=0.0, begins=0.0):
    """Keras 3: ε under the root, the rate within the momentum. TensorFlow 1 begins with 1."""
    mean = moved = 0.0
    square = begins
    for rate, gradient in zip(RATES, gradients):
        square = RHO * square + (1 - RHO) * gradient**2
        mean = RHO * mean + (1 - RHO) * gradient
        under = square - mean**2 if centered else square
        moved = momentum * moved + rate * gradient / np.sqrt(under + EPSILON)
        yield -moved


def adagrad(gradients):
    square = 0.0
    for rate, gradient in zip(RATES, gradients):
        square = square + gradient**2
        yield -rate * gradient / np.sqrt(square + EPSILON)


def adamax(gradients):
    mean = largest = 0.0
    for step, (rate, gradient) in enumerate(zip(RATES, gradients), 1):
        mean = BETAS[0] * mean + (1 - BETAS[0]) * gradient
        largest = np.maximum(BETAS[1] * largest, np.abs(gradient))
        yield -rate / (1 - BETAS[0] ** step) * mean / (largest + EPSILON)


def nadam(gradients):
    mean = square = 0.0
    product = 1.0
    for step, (rate, gradient) in enumerate(zip(RATES, gradients), 1):
        now, then = (BETAS[0] * (1 - 0.5 * 0.96**at) for at in (step, step + 1))
        product *= now
        mean = BETAS[0] * mean + (1 - BETAS[0]) * gradient
        square = BETAS[1] * square + (1 - BETAS[1]) * gradient**2
        ahead = then * mean / (1 - product * then) + (1 - now) * gradient / (1 - product)
        yield -rate * ahead / (np.sqrt(square / (1 - BETAS[1] ** step)) + EPSILON)


def momentum(gradients, nesterov=False):
    moved = 0.0
    for rate, gradient in zip(RATES, gradients):
        moved = MOMENTUM * moved - rate * gradient
        yield MOMENTUM * moved - rate * gradient if nesterov else moved


RULES = [
    ("RMSprop", (RHO, EPSILON), {}, "rmsprop-epsilon-place", rmsprop),
    (
        "RMSprop",
        (RHO, EPSILON),
        {"centered": True},
        "rmsprop-epsilon-place",
        lambda gradients: rmsprop(gradients, centered=True),
    ),
    (
        "RMSprop",
        (RHO, EPSILON),
        {"momentum": MOMENTUM},
        "rmsprop-epsilon-place momentum-rate",
        lambda gradients: rmsprop(gradients, momentum=MOMENTUM),
    ),
    (
        "RMSprop",
        (RHO, EPSILON),
        {"centered": True, "momentum": MOMENTUM},
        "rmsprop-first-square rmsprop-epsilon-place momentum-rate",
        lambda gradients: rmsprop(gradients, True, MOMENTUM, 1.0),
    ),
    ("Adagrad", (), {"eps": EPSILON}, "adagrad-epsilon-place", adagrad),
    ("Adamax", (BETAS, EPSILON), {}, "adamax-epsilon-place", adamax),
    ("Adamax", (BETAS, 1e-3), {}, "epsilon-value adamax-epsilon-place", adamax),
    ("NAdam", (BETAS, EPSILON), {}, "nadam-schedule", nadam),
    ("SGD", (MOMENTUM,), {}, "momentum-rate", momentum),
    (
        "SGD",
        (MOMENTUM,),
        {"nesterov": True},
        "momentum-rate",
        lambda gradients: momentum(gradients, nesterov=True),
    ),
]


def side(net, optimizer, **declared):
    from backends import pair

    adapter = importlib.import_module("backends.torch.adapter")
    made = pair.torch(net, optimizer, **declared)
    return adapter.Side(lambda: made, Setting(precision="fp64", threads=1))


def linear(seed=0):
    import torch

    torch.manual_seed(seed)
    return torch.nn.Linear(4, 3).double()


def stepping(net, optimizer):
    """A step whose rate changes behind each update, as a scheduler changes it."""
    rates = iter((*RATES[1:], RATES[0]))

    def step(batch):
        optimizer.zero_grad()
        loss = (net(batch["x"]) ** 2).mean()
        loss.backward()
        optimizer.step()
        for group in optimizer.param_groups:
            group["lr"] = next(rates)
        return loss

    return step


@pytest.mark.parametrize(("kind", "numbers", "words", "names", "formula"), RULES)
@pytest.mark.parametrize("accepted", [True, False])
def test_a_step_is_keras_own(kit, kind, numbers, words, names, formula, accepted):
    import torch

    net = linear()
    optimizer = getattr(torch.optim, kind)(net.parameters(), RATES[0], *numbers, **words)
    made = side(net, optimizer, step=stepping(net, optimizer))
    if accepted:
        made.accept({name: {"": EPSILON} for name in names.split()})
    start, before = made.parameters(), dict(optimizer.param_groups[0])
    gradients = [made.step("train", ROWS, Draws("train")).gradients for _ in RATES]
    end = made.parameters()
    for key, value in start.items():
        moves = sum(formula([each[key] for each in gradients]))
        near = np.max(np.abs(end[key] - value - moves)) < 1e-15
        assert near == accepted, key
    assert before == dict(optimizer.param_groups[0])


@pytest.mark.parametrize("accepted", [True, False])
def test_nothing_is_added_to_a_norm(kit, accepted):
    import torch

    net = linear()
    optimizer = torch.optim.SGD(net.parameters(), RATES[0])

    def step(batch):
        optimizer.zero_grad()
        loss = (net(batch["x"]) ** 2).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 0.125)
        optimizer.step()
        return loss

    made = side(net, optimizer, step=step)
    if accepted:
        made.accept({"clip-norm-epsilon": {"": True}})
    start = made.parameters()
    gradients = made.step("train", ROWS, Draws("train")).gradients
    norm = np.sqrt(sum(float((each**2).sum()) for each in gradients.values()))
    assert norm > 0.125
    for key, value in made.parameters().items():
        wanted = start[key] - RATES[0] * gradients[key] * (0.125 / norm)
        assert (np.max(np.abs(value - wanted)) < 1e-15) == accepted
    # In a run that is timed nothing of it is in effect.
    clip = importlib.import_module("torch.nn.utils.clip_grad")._clip_grads_with_norm_
    assert clip.__module__ == "torch.nn.utils.clip_grad"


@pytest.mark.parametrize("which", ["", "rates", "others", "powers"])
def test_constants_are_varied_and_put_back(kit, which):
    """In float32 β and the rate move a step by some 1e-8 and more; numbers that float32 holds move
    nothing, for nothing is changed."""
    import torch

    ends = []
    for rate, betas in ((1e-3, (0.9, 0.999)), (2.0**-6, (0.75, 0.875))):
        net = linear()
        optimizer = torch.optim.AdamW(net.parameters(), rate, betas, weight_decay=2.0**-5)
        made = side(net, optimizer, loss=lambda out, batch: (out**2).mean())
        before = dict(optimizer.param_groups[0])
        kept = made.snapshot()
        values = []
        for rounded in ("", which):
            made.round_constants(rounded)
            for _ in RATES:
                made.step("train", ROWS, Draws("train"))
            values.append(made.parameters())
            made.restore(kept)
            made.round_constants("")
            assert before == dict(optimizer.param_groups[0])
        ends.append(max(np.max(np.abs(values[0][key] - values[1][key])) for key in values[0]))
    plain, exact = ends
    assert (1e-14 < plain < 1e-6) if which else plain == 0
    # ε is torch's 1e-8, which float32 does not hold, and nobody holds it there.
    assert exact == 0


def test_a_step_that_raises_leaves_the_numbers_as_they_were(kit):
    import torch

    class Broken(torch.optim.RMSprop):
        def step(self, closure=None):
            raise RuntimeError("no step")

    net = linear()
    optimizer = Broken(net.parameters(), RATES[0], RHO, EPSILON)
    made = side(net, optimizer, loss=lambda out, batch: (out**2).mean())
    made.accept({"rmsprop-epsilon-place": {"": EPSILON}})
    with pytest.raises(RuntimeError, match="no step"):
        made.step("train", ROWS, Draws("train"))
    assert optimizer.param_groups[0]["eps"] == EPSILON


def test_a_rate_far_below_where_its_schedule_began_is_not_taken_to_be_off_by_more(kit):
    """A warm-up multiplies a rate of 1: its first updates are no less known for that."""
    import torch

    ends = []
    for rounded in ("", "rates"):
        net = linear()
        optimizer = torch.optim.SGD(net.parameters(), 1.0)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1e-7 * (step + 1))
        assert schedule.get_last_lr() == [1e-7]
        made = side(net, optimizer, loss=lambda out, batch: (out**2).mean())
        made.round_constants(rounded)
        start = made.parameters()
        made.step("train", ROWS, Draws("train"))
        ends.append({key: value - start[key] for key, value in made.parameters().items()})
    plain, varied = ends
    for key, value in plain.items():
        assert 0 < np.max(np.abs(varied[key] - value)) < 1e-5 * np.max(np.abs(value))


@pytest.mark.parametrize("rate", [None, "tensor"])
def test_constants_of_an_optimizer_of_the_user_s_own(kit, rate):
    """Without a learning rate by that name, or with one that is a tensor: nothing is lost."""
    import torch

    class Own(torch.optim.Optimizer):
        def __init__(self, params):
            words = {"share": 0.1} if rate is None else {"lr": torch.tensor(0.1), "initial_lr": 0.2}
            super().__init__(params, words)

        @torch.no_grad()
        def step(self):
            for group in self.param_groups:
                for each in group["params"]:
                    each.sub_(group.get("share", group.get("lr")) * each.grad)

    net = linear()
    made = side(net, Own(net.parameters()), loss=lambda out, batch: (out**2).mean())
    for which in ("rates", "others", "powers"):
        made.round_constants(which)
        made.step("train", ROWS, Draws("train"))
    (group,) = made.optimizers[""].param_groups
    assert group.get("lr", torch.tensor(0.1)) == torch.tensor(0.1)


def test_gradients_that_a_closure_has_yet_to_compute(kit):
    """The step is torch's own then, and not half of another one."""
    import torch

    ends = []
    for accepted in (False, True):
        net = linear()
        optimizer = torch.optim.RMSprop(net.parameters(), RATES[0], RHO, EPSILON)

        def step(batch, net=net, optimizer=optimizer):
            optimizer.zero_grad()

            def closure():
                loss = (net(batch["x"]) ** 2).mean()
                loss.backward()
                return loss

            return optimizer.step(closure)

        made = side(net, optimizer, step=step)
        if accepted:
            made.accept({"rmsprop-epsilon-place": {"": EPSILON}})
        for _ in RATES:
            made.step("train", ROWS, Draws("train"))
        ends.append(made.parameters())
    assert all(np.array_equal(ends[0][key], ends[1][key]) for key in ends[0])
