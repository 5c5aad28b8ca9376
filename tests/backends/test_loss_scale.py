"""A dynamic loss scale follows the one rule of `PRECISION_TABLE` on every backend, so all of
them skip the same updates."""

from __future__ import annotations

import numpy as np
import pytest

from backends.contract import PRECISION_TABLE, Unsupported
from backends.loss_scale import settle
from backends.source import Batch, TapeSource

START = PRECISION_TABLE["fp16"]["loss_scale"]
GROWTH = PRECISION_TABLE["fp16"]["loss_scale_growth"]
_SPEC = {
    "beta1": 0.5,
    "beta2": 0.75,
    "epsilon": 2.0**-20,
    "epsilon_place": "hat",
    "learning_rate": 2.0**-6,
}
#: SGD has no slots; Adam has, and powers of beta or a count of its own. Each place of epsilon is
#: another class on some backend.
OPTIMIZERS = {
    "sgd": dict(_SPEC, kind="sgd", beta1=0.0, beta2=0.0, epsilon=0.0, beta_power_dtype="variable"),
    "adam": dict(_SPEC, kind="adam", beta_power_dtype="variable"),
    "adam_corrected": dict(
        _SPEC, kind="adam", beta_power_dtype="variable", epsilon_place="corrected"
    ),
}
#: By array, what its elements are multiplied by. Good: the largest scaled gradient is a quarter of
#: float16's largest number or less. Otherwise it is a thousand times that number or more, so
#: neither the order of sums nor a few halvings decide what is skipped.
GOOD = {"x": 2.0**-4, "y": 2.0**-4}
OVERFLOWS = {
    "scaled gradients": {"x": 2.0**-4, "y": 2.0**17},
    "products": {"x": 2.0**24, "y": 2.0**-4},
}
#: The scaled gradients are too large by a power of two between these, so that many halvings bring
#: them back.
PASSING, HALVINGS = {"x": 2.0**-4, "y": 2.0**5}, (2, 8)

pytestmark = [pytest.mark.workloads("linear"), pytest.mark.backends("tf1", "tf2", "torch")]


@pytest.fixture(params=sorted(OPTIMIZERS))
def port(request, kit):
    """Return a port in fp16 that has trained and been reset; None where the framework says that
    it has no float16 for it."""
    name = request.param
    updates = [dict(update, optimizer=name) for update in kit.config["updates"]]
    made = None
    try:
        made = kit.port("fp16", config={"optimizers": {name: OPTIMIZERS[name]}, "updates": updates})
        for step in range(2):
            made.train_step("train", batch(kit, step, GOOD))
        made.train_step("train", batch(kit, 2, OVERFLOWS["products"]))
    except Unsupported as reason:
        assert any(word in str(reason).lower() for word in ("half", "float16", "fp16")), str(reason)
        return None
    made.load_parameters(kit.weights)
    return made


def batch(kit, step, factors):
    """Return a batch of the tape with its arrays multiplied."""
    found = kit.lockstep().batch(step, "train")
    return Batch({name: value * factors[name] for name, value in found.arrays.items()}, found.noise)


def everything(port):
    """Return the parameters, the slots and the step count, by name; then the state of the loss
    scale by its last word."""
    state = port.optimizer_state()
    scale = {
        name.split("/")[-1]: float(state.pop(name))
        for name in sorted(state)
        if name.endswith(("loss_scale", "good", "skipped"))
    }
    return dict(port.parameters(), **state), scale


