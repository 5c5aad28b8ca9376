"""JSON: strict, stable, and read back as it was."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import CorruptRecord, NewerSchema
from harness.records import store
from harness.report import renderers
from harness.report.json_format import ORDER, derived, from_json, to_json
from harness.results.model import SCHEMA, Cost, Report
from tests.harness.report.sample import sealed


def refuse(name):
    raise AssertionError(f"{name} is not strict JSON")


def same(one, other):
    """Equality in which NaN equals itself; `repr` of a frozen dataclass holds every field."""
    return repr(one) == repr(other)


def test_the_top_level_is_what_is_promised(full):
    """Names that scripts rely on."""
    flat = json.loads(to_json(full), parse_constant=refuse)
    assert tuple(flat) == (*ORDER, store.SEAL)
    assert {"fidelity": "FAIL", "headline": full.headline, "exit_code": 1} == flat["summary"]
    assert {
        "workload",
        "a",
        "b",
        "precision",
        "stage",
        "verdict",
        "worst",
        "error",
        "floor",
    } <= set(flat["stages"][0])
    assert {"workload", "a", "b", "action", "ratio", "low", "high", "verdict"} <= set(
        flat["speed"][0]
    )
    assert {"status", "reason"} <= set(flat["jobs"][0])
    assert flat["schema"] == SCHEMA


def test_what_is_not_finite_is_spelled_out(full):
    """NaN and the infinities."""
    flat = json.loads(to_json(full), parse_constant=refuse)
    assert [flat["stages"][3][name] for name in ("error", "value_a", "value_b")] == [
        "NaN",
        "NaN",
        "Infinity",
    ]


def test_a_report_is_read_back_as_it_was(full, empty):
    """And written again with the same bytes."""
    for report in (full, empty):
        text = to_json(report)
        again = from_json(text)
        assert (report.builds, report.tapes) == (again.builds, again.tapes)
        assert same(
            dataclasses.replace(report, builds=(), tapes={}),
            dataclasses.replace(again, builds=(), tapes={}),
        )
        assert text == to_json(again)


@given(st.floats(), st.text(), st.one_of(st.none(), st.floats()), st.lists(st.text()))
def test_any_value_survives(sample, number, text, maybe, names):
    """A text "NaN" stays a text, a NaN stays a number."""
    stage = sample.stage(
        "forward", "INFO", error=maybe, worst=text, value_a=number, null=tuple(names), reason="NaN"
    )
    report = dataclasses.replace(
        sample.EMPTY, stages=(stage,), title=text, notes=tuple(names), tapes={text: text}
    )
    assert same(derived(report), from_json(to_json(report)))


def test_the_order_of_a_mapping_does_not_change_the_bytes(full):
    """Same report, same bytes."""
    other = dataclasses.replace(full, tapes=dict(reversed(full.tapes.items())))
    assert to_json(full) == to_json(other)


#: In no order, nested, of kinds that JSON does not have.
UNSORTED = {
    "z": {"y": 1, "b": [{"q": 1, "a": math.nan}], "a": None},
    "path": Path("x"),
    "inf": math.inf,
    "a": {3: 1, "b": 2},
    "pair": (1, 2),
}


@pytest.mark.parametrize("name", renderers.FORMATS)
def test_a_stored_report_is_rendered_to_the_same_bytes(full, name):
    """In every format, whatever order names had when it was made."""
    missing = {
        "p50_s": "not measured",
        "flops": "no counter",
        "energy_j": "no GPU",
        "device_peak_bytes": "no GPU",
    }
    timed = dataclasses.replace(full.speed[0], a_cost=Cost(missing, 1), b_cost=Cost(missing, 1))
    builds = tuple(
        dataclasses.replace(row, effective=UNSORTED, versions=dict(reversed(row.versions.items())))
        for row in full.builds
    )
    report = dataclasses.replace(
        full,
        builds=builds,
        speed=(timed, *full.speed[1:]),
        tapes=dict(reversed(full.tapes.items())),
    )
    assert renderers.render(report, name) == renderers.render(from_json(to_json(report)), name)


def test_a_newer_schema_says_which_file_and_what_to_do(full):
    """Instead of guessing."""
    text = to_json(full).replace(f'"schema": {SCHEMA}', f'"schema": {SCHEMA + 1}')
    with pytest.raises(
        NewerSchema,
        match=rf"old/report\.json has schema {SCHEMA + 1}.*up to {SCHEMA}.*install a newer",
    ):
        from_json(text, "old/report.json")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "1",
        "null",
        *(f'{{"schema": {rest}}}' for rest in ('"1"', "true", "0", "1", '1, "summary": {}')),
        "[" * 100_000,
    ],
)
def test_what_is_no_report_is_corrupt(text):
    """With the file's name and no traceback of another kind."""
    with pytest.raises(CorruptRecord, match="this file"):
        from_json(text, "this file")


