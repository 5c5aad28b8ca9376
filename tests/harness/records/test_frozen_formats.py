"""Every format that ever was is read: files that the harness of an earlier day has written become
what today's readers return, and a format that changes without a frozen file of it is seen."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.errors import CorruptRecord, NewerSchema
from harness.models import training
from harness.models.origin import Converted
from harness.nightly import night
from harness.records import contents, references, runs
from harness.report import json_format
from harness.results.verdicts import Fidelity
from tests.harness.records import frozen
from tests.harness.records.frozen import (
    D21_09,
    D21_13,
    D21_23,
    D28_15,
    D29_11,
    D29_12,
    D29_18,
    D30_13,
    FORMATS,
    KINDS,
)

FILES = [path for kind in KINDS.values() for path in kind.files()]


def name_of(path: Path) -> str:
    return path.relative_to(FORMATS).as_posix()


@pytest.mark.parametrize(
    ("day", "key", "finished"),
    [
        (D21_09, "f651f07d52f29165", True),
        (D21_13, "6005975443c7a3b0", False),
        (D21_23, "7e19cb2f62d9d605", False),
        (D29_11, "b09316e43fdab03e", True),
        (D29_12, "b09316e43fdab03e", True),
    ],
)
def test_runs(day: str, key: str, finished: bool) -> None:
    """What was asked, and whether it came to its end."""
    noted = runs.read(FORMATS / day / "run")
    assert (key, finished) == (noted.key, noted.finished)
    assert noted.command.startswith("harness compare --backends ")
    assert finished == runs.is_finished(FORMATS / day / "run")


@pytest.mark.parametrize(
    ("day", "before", "side"),
    [
        (D21_23, "", "numpy#2"),
        (D28_15, "2026-11-20", "numpy#2"),
        (D29_11, "2026-11-20", "numpy@ports"),
        (D29_12, "2026-11-20", "numpy@ports"),
        (D30_13, "2026-11-20", "numpy@ports"),
    ],
)
def test_nights(day: str, before: str, side: str) -> None:
    """Cells, what became of them, and what changed since the night before."""
    found = night.read(FORMATS / day / "night")
    judged, far = found.rows
    assert ("2026-11-21", before, "FAIL", 1, True) == (
        found.name,
        found.before,
        found.verdict,
        found.exit_code,
        found.regressed,
    )
    assert ("ok", "FAIL", 1, ("W", "F", "L")) == (
        judged.status,
        judged.fidelity,
        judged.exit_code,
        judged.cell.stages,
    )
    assert ("unsupported", "gpu", 2) == (far.status, far.cell.device, len(far.left_out))
    assert not far.tried and () == found.failed_builds()
    assert found.changed[0].text.startswith(f"linear numpy : {side} is FAIL and was PASS")


@pytest.mark.parametrize(
    ("day", "threads", "proof"), [(D21_13, None, 1.8e-16), (D21_23, 2, None), (D29_11, 2, 0.0)]
)
def test_models(day: str, threads: int | None, proof: float | None) -> None:
    """One that was trained, and one that was converted; the first kept models told no threads."""
    trained = training.read(FORMATS / day / "model")
    expected = training.Model(
        "linear", "tiny", "", "torch", "fp64", 0, 5, "6dd4aa41bcc33c70", threads=threads
    )
    assert expected == trained
    if proof is not None:
        converted = training.read(FORMATS / day / "converted")
        assert ("tf2", "torch") == (converted.build, converted.converted.build)
        assert proof == pytest.approx(converted.converted.proof, rel=0.02)


def test_a_model_of_another_programs_checkpoint() -> None:
    """How its steps were found, and the names that said which of its variables is what."""
    model = training.read(FORMATS / D29_18 / "converted")
    steps = {"sgd": "follows from the training steps"}
    assert Converted("tf1", steps, 0.0, "--names names.json") == model.converted


@pytest.mark.parametrize(
    ("day", "what", "states"),
    [
        (D21_23, "bisection", ["PASS", "PASS"]),
        (D29_11, "bisection", ["PASS", "PASS"]),
        (D29_12, "bisection", ["PASS", "PASS"]),
        (D29_11, "unjudged", [None]),
    ],
)
def test_bisections(day: str, what: str, states: list[str | None]) -> None:
    """Releases, and what those that were tried were judged."""
    releases, tried = frozen.bisection(FORMATS / day / what)
    assert [("2.4.5", "3.11"), ("2.4.6", "3.11")] == [
        (item.version, item.minor) for item in releases
    ]
    assert states == [item.judged.state for item in tried.values()]
    assert "2.4.5" == tried[0].versions["numpy"] == tried[0].folder


def test_a_model_whose_checkpoints_have_checksums() -> None:
    """Which files it has, and that none was being written."""
    trained = training.read(FORMATS / D29_12 / "model")
    assert (["checkpoint-000001.pt"], False) == (sorted(trained.files), trained.saving)
    assert ("torch", 5, 2) == (trained.build, trained.step, trained.threads)


def test_references() -> None:
    """Digests, which are the whole of a small tensor, and noise."""
    reference = references.read(FORMATS / D29_12 / "reference" / "linear-tiny-fp64-seed0.json")
    assert (27, 27) == (len(reference.document.tensors), len(reference.digests))
    np.testing.assert_array_equal(np.ones(10), reference.read("weights", "W"))
    assert [25.146522658864846] == reference.read("loss", "train/total").tolist()
    assert 6 == len(reference.noise("forward", "training/prediction"))
    assert "2452cf82" == reference.provenance.data_hash[:8]


@pytest.mark.parametrize(
    ("day", "schema", "said"),
    [(D21_09, 1, "other elements"), (D21_13, 2, "without a seal"), (D29_11, 2, "without a seal")],
)
def test_a_reference_of_an_older_schema_is_to_be_recorded_again(
    day: str, schema: int, said: str
) -> None:
    """Its digests have other elements of a larger tensor, or nothing says that its noise is what
    was measured. It is not called damaged."""
    path = FORMATS / day / "reference" / "linear-tiny-fp64-seed0.json"
    match = rf"seed0\.json: this reference has schema {schema}, .*{said}.*Record it again"
    with pytest.raises(CorruptRecord, match=match):
        references.read(path)


@pytest.mark.parametrize("path", KINDS["report"].files(), ids=name_of)
def test_reports(path: Path) -> None:
    """Verdicts, and settings that an older harness told in the row's command alone; what is written
    today is read back the same."""
    report = KINDS["report"].read(path.parent)
    (loss,) = [row for row in report.stages if row.stage == "loss"]
    if path.parts[-3] >= D21_23:
        assert (Fidelity.FAIL, 1, 2) == (report.fidelity, report.exit_code, len(report.jobs))
        assert (Fidelity.FAIL, "train/total") == (loss.verdict, loss.worst)
        assert 3.8e-2 == pytest.approx(loss.error, rel=0.02)
    else:
        assert (Fidelity.PASS, 0, 4) == (report.fidelity, report.exit_code, len(report.jobs))
        assert (Fidelity.PASS, 0.0) == (loss.verdict, loss.error)
    assert ("cpu", "default") == (loss.device, loss.execution)
    assert report == json_format.from_json(json_format.to_json(report))


def test_every_kind_of_file_that_is_read_has_frozen_ones() -> None:
    """Of today's schema; and a new reader needs an entry in `frozen.KINDS`, which needs files."""
    modules = frozen.HARNESS.rglob("*.py")
    words = [frozen.words_read(path.read_text(encoding="utf-8")) for path in modules]
    assert {*KINDS} == set().union(*words, {"report"})
    for word, kind in KINDS.items():
        assert kind.schema in {frozen.plain(path)["schema"] for path in kind.files()}, word


