"""The state of a night on disk."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from backends.contract import Status
from harness.changes.model import ChangeKind, Severity
from harness.errors import CorruptRecord, NewerSchema
from harness.nightly import matrix, night
from harness.nightly.matrix import MatrixEntry
from harness.nightly.night import CellRow, CellStatus, Changed, MissingBuild, Night, NoReport
from harness.records import files, store
from harness.results.verdicts import Fidelity

ENTRY = MatrixEntry(
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
        CellRow(
            CELLS[0],
            CellStatus.OK,
            fidelity="PASS",
            exit_code=0,
            duration_s=1.5,
            left_out=(MissingBuild("tf1", "no Python 3.7"),),
        ),
        CellRow(CELLS[1], CellStatus.NOT_REACHED, "nothing is left"),
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
        changed=(
            Changed(Severity.REGRESSION, ChangeKind.SLOWER, "cnn train on torch is 8 % slower"),
        ),
    )


def test_a_night_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Cells, what was left out and what changed come back with their types."""
    night.write(tmp_path, made())
    assert made() == night.read(tmp_path)
    assert 1.5 == made().spent_s and () == made().broken()
    read = night.read(tmp_path)
    words = (read.verdict, *(row.status for row in read.rows))
    assert [Fidelity, CellStatus, CellStatus] == [type(word) for word in words]
    assert [Fidelity, NoReport] == [type(row.fidelity) for row in read.rows]
    (change,) = read.changed
    assert [Severity, ChangeKind] == [type(change.severity), type(change.kind)]


@pytest.mark.parametrize(
    ("part", "name"), [("rows", "fidelity"), ("changed", "severity"), ("changed", "kind")]
)
def test_a_word_that_no_harness_wrote_is_refused(tmp_path: Path, part: str, name: str) -> None:
    """By its name, beside those that there are."""
    night.write(tmp_path, made())
    document = json.loads((tmp_path / night.FILE).read_text())
    document[part][0][name] = "drifted"
    store.write_sealed(tmp_path / night.FILE, document)
    with pytest.raises(CorruptRecord, match=rf"{name} is 'drifted', and has to be one of"):
        night.read(tmp_path)


def test_a_cell_without_a_report_is_kept_as_nights_always_have(tmp_path: Path) -> None:
    """Its verdict is an empty text on disk."""
    night.write(tmp_path, made())
    words = [row["fidelity"] for row in json.loads((tmp_path / night.FILE).read_text())["rows"]]
    assert ["PASS", ""] == words


def test_a_field_keeps_the_name_that_it_has_on_disk(tmp_path: Path) -> None:
    """Also one that has another in the code: nights of older harnesses have it too."""
    night.write(tmp_path, made())
    row = json.loads((tmp_path / night.FILE).read_text())["rows"][0]
    assert [{"build": "tf1", "failed": False, "reason": "no Python 3.7"}] == row["lacking"]
    assert "left_out" not in row


def test_a_cell_ends_like_a_job_or_not_at_all() -> None:
    """Every status of a job is one of a cell, under the same name."""
    of_jobs = {word.name: word.value for word in Status}
    assert of_jobs.items() <= {word.name: word.value for word in CellStatus}.items()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"verdict": "PASSED"}, "verdict is 'PASSED', and has to be one of PASS, FAIL"),
        ({"status": "done"}, r"rows\[1\]: status is 'done', and has to be one of waiting"),
    ],
)
def test_a_word_that_is_none_is_refused(tmp_path: Path, changed: dict[str, str], said: str) -> None:
    """With the file, the field and the words that there are, even under a seal that fits."""
    night.write(tmp_path, made())
    path = tmp_path / night.FILE
    document = json.loads(path.read_text())
    place = document if "verdict" in changed else document["rows"][1]
    place.update(changed)
    store.write_sealed(path, document)
    with pytest.raises(CorruptRecord, match=said) as raised:
        night.read(tmp_path)
    assert str(path) in str(raised.value)


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