def assert_same(found, expected):
    """Assert that two sets of arrays are equal bit by bit."""
    assert sorted(found) == sorted(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def counts(port):
    """Return (loss_scale, good, skipped, step) of the port's only optimizer."""
    state = {name.split("/")[-1]: value for name, value in port.optimizer_state().items()}
    return tuple(float(state[word]) for word in ("loss_scale", "good", "skipped", "step"))


def load_counts(port, **values):
    """Set some of the counts of the port's only optimizer."""
    state = port.optimizer_state()
    port.load_optimizer_state(
        {name: np.asarray(values.get(name.split("/")[-1], value)) for name, value in state.items()}
    )


def test_the_loss_scale_starts_at_the_value_of_the_table(port):
    """Loading parameters returns every optimizer's scale to its start, whatever it was."""
    if port is None:
        return
    state = port.optimizer_state()
    for name in port.config["optimizers"]:
        found = {
            word: float(state["%s/%s" % (name, word)])
            for word in ("loss_scale", "good", "skipped", "step")
        }
        assert found == {"loss_scale": START, "good": 0, "skipped": 0, "step": 0}


@pytest.mark.parametrize("overflow", sorted(OVERFLOWS))
def test_an_overflow_halves_the_loss_scale_and_changes_nothing_else(kit, port, overflow):
    """Whether the products of the forward pass or only the scaled gradients leave float16's
    range."""
    if port is None:
        return
    for step in range(2):
        port.train_step("train", batch(kit, step, GOOD))
    before, scale = everything(port)
    assert scale == {"loss_scale": START, "good": 2, "skipped": 0}
    terms = port.train_step("train", batch(kit, 2, OVERFLOWS[overflow]))
    assert np.isfinite(terms["total"]) == (overflow == "scaled gradients")
    after, scale = everything(port)
    assert scale == {"loss_scale": START / 2, "good": 0, "skipped": 1}
    assert_same(after, before)


def test_a_skipped_update_leaves_no_trace_at_all_beside_the_loss_scale(kit, port):
    """What no state shows, such as Adam's powers of beta, has not moved either: later updates
    are those of a run without the skip."""
    if port is None:
        return
    found = []
    for skips in (True, False):
        port.load_parameters(kit.weights)
        port.train_step("train", batch(kit, 0, GOOD))
        if skips:
            port.train_step("train", batch(kit, 1, OVERFLOWS["scaled gradients"]))
        else:
            load_counts(port, loss_scale=START / 2, good=0, skipped=1)
        for step in (2, 3):
            port.train_step("train", batch(kit, step, GOOD))
        found.append(dict(port.parameters(), **port.optimizer_state()))
    assert_same(found[0], found[1])


def test_good_updates_count_and_the_last_of_a_row_doubles_the_loss_scale(kit, port):
    """Two short of the row: one update counts, the next doubles and starts a new row, the one
    after counts again."""
    if port is None:
        return
    port.train_step("train", batch(kit, 0, GOOD))
    assert counts(port) == (START, 1, 0, 1)
    load_counts(port, good=GROWTH - 2)
    expected = [(START, GROWTH - 1, 0, 2), (2 * START, 0, 0, 3), (2 * START, 1, 0, 4)]
    for step, now in enumerate(expected, 1):
        before = port.parameters()
        port.train_step("train", batch(kit, step, GOOD))
        assert counts(port) == now
        assert all(
            np.abs(value - before[name]).max() > 0.0 for name, value in port.parameters().items()
        )


@pytest.mark.parametrize("at_once", [1, 8])
def test_the_loss_scale_runs_through_the_sequence_that_the_rule_gives(kit, port, at_once):
    """Eight updates of `train`, one by one and in one go: a doubling, rows that are broken off,
    two skips together."""
    if port is None:
        return
    fates = [True, True, False, True, True, False, False, True]
    expected = [
        (START, GROWTH - 1, 3, 6),
        (2 * START, 0, 3, 7),
        (START, 0, 4, 7),
        (START, 1, 4, 8),
        (START, 2, 4, 9),
        (START / 2, 0, 5, 9),
        (START / 4, 0, 6, 9),
        (START / 4, 1, 6, 10),
    ]
    arrays = [
        batch(kit, step % 6, GOOD if fate else OVERFLOWS["scaled gradients"]).arrays
        for step, fate in enumerate(fates)
    ]
    data = {name: np.concatenate([item[name] for item in arrays]) for name in arrays[0]}
    rows = np.arange(len(data["x"])).reshape(len(fates), -1)
    source = TapeSource(data, {"batches": rows}, rows.shape[1])
    load_counts(port, good=GROWTH - 2, skipped=3, step=5)
    found = []
    for _ in range(len(fates) // at_once):
        terms = port.train(source, at_once)
        assert np.isfinite(terms["total"]).all()
        found.append(counts(port))
    assert found == expected[at_once - 1 :: at_once]


def test_gradients_are_looked_at_where_training_settles(kit, port):
    """What overflows at the first scale is finite further down, as close to float64's as float16
    can be, and nothing has moved."""
    if port is None:
        return
    given, before = batch(kit, 0, PASSING), everything(port)
    found, noted = port.gradients("train", given), port.loss_scales["train"]
    assert_same(everything(port)[0], before[0])
    assert everything(port)[1] == before[1] == {"loss_scale": START, "good": 0, "skipped": 0}
    assert (
        HALVINGS[0] <= noted["halved"] <= HALVINGS[1]
        and noted["scale"] == START / 2 ** noted["halved"]
    )
    exact = kit.port("fp64", config={name: port.config[name] for name in ("optimizers", "updates")})
    for name, value in exact.gradients("train", given).items():
        kit.close(found[name], value, 2.0**-9, name)
    assert exact.loss_scales == {}


def test_training_skips_as_many_updates_as_gradients_halved(kit, port):
    """The scale that `gradients` finds is the one at which training makes its first update, on
    the same weights."""
    if port is None:
        return
    port.gradients("train", batch(kit, 0, PASSING))
    noted = dict(port.loss_scales["train"])
    while counts(port)[3] == 0:
        assert counts(port)[2] <= noted["halved"]
        port.train_step("train", batch(kit, 0, PASSING))
    assert counts(port) == (noted["scale"], 1, noted["halved"], 1)


def test_gradients_start_at_the_optimizers_own_scale(kit, port):
    """After training has come down, no halving is needed; and gradients that fit are taken at
    once."""
    if port is None:
        return
    port.gradients("train", batch(kit, 0, GOOD))
    assert port.loss_scales["train"] == {"scale": START, "halved": 0}
    load_counts(port, loss_scale=START / 2 ** HALVINGS[1])
    port.gradients("train", batch(kit, 0, PASSING))
    assert port.loss_scales["train"] == {"scale": START / 2 ** HALVINGS[1], "halved": 0}


def test_what_overflows_without_a_scale_stays_as_it_is(kit, port):
    """No scale makes a product of the forward pass smaller: the gradients are handed over, not
    finite, and nothing has moved."""
    if port is None:
        return
    before = everything(port)
    found = port.gradients("train", batch(kit, 0, OVERFLOWS["products"]))
    assert sorted(found) == ["W", "b"] and not np.isfinite(found["W"]).any()
    assert port.loss_scales["train"] == {"scale": 1.0, "halved": int(np.log2(START))}
    assert_same(everything(port)[0], before[0])
    assert everything(port)[1] == before[1]


class Overflowing:
    """Gradients that are finite from a scale on, and the scales that they were asked at."""

    def __init__(self, finite_at):
        self.finite_at, self.asked, self.loss_scales = finite_at, [], {}

    def gradients(self, scale):
        self.asked.append(scale)
        fits = scale is None or scale <= self.finite_at
        return {"W": np.ones(3), "b": np.array([1.0, 2.0 if fits else np.nan])}


@pytest.mark.parametrize(
    ("start", "finite_at", "asked"),
    [
        (None, 0.0, [None]),
        (8.0, 8.0, [8.0]),
        (8.0, 3.0, [8.0, 4.0, 2.0]),
        (8.0, 0.0, [8.0, 4.0, 2.0, 1.0]),
        (3.0, 0.0, [3.0, 1.5, 1.0]),
        (0.5, 0.0, [0.5]),
    ],
)
def test_gradients_are_computed_once_and_once_more_for_each_halving(start, finite_at, asked):
    """Never below 1, never again where they are finite, and without a scale never twice."""
    given = Overflowing(finite_at)
    found = settle(given, "train", start, given.gradients)
    assert given.asked == asked
    assert np.isfinite(found["b"]).all() == (start is None or finite_at > 0.0)
    assert given.loss_scales == (
        {} if start is None else {"train": {"scale": asked[-1], "halved": len(asked) - 1}}
    )
