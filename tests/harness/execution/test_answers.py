"""Whatever a worker answers ends its job, at the most: each verb's answer is what it promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from backends.contract import Status
from harness.errors import CorruptRecord, JobFailed
from harness.execution import answers, verbs

BLOCK = {
    "step_s": [1e-3, 2e-3],
    "steps": 2,
    "peak_bytes": 1,
    "ended_bytes": 0,
    "calls": {"2": 2},
    "calls_base": 1.1,
    "resident_bytes": None,
    "waits": {"wall_s": 1.0, "ran_s": 1.0, "waited_s": None},
    "used_s": 0.1,
    "device_peak_bytes": None,
}


def answer(**changed):
    """Return a whole answer to `block`, with something else in its place."""
    return answer_of({**BLOCK, **changed})


def test_an_answer_is_what_its_verb_promises():
    """With what later workers add."""
    said = answers.read(answer(more=1), verbs.BLOCK, 3)
    assert (1e-3, 2e-3) == said.content.step_s and said.content.calls == {2: 2}
    assert {**BLOCK, "more": 1} == said.plain


def answer_of(result):
    """Return a whole answer."""
    return {"id": 3, "status": "ok", "result": result}


@pytest.mark.parametrize("field", BLOCK)
@pytest.mark.parametrize("value", ["", [[1]], {"1": "a"}, True, "<b>PASS\x1b[31m", {"1": [1]}])
def test_a_field_of_another_type_is_named(field, value):
    """With the verb, and without a word of files."""
    with pytest.raises(CorruptRecord, match=rf"answer to 'block': {field}") as caught:
        answers.read(answer(**{field: value}), verbs.BLOCK, 3)
    assert "truncated" not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"status": None}, "status is None"),
        ({"status": "<b>PASS"}, "status is '<b>PASS'"),
        ({"status": []}, r"status is \[\]"),
        ({"result": 7}, "result is 7"),
        ({"id": 4}, "request 4 instead of 3"),
        ({"id": "3"}, "id is '3'"),
    ],
)
def test_the_answer_itself_is_checked(changed, said):
    """Its status, its number, its result."""
    with pytest.raises(CorruptRecord, match=said):
        answers.read({**answer(), **changed}, verbs.BLOCK, 3)
    with pytest.raises(CorruptRecord, match="'status' is missing"):
        answers.read({"id": 3}, verbs.BLOCK, 3)
    with pytest.raises(CorruptRecord, match="'load': 'result' is missing"):
        answers.read({"id": 3, "status": "ok"}, verbs.LOAD, 3)


def test_a_reason_without_end_is_shortened():
    """A page and a terminal would show nothing else for minutes."""
    with pytest.raises(JobFailed) as caught:
        answers.read({"id": 1, "status": "error", "reason": "x" * 10**6}, verbs.OPEN, 1)
    assert caught.value.reason.endswith("x... (1000000 characters in the answer to 'open')")
    assert len(caught.value.reason) < 5000


def test_a_failure_needs_no_result():
    """Its status and its reason are enough."""
    with pytest.raises(JobFailed) as failed:
        answers.read({"id": 1, "status": "unsupported", "reason": "no"}, verbs.OPEN, 1)
    assert (Status.UNSUPPORTED, "no") == (failed.value.status, failed.value.reason)


@pytest.mark.parametrize("reason", ["", " ", None])
def test_a_failure_without_a_reason_is_a_broken_answer(reason):
    """Whoever fails says why: `unsupported` alone would leave a side out in silence."""
    answer = {"id": 1, "status": "unsupported", "reason": reason}
    with pytest.raises(CorruptRecord, match=r"answer to 'open'.*reason"):
        answers.read(answer, verbs.OPEN, 1)
    del answer["reason"]
    with pytest.raises(CorruptRecord, match="'unsupported' and says no reason"):
        answers.read(answer, verbs.OPEN, 1)


@pytest.mark.parametrize("line", [b"[" * 200_000, b"7", b'"ok"', b"{", b"\xff\n", b""])
def test_a_line_that_is_no_object_is_refused(line):
    """Also one that is nested too deeply for the reader."""
    with pytest.raises(ValueError, match="the worker's answer to 'open' is not"):
        answers.parse(line, "open")


def test_every_verb_of_the_worker_promises_something():
    """A new verb needs an entry."""
    text = "".join(
        path.read_text(encoding="utf-8")
        for path in (Path(__file__).parents[3] / "backends/protocol").glob("*.py")
    )
    assert set(re.findall(r"def do_(\w+)\(", text)) == set(verbs.VERBS)


def test_the_harness_asks_by_verbs():
    """A plain name would be answered in plain JSON, whose fields nobody checks."""
    for path in (Path(__file__).parents[3] / "harness").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\.(request|send)\(\s*f?[\"']", text), path


def test_a_verb_of_others_promises_nothing():
    """Its answer is any object."""
    assert {"any": [1]} == answers.read(answer_of({"any": [1]}), verbs.named("work"), 3).plain
    assert verbs.BLOCK is verbs.named("block")
