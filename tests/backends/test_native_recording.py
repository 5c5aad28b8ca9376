"""A recording in native mode: the framework's own draws, the same again for the same seed,
others for another."""

from __future__ import annotations

import numpy as np
import pytest

from backends.recording import recorder as recording

STAGES = ["weights", "trajectory"]
STEPS = 3


def recorded(kit, folder, seed, variants=()):
    """Return the manifest and the arrays by stage and name."""
    folder.mkdir()
    tape = dict(kit.tape, **{"weights/" + name: value for name, value in kit.weights.items()})
    recorder = recording.Recorder(kit.port("fp32"), kit.config, kit.data, tape, str(folder), seed)
    made = recorder.record(STAGES, STEPS, list(variants))
    arrays = {}
    for stage in STAGES:
        with np.load(str(folder / (stage + ".npz")), allow_pickle=False) as archive:
            arrays.update({"%s/%s" % (stage, name): archive[name] for name in archive.files})
    return made, arrays


@pytest.mark.workloads("linear", "cnn")
def test_native_recordings_of_a_seed_are_the_same_and_of_another_are_not(kit, tmp_path):
    """Bit for bit, in losses, parameters on the way and what is generated at the end."""
    _, first = recorded(kit, tmp_path / "first", 7)
    _, again = recorded(kit, tmp_path / "again", 7)
    _, other = recorded(kit, tmp_path / "other", 8)
    assert list(first) == list(again) == list(other)
    assert [name for name in first if first[name].tobytes() != again[name].tobytes()] == []
    changed = [name for name in first if first[name].tobytes() != other[name].tobytes()]
    assert any("/loss/" in name for name in changed) and not any(
        name.startswith("weights/") for name in changed
    )
    assert any(name.endswith("/generate") for name in first)


@pytest.mark.workloads("linear")
def test_variations_of_a_native_recording_start_from_moved_weights(kit, tmp_path):
    """So that rounding has a measure there too."""
    variant = {"kind": "ulp", "precision": "fp32", "seed": 1}
    made, _ = recorded(kit, tmp_path / "varied", 7, [variant])
    moved = {
        name: max(kinds["ulp"]) for name, kinds in made["noise"].items() if "/parameter/" in name
    }
    assert moved and all(0.0 < value < 1e-3 for value in moved.values())
