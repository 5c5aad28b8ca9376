"""Records survive the way to disk and back; what was truncated, altered or written by a newer
harness is named."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from backends.contract import Status
from harness.errors import CorruptRecord, NewerSchema
from harness.records import archives, checksums, files, store, tensors
from harness.records.decoder import NOT_FINITE
from tests.harness import contents

#: The three words that stand for what JSON has no number for; as text they cannot be told from it.
WORDS = tuple(NOT_FINITE)
TEXT = st.text().filter(lambda text: text not in WORDS)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)
DTYPES = st.sampled_from(["<f8", "<f4", "<f2", "<i8", "<u1", "?"])


def same(a: Any, b: Any) -> bool:
    """Equality in which NaN equals NaN, and -0.0 is not 0.0."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(value, b[name]) for name, value in a.items())
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(*pair) for pair in zip(a, b, strict=True))
    if isinstance(a, float) and isinstance(b, float):
        return (math.isnan(a) and math.isnan(b)) or (
            a == b and math.copysign(1, a) == math.copysign(1, b)
        )
    return type(a) is type(b) and a == b


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that hypothesis may write to again and again."""
    return tmp_path_factory.mktemp("store")


@settings(deadline=None)
@given(document=st.dictionaries(TEXT.filter(lambda name: name != "schema"), PLAIN, max_size=5))
def test_json_round_trip(folder: Path, document: dict[str, Any]) -> None:
    """Whatever plain JSON a record holds, NaN and infinities with it, comes back; the file is
    strict JSON."""
    path = folder / "document.json"
    store.write_json(path, {"schema": 1, **document})
    assert same({"schema": 1, **document}, store.read_json(path, "record", 1))
    json.loads(
        path.read_text(), parse_constant=lambda name: pytest.fail(f"{name} is not strict JSON")
    )


@settings(deadline=None)
@given(
    value=DTYPES.flatmap(
        lambda dtype: arrays_of.arrays(dtype, arrays_of.array_shapes(min_dims=0, min_side=0))
    ),
    compress=st.booleans(),
)
def test_arrays_round_trip(folder: Path, value: np.ndarray, compress: bool) -> None:
    """Arrays come back bit by bit, with shape and dtype; names may have slashes."""
    path = folder / "arrays.npz"
    archives.write_arrays(path, {"conv1/kernel": value}, compress)
    ((name, back),) = archives.read_arrays(path).items()
    assert (name, back.dtype, back.shape, back.tobytes()) == (
        "conv1/kernel",
        value.dtype,
        value.shape,
        value.tobytes(),
    )


def test_objects_are_refused(tmp_path: Path) -> None:
    """Python objects are neither written nor read: they would need a pickle."""
    with pytest.raises(TypeError, match="Python objects"):
        archives.write_arrays(tmp_path / "a.npz", {"x": np.array([{}], dtype=object)})
    np.savez(tmp_path / "b.npz", x=np.array([{}], dtype=object))
    with pytest.raises(CorruptRecord, match=r"b\.npz"):
        archives.read_arrays(tmp_path / "b.npz")


def test_failed_write(tmp_path: Path) -> None:
    """A write that fails leaves the old file and nothing besides."""
    path = tmp_path / "document.json"
    store.write_json(path, {"schema": 1})
    before = path.read_bytes()
    with pytest.raises(TypeError):
        store.write_json(path, {"schema": object()})
    with pytest.raises(UnicodeEncodeError):
        files.write_text(path, "half\ud800")
    assert path.read_bytes() == before and [path] == list(tmp_path.iterdir())


@pytest.fixture
def record(tmp_path: Path) -> store.Record:
    """A finished job's record with one tensor."""
    job = tmp_path / "job"
    archives.write_arrays(job / "forward.npz", {"logits": np.arange(50.0)})
    result = contents.recorded(
        files={"forward.npz": checksums.checksum(job / "forward.npz")},
        noise={"forward/logits": {"ulp": [0.5]}},
        tensors=[
            {
                "stage": "forward",
                "name": "logits",
                "shape": [50],
                "dtype": "float64",
                "scale": 0.0,
                "largest": math.nan,
            }
        ],
    )
    return store.write_record(job, {"side": "torch"}, "ok", "", result, 1.5)


def test_record_round_trip(record: store.Record) -> None:
    """A record is read as it was written, its tensors one at a time."""
    back = store.read_record(record.folder)
    evidence = tensors.RecordEvidence(back.folder, back.recorded)
    assert (True, {"side": "torch"}, 1.5) == (back.ok, back.job, back.duration_s)
    assert {"ulp": [0.5]} == evidence.noise("forward", "logits")
    assert back.read("forward", "logits").tolist() == list(range(50))
    (entry,) = evidence.entries("forward")
    assert entry.name == "logits" and math.isnan(entry.largest) and evidence.entries("loss") == []
    with pytest.raises(CorruptRecord, match="tensor 'probs' cannot be read"):
        back.read("forward", "probs")


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-20],
        lambda content: content[:-1] + b"?",
        lambda content: content + b"more",
        None,
    ],
)
def test_damaged_arrays(record: store.Record, damage) -> None:
    """An array file that was truncated, altered, lengthened or lost is found before anything is
    judged."""
    path = record.folder / "forward.npz"
    if damage:
        path.write_bytes(damage(path.read_bytes()))
    else:
        path.unlink()
    with pytest.raises(CorruptRecord, match=r"forward\.npz.*Run the job again"):
        store.read_record(record.folder)


