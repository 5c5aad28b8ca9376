"""The adapter of a TF1 graph: what it finds out, and that what it runs is the user's own step."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = [pytest.mark.backends("tf1"), pytest.mark.workloads("linear")]
#: As in `conftest`: sessions share the threads of the process.
THREADS = 2


@pytest.fixture(scope="module", params=["fp64", "fp32"])
def precision(request):
    return request.param


def same(left, right):
    assert sorted(left) == sorted(right)
    for name, value in left.items():
        np.testing.assert_array_equal(value, right[name], name)


CASES = [
    ("classifier", "ROWS", {"train": 1}),
    ("recurrent", "SERIES", {"train": 5}),
    ("adversarial", "PAIRS", {"d": 1, "g": 1}),
    ("convolutional", "IMAGES", {"train": 0}),
]


@pytest.mark.parametrize(("name", "rows", "draws"), CASES)
def test_two_runs_from_the_same_state_are_equal_to_the_bit(
    made, graphs, precision, name, rows, draws
):
    """Losses, gradients and all state; every draw is asked of the tape, in a loop too."""
    side, batch = made(name, precision), getattr(graphs, rows)
    start = side.snapshot()
    for phase, count in draws.items():
        runs = []
        for _ in range(2):
            side.restore(start)
            tape = graphs.tape_of(phase)
            result = side.step(phase, batch, tape)
            assert count == len(tape.made)
            runs.append((result, side.snapshot()[0]))
        (first, moved), (second, moved_too) = runs
        assert first.losses == second.losses and "total" == list(first.losses)[-1]
        same(first.gradients, second.gradients)
        same(moved, moved_too)
        dtype = {"fp64": np.float64, "fp32": np.float32}[precision]
        assert {np.dtype(dtype)} == {value.dtype for value in first.gradients.values()}
        assert any(not np.array_equal(moved[item], start[0][item]) for item in moved)


@pytest.mark.parametrize(("name", "rows", "draws"), CASES)
def test_reset_and_restore_put_everything_back(made, graphs, name, rows, draws):
    """Slots, counts, schedules, running statistics; a survey and a look leave no trace."""
    side, batch = made(name), getattr(graphs, rows)
    start = side.snapshot()
    side.survey(batch)
    side.look(batch, True, graphs.tape_of("forward"), ())
    same(start[0], side.snapshot()[0])
    weights = side.parameters()
    for phase in draws:
        side.step(phase, batch, graphs.tape_of(phase), watch=False)
    moved = side.snapshot()
    assert set(side.counts().values()) == {1}
    side.restore(start)
    same(start[0], side.snapshot()[0])
    side.restore(moved)
    same(moved[0], side.snapshot()[0])
    side.assign(weights)
    side.reset()
    same(start[0], side.snapshot()[0])
    assert set(side.counts().values()) == {0}


@pytest.mark.parametrize(("name", "rows", "draws"), CASES)
def test_gradients_are_those_of_the_loss(made, graphs, name, rows, draws):
    """By differences, along one direction, in float64, before any clipping."""
    side, batch = made(name), getattr(graphs, rows)
    for phase in draws:
        start = side.snapshot()
        result = side.step(phase, batch, graphs.tape_of(phase))
        generator = np.random.RandomState(1)
        weights = {key: start[0][key] for key in result.gradients}
        direction = {key: generator.normal(size=value.shape) for key, value in weights.items()}
        losses = []
        for sign in (1e-6, -1e-6):
            side.restore(start)
            moved = {key: value + sign * direction[key] for key, value in weights.items()}
            side.assign(moved)
            losses.append(side.step(phase, batch, graphs.tape_of(phase)).losses["total"])
        expected = sum((result.gradients[key] * direction[key]).sum() for key in direction)
        np.testing.assert_allclose((losses[0] - losses[1]) / 2e-6, expected, 1e-5, 1e-8)
        side.restore(start)


@pytest.mark.parametrize(("name", "rows", "draws"), CASES)
def test_a_teachers_gradients_take_the_place_of_its_own(made, graphs, name, rows, draws):
    """Its own, handed in, change nothing; others change the update. Rows of an embedding too."""
    side, batch = made(name), getattr(graphs, rows)
    for phase in draws:
        start = side.snapshot()
        result = side.step(phase, batch, graphs.tape_of(phase))
        moved = side.snapshot()[0]
        side.restore(start)
        again = side.step(phase, batch, graphs.tape_of(phase), gradients=result.gradients)
        same(result.gradients, again.gradients)
        for key, value in moved.items():
            np.testing.assert_allclose(side.snapshot()[0][key], value, 1e-12, 1e-15)
        side.restore(start)
        other = {key: -value for key, value in result.gradients.items()}
        side.step(phase, batch, graphs.tape_of(phase), gradients=other)
        assert any(not np.array_equal(moved[item], side.snapshot()[0][item]) for item in moved)
        side.restore(start)


@pytest.mark.parametrize(("name", "rows", "draws"), CASES)
def test_slots_are_set_as_they_are_read(made, graphs, name, rows, draws):
    """One word of one optimizer, and nothing else."""
    side, batch = made(name), getattr(graphs, rows)
    start = side.snapshot()
    for phase in draws:
        side.step(phase, batch, graphs.tape_of(phase))
    for optimizer, held in side.slots().items():
        for word in sorted({word for by_word in held.values() for word in by_word}):
            before = side.snapshot()[0]
            given = {key: 2.0 * own[word] + 1.0 for key, own in held.items() if word in own}
            side.assign_slots(optimizer, word, given)
            for key, value in given.items():
                np.testing.assert_array_equal(value, side.slots()[optimizer][key][word])
            after = side.snapshot()[0]
            changed = [
                key for key, value in before.items() if not np.array_equal(value, after[key])
            ]
            assert len(given) == len(changed)
    side.restore(start)


@pytest.mark.parametrize(("name", "rows", "draws"), CASES)
def test_a_timed_step_is_the_graph_as_it_is(made, graphs, precision, name, rows, draws):
    """No Python function answers in it, and its state goes on with the other copy's."""
    side, batch = made(name, precision), getattr(graphs, rows)
    for phase in draws:
        before = side.parameters()
        result = side.step(phase, batch, None, watch=False)
        assert np.isfinite(result.losses["total"]) and {} == result.gradients
        types = {op.type for op in side._engines[False].graph.get_operations()}
        assert "PyFunc" not in types
        moved = side.parameters()
        assert any(not np.array_equal(before[item], moved[item]) for item in moved)
        side.look(batch, False, graphs.tape_of("generate"), ())
        same(moved, side.parameters())


