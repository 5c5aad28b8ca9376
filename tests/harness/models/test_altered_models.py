"""A model whose folder was altered is not gone on with: links in it, and damaged losses."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.context import Context
from harness.errors import CorruptRecord, RecordError
from harness.models import training
from harness.workloads.linear import WORKLOAD
from tests.harness.models.stand import MODEL, NOW, Stand, Worker, losses


@pytest.fixture
def stand() -> Stand:
    """A stand with a fresh worker."""
    return Stand(WORKLOAD, Context({}, NOW, "harness train", lambda _: None), {}, hand=Worker())


@pytest.mark.parametrize("name", [training.MODEL_FILE, training.LOSSES, training.CHECKPOINTS])
def test_nothing_is_written_through_a_link(stand: Stand, tmp_path: Path, name: str) -> None:
    """Going on with a model whose parts lie elsewhere would change what is not the model's."""
    out, far = tmp_path / "out", tmp_path / "far"
    training.train(stand, MODEL, out, 3, resume=False)
    (out / training.CHECKPOINTS).mkdir(exist_ok=True)
    (out / name).rename(far)
    (out / name).symlink_to(far)
    before = sorted(far.iterdir()) if far.is_dir() else far.read_bytes()
    with pytest.raises(RecordError, match=f"{name} is a symbolic link"):
        training.train(stand, MODEL, out, 4, resume=True)
    assert before == (sorted(far.iterdir()) if far.is_dir() else far.read_bytes())


def test_losses_that_were_damaged(stand: Stand, tmp_path: Path) -> None:
    """What is no UTF-8 is named; a line whose step is no number is of no step."""
    out = tmp_path / "out"
    training.train(stand, MODEL, out, 3, resume=False)
    whole = losses(out)
    with (out / training.LOSSES).open("a", encoding="utf-8") as file:
        file.write("²,one/total,1\n" + "9" * 5000 + ",one/total,1\n")
    training.train(stand, MODEL, out, 3, resume=True)
    assert whole == losses(out)
    (out / training.LOSSES).write_bytes(b"\xff\xfe")
    with pytest.raises(CorruptRecord, match=training.LOSSES):
        training.train(stand, MODEL, out, 4, resume=True)