def test_broken_when_written(tmp_path: Path) -> None:
    """A checksum that fits does not make an array file of something else."""
    (tmp_path / "forward.npz").write_bytes(b"PK\x03\x04 and then nothing")
    with pytest.raises(CorruptRecord, match="broken when its checksum was taken"):
        checksums.verify(tmp_path, {"forward.npz": checksums.checksum(tmp_path / "forward.npz")})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot be read"),
        ('{"schema": 1, "sta', "cannot be read"),
        ("\udcff", "cannot be read"),
        ('{"schema": 1, "a": NaN}', "NaN is no number"),
        ('{"schema": 1, "a": -Infinity}', "-Infinity is no number"),
        ('{"schema": 1, "a": 1e999}', "1e999 is no number"),
        ('{"schema": 1, "a": 1, "a": 2}', "the name 'a' twice"),
        ('{"schema": 1, "a": ' + "[" * 65 + "]" * 65 + "}", "nested more than 64 deep"),
        ("[]", "no schema number"),
        ('{"schema": "1"}', "no schema number"),
        ('{"schema": 1}', "'job' is missing"),
        (
            '{"schema": 1, "job": 5, "status": "ok", "reason": "", "result": {}, "duration_s": 1}',
            "job is 5, and has to be dict",
        ),
        (
            '{"schema": 1, "job": {}, "status": "fine", "reason": "", "result": {},'
            ' "duration_s": 1}',
            "status is 'fine', and has to be one of ok, ",
        ),
        (
            '{"schema": 1, "job": {}, "status": "ok", "reason": "", "result": {}, "duration_s": 1}',
            "result: 'tensors' is missing",
        ),
    ],
)
def test_damaged_manifest(record: store.Record, text: str, said: str) -> None:
    """A manifest that is no record is named, with what to do."""
    path = record.folder / store.MANIFEST
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(CorruptRecord, match=said) as caught:
        store.read_record(record.folder)
    assert str(path) in str(caught.value) and "again" in str(caught.value)


def test_newer_manifest(record: store.Record) -> None:
    """A record of a newer harness: which file, which version, what to do."""
    path = record.folder / store.MANIFEST
    path.write_text(json.dumps({"schema": 99, "anything": "else"}))
    with pytest.raises(
        NewerSchema, match=r"schema 99, this harness reads up to 2\. Upgrade"
    ) as caught:
        store.read_record(record.folder)
    assert str(path) in str(caught.value)


def test_a_job_without_a_manifest_has_not_finished(tmp_path: Path) -> None:
    """Whatever else lies in its folder."""
    with pytest.raises(FileNotFoundError):
        store.read_record(tmp_path)


def test_an_array_of_another_shape_is_refused(tmp_path: Path) -> None:
    """Even one that has the right checksum: the judge would compare it element by element."""
    archives.write_arrays(tmp_path / "forward.npz", {"y": np.zeros(3)})
    entry = {"stage": "forward", "name": "y", "shape": [2], "dtype": "float64", "largest": 0.0}
    sums = {"forward.npz": checksums.checksum(tmp_path / "forward.npz")}
    result = contents.recorded(tensors=[{**entry, "scale": 0.0}], files=sums)
    store.write_record(tmp_path, {"side": "torch"}, Status.OK, "", result, 1.0)
    with pytest.raises(CorruptRecord, match=r"forward\.npz: tensor 'y' has the shape \(3,\)"):
        store.read_record(tmp_path).read("forward", "y")


def test_who_can_write_a_record_can_write_its_sums(record: store.Record) -> None:
    """They find damage, and nothing is signed: other numbers under a new sum and a new seal are
    read."""
    archives.write_arrays(record.folder / "forward.npz", {"logits": np.zeros(50)})
    with pytest.raises(CorruptRecord):
        store.read_record(record.folder)
    path = record.folder / store.MANIFEST
    document = json.loads(path.read_text(encoding="utf-8"))
    sums = {"forward.npz": checksums.checksum(record.folder / "forward.npz")}
    document["result"]["files"] = sums
    store.write_json(path, document)
    with pytest.raises(CorruptRecord):
        store.read_record(record.folder)
    store.write_sealed(path, document)
    assert not store.read_record(record.folder).read("forward", "logits").any()


def test_a_small_file_may_be_a_large_array(tmp_path: Path) -> None:
    """Nobody limits what a record or a tape unpacks to."""
    path = tmp_path / "tape.npz"
    archives.write_arrays(path, {"zeros": np.zeros(8 << 20)}, compress=True)
    assert path.stat().st_size < 1 << 17
    assert archives.read_arrays(path)["zeros"].nbytes == 64 << 20
