"""Data and tapes of a run: drawn once, and whatever lies in their place is not taken for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import JobFailed
from harness.execution import tapes
from harness.records import archives, tape
from harness.workloads import registry


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is drawn, in order."""
    names: list[str] = []
    draw = tape.drawn

    def noted(workload, *arguments):
        names.append(workload.name)
        return draw(workload, *arguments)

    monkeypatch.setattr(tapes.tape, "drawn", noted)
    return names


LINEAR = registry.get("linear")
WHICH = ("tiny", 0, 3)


def test_a_run_draws_once_and_another_run_again(tmp_path: Path, drawn: list[str]):
    """The same files; other steps are another tape."""
    run = tapes.Tapes()
    first = run.of(tmp_path, LINEAR, WHICH)
    assert first == run.of(tmp_path, LINEAR, WHICH) == tapes.Tapes().of(tmp_path, LINEAR, WHICH)
    assert 2 == len(drawn) and first.hold()
    assert first.tape != run.of(tmp_path, LINEAR, ("tiny", 0, 4)).tape
    assert tmp_path / "other" == run.of(tmp_path / "other", LINEAR, WHICH).tape.parent


@pytest.mark.parametrize("spoil", ["cut", "other", "gone"])
def test_what_was_changed_in_between_is_drawn_again(tmp_path: Path, drawn: list[str], spoil: str):
    """By a port, say, that writes where it should not."""
    run = tapes.Tapes()
    lying = run.of(tmp_path, LINEAR, WHICH)
    whole = archives.read_arrays(lying.tape)
    if spoil == "cut":
        lying.tape.write_bytes(lying.tape.read_bytes()[:-100])
    elif spoil == "other":
        archives.write_arrays(lying.tape, {**whole, "batches": whole["batches"][::-1] + 1})
    else:
        lying.tape.unlink()
    assert not lying.hold() and lying == run.of(tmp_path, LINEAR, WHICH)
    assert lying.hold() and 2 == len(drawn)


def test_a_workload_that_raises_is_a_failed_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """With what it raised; nothing is kept of it."""

    def fail(*_):
        raise KeyError("x")

    monkeypatch.setattr(tapes.tape, "drawn", fail)
    run = tapes.Tapes()
    with pytest.raises(JobFailed, match="the data or the tape of linear cannot be made: KeyError"):
        run.of(tmp_path, LINEAR, WHICH)
    assert {} == run.known
