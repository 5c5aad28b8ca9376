"""A single update without given noise draws its own, by its number since the weights were
loaded, alike on every backend."""

from __future__ import annotations

import pytest

from backends.source import Batch

pytestmark = [pytest.mark.backends("tf1", "tf2", "torch"), pytest.mark.workloads("cnn")]
PHASE = "train"


@pytest.fixture
def port(kit):
    """A model that never learns: its loss tells which dropout mask was drawn."""
    (name,) = kit.config["optimizers"]
    return kit.port(
        config={"optimizers": {name: dict(kit.config["optimizers"][name], learning_rate=0.0)}}
    )


@pytest.fixture
def drawn(kit):
    """A batch whose noise the port has to draw."""
    return Batch(kit.lockstep().batch(0, PHASE).arrays, None)


def totals(port, batch, count):
    return [port.train_step(PHASE, batch)["total"] for _ in range(count)]


def test_every_update_draws_anew_and_loading_begins_again(kit, port, drawn):
    """The same numbers draw the same."""
    first = totals(port, drawn, 4)
    assert 4 == len(set(first)) and 4 == port.single_steps
    port.load_parameters(kit.weights)
    assert 0 == port.single_steps
    assert first == totals(port, drawn, 4)


def test_only_updates_on_own_draws_are_counted(kit, port, drawn):
    """Given noise, whole steps of training, in lockstep and native, and looking move nothing on."""
    first = totals(port, drawn, 3)
    port.load_parameters(kit.weights)
    found = totals(port, drawn, 1)
    port.train_step(PHASE, kit.lockstep().batch(0, PHASE))
    port.train(kit.lockstep(), 1)
    port.train(kit.native(), 2)
    found += totals(port, drawn, 1)
    port.forward(drawn, True)
    port.gradients(PHASE, drawn)
    port.losses(PHASE, drawn)
    assert first == found + totals(port, drawn, 1)


def test_what_is_looked_at_is_what_the_next_update_runs_on(kit, port, drawn):
    """The loss before the update, with the same mask; then another."""
    for _ in range(2):
        seen = port.losses(PHASE, drawn)["total"]
        assert seen == port.losses(PHASE, drawn)["total"]
        kit.close(port.train_step(PHASE, drawn)["total"], seen, 1e-12)
        assert abs(port.losses(PHASE, drawn)["total"] - seen) > 1e-6


def test_a_restored_checkpoint_begins_again(kit, port, drawn, tmp_path):
    """It does not hold the count, whichever port it is restored into."""
    first = totals(port, drawn, 3)
    port.save(str(tmp_path / "checkpoints"))
    port.restore(str(tmp_path / "checkpoints"))
    assert 0 == port.single_steps
    assert first == totals(port, drawn, 3)
