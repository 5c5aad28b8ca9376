"""Pairs of libraries: everything said of them has a name, mistakes can be planted, one pair of two
releases is judged in real builds, and the tables say what is not as expected.

`tox run -e wild` runs the whole; this is the part that every change has to pass.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from backends.contract import Stage
from harness.environments import own_builds
from harness.plan import LOCKSTEP_STAGES
from tests.evaluation import pages
from tests.evaluation.wild import __main__ as program
from tests.evaluation.wild import tables
from tests.evaluation.wild.catalogue import ENTRIES, PLANTS, chosen
from tests.evaluation.wild.differences import DIFFERENCES
from tests.evaluation.wild.entry import BEFORE, PAIRS, Entry, plant
from tests.evaluation.wild.trying import Said, compared, keep, kept, placed

HONEST_AT_LEAST, PLANTED_AT_LEAST, MOST_LINES = 20, 20, 60
EVERY = (*ENTRIES, *PLANTS)
LOOKED = tuple(stage.value for stage in LOCKSTEP_STAGES)
EPSILON = ("bn-epsilon",)
HONEST = Entry("some", "bert", shows=(*EPSILON, "bn-momentum"))
MISTAKE = plant(HONEST, "wrong", "a mistake", stage=Stage.UPDATE, places=("norm", "bias"))
PASSED = Said(HONEST, "PASS", looked=LOOKED, lasted_s=60.0, versions={"timm": "1.0.31"})
NAMED = Said(MISTAKE, "FAIL", "update", "step 1/norm/gamma", 1e-3, LOOKED, lasted_s=60.0)


def test_there_are_pairs_and_mistakes_enough():
    """None twice; what a mistake is planted in has to pass."""
    assert len(ENTRIES) >= HONEST_AT_LEAST and len(PLANTS) >= PLANTED_AT_LEAST
    assert len(EVERY) == len({entry.name for entry in EVERY})
    assert all(entry.planted and entry.stage for entry in PLANTS)
    passing = [entry.name for entry in ENTRIES if entry.verdict == "PASS"]
    for entry in PLANTS:
        assert any(entry.name.startswith(f"{name}-") for name in passing), entry.name


def test_every_difference_has_a_name_and_is_found():
    """A pair that departs says by what; of every name some pair departs, or is without it."""
    told = {name for entry in ENTRIES for name in (*entry.shows, *entry.accepts)}
    assert {*DIFFERENCES} == told
    assert all(item.what and item.source and item.between for item in DIFFERENCES.values())
    for entry in ENTRIES:
        assert entry.verdict == "PASS" or entry.shows or entry.reason, entry.name


@pytest.mark.parametrize("name", DIFFERENCES)
def test_every_difference_has_its_size_and_its_proof(name: str):
    """Somewhere it shows first, and somewhere all is well without it."""
    assert any(entry.shows[:1] == (name,) for entry in ENTRIES)
    assert any(name in entry.accepts and entry.verdict == "PASS" for entry in ENTRIES)


def test_a_brief_variant_is_looked_at_as_far_as_it_departs():
    """All others to the end."""
    assert HONEST.stages == LOCKSTEP_STAGES
    brief = dataclasses.replace(HONEST, verdict="FAIL", stage=Stage.LOSS, brief=True)
    assert brief.stages == (Stage.WEIGHTS, Stage.FORWARD, Stage.LOSS)
    assert dataclasses.replace(brief, brief=False).stages == LOCKSTEP_STAGES
    for entry in ENTRIES:
        assert not entry.brief or (entry.verdict == "FAIL" and entry.stage), entry.name


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.name)
def test_every_pair_can_be_written(entry: Entry, tmp_path: Path):
    """Each change is of a text that is there and gives Python; the builds are known."""
    path = placed(entry, tmp_path / "now")
    text = path.read_text(encoding="utf-8")
    compile(text, path, "exec")
    assert bool(entry.change) == (text != entry.path.read_text(encoding="utf-8"))
    assert entry.lines <= MOST_LINES and entry.title
    older = placed(entry, tmp_path / "before", before=True).read_text(encoding="utf-8")
    assert entry.has_releases_before <= (older != text)


def test_a_text_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match=r"some-wrong: 'no such text' is not in bert\.py"):
        plant(HONEST, "wrong", "", ("no such text", "x")).text()


def test_the_release_before_is_another_one():
    """Each build has a fellow that differs in what is pinned."""
    builds = own_builds.read([PAIRS])
    for build, older in BEFORE.items():
        assert older in builds
        if build in builds:
            assert builds[build].build == builds[older].build
            assert builds[build].requirements != builds[older].requirements


def test_two_releases_in_real_builds(tmp_path: Path):
    """Keras 2 and Keras 3: the statistics of batch norms alone depart, in float32."""
    (honest,) = chosen(["keras"])
    said = compared(dataclasses.replace(honest, also=("--steps", "2")), tmp_path, ())
    assert said.right and "moving" in said.place, said
    assert {"keras", "tensorflow"} <= {*said.versions}


def test_what_is_right():
    """Verdict, stage and place, and every stage looked at."""
    assert PASSED.right and NAMED.right
    assert not dataclasses.replace(PASSED, looked=LOOKED[:-1]).right
    assert not dataclasses.replace(NAMED, place="step 1/dense/kernel").right
    assert not dataclasses.replace(NAMED, stage="forward").right
    assert not dataclasses.replace(NAMED, verdict="PASS", stage="").right


def test_the_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Differences with sizes, mistakes that are not found as they have to be, and the counts."""
    departing = dataclasses.replace(
        PASSED, verdict="FAIL", stage="forward", place="training/bn", error=3e-6
    )
    missed = dataclasses.replace(NAMED, place="step 1/dense/kernel")
    without = dataclasses.replace(HONEST, name="less", shows=("bn-momentum",), accepts=EPSILON)
    next_one = dataclasses.replace(departing, entry=without, stage="update", error=9e-1)
    page = tmp_path / "wild.md"
    sections = ("SUMMARY", "PAIRS", "DIFFERENCES", "PLANTS", "RELEASES")
    page.write_text("".join(f"<!-- {name} -->\n<!-- /{name} -->\n" for name in sections))
    monkeypatch.setattr(tables, "PAGE", page)
    monkeypatch.setattr(tables, "FOUND", tmp_path / "found.json")
    tables.write([departing, NAMED, missed, next_one])
    assert "2 depart by a difference" in pages.section(page, "SUMMARY")
    assert "2 planted mistakes: 1 named" in pages.section(page, "SUMMARY")
    assert "| `some` | 3e-06 (F) |" in pages.section(page, "DIFFERENCES")
    # The second of two that are in one pair has its size where it is the first; what departs by it
    # is no proof of anything.
    assert "| `some`, `less` | 9e-01 (U) | - |" in pages.section(page, "DIFFERENCES")
    assert "| `some` | 3e-06 (F) | - |" in pages.section(page, "DIFFERENCES")
    tables.write([departing, dataclasses.replace(next_one, verdict="PASS", error=None)])
    assert "| `some` | 3e-06 (F) | `less` |" in pages.section(page, "DIFFERENCES")
    tables.write([departing, NAMED, missed])
    assert 1 == pages.section(page, "PLANTS").count("not as it has to be")
    assert {"some"} == {*tables.kept()}


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ({}, tables.NOTHING),
        ({"error": 2e-6}, tables.NOTHING),
        ({"error": 3e-9}, "the error was 3e-09 and is 3e-06"),
        ({"place": "training/dense"}, "was **FAIL** F `training/dense`, is FAIL F `training/bn`"),
        ({"verdict": "PASS", "stage": "", "place": ""}, "was PASS, is FAIL F `training/bn`"),
    ],
)
def test_what_a_release_has_brought(before: dict[str, object], said: str):
    now = {"verdict": "FAIL", "stage": "forward", "place": "training/bn", "error": 3e-6}
    versions = {"timm": "1.0.30"}
    departing = dataclasses.replace(PASSED, **now, versions=versions)  # type: ignore[arg-type]
    older = dataclasses.replace(departing, **before)  # type: ignore[arg-type]
    held = {**now, "versions": {"timm": "1.0.31"}}
    assert said == tables.new_since(older, held)
    assert "timm 1.0.30 → 1.0.31" in tables.releases([older], {"some": held})


def test_results_are_kept_and_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """What stands in the file is not compared again; a wrong answer ends with status 1."""
    first = ENTRIES[0]
    results = tmp_path / "results.jsonl"
    keep(results, Said(first, "PASS", looked=LOOKED))
    assert json.loads(results.read_text())["entry"] == first.name == next(iter(kept(results)))
    assert 1 == program.main(["--only", first.name, "--results", str(results)])
    assert f"EXPECTED {first.verdict}" in capsys.readouterr().out
