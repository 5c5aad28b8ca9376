"""The contract on a `Side`: a perceptron as two frameworks would have it gives the same numbers at
every stage through its port, and a fault in one of them shows at its own stage."""

from __future__ import annotations

import dataclasses

import numpy as np
import perceptron
import pytest
from perceptron import (
    BATCH,
    CANONICAL,
    HIDDEN,
    INPUTS,
    NOISE,
    OUTPUTS,
    ROWS,
    TAPS,
    TRAIN,
    VALUES,
    Perceptron,
    declared,
    port,
    rows,
)

from backends.adapter.port import piece
from backends.contract import Setting, ShapeMismatch
from backends.source import Batch, NativeSource, TapeSource

STEPS = 3


def apart(a, b):
    """Names of what is not the same up to rounding."""
    assert set(a) == set(b)
    return {name for name in a if not np.allclose(a[name], b[name], rtol=1e-12, atol=1e-13)}


@pytest.fixture
def both():
    return port("plain"), port("turned")


@pytest.fixture
def batch():
    return Batch(rows(), NOISE)


def test_parameters_are_canonical(both):
    """What is loaded is what both sides have, whichever way their kernels lie."""
    for side in both:
        assert set() == apart(VALUES, side.parameters())
    assert (HIDDEN, INPUTS) == both[1].side.net.weights["fc1.weight"].shape


def test_a_kernel_that_is_not_turned_back_is_seen(both):
    """The fault that the steps of a piece are there for."""
    made = both[1]
    made.plan.pieces["hidden/kernel"] = dataclasses.replace(
        made.plan.pieces["hidden/kernel"], steps=()
    )
    assert (HIDDEN, INPUTS) == made.parameters()["hidden/kernel"].shape
    with pytest.raises(ShapeMismatch):
        made.load_parameters(VALUES)


@pytest.mark.parametrize("training", [True, False])
def test_forward(both, batch, training):
    """Every activation is the same in canonical axes, dropout's on the same numbers; the product is
    there by its own name."""
    first, second = (side.forward(batch, training) for side in both)
    assert set() == apart(first, second)
    assert [*TAPS, "product"] == list(first)
    assert (BATCH, HIDDEN) == second["dropout"].shape
    assert np.array_equal(first["product"], first["classes"])


@pytest.mark.parametrize(
    ("fault", "training", "departs"),
    [
        ("no_relu", False, {"relu", "dropout", "classes", "product"}),
        ("keep", True, {"dropout", "classes", "product"}),
        ("keep", False, set()),
        ("momentum", True, set()),
    ],
)
def test_a_fault_of_the_forward_pass_shows_where_it_is(both, batch, fault, training, departs):
    """At the first layer that it is in, and in the mode that it is in."""
    expected = both[0].forward(batch, training)
    assert departs == apart(expected, port("turned", fault).forward(batch, training))


def test_a_teacher_s_values_are_gone_on_from(both, batch):
    """Each tap is computed from the teacher's values of those before it, in the side's own layout:
    behind a fault all is well again."""
    teacher = both[0].forward(batch, True)
    taps = {name: value for name, value in teacher.items() if name != "product"}
    forced = port("turned", "no_relu").forward_from(batch, True, taps)
    assert {"relu"} == apart(taps, forced.values)
    assert ["hidden"] == forced.rooted and ["relu"] == forced.read["dropout"]


def test_looks_leave_no_trace(both, batch):
    """Losses and gradients run the user's whole step; weights, slots and counts are as before."""
    for side in both:
        side.train_step(TRAIN, batch)
        before, state = side.parameters(), side.optimizer_state()
        side.losses(TRAIN, batch)
        side.gradients(TRAIN, batch)
        side.forward(batch, True)
        assert set() == apart(before, side.parameters())
        assert set() == apart(state, side.optimizer_state())


def test_a_side_that_restores_nothing_is_seen(batch):
    """The fault that the test above is there for."""
    side = port("plain", "restless")
    before = side.parameters()
    side.losses(TRAIN, batch)
    assert set(CANONICAL) == apart(before, side.parameters())


def test_a_step_that_fails_is_put_back(both, batch):
    """The next look begins with the same state as if nobody had tried."""
    side = both[0]
    before = side.parameters()
    step = side.side.step

    def failing(*arguments, **options):
        step(*arguments, **options)
        raise RuntimeError("after the update")

    side.side.step = failing
    with pytest.raises(RuntimeError):
        side.gradients(TRAIN, batch)
    assert set() == apart(before, side.parameters())