@pytest.mark.parametrize(("name", "rows", "draws"), CASES)
def test_a_native_step_is_a_function_of_its_seed(made, graphs, name, rows, draws):
    """What the session draws itself; a graph that draws nothing does the same at any seed."""
    side, batch = made(name), getattr(graphs, rows)
    start = side.snapshot()
    for phase, count in draws.items():
        losses = []
        for seed in (1, 1, 2):
            side.restore(start)
            side.seed(seed)
            losses.append(side.step(phase, batch, None, watch=False).losses)
        assert losses[0] == losses[1]
        assert (losses[0] != losses[2]) == bool(count)
    side.restore(start)


@pytest.mark.parametrize(("name", "rows", "draws"), CASES)
def test_layers_are_taught_one_by_one(made, graphs, name, rows, draws):
    """Each activation is computed from the teacher's values before it, and from nothing else."""
    from backends.adapter.side import Tap

    side, batch = made(name), getattr(graphs, rows)
    layers = [layer for layer in side.survey(batch).layers if layer.calls]
    taps = [Tap(layer.name, layer.name) for layer in layers]
    values = side.look(batch, True, graphs.tape_of("forward"), taps)
    assert [layer.outputs[0] for layer in layers] == [values[tap.name].shape for tap in taps]
    forced = side.look_from(batch, True, graphs.tape_of("forward"), taps, values)
    for key, value in values.items():
        np.testing.assert_allclose(forced.values[key], value, 1e-13, 1e-15)
    assert not any(forced.own.values())
    assert all(forced.read[key] or key in forced.rooted for key in values)


def test_the_survey_of_a_classifier(made, graphs, precision):
    side = made("classifier", precision)
    survey = side.survey(graphs.ROWS)
    kinds = [(layer.name, layer.kind) for layer in survey.layers]
    expected = [
        ("hidden", "dense"),
        ("batch_normalization", "batch_norm"),
        ("active", "activation"),
    ]
    assert [*expected, ("dropout", "dropout"), ("logits", "dense")] == kinds
    layers = {layer.name: layer for layer in survey.layers}
    norm = layers["batch_normalization"].attributes
    assert (1e-3, 0.9, False) == (norm["epsilon"], norm["keep"], norm["unbiased_variance"])
    assert {"rate": 0.25} == layers["dropout"].attributes
    assert {"kernel": "glorot_uniform", "bias": "zeros"} == layers["logits"].initializers
    draws = [(draw.phase, draw.kind, draw.keep, draw.shape) for draw in survey.draws]
    assert [(name, "dropout", 0.75, (8, 5)) for name in ("forward", "train")] == draws
    (optimizer,) = survey.optimizers
    assert ("", "adam", ("m", "v")) == (optimizer.name, optimizer.kind, optimizer.slots)
    words = optimizer.hyperparameters
    assert (0.9, 0.999, 1e-8) == (words["beta1"], words["beta2"], words["epsilon"])
    assert ("hat", 0.3, 0.01) == (
        words["epsilon_place"],
        words["clip_global_norm"],
        words["learning_rate"],
    )
    rates = [0.01, 0.01 * 0.7**0.2, 0.01 * 0.7**2]
    np.testing.assert_allclose(list(optimizer.rates.values()), rates, 1e-6)
    assert (("total",), {"train": "mean"}, ()) == (
        survey.phases[0].losses,
        survey.losses,
        survey.remarks,
    )


