"""A record shows what was set, and answers with the very thing that was."""

from __future__ import annotations

import numpy as np

from backends.activations import Record


def test_a_record_shows_what_was_set():
    """An array that is changed in place later, also through what it is a view of, is shown as it
    was."""
    record, whole = Record(), np.zeros(4)
    record["half"] = whole[:2]
    record["whole"] = whole
    whole += 1.0
    record["after"] = whole
    shown = {"half": [0, 0], "whole": [0, 0, 0, 0], "after": [1, 1, 1, 1]}
    for view in (
        dict(record),
        dict(record.items()),
        {**record},
        dict(zip(record, record.values())),
    ):
        assert shown == {name: value.tolist() for name, value in view.items()}


def test_what_is_read_back_is_what_was_set():
    """Work in place on what was read back reaches everybody who holds it, as it does without a
    record."""
    record, value = Record(), np.zeros(2)
    record["a"] = value
    assert (
        record["a"] is value and record.get("a") is value and record.setdefault("a", None) is value
    )
    record["a"] += 1.0
    assert [1, 1] == value.tolist() and record["a"] is value
    assert [1, 1] == dict(record)["a"].tolist()  # += sets it again
    assert record.get("b") is None and record.pop("b", 3) == 3
    assert record.pop("a") is value and "a" not in record and not len(record)


def test_a_record_can_be_filled_like_a_dict():
    """By pairs, by names and from another record, whose objects it shares."""
    first, value = Record(), np.zeros(2)
    first.update({"a": value}, b=value)
    second = Record()
    second.update(first)
    value += 1.0
    assert (
        second["a"] is value and [0, 0] == dict(second)["a"].tolist() and ["a", "b"] == list(second)
    )


def test_what_is_no_array_is_kept_as_it_is():
    """A number cannot be written to."""
    record = Record()
    record["a"] = 3.0
    assert 3.0 == record["a"] == dict(record)["a"]


def test_a_framework_can_take_a_record_apart_and_make_it_again():
    """As TensorFlow does with a dict that a traced function returns: by its type, from pairs."""
    record = Record()
    record["b"], record["a"] = np.ones(2), np.zeros(2)
    again = type(record)((name, record[name]) for name in record)
    assert ["b", "a"] == list(again) and again["b"] is record["b"]
