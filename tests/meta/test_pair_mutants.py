"""Mistakes in pairs of models: all can be planted, two are found in their places in a real
comparison, the honest pair passes, and the tables say what was not as expected.

`tox run -e pairs` runs the whole; this is the part that every change has to pass.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from tests.evaluation import pages
from tests.evaluation.pairs import __main__ as program
from tests.evaluation.pairs import catalogue, tables
from tests.evaluation.pairs.mutant import BASES, Mutant, bases, plant
from tests.evaluation.pairs.trying import Bench, Finding, Said, environment, examine

AT_LEAST, MOST_LINES = 30, 25
#: A base whose two builds are quick, and two mistakes: one in each side.
BASE, CHOSEN = "dynamic", ("norm_epsilon", "no_update_ops")
MUTANT = Mutant("dynamic", "some", "a mistake", (("import", "import"),), "forward", ("norm",))
CAUGHT = Finding(MUTANT, Said("FAIL", "forward", "training/norm", lasted_s=20.0), ("read back: x",))


def test_there_are_mistakes_enough_in_every_pair():
    """At least 30, none twice."""
    planted = catalogue.planted()
    assert AT_LEAST <= len(planted) == len({(item.base, item.name) for item in planted})
    assert {*bases()} == {item.base for item in planted}


@pytest.mark.parametrize("mutant", catalogue.planted(), ids=lambda item: f"{item.base}-{item.name}")
def test_every_mistake_can_be_planted(mutant: Mutant, tmp_path: Path):
    """What it replaces is there exactly once, and what comes of it is Python."""
    folder = tmp_path / mutant.base
    plant(mutant, folder)
    paths = sorted(folder.rglob("*.py"))
    changed = [
        path
        for path in paths
        if path.read_bytes() != (BASES / mutant.base / path.relative_to(folder)).read_bytes()
    ]
    assert [mutant.file] == [path.name for path in changed]
    for path in paths:
        compile(path.read_text(encoding="utf-8"), path, "exec")


@pytest.mark.parametrize("old", ["no such text", "self"])
def test_a_text_that_is_not_there_once_is_refused(old: str, tmp_path: Path):
    """When a pair changes, its mistakes have to follow."""
    with pytest.raises(ValueError, match=r"mutant some: .* times in port\.py, not once"):
        plant(dataclasses.replace(MUTANT, changes=((old, "x"),)), tmp_path / "dynamic")


@pytest.mark.parametrize("base", bases())
def test_a_pair_file_is_short(base: str):
    """At most 25 lines that say something."""
    assert tables.lines(base) <= MOST_LINES and tables.what(base)


def test_an_honest_pair_passes_and_two_mistakes_are_named(tmp_path: Path):
    """A TensorFlow 1 program and its port, in real builds. The second of the mistakes is in the
    original, whose record is not handed on."""
    lines: list[str] = []
    bench = Bench(tmp_path, environment(), (), lines.append)
    honest = bench.honest(BASE)
    assert ("PASS", "") == (honest.verdict, honest.stage), lines
    chosen = [item for item in catalogue.planted() if item.base == BASE and item.name in CHOSEN]
    made = list(examine(bench, chosen, honest))
    assert [True] * len(CHOSEN) == [item.named for item in made], made
    assert not any(item.passed for item in made)


def test_what_is_named_rightly():
    """The stage, the place, and of a trajectory the first bad step."""
    assert CAUGHT.named and not CAUGHT.passed
    for said in (
        Said("FAIL", "loss", "training/norm"),
        Said("FAIL", "forward", "training/dense"),
        Said("INCONCLUSIVE", "forward", "training/norm"),
        Said("PASS"),
        Said("error: no"),
    ):
        assert not dataclasses.replace(CAUGHT, said=said).named
    elsewhere = Finding(MUTANT, Said("FAIL", "forward", "training/dense"), ("read back: norm: ε",))
    assert elsewhere.named and not elsewhere.judged
    late = dataclasses.replace(MUTANT, stage="trajectory", places=(), step=5)
    said = Said("FAIL", "trajectory", "step 6/loss/total", step=5)
    assert Finding(late, said).named
    assert not Finding(late, dataclasses.replace(said, step=6)).named


def test_what_is_good():
    """Honest pairs pass, mistakes do not, 95 % of them are named."""
    passed, missed = Said("PASS"), dataclasses.replace(CAUGHT, said=Said("FAIL", "loss", "total"))
    assert tables.good([passed], [CAUGHT] * 19 + [missed])
    assert not tables.good([passed], [CAUGHT] * 18 + [missed])
    assert not tables.good([CAUGHT.said], [CAUGHT]) and not tables.good([passed], [])
    through = dataclasses.replace(CAUGHT, said=passed)
    assert not tables.good([passed], [CAUGHT] * 99 + [through])


def test_the_tables_say_what_was_not_as_expected():
    """A wrong name is set off, and counted."""
    missed = dataclasses.replace(CAUGHT, said=Said("FAIL", "loss", "total"))
    rows = tables.mutants([CAUGHT, missed])
    assert "| F `norm` | FAIL F | `training/norm` | yes | yes | 20 |" in rows
    assert "| FAIL L | `total` | **no** |" in rows
    said = tables.summary([CAUGHT, missed])
    assert "named at their stage and in their place: 1 (50.0 %), 1 of" in said
    shown = tables.honest(
        {("dynamic", "fp64"): Said("PASS", lasted_s=12.3), ("gan_step", "fp64"): missed.said}
    )
    assert "| fp64 | 12 | PASS |" in shown and "**FAIL** L `total`" in shown


@pytest.mark.parametrize("words", [["--only", "nothing"], ["--only", "depth", "--write-docs"]])
def test_words_that_cannot_be_used(words: list[str], capsys: pytest.CaptureFixture[str]):
    """Refused before anything runs."""
    with pytest.raises(SystemExit):
        program.main(words)
    assert "error:" in capsys.readouterr().err


def test_the_page_names_mistakes_of_the_catalogue():
    """Written by the program, not by hand: what is shown there can be planted, and is enough."""
    text = pages.section(tables.PAGE, "MUTANTS")
    shown = set(re.findall(r"^\| `(\w+)` \| .* \((\w+)\) \|", text, re.MULTILINE))
    assert shown <= {(item.base, item.name) for item in catalogue.planted()}
    assert AT_LEAST <= len(shown)
    assert [] == [base for base in bases() if f"| `{base}` |" not in text]