def test_updates_that_nobody_runs_are_remarked_upon(made, graphs):
    """The planted fault: the training operation does not wait for UPDATE_OPS."""
    side = made("classifier", "fp64", False)
    (remark,) = side.survey(graphs.ROWS).remarks
    assert "UPDATE_OPS are not run: 2 of 2" in remark
    before = side.parameters()
    side.step("train", graphs.ROWS, graphs.tape_of("train"))
    moved = side.parameters()
    name = "batch_normalization/moving_mean"
    np.testing.assert_array_equal(before[name], moved[name])
    assert not np.array_equal(before["hidden/kernel"], moved["hidden/kernel"])


def test_a_dropout_keeps_where_the_tape_is_below_the_kept_share(made, graphs):
    from backends.adapter.side import Tap

    side = made("classifier")
    taps = [Tap("active", "active"), Tap("dropped", "dropout")]
    values = side.look(graphs.ROWS, True, graphs.tape_of("forward"), taps)
    mask = graphs.tape_of("forward").draw("dropout", (8, 5)) < 0.75
    np.testing.assert_allclose(values["dropped"], values["active"] * mask / 0.75, 1e-14)


def test_an_lstm_in_a_loop_is_that_of_its_equations(made, graphs):
    """Pieces in Keras' order, the forget gate's constant in the bias and in how it begins, a mask
    a step."""
    from backends.adapter import pieces
    from backends.adapter.side import Tap

    side = made("recurrent")
    survey = side.survey(graphs.SERIES)
    assert ["lstm", "dense"] == [layer.kind for layer in survey.layers]
    assert "zeros, forget gate 1" == survey.layers[0].initializers["bias"]
    own = side.parameters()
    values = {piece.role: pieces.canonical(piece, own) for piece in survey.pieces[:3]}
    x, tape, outputs = graphs.SERIES["x"], graphs.tape_of("forward"), []
    h = c = np.zeros((4, 4))
    for step in range(5):
        gates = x[:, step] @ values["kernel"] + h @ values["recurrent_kernel"] + values["bias"]
        i, f, g, o = np.split(gates, 4, 1)
        i, f, o = (1.0 / (1.0 + np.exp(-gate)) for gate in (i, f, o))
        c = f * c + i * np.tanh(g)
        h = o * np.tanh(c)
        outputs.append(h * (tape.draw("dropout", (4, 4)) < 0.5) / 0.5)
    taps = [Tap("rnn", survey.layers[0].name)]
    shown = side.look(graphs.SERIES, True, graphs.tape_of("forward"), taps)["rnn"]
    np.testing.assert_allclose(shown, np.stack(outputs, 1), 1e-12, 1e-14)


def test_two_optimizers_are_two_phases(made, graphs):
    survey = made("adversarial").survey(graphs.PAIRS)
    assert [("d", ("d",)), ("g", ("g",))] == [
        (phase.name, phase.optimizers) for phase in survey.phases
    ]
    assert ["rmsprop", "adam"] == [item.kind for item in survey.optimizers]
    (draw,) = (draw for draw in survey.draws if draw.phase == "g")
    assert ("normal", 0.5, True) == (draw.kind, draw.deviation, draw.served)
    slopes = [layer for layer in survey.layers if "slope" in layer.attributes]
    assert [0.2] == [layer.attributes["slope"] for layer in slopes]


def test_the_survey_of_a_convolutional_network(made, graphs, precision):
    """The fused batch norm of float32 and the unfused one of float64 are the same layer."""
    survey = made("convolutional", precision).survey(graphs.IMAGES)
    expected = ["conv", "batch_norm", "activation", "max_pool", "embedding", "dense"]
    assert expected == [layer.kind for layer in survey.layers]
    conv, norm, _, pool, table, _ = survey.layers
    words = {"filters": 4, "stride": [2, 2], "padding": "same", "kernel_size": [3, 3], "bias": True}
    assert words == {name: conv.attributes[name] for name in words}
    assert (1e-3, 0.9) == (norm.attributes["epsilon"], norm.attributes["keep"])
    assert graphs.OLD == norm.attributes["unbiased_variance"]
    assert ("valid", [2, 2]) == (pool.attributes["padding"], pool.attributes["stride"])
    assert 3 == table.attributes["embeddings"]
    names = [(piece.name, piece.sources) for piece in survey.pieces[:2]]
    assert [("conv/kernel", ("conv/weights",)), ("conv/bias", ("conv/biases",))] == names
    (optimizer,) = survey.optimizers
    words = {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True}
    assert ("sgd", words, {"train": "sum"}) == (
        optimizer.kind,
        optimizer.hyperparameters,
        survey.losses,
    )