def test_losses_gradients_and_updates(both, batch):
    """The same on both sides; a gradient that is twice as large shows there and in the update,
    another momentum in the second update alone."""
    first, second = both
    wrong, slow = port("turned", "scaled_gradient"), port("turned", "momentum")
    assert first.losses(TRAIN, batch) == pytest.approx(second.losses(TRAIN, batch), rel=1e-12)
    assert set() == apart(first.gradients(TRAIN, batch), second.gradients(TRAIN, batch))
    assert set(CANONICAL) == apart(first.gradients(TRAIN, batch), wrong.gradients(TRAIN, batch))
    for number, expected in enumerate((set(), set(CANONICAL))):
        for side in (first, second, wrong, slow):
            side.train_step(TRAIN, Batch(rows(number), NOISE))
        assert set() == apart(first.parameters(), second.parameters())
        assert set(CANONICAL) == apart(first.parameters(), wrong.parameters())
        assert expected == apart(first.parameters(), slow.parameters())


def test_gradients_are_those_that_are_wanted(both, batch):
    """A phase that updates less has less; one for which there is none is left out."""
    side = both[1]
    side.config["updates"][0]["parameters"] = ["hidden/kernel"]
    assert ["hidden/kernel"] == list(side.gradients(TRAIN, batch))
    side.plan.pieces["hidden/kernel"] = dataclasses.replace(
        side.plan.pieces["hidden/kernel"], sources=("nowhere",)
    )
    assert {} == side.gradients(TRAIN, batch)


def test_slots_are_canonical(both, batch):
    """Momentum lies as its weight lies; before the first update there is none."""
    first, second = both
    assert {"sgd/step": 0} == {name: int(value) for name, value in first.optimizer_state().items()}
    for side in both:
        side.train_step(TRAIN, batch)
    assert set() == apart(first.optimizer_state(), second.optimizer_state())
    names = {"sgd/step"} | {"sgd/%s/momentum" % name for name in CANONICAL}
    assert names == set(second.optimizer_state())


def test_loading_begins_anew(both, batch):
    """Optimizer, counts and the numbers of native draws too: two runs from one start are equal."""
    side = both[0]
    runs = []
    for _ in range(2):
        side.load_parameters(VALUES)
        assert (0, 0) == (side.single_steps, side.steps_trained)
        side.train_step(TRAIN, Batch(rows(), None))
        side.train_step(TRAIN, batch)
        runs.append(side.parameters())
    assert set() == apart(*runs)


def test_single_steps_without_a_tape_draw_anew(both):
    """Each step has a mask of its own, the same on both sides; on a tape it would be the tape's."""
    losses = [[side.losses(TRAIN, Batch(rows(), None))["total"] for side in both]]
    for side in both:
        side.train_step(TRAIN, Batch(rows(), None))
        side.load_parameters(VALUES)
        side.single_steps = 1
    losses.append([side.losses(TRAIN, Batch(rows(), None))["total"] for side in both])
    assert losses[0][0] == pytest.approx(losses[0][1]) and losses[0][0] != losses[1][0]
    assert losses[1][0] == pytest.approx(losses[1][1])


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"hidden/kernel": VALUES["hidden/kernel"]}, KeyError),
        (dict(VALUES, more=np.zeros(1)), KeyError),
        (dict(VALUES, **{"classes/bias": np.zeros(OUTPUTS + 1)}), ShapeMismatch),
    ],
)
def test_other_parameters_are_refused(both, values, error):
    """A name that is missing or unknown, another shape; nothing is loaded then."""
    before = both[0].parameters()
    with pytest.raises(error):
        both[0].load_parameters(values)
    assert set() == apart(before, both[0].parameters())


def tape():
    """Batches and noise of some steps."""
    generator = np.random.RandomState(5)
    noise = generator.random_sample((STEPS, BATCH, HIDDEN))
    order = np.stack([generator.permutation(20)[:BATCH] for _ in range(STEPS)])
    return {"noise/%s/mask" % TRAIN: noise, "batches": order}


def test_training_on_a_tape(both):
    """Several steps on both sides end at the same weights; the cursor and the count go on, and a
    fault that one update does not show is there after several."""
    slow = port("turned", "momentum")
    histories = []
    for side in (*both, slow):
        source = TapeSource(ROWS, tape(), BATCH)
        histories.append(side.train(source, STEPS))
        assert (STEPS, STEPS) == (source.cursor, side.steps_trained)
    assert set() == apart(both[0].parameters(), both[1].parameters())
    assert set(CANONICAL) == apart(both[0].parameters(), slow.parameters())
    ((name, column),) = histories[0].items()
    assert STEPS == len(column)
    assert column == pytest.approx(histories[1][name], rel=1e-12)


