"""What moved between two runs, ranked by what it explains; and what only one of them tells, kept
apart from what changed."""

from __future__ import annotations

import dataclasses

import pytest

from harness.changes import causes, figures, provenance
from harness.changes.model import DATA, PORT, SETTING, VERSION, JudgedNight
from harness.changes.provenance import Suspects
from harness.results.model import Report

PORTED = {"cnn": "backends/torch/cnn.py, sha256 ffffffffffff"}


def ranked(before: JudgedNight, after: JudgedNight) -> list[tuple[str, int, int]]:
    rows = causes.ranked(before, after, Suspects(before, after))
    return [(str(row.suspect), row.explains, row.unchanged) for row in rows]


def failing(sample, base: Report, build: str) -> Report:
    return sample.staged(base, lambda row: build in (row.a, row.b), verdict="FAIL")


def released(sample, base: Report, build: str) -> Report:
    return sample.rebuilt(base, build, versions={"framework": "9.0", "numpy": "2.4.6"})


def test_the_build_whose_every_row_changed_comes_first(sample):
    """Of two releases: that of the build that fails, before that of one that is only beside it."""
    base = sample.report(precisions=("fp64",))
    after = released(sample, released(sample, failing(sample, base, "torch"), "torch"), "tf2")
    first, second = ranked(JudgedNight(base), JudgedNight(after))
    assert ("torch: framework 2.13.0 -> 9.0", 24) == first[:2]
    assert ("tf2: framework 2.21.0 -> 9.0", 6) == second[:2]
    assert first[2] < second[2]


def test_what_touches_less_that_stayed_comes_before_what_touches_all(sample):
    """Planted: a port, and the harness under everything, which explains as much."""
    base = sample.report(("tf2", "torch"), ("fp64",))
    extra = [dataclasses.replace(row, workload="linear") for row in base.stages]
    base = dataclasses.replace(base, stages=(*base.stages, *extra))
    after = sample.staged(base, lambda row: row.workload == "cnn", verdict="FAIL")
    after = sample.rebuilt(
        dataclasses.replace(after, harness_version="0.2.0"), "torch", port=PORTED
    )
    told = ranked(JudgedNight(base), JudgedNight(after))
    assert ["torch: port of cnn 0a1b2c3d4e5f -> ffffffffffff", "harness 0.1.0 -> 0.2.0"] == [
        name for name, _, _ in told
    ]


def test_those_that_explain_as_much_are_in_the_order_of_kinds(sample):
    """Versions, settings, code, data, machine."""
    base = sample.report(("tf2", "torch"), ("fp64",))
    after = sample.rebuilt(
        sample.staged(base, lambda row: True, verdict="FAIL"),
        "torch",
        versions={"framework": "9.0", "numpy": "2.4.6"},
        effective={"threads": 2, "tf32": True},
        port=PORTED,
    )
    after = dataclasses.replace(
        after,
        tapes={"cnn/tiny/0": "cd" * 32},
        speed=(),
        builds=tuple(dataclasses.replace(row, platform="Linux-6.2") for row in after.builds),
    )
    before = dataclasses.replace(base, speed=())
    nights = JudgedNight(before), JudgedNight(after)
    rows = causes.ranked(*nights, Suspects(*nights))
    assert [VERSION, SETTING, PORT, DATA, "machine"] == [row.kind for row in rows]
    assert {"touches 6 of 6 rows that changed, and no other"} == {row.because for row in rows}


def test_a_slow_down_has_suspects_too(sample):
    """Judged from the rounds; another machine is one of them, and then nothing is judged."""
    base = sample.report(("tf2", "torch"), ("fp64",))
    after = released(sample, base, "torch")
    slower = sample.night(after, {"torch": 0.15}, seed=1)
    assert [("torch: framework 2.13.0 -> 9.0", 1, 7)] == ranked(sample.night(base), slower)


def on_machine(night: JudgedNight, name: str) -> JudgedNight:
    ratios = [
        dataclasses.replace(one, conditions={**one.conditions, "machine": name})
        for one in night.ratios
    ]
    return dataclasses.replace(night, ratios=tuple(ratios))


def test_another_machine_is_a_suspect_of_what_fails(sample):
    """And one that only one run tells is not."""
    base = sample.report(("tf2", "torch"), ("fp64",))
    before = on_machine(sample.night(base), "aaaa")
    after = sample.night(failing(sample, base, "torch"))
    assert [("machine aaaa -> bbbb", 6, 2)] == ranked(before, on_machine(after, "bbbb"))
    found = figures.diff(before, after)
    assert not found.suspects
    assert [("machine", "aaaa", None)] == [
        (row.what, row.before, row.after) for row in found.unreported
    ]


def test_nothing_changed_has_no_suspects(sample):
    """Whatever moved."""
    base = sample.report()
    assert [] == ranked(JudgedNight(base), JudgedNight(released(sample, base, "torch")))


@pytest.mark.parametrize("turned", [False, True])
def test_what_one_run_does_not_tell_has_not_changed(sample, turned: bool):
    """A setting, a package and a port's hash that one run lacks: told apart from what changed, no
    suspect, and no build that moved."""
    base = sample.report(("tf2", "torch"), ("fp64",))
    less = sample.rebuilt(base, "torch", effective={"threads": 2}, versions={}, port={})
    less = failing(sample, less, "torch")
    nights = [JudgedNight(base), JudgedNight(less)]
    before, after = reversed(nights) if turned else nights
    found = figures.diff(before, after)
    assert {"verdicts"} == {row.section for row in found.differences}
    assert () == found.suspects
    told = {(row.section, row.what) for row in found.unreported}
    assert {
        ("settings", "tf32"),
        ("versions", "framework"),
        ("versions", "numpy"),
        ("versions", "port of cnn"),
    } == told
    assert {True} == {(row.before is None) == turned for row in found.unreported}
    assert not Suspects(before, after).moved("cnn", "torch")


def test_a_workload_that_one_run_lacks_is_not_listed(sample):
    """It is said in a sentence already."""
    base = sample.report(("tf2", "torch"))
    more = sample.rebuilt(base, "torch", port={**PORTED, "linear": "x, sha256 0a"})
    assert [] == list(provenance.unreported(JudgedNight(more), JudgedNight(base)))
