"""A report that was edited is not read: by its seal, and where it has none by its own numbers."""

from __future__ import annotations

import dataclasses
import json

import pytest

from harness.errors import CorruptRecord
from harness.records import store
from harness.report.json_format import ORDER, from_json, to_json
from harness.results.model import SCHEMA
from tests.harness.report.sample import sealed


def test_a_report_in_which_anything_was_edited_is_corrupt(full):
    """A verdict, a number and what nothing is derived from; and one whose seal was taken out."""
    for section, name, value in (
        ("stages", "verdict", "PASS"),
        ("stages", "error", 0.0),
        ("stages", "threshold", 1e9),
        ("speed", "ratio", 1.0),
        ("jobs", "status", "ok"),
    ):
        flat = json.loads(to_json(full))
        row = next(row for row in flat[section] if row[name] != value)
        row[name] = value
        with pytest.raises(CorruptRecord, match=r"'seal' is .* altered; run the comparison again"):
            from_json(json.dumps(flat))
    flat = json.loads(to_json(full))
    del flat[store.SEAL]
    with pytest.raises(CorruptRecord, match="'seal' is None"):
        from_json(json.dumps(flat))


def test_a_seal_is_checked_whatever_the_schema(full):
    """Else it would be enough to say that the report is older than seals are."""
    text = to_json(full).replace(f'"schema": {SCHEMA}', '"schema": 1').replace("FAIL", "PASS")
    with pytest.raises(CorruptRecord, match="'seal' is"):
        from_json(text)


def test_a_row_that_passes_against_its_own_numbers_is_corrupt(full):
    """In a report that is too old to have a seal, and in one that was sealed again."""
    edited = json.loads(to_json(full))
    row = next(row for row in edited["stages"] if row["verdict"] == "FAIL")
    row["verdict"] = "PASS"
    del edited[store.SEAL]
    for text in (sealed(edited), json.dumps({**edited, "schema": 1})):
        with pytest.raises(CorruptRecord, match=r"stages\[\d+\]: verdict is PASS, and .* altered"):
            from_json(text)
    row["error"] = row["threshold"] = None
    row["compared"]["verdicts"][0] = "FAIL"
    with pytest.raises(CorruptRecord, match=r"verdict is PASS, and .* departs"):
        from_json(sealed(edited))


def test_a_report_of_the_first_schema_has_no_seal(full):
    """It is read, and written again as it was."""
    text = to_json(dataclasses.replace(full, schema=1))
    assert tuple(json.loads(text)) == ORDER
    assert text == to_json(from_json(text))
