"""A checkpoint in the framework's own format holds all that training needs to go on as if
nothing had stopped."""

from __future__ import annotations

import os

import numpy as np
import pytest


@pytest.mark.backends("tf1", "tf2", "torch")
def test_a_checkpoint_goes_on_as_if_nothing_had_stopped(kit, tmp_path):
    """Saved between steps, restored into a fresh port, trained on: bit by bit what an
    uninterrupted run gives."""
    whole, first, second = kit.port(), kit.port(), kit.port()
    whole.train(kit.lockstep(), 6)
    first.train(kit.lockstep(), 4)
    first.save(str(tmp_path / "checkpoints"))
    source = kit.lockstep()
    source.cursor = second.restore(str(tmp_path / "checkpoints"))
    assert source.cursor == 4
    second.train(source, 2)
    for found, expected in (
        (second.parameters(), whole.parameters()),
        (second.optimizer_state(), whole.optimizer_state()),
    ):
        assert sorted(found) == sorted(expected)
        for name, value in expected.items():
            np.testing.assert_array_equal(found[name], value, err_msg=name)


@pytest.mark.backends("tf1", "tf2", "torch")
@pytest.mark.workloads("ehr_mgan")
def test_native_training_resumes_exactly(kit, tmp_path):
    """All native draws are functions of (seed, step, site): stopping changes no bit of the
    weights, nor of slots and step counts."""
    whole, first, second = kit.port("fp32"), kit.port("fp32"), kit.port("fp32")
    whole.train(kit.native(5), 6)
    first.train(kit.native(5), 5)
    first.save(str(tmp_path / "checkpoints"))
    source = kit.native(5)
    source.cursor = second.restore(str(tmp_path / "checkpoints"))
    second.train(source, 1)
    for found, expected in (
        (second.parameters(), whole.parameters()),
        (second.optimizer_state(), whole.optimizer_state()),
    ):
        assert sorted(found) == sorted(expected)
        for name, value in expected.items():
            np.testing.assert_array_equal(found[name], value, err_msg=name)
    # Four steps of pre-training and two joint ones, in which a generator is updated three times.
    assert {
        int(value) for name, value in second.optimizer_state().items() if name.endswith("/step")
    } == {2, 4, 6}


@pytest.mark.backends("tf1", "tf2", "torch")
@pytest.mark.workloads("linear")
def test_three_checkpoints_are_kept_and_the_newest_is_restored(kit, tmp_path):
    """The fourth replaces the first."""
    folder, port, source = tmp_path / "checkpoints", kit.port(), kit.lockstep()
    sizes = []
    for _ in range(5):
        port.train(source, 1)
        port.save(str(folder))
        sizes.append(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()))
    assert kit.port().restore(str(folder)) == 5
    assert sizes[4] < 1.2 * sizes[2]


class Runs:
    """What a pickle would run."""

    def __reduce__(self):
        return os.mkdir, ("ran",)


@pytest.mark.backends("torch")
@pytest.mark.workloads("linear")
def test_what_would_run_a_program_is_refused_without_advice_to_let_it(kit, tmp_path, monkeypatch):
    """PyTorch's own message advises to load it with `weights_only=False`."""
    import torch

    monkeypatch.chdir(tmp_path)
    torch.save({"format": 1, "more": Runs()}, str(tmp_path / "checkpoint-000001.pt"))
    with pytest.raises(ValueError, match="holds more than tensors") as caught:
        kit.port().restore(str(tmp_path))
    assert "weights_only" not in str(caught.value) and not (tmp_path / "ran").exists()


@pytest.mark.backends("tf1", "tf2", "torch")
@pytest.mark.workloads("linear")
def test_what_is_no_checkpoint_of_this_model_is_refused(kit, tmp_path):
    """An empty folder, a damaged file and another model's checkpoint each say so, and change
    nothing."""
    with pytest.raises(FileNotFoundError, match="checkpoint"):
        kit.port().restore(str(tmp_path / "nothing"))
    other = type(kit)(kit.backend, "cnn", kit.device)
    other.port().save(str(tmp_path / "other"))
    port = kit.port()
    with pytest.raises(ValueError, match=r"."):
        port.restore(str(tmp_path / "other"))
    port.save(str(tmp_path / "damaged"))
    for path in (tmp_path / "damaged").rglob("*"):
        if path.is_file() and path.name != "checkpoint":  # TensorFlow's list of checkpoints
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=r"."):
        port.restore(str(tmp_path / "damaged"))
    for name, value in kit.weights.items():
        np.testing.assert_array_equal(port.parameters()[name], value, err_msg=name)
