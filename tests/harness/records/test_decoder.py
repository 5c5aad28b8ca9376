"""From JSON to frozen dataclasses: what is accepted, and the name of what is not."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import math
from typing import Any

import pytest

from backends.contract import Stage
from harness.errors import CorruptRecord
from harness.fidelity.declarations import Declarations
from harness.records.contents import (
    FirstRun,
    Recorded,
    Repeated,
    Round,
    Sampled,
    described,
    kind,
    read,
)
from harness.records.decoder import DEEPEST, decode, shallow, unique
from harness.results.verdicts import Bounds, Fidelity
from tests.harness import contents


@dataclasses.dataclass(frozen=True)
class Inner:
    """A part."""

    name: str


@dataclasses.dataclass(frozen=True)
class Outer:
    """Fields of every kind."""

    count: int
    share: float
    verdict: Fidelity
    inner: tuple[Inner, ...]
    sizes: dict[str, int | None]
    more: Any = None
    stage: Stage | Bounds = Stage.LOSS


GOOD: dict[str, Any] = {
    "count": 3,
    "share": 0.5,
    "verdict": "PASS",
    "inner": [{"name": "a"}],
    "sizes": {"x": 1, "y": None},
    "unknown": "left out",
}


def test_a_value_of_every_kind_is_decoded():
    """And what a newer harness may have added is left out."""
    expected = Outer(3, 0.5, Fidelity.PASS, (Inner("a"),), {"x": 1, "y": None})
    assert expected == decode(Outer, GOOD, "file")
    assert Fidelity.PASS is decode(Outer, GOOD, "file").verdict
    for word in (Stage.FORWARD, Bounds.PRECISION):
        assert word is decode(Outer, {**GOOD, "stage": str(word)}, "file").stage
    words = {"NaN": math.isnan, "Infinity": math.isinf}
    for word, holds in words.items():
        assert holds(decode(Outer, {**GOOD, "share": word}, "file").share)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"count": "3"}, "file: count is '3', and has to be int"),
        ({"count": True}, "file: count is True"),
        ({"share": "half"}, "file: share is 'half', and has to be float"),
        ({"share": 10**400}, "file: share is 1000"),
        (
            {"stage": "backward"},
            "file: stage is 'backward', and has to be one of weights, forward, loss, gradients,"
            " update, trajectory, distribution, precision; ",
        ),
        ({"stage": None}, "file: stage is None, and has to be one of weights, "),
        ({"verdict": "FINE"}, "file: verdict is 'FINE', and has to be one of PASS, FAIL, "),
        ({"verdict": {}}, "file: verdict is {}"),
        ({"inner": {}}, "file: inner is {}"),
        ({"inner": [{"name": 1}]}, r"file: inner\[0\]: name is 1, and has to be str"),
        ({"inner": [5]}, r"file: inner\[0\]: 5 is met where Inner belongs"),
        ({"sizes": {"x": 1.5}}, r"file: sizes\.x is 1\.5, and has to be int"),
    ],
)
def test_a_value_of_another_kind_is_named(changed: dict[str, Any], said: str):
    """With the file, the field, the value and what belongs there."""
    with pytest.raises(CorruptRecord, match=said):
        decode(Outer, {**GOOD, **changed}, "file")


def test_a_missing_field_is_named():
    """One with a default may be missing."""
    for name in ("count", "share", "verdict", "inner", "sizes"):
        with pytest.raises(CorruptRecord, match=f"file: '{name}' is missing"):
            decode(Outer, {key: value for key, value in GOOD.items() if key != name}, "file")


SIDE = {"prepared": {"a": {}, "b": {}}}
RECORDS: list[tuple[dict[str, Any], dict[str, Any], type[Any]]] = [
    ({"stages": ["weights"]}, contents.recorded(), Recorded),
    ({"own_seed": 1}, contents.sampled("total"), Sampled),
    ({"labels": ["a", "b"]}, contents.round_of({"train": SIDE}, "a", "b"), Round),
    ({"check": True}, {"workloads": {"x": {"status": "ok", "reason": ""}}}, FirstRun),
    ({"run": 0}, {**contents.recorded(), "parts": {"lockstep": contents.recorded()}}, Repeated),
]


@pytest.mark.parametrize(("job", "result", "expected"), RECORDS)
def test_each_kind_of_job_leaves_its_own(job, result, expected):
    """By the job's description."""
    own = described(job, "file")
    assert expected is kind(own) and isinstance(read(own, result, "file"), expected)


def test_a_description_is_checked_as_all_else():
    """By field and value; what only `plan` knows of is left out."""
    own = described({"labels": ["a", "b"], "round": 3, "actions": ["train"]}, "file")
    assert (("a", "b"), 3, "") == (own.labels, own.round, own.side)
    with pytest.raises(CorruptRecord, match="file: job: seed is '7', and has to be int"):
        described({"seed": "7"}, "file")


@pytest.mark.parametrize(("job", "result", "expected"), RECORDS)
def test_whatever_is_damaged_is_corrupt_and_nothing_else(job, result, expected):
    """Every value of a record in turn is replaced by one of another kind: either it is no part of
    what is read, or it is named; nothing else is raised."""
    named = 0
    for path in list(_paths(result)):
        for other in (None, 5.5, "x", [], {}, [[]], {"": None}):
            damaged = copy.deepcopy(result)
            holder = damaged
            for step in path[:-1]:
                holder = holder[step]
            holder[path[-1]] = other
            with contextlib.suppress(CorruptRecord):
                read(described(job, "file"), damaged, "file")
                continue
            named += 1
    assert named > 10


def _paths(value: Any, before: tuple[Any, ...] = ()):
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for name, part in items:
        yield (*before, name)
        if isinstance(part, (dict, list)):
            yield from _paths(part, (*before, name))


def test_what_a_port_says_of_itself_is_read_back():
    """Older records tell nothing; a new one everything."""
    assert Declarations() == decode(Recorded, contents.recorded(), "file").declared
    said = {
        "not_shown": ["a"],
        "trainable_values": 3,
        "undeclared": ["u"],
        "own_training": False,
        "contracted": ["training/x"],
        "hidden_averages": ["h"],
        "unseen_averages": ["s"],
    }
    result = contents.recorded(raised={"loss": "no"}, told=said)
    words = {**said, "undeclared": ("u",), "contracted": frozenset({"training/x"})}
    for name in ("not_shown", "hidden_averages", "unseen_averages"):
        words[name] = tuple(said[name])
    expected = Declarations({"loss": "no"}, **words)
    assert expected == decode(Recorded, result, "file").declared


def test_a_name_that_is_said_twice_is_refused() -> None:
    """Which of the two is meant, nobody can tell."""
    assert {"a": 1, "b": 2} == unique([("a", 1), ("b", 2)])
    with pytest.raises(ValueError, match="the name 'a' twice"):
        unique([("a", 1), ("b", 2), ("a", 1)])


def nested(depth: int) -> Any:
    """Return lists and objects in each other, so many."""
    value: Any = 1
    for number in range(depth):
        value = [value] if number % 2 else {"inside": value}
    return value


@pytest.mark.parametrize("depth", [0, 1, 2, DEEPEST])
def test_what_is_nested_a_little_is_taken(depth: int) -> None:
    """As it is."""
    assert shallow(nested(depth)) == nested(depth)


@pytest.mark.parametrize("depth", [DEEPEST + 1, 900])
def test_what_is_nested_deeply_is_refused(depth: int) -> None:
    """Whatever else is beside it."""
    with pytest.raises(ValueError, match=f"more than {DEEPEST} deep"):
        shallow({"plain": [1, 2], "deep": nested(depth - 1)})