def test_every_kind_of_record_is_frozen() -> None:
    """Whatever a job may leave."""
    made = {kind for path in FILES for kind, _ in frozen.holds(path)}
    assert {contents.Recorded, *(kind for _, kind in contents.KINDS)} <= made


def unshown(kinds: set[Any], files: list[Path]) -> frozen.Shown:
    """Return the fields of some dataclasses that no frozen file has."""
    known = set().union(*map(frozen.fields, kinds))
    for path in files:
        for kind, value in frozen.holds(path):
            known -= frozen.shown(kind, value)
    return known


def test_every_field_of_today_is_in_a_frozen_file() -> None:
    """Whoever adds one adds what the harness writes then: see `tests/data/formats/README.md`."""
    assert set() == unshown({kind for path in FILES for kind, _ in frozen.holds(path)}, FILES)


def test_a_field_or_a_kind_that_was_added_is_seen() -> None:
    """Planted: a field of `run.json`, one deep inside, and a reader of another file."""
    added = dataclasses.make_dataclass("Noted", [("host", str), ("left", training.Model | None)])
    missing = unshown({added}, KINDS["run"].files())
    assert {("Noted", "host"), ("Noted", "left"), ("Model", "seed")} <= missing
    assert {"plan"} == frozen.words_read('x = store.read_json(path, "plan", SCHEMA)')
    assert {"pact"} == frozen.words_read('x = store.read_sealed(path, "pact", SCHEMA, 2)')


def newest(word: str, folder: Path) -> tuple[Path, dict[str, Any]]:
    """Copy the newest file of a kind, with what lies beside it; return it with what it holds."""
    path = KINDS[word].files()[-1]
    copy = shutil.copytree(path.parent, folder / "copy") / path.name
    return copy, frozen.plain(copy)


@pytest.mark.parametrize("word", KINDS)
def test_a_file_of_a_newer_harness_is_refused(word: str, tmp_path: Path) -> None:
    """Whatever else is in it: with both numbers and what to do."""
    path, document = newest(word, tmp_path)
    schema = KINDS[word].schema
    path.write_text(json.dumps({**document, "schema": schema + 1}))
    with pytest.raises(NewerSchema, match=rf"schema {schema + 1}.* reads up to {schema}[.;]"):
        KINDS[word].read(path.parent)


@pytest.mark.parametrize("damage", ["cut", "no schema", "empty"])
@pytest.mark.parametrize("word", KINDS)
def test_a_damaged_file_is_refused(word: str, damage: str, tmp_path: Path) -> None:
    """Cut off, without its schema, or with nothing but that."""
    path, document = newest(word, tmp_path)
    left = {"no schema": {**document, "schema": None}, "empty": {"schema": KINDS[word].schema}}
    text = path.read_text(encoding="utf-8")[:-20]
    path.write_text(json.dumps(left[damage]) if damage in left else text)
    with pytest.raises(CorruptRecord):
        KINDS[word].read(path.parent)
