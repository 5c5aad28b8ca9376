"""What is kept of a bisection is read back; what cannot be read is refused, for it may have cost
hours, and stays as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backends.contract import Status
from harness.bisecting import record
from harness.bisecting.record import TriedRelease
from harness.bisecting.verdicts import JudgedRelease, ReleaseVerdict
from harness.environments.releases import Release
from harness.errors import CorruptRecord, NewerSchema
from harness.records import store
from harness.results.verdicts import Speed

SERIES = (Release("2.0", "3.10"), Release("2.1", "3.10"), Release("2.2", "3.11"))
TRIED = {
    0: TriedRelease(
        SERIES[0], JudgedRelease("PASS", "PASS", "error 1e-13", "forward"), {"torch": "2.0"}, "2.0"
    ),
    2: TriedRelease(SERIES[2], JudgedRelease(None, "not installed", "", "no wheel"), {}, ""),
}


def kept(folder: Path, **more: object) -> Path:
    """Write a bisection with some of its entries replaced, sealed all the same; return the file."""
    record.write(folder, "key", "harness bisect", SERIES, TRIED)
    path = folder / record.FILE
    store.write_sealed(path, {**json.loads(path.read_text()), **more})
    return path


def test_what_is_kept_is_read_back(tmp_path: Path) -> None:
    """The same work finds its list and its verdicts; other work, or where there is no file,
    nothing."""
    assert ((), {}) == record.read(tmp_path, "key")
    kept(tmp_path)
    assert (SERIES, TRIED) == record.read(tmp_path, "key")
    _, tried = record.read(tmp_path, "key")
    judged = [item.judged for item in tried.values()]
    assert [ReleaseVerdict] * 3 == [
        type(word) for word in (judged[0].state, *(item.verdict for item in judged))
    ]
    assert ((), {}) == record.read(tmp_path, "other")


ONE = {
    "release": {"version": "2.1", "minor": "3.10"},
    "judged": {"state": "PASS", "verdict": "PASS"},
    "versions": {},
    "folder": "",
}


@pytest.mark.parametrize(
    "more",
    [
        {"releases": [{}]},
        {"releases": None},
        {"releases": []},
        {"tried": []},
        {"tried": {"one": ONE}},
        {"tried": {"7": ONE}},
        {"tried": {"0": ONE}},
        {"tried": {"1": {**ONE, "judged": {}}}},
        {"tried": {"1": {}}},
    ],
    ids=json.dumps,
)
def test_a_damaged_file_is_refused(tmp_path: Path, more: dict[str, object]) -> None:
    """A list that is none, a release that is not in it or not in its place, a verdict without a
    word: what to do is said."""
    path = kept(tmp_path, **more)
    with pytest.raises(CorruptRecord, match=r"bisect\.json: .*Delete it and run again") as raised:
        record.read(tmp_path, "key")
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("field", ["state", "verdict"])
def test_a_word_that_is_no_verdict_is_refused(tmp_path: Path, field: str) -> None:
    """With the file, the field and the words that there are, even under a seal that fits."""
    judged = {**ONE["judged"], field: "PASSED"}
    kept(tmp_path, tried={"1": {**ONE, "judged": judged}})
    said = rf"bisect\.json: tried\.1: judged: {field} is 'PASSED', and has to be one of PASS, FAIL"
    with pytest.raises(CorruptRecord, match=said):
        record.read(tmp_path, "key")


def test_every_end_of_a_job_is_a_verdict() -> None:
    """Of those that are not passed over."""
    passed_over = {Status.OK, Status.UNSUPPORTED}
    assert {*Status} - passed_over <= {*ReleaseVerdict} and {*Speed} <= {*ReleaseVerdict}


def test_a_verdict_that_was_changed_is_refused(tmp_path: Path) -> None:
    """One letter of it is enough."""
    path = kept(tmp_path)
    path.write_text(path.read_text().replace('"error 1e-13"', '"error 1e-12"'))
    with pytest.raises(CorruptRecord, match=r"bisect\.json: 'seal' is .*Delete it and run again"):
        record.read(tmp_path, "key")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{", CorruptRecord),
        ("[]", CorruptRecord),
        ('{"key": "key"}', CorruptRecord),
        ('{"schema": 1}', CorruptRecord),
        ('{"schema": 99}', NewerSchema),
        ('{"schema": 99, "key": "other"}', NewerSchema),
    ],
)
def test_half_a_file_and_one_of_a_newer_harness_are_refused(
    tmp_path: Path, text: str, error: type[Exception]
) -> None:
    """They are no bisection that has not begun."""
    (tmp_path / record.FILE).write_text(text)
    with pytest.raises(error, match=record.FILE):
        record.read(tmp_path, "key")