def test_single_steps_and_training_are_the_same(both):
    """What `train` does in a row, `train_step` does one by one."""
    source = TapeSource(ROWS, tape(), BATCH)
    both[0].train(source, STEPS)
    for step in range(STEPS):
        both[1].train_step(TRAIN, source.batch(step, TRAIN))
    assert set() == apart(both[0].parameters(), both[1].parameters())


def test_native_training_leaves_draws_to_the_framework(both):
    """No tape: rows are shuffled, every step has other ones, and what is drawn is the framework's
    affair."""
    seen = []
    step = both[0].side.step

    def watched(phase, arrays, draws, **options):
        seen.append((draws, arrays["x"]))
        return step(phase, arrays, draws, **options)

    both[0].side.step = watched
    both[0].train(NativeSource(ROWS, 0, BATCH), 4)
    assert [None] * 4 == [draws for draws, _ in seen]
    assert 20 == len(np.unique(np.concatenate([x[:, 0] for _, x in seen])))


def test_generation(both):
    """Inference on as many rows as are wanted, the same on both sides; without dropout."""
    rows_of = {"eval_x": ROWS["x"], **ROWS}
    source = TapeSource(rows_of, tape(), BATCH)
    first, second = (side.generate(source, 7) for side in both)
    assert (7, OUTPUTS) == first.shape
    assert np.allclose(first, second, rtol=1e-12)
    assert np.allclose(first, both[0].generate(NativeSource(rows_of, 0, BATCH), 7), rtol=1e-12)
    assert not np.allclose(first, port("turned", "no_relu").generate(source, 7))


def test_plain_json_makes_a_piece():
    """Lists from the pipe become tuples, and the piece is the one that was sent."""
    part = Perceptron(declared("turned"), Setting()).survey(rows()).pieces[0]
    sent = dict(dataclasses.asdict(part), shape=list(part.shape), sources=list(part.sources))
    assert part == piece(dict(sent, steps=tuple(part.steps)))
    assert perceptron.NAMES["turned"]["layers"][0] == piece(sent).layer


@pytest.mark.parametrize("layout", ["plain", "turned"])
def test_an_update_of_a_teachers_gradients(layout, batch):
    """It is the teacher's, whatever this side's own gradients are; other gradients make another."""
    teacher = port("plain")
    gradients = teacher.gradients(TRAIN, batch)
    teacher.train_step(TRAIN, batch)
    for fault in ("", "scaled_gradient"):
        own = port(layout, fault)
        own.update_from(TRAIN, batch, gradients)
        assert set() == apart(own.parameters(), teacher.parameters())
    other = port(layout)
    other.update_from(TRAIN, batch, {name: 2.0 * value for name, value in gradients.items()})
    assert apart(other.parameters(), teacher.parameters())


@pytest.mark.parametrize("layout", ["plain", "turned"])
def test_a_teachers_state_is_gone_on_from(layout, batch):
    """Weights and slots are the teacher's in this side's own layout: the next update is the one
    that the teacher makes there, whatever the one before it was made of."""
    teacher, own = port("plain"), port(layout)
    teacher.train_step(TRAIN, batch)
    gradients = own.gradients(TRAIN, batch)
    own.update_from(TRAIN, batch, {name: 2.0 * value for name, value in gradients.items()})
    assert apart(own.parameters(), teacher.parameters())
    own.assume(teacher.parameters(), teacher.optimizer_state())
    assert set() == apart(own.parameters(), teacher.parameters())
    assert set() == apart(own.optimizer_state(), teacher.optimizer_state())
    for side in (teacher, own):
        side.train_step(TRAIN, batch)
    assert set() == apart(own.parameters(), teacher.parameters())


def test_weights_alone_are_no_state(batch):
    """What the slots are there for: without the teacher's, its next update is another one."""
    teacher, own = port("plain"), port("plain")
    teacher.train_step(TRAIN, batch)
    own.update_from(TRAIN, batch, {name: 0.0 * value for name, value in VALUES.items()})
    own.assume(teacher.parameters(), {})
    for side in (teacher, own):
        side.train_step(TRAIN, batch)
    assert apart(own.parameters(), teacher.parameters())
