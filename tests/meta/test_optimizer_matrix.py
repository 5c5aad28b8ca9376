"""The optimizer matrix: combinations enough, mistakes that can be planted, one kind in real builds
with mistakes in seven of its combinations, and what is said of a report.

`tox run -e optimizers` runs the whole; this is the part that every change has to pass.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from backends.contract import Stage
from tests.evaluation import pages
from tests.evaluation.optimizers import __main__ as program
from tests.evaluation.optimizers import tables
from tests.evaluation.optimizers.catalogue import (
    ENTRIES,
    EXTRAS,
    LACKING,
    PAIRS,
    PLANTS,
    Entry,
    Plant,
)
from tests.evaluation.optimizers.pairs.recipes import combinations
from tests.evaluation.optimizers.trying import PORT, compared, findings, read

AT_LEAST = 60
ENTRY = Entry("sgd", ("tf2", "torch"))


def test_there_are_combinations_enough():
    """Of every kind, in every framework that has it, at least once beside another."""
    assert AT_LEAST <= sum(len(entry.combinations()) for entry in ENTRIES)
    for kind in combinations.KINDS:
        sides = {build for entry in ENTRIES if entry.kind == kind for build in entry.sides}
        assert sides == {build for build, lacking in LACKING.items() if kind not in lacking}
    assert len({entry.name for entry in ENTRIES}) == len(ENTRIES)


def test_there_is_a_mistake_in_every_formula():
    """Of each kind that torch has, and of each decay that is not the loss's, clipping, schedule."""
    spoilt = {plant.kind for plant in PLANTS if not plant.spoilt}
    assert spoilt == {*combinations.KINDS} - {*LACKING["torch"]}
    words = {word for recipe in combinations.RECIPES for word in recipe}
    for extra in itertools.chain(*EXTRAS.values()):
        words.update(extra.split("_"))
    assert words - {"none", "loss", "constant"} == {plant.spoilt for plant in PLANTS} - {""}


@pytest.mark.parametrize("plant", PLANTS, ids=lambda item: f"{item.kind}-{item.what}")
def test_every_mistake_can_be_planted(plant: Plant):
    (path,) = PAIRS.rglob(PORT)
    text = path.read_text(encoding="utf-8")
    assert text.count(plant.old) == 1 and plant.new != plant.old
    compile(text.replace(plant.old, plant.new), PORT, "exec")


def test_a_text_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="'no such text' stands 0 times"):
        compared(ENTRY, tmp_path, (), (Plant("sgd", "no such text", "", "some"),))


def test_mistakes_are_named_in_their_combinations_and_nowhere_else(tmp_path: Path):
    """A real comparison: thirteen nets, eleven of them with a mistake."""
    plants = [
        plant
        for plant in PLANTS
        if (plant.kind, plant.sides) == ("sgd", ENTRY.sides) and plant.spoilt
    ]
    said = compared(ENTRY, tmp_path, (), plants)
    every = findings(plants, said)
    assert all(item.right for item in every), [tables.plain_finding(item) for item in every]
    honest = [item for item in said.combined if not item.failed]
    assert ["sgd", "sgd_loss"] == [item.name for item in honest]
    assert all(item.near for item in honest)


def report(*rows: tuple[str, str, float, str], accepted: bool = False) -> dict[str, Any]:
    """A report of tensors: stage, name, error, verdict."""
    return {
        "stages": [
            {
                "stage": stage,
                "precision": "fp64",
                "accepted": accepted,
                "excuse": "momentum-rate, clip-norm-epsilon" if accepted else "",
                "compared": {"names": [name], "errors": [error], "verdicts": [verdict]},
            }
            for stage, name, error, verdict in rows
        ]
    }


LAST = "step 20/parameter/sgd_value/dense/kernel"


def test_what_a_report_says():
    """The first stage of each, the largest error at the end, and what is accepted."""
    rows = (
        ("update", "step 1/sgd_norm/parameter/sgd_norm/dense/bias", 0.5, "FAIL"),
        ("trajectory", "step 20/parameter/sgd_norm/dense/bias", 0.75, "FAIL"),
        ("trajectory", LAST, 1e-8, "PASS"),
        ("trajectory", "step 8/parameter/sgd_global/dense/kernel", 1e-8, "PASS"),
        ("trajectory", "step 20/generate", 1.0, "FAIL"),
    )
    said = read(ENTRY, report(*rows), 1.0)
    found = {item.name: item for item in said.combined}
    assert ("update", 0.75) == (found["sgd_norm"].failed, found["sgd_norm"].error)
    assert not found["sgd_value"].failed and not found["sgd_value"].near
    assert found["sgd_global"].near and 12 == said.agreeing and not said.right
    assert said.names == ("float32-constants",)
    assert "sgd_norm at update" in tables.plain(said)
    taken = read(ENTRY, report(rows[0], accepted=True), 1.0)
    assert taken.right and taken.names == ("clip-norm-epsilon", "momentum-rate")


@pytest.mark.parametrize(
    ("rows", "right"),
    [
        ([("update", "step 1/sgd_norm/x", 1.0, "FAIL")], True),
        ([("trajectory", "step 1/sgd_norm/x", 1.0, "FAIL")], False),
        ([], False),
        (
            [
                ("update", "step 1/sgd_norm/x", 1.0, "FAIL"),
                ("update", "step 1/sgd/x", 1.0, "FAIL"),
            ],
            False,
        ),
    ],
)
def test_a_mistake_is_right_at_its_stage_in_its_combinations_alone(rows: Any, right: bool):
    plant = Plant("sgd", "", "", "some", "norm")
    (found,) = findings([plant], read(ENTRY, report(*rows), 1.0))
    assert found.right == right and plant.stage == Stage.UPDATE
    assert ("as it has to be" in tables.plain_finding(found)) == right


@pytest.mark.parametrize("words", [["--only", "such"], ["--only", "sgd", "--write-docs"]])
def test_options_that_cannot_be(words: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        program.main(words)
    assert "such" in (err := capsys.readouterr().err) or "whole" in err


def test_the_page_has_every_kind():
    """As the program last wrote it."""
    text = pages.section(tables.PAGE, "MATRIX")
    assert [] == [kind for kind in combinations.KINDS if f"| `{kind}` |" not in text]
    planted = pages.section(tables.PAGE, "PLANTED")
    assert [] == [plant.what for plant in PLANTS if f"| {plant.what} |" not in planted]