def test_any_value_of_another_type_is_corrupt(full):
    """Each field of each row altered in turn; a field that is taken out is noticed unless it has
    a default."""
    flat = json.loads(to_json(full))
    for section in ("stages", "speed", "quality", "jobs", "builds", "curves", "spreads", "history"):
        for name in flat[section][0]:
            altered = json.loads(json.dumps(flat))
            altered[section][0][name] = (
                {"not": ["this"]} if not isinstance(flat[section][0][name], dict) else 7
            )
            with pytest.raises(CorruptRecord, match=rf"{section}\[0\]: {name}"):
                from_json(sealed(altered))


@given(st.integers(0, 20_000))
def test_a_truncated_report_is_corrupt(sample, length):
    """Wherever it is cut."""
    text = to_json(sample.REPORT)
    if length < len(text) - 1:
        with pytest.raises(CorruptRecord):
            from_json(text[:length])


def test_unknown_names_are_left_out(full):
    """A later harness may add a field without a new schema."""
    flat = json.loads(to_json(full))
    flat["more"] = flat["stages"][0]["more"] = 1
    assert isinstance(from_json(sealed(flat)), Report)


def test_a_report_of_an_earlier_harness_is_read(full):
    """Fields that came later are absent and have their defaults."""
    flat = json.loads(to_json(full))
    for name in ("quality", "curves", "spreads", "history", "commit"):
        del flat[name]
    timed = (
        "seed",
        "segment",
        "a_build_s",
        "b_build_s",
        "a_first_step_s",
        "b_first_step_s",
        "turns",
    )
    staged = ("preset", "seed", "max_error", "beyond", "seeds", "needed", "compared")
    for section, names in (("stages", staged), ("speed", timed), ("builds", ("port",))):
        for row in flat[section]:
            for name in names:
                del row[name]
    again = from_json(sealed(flat))
    row = again.stages[1]
    assert (row.preset, row.seed, row.max_error, row.beyond) == ("", 0, None, 0)
    assert (again.speed[0].seed, again.builds[0].port) == (0, {})
    assert (again.quality, row.seeds, row.needed, again.speed[0].a_build_s) == ((), 0, None, None)
    assert ((), (), (), "", None, None) == (
        again.curves,
        again.spreads,
        again.history,
        again.commit,
        row.compared,
        again.speed[0].turns,
    )


def test_a_column_of_numbers_takes_one_line(full):
    """And all else a line a value, as the standard library writes it."""
    text = to_json(full)
    columns = [line for line in text.splitlines() if line.startswith('    "errors": [')]
    assert 4 == len(columns) and '    "errors": [2e-16,0.00031,"NaN"],' in columns
    assert len(full.curves) == sum(
        line.startswith('  {"build":') and '"mode"' in line for line in text.splitlines()
    )
    plain = to_json(
        dataclasses.replace(
            full,
            stages=tuple(dataclasses.replace(row, compared=None) for row in full.stages),
            curves=(),
            spreads=(),
            history=(),
            speed=tuple(dataclasses.replace(row, turns=None) for row in full.speed),
        )
    )
    assert plain == json.dumps(json.loads(plain), indent=1) + "\n"


def test_what_is_no_json_says_what_to_do():
    """Something that works."""
    with pytest.raises(CorruptRecord, match="; run the comparison again"):
        from_json("{")


def test_a_number_beyond_a_float_is_corrupt(full):
    """Not an overflow."""
    flat = json.loads(to_json(full))
    flat["stages"][0]["error"] = 10**400
    with pytest.raises(CorruptRecord):
        from_json(sealed(flat))
    assert math.isfinite(from_json(to_json(full)).stages[0].error)


@pytest.mark.parametrize(
    ("command", "settings"),
    [
        ("harness compare", ("cpu", "default", "")),
        (
            "harness compare --device gpu --execution graph --data 'a folder/x'",
            ("gpu", "graph", "a folder/x"),
        ),
        ("harness 'compare", ("cpu", "default", "")),  # no shell's: somebody has edited it
    ],
)
def test_a_row_of_an_older_report_has_the_settings_of_its_command(full, command, settings):
    """Rows told neither device nor execution nor data then."""
    flat = json.loads(to_json(full))
    for row in (*flat["stages"], *flat["speed"]):
        for name in ("device", "execution", "data"):
            del row[name]
        row["command"] = command
    read = from_json(sealed(flat))
    rows = (*read.stages, *read.speed)
    assert {settings} == {(row.device, row.execution, row.data) for row in rows}
    whole = from_json(to_json(full))
    assert [row.device for row in full.stages] == [row.device for row in whole.stages]
