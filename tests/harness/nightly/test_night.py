"""The state of a night on disk."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from harness.errors import CorruptRecord, NewerSchema
from harness.nightly import matrix, night
from harness.nightly.matrix import Entry
from harness.nightly.night import Changed, MissingBuild, Night, Row
from harness.records import files, store

ENTRY = Entry(
    name="one",
    priority=3,
    workloads=("linear", "cnn"),
    builds=("tf1", "torch"),
    devices=("cpu",),
    precisions=("fp64",),
    presets=(),
    seeds=(0,),
    judge=("fidelity",),
    stages=("forward",),
    execution="default",
    timing_s=120.0,
)
CELLS = matrix.cells([ENTRY])


def made(name: str = "2026-11-21", key: str = "k") -> Night:
    rows = (
        Row(
            CELLS[0],
            night.OK,
            fidelity="PASS",
            exit_code=0,
            duration_s=1.5,
            lacking=(MissingBuild("tf1", "no Python 3.7"),),
        ),
        Row(CELLS[1], night.NOT_REACHED, "nothing is left"),
    )
    return Night(
        name,
        key,
        "2026-11-21T01:30:00+00:00",
        "harness nightly",
        "0.1.0",
        "nightly.toml",
        60.0,
        rows,
        changed=(Changed("regression", "slower", "cnn train on torch is 8 % slower"),),
    )


def test_a_night_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Cells, what is lacking and what changed come back with their types."""
    night.write(tmp_path, made())
    assert made() == night.read(tmp_path)
    assert 1.5 == made().spent_s and () == made().broken()


@pytest.mark.parametrize(
    "text",
    ['{"schema": 1}', "[]", '{"schema": 1, "rows": [{}]}', '{"schema": 1, "rows": 3}', '{"sch'],
)
def test_what_is_no_night_is_refused(tmp_path: Path, text: str) -> None:
    """A damaged file is called by its name, and what to do is said."""
    files.write_text(tmp_path / night.FILE, text)
    with pytest.raises(CorruptRecord, match=r"night\.json"):
        night.read(tmp_path)


def test_a_newer_night_is_refused(tmp_path: Path) -> None:
    """A night of a newer harness is neither used nor overwritten."""
    store.write_json(tmp_path / "2026-11-21" / night.FILE, {"schema": 99})
    with pytest.raises(NewerSchema, match="schema 99"):
        night.folder_of(tmp_path, "2026-11-21", "k")


def test_another_matrix_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    """The same work goes on in the date's folder; other work of that date does not touch it."""
    first = night.folder_of(tmp_path, "2026-11-21", "k")
    night.write(first, made())
    assert tmp_path / "2026-11-21" == first == night.folder_of(tmp_path, "2026-11-21", "k")
    assert tmp_path / "2026-11-21_2" == night.folder_of(tmp_path, "2026-11-21", "other")


def test_priority_and_estimates_are_no_part_of_the_identity() -> None:
    """Who gives a cell another priority, or a night more time, goes on with the same night;
    another build is other work."""
    again = matrix.cells([dataclasses.replace(ENTRY, priority=9, estimate_s=5.0, timing_s=9.0)])
    other = matrix.cells([dataclasses.replace(ENTRY, builds=("tf2", "torch"))])
    assert (
        night.key(CELLS, [])
        == night.key(again, [])
        == night.key(tuple(reversed(CELLS)), [])
        != night.key(other, [])
    )


def test_nights_are_listed_newest_first(tmp_path: Path) -> None:
    """By date, then by number; one that cannot be read is listed with the reason."""
    for name in ("2026-11-21", "2026-11-21_9", "2026-11-21_10", "2026-11-20"):
        night.write(tmp_path / name, made(name))
    files.write_text(tmp_path / "2026-11-19" / night.FILE, "broken")
    found = list(night.nights(tmp_path))
    assert ["2026-11-21_10", "2026-11-21_9", "2026-11-21", "2026-11-20", "2026-11-19"] == [
        folder.name for folder, _ in found
    ]
    assert isinstance(found[-1][1], CorruptRecord) and all(
        isinstance(one, Night) for _, one in found[:-1]
    )
