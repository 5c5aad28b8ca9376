"""The metamorphic zoo: every entry can be planted and is what it says, a part of them is judged,
and the program counts as it claims.

`tox run -e metamorphic` runs the whole; this is the part that every change has to pass.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from harness.fidelity.evidence import TensorEntry
from harness.results.model import StageRow
from tests.evaluation.metamorphic import catalogue, tables
from tests.evaluation.metamorphic.census import (
    AT_STAGE,
    ENOUGH,
    Finding,
    apart,
    count,
    examine,
    finding,
)
from tests.evaluation.metamorphic.entry import KINDS, Entry, plant

EVERYTHING = catalogue.everything()
MUTANT = Entry(
    "ties",
    "some",
    "meta_ties",
    (('torch.abs(seen["value"])', "torch.zeros(())"),),
    "no slope at all",
    "gradients",
)
TWIN = dataclasses.replace(MUTANT, name="other", stage="")
#: Where every variation crosses something nothing measures rounding, and a fault may stay undecided
#: (docs/metamorphic.md).
OPEN = "meta_knots"
#: All that run on NumPy, which costs little; of the others the first mutant and the first twin of
#: each kind.
CHOSEN = [entry for entry in EVERYTHING if entry.build == "numpy"] + [
    next(
        entry
        for entry in EVERYTHING
        if (entry.kind, entry.honest, entry.build) == (kind, honest, "torch")
        and entry.workload != OPEN
    )
    for kind in KINDS
    for honest in (False, True)
    if kind != "seeds"
]


def test_there_are_enough_of_each_kind():
    """Three mutants and a twin at least of each, thirty mutants in all; each has a stage, a
    reason and changes something."""
    for kind in KINDS:
        own = [entry for entry in EVERYTHING if entry.kind == kind]
        assert sum(not entry.honest for entry in own) >= 3 and any(entry.honest for entry in own), (
            kind
        )
    mutants = [entry for entry in EVERYTHING if not entry.honest]
    assert len(mutants) >= ENOUGH and len(EVERYTHING) - len(mutants) >= ENOUGH
    assert [] == [entry.name for entry in mutants if len(entry.what) < 10 or not entry.changes]


@pytest.mark.parametrize("entry", EVERYTHING, ids=lambda entry: entry.name)
def test_every_entry_can_be_planted(entry, tmp_path):
    """What it replaces is there exactly once, and what comes of it is Python."""
    (path,) = (plant(entry, tmp_path) / entry.build).glob("*.py")
    compile(path.read_text(encoding="utf-8"), path, "exec")


@pytest.mark.parametrize("old", ["no such text", "seen"])
def test_a_text_that_is_not_there_once_is_refused(old, tmp_path):
    """When a port changes, its entries have to follow."""
    with pytest.raises(ValueError, match=r"entry some: .* times in meta_ties\.py, not once"):
        plant(dataclasses.replace(MUTANT, changes=((old, "x"),)), tmp_path)


@pytest.mark.parametrize("entry", CHOSEN, ids=lambda entry: entry.name)
def test_a_fault_fails_at_its_stage_and_a_twin_passes(laboratory, entry, tmp_path):
    """And the entry is what it says, found out without the judge."""
    (found,) = examine(laboratory, [entry], tmp_path)
    assert found.sound, f"the records part at {found.apart or 'no stage'}"
    assert found.right, found


def test_where_nothing_measures_rounding_a_fault_does_not_pass(laboratory, tmp_path):
    """It is left undecided at the stage that it is in, and what comes before passes."""
    wanted = next(entry for entry in EVERYTHING if entry.name == "minimum_of_one_in_mixed_rows")
    (found,) = examine(laboratory, [wanted], tmp_path)
    assert found.sound and found.stage == wanted.stage and found.verdict in ("INCONCLUSIVE", "FAIL")


def test_an_entry_that_is_not_what_it_says_is_called_flawed(laboratory, tmp_path):
    """A mutant that changes nothing, and a twin that does."""
    same = Entry("seeds", "same", "meta_noise", (), "nothing is changed", "forward", "numpy")
    other = Entry(
        "seeds",
        "other",
        "meta_noise",
        (("keep / 0.75", "keep / 0.5"),),
        "another scale",
        "",
        "numpy",
    )
    (first,), (second,) = (
        examine(laboratory, [same], tmp_path),
        examine(laboratory, [other], tmp_path),
    )
    assert ("", "PASS", False) == (first.apart, first.verdict, first.sound)
    assert ("forward", "FAIL", False) == (second.apart, second.verdict, second.sound)
    assert "FLAWED (parts at no stage)" in tables.plain(
        first
    ) and "FLAWED (parts at forward)" in tables.plain(second)


def test_a_side_that_does_not_run_has_no_verdict(laboratory, tmp_path):
    """And is counted as neither caught nor missed."""
    broken = Entry(
        "seeds",
        "broken",
        "meta_noise",
        (("keep / 0.75", "keep / nothing"),),
        "a name that is not there",
        "forward",
        "numpy",
    )
    (found,) = examine(laboratory, [broken], tmp_path)
    assert not found.right and found.verdict in ("ERROR", "INCONCLUSIVE")


@dataclasses.dataclass
class Side:
    """Recorded arrays by stage and name, `scale` being the size of their updates."""

    held: dict
    scale: float = 0.0

    def entries(self, stage):
        return [
            TensorEntry(
                stage, name, value.shape, value.dtype.name, self.scale, float(np.max(np.abs(value)))
            )
            for name, value in self.held.get(stage, {}).items()
        ]

    def read(self, stage, name):
        return self.held[stage][name]


@pytest.mark.parametrize(
    ("a", "b", "first"),
    [
        ({"forward": [1.0, 2.0]}, {"forward": [1.0, 2.0 + 2.0**-50]}, ""),
        ({"forward": [1.0, 2.0]}, {"forward": [1.0, 2.0 + 2.0**-30]}, "forward"),
        ({"trajectory": [1.0, 2.0]}, {"trajectory": [1.0, 2.0 + 2.0**-30]}, ""),
        ({"loss": [1.0], "forward": [1.0]}, {"loss": [2.0], "forward": [1.0]}, "loss"),
        ({"forward": [1.0 + 1.0j]}, {"forward": [1.0 - 1.0j]}, "forward"),
        ({"forward": [2**53]}, {"forward": [2**53 + 1]}, "forward"),
        ({"forward": [1]}, {"forward": [1.0]}, "forward"),
    ],
)
def test_where_two_records_part_is_found_without_the_judge(a, b, first):
    """Rounding is none, whole numbers are exact, imaginary parts count."""
    sides = (
        Side({stage: {"x": np.array(value)} for stage, value in held.items()}) for held in (a, b)
    )
    assert first == apart(*sides)


def test_a_small_update_is_measured_by_its_own_size():
    """What is rounding beside a weight is none beside its update."""
    sides = [
        Side({"update": {"w": np.array([1.0, 1.0 + change])}}, 2.0**-8)
        for change in (0.0, 2.0**-40)
    ]
    assert ("update", "") == (
        apart(*sides),
        apart(*(dataclasses.replace(side, scale=0.0) for side in sides)),
    )


def row(stage, verdict, worst=None):
    return StageRow("meta_ties", "tf2", "torch", "fp64", stage, verdict, "a reason", worst)


def test_a_finding_is_named_after_the_first_failure():
    """Also where something before it was left undecided; what is undecided is no FAIL."""
    rows = [
        row("weights", "PASS"),
        row("forward", "INCONCLUSIVE", "training/value"),
        row("gradients", "FAIL", "train/place"),
    ]
    found = finding(MUTANT, rows)
    assert ("FAIL", "gradients", "train/place", True) == (
        found.verdict,
        found.stage,
        found.place,
        found.right,
    )
    undecided = finding(MUTANT, rows[:2])
    assert ("INCONCLUSIVE", "forward", False) == (
        undecided.verdict,
        undecided.stage,
        undecided.right,
    )
    assert (
        finding(TWIN, rows[:1]).right
        and not finding(MUTANT, rows[:1]).right
        and not finding(TWIN, rows).right
    )


def findings(entry, **verdicts):
    """Return so many findings of one entry with each verdict; `elsewhere` is a FAIL at another
    stage."""
    return [
        Finding(
            entry,
            "FAIL" if verdict == "elsewhere" else verdict,
            "loss" if verdict == "elsewhere" else "gradients",
            "",
            (),
            "",
        )
        for verdict, number in verdicts.items()
        for _ in range(number)
    ]


@pytest.mark.parametrize(
    ("mutants", "twins", "good"),
    [
        ({"FAIL": 30}, {"PASS": 30}, True),
        ({"FAIL": 27, "elsewhere": 2, "INCONCLUSIVE": 1}, {"PASS": 29, "INCONCLUSIVE": 1}, True),
        ({"FAIL": 29}, {"PASS": 30}, False),
        ({"FAIL": 40, "PASS": 1}, {"PASS": 30}, False),
        ({"FAIL": 26, "elsewhere": 4}, {"PASS": 30}, False),
        ({"FAIL": 26, "INCONCLUSIVE": 4}, {"PASS": 30}, False),
        ({"FAIL": 30}, {"PASS": 29, "FAIL": 1}, False),
        ({"FAIL": 30}, {"PASS": 28, "INCONCLUSIVE": 2}, False),
        ({"FAIL": 30, "ERROR": 1}, {"PASS": 30}, False),
        ({"FAIL": 30}, {"PASS": 30, "NONE": 1}, False),
    ],
)
def test_the_program_counts_what_it_claims(mutants, twins, good):
    """No PASS of a mutant, nine of ten at their stage, no FAIL of a twin, one undecided at most,
    and nothing that did not run."""
    assert good is count(findings(MUTANT, **mutants) + findings(TWIN, **twins)).good(whole=True)


def test_a_part_need_not_be_large():
    """`--only` shows a part; its claims hold for it alone."""
    few = count(findings(MUTANT, FAIL=2))
    assert few.good(whole=False) and not few.good(whole=True) and 0.5 < AT_STAGE <= 1.0


def test_what_is_asked_for_by_name_kind_or_workload_is_found():
    """And what is not there is refused, with what there is."""
    assert {"ties"} == {entry.kind for entry in catalogue.chosen(["ties"])}
    assert ["negatives_shifted"] == [
        entry.name for entry in catalogue.chosen(["negatives_shifted"])
    ]
    assert len(EVERYTHING) == len(catalogue.chosen([])) and {"meta_loop"} == {
        entry.workload for entry in catalogue.chosen(["meta_loop"])
    }
    with pytest.raises(
        ValueError, match="no entry, kind or workload is named tise; kinds: order, ties"
    ):
        catalogue.chosen(["ties", "tise"])


def test_the_tables_say_what_was_not_as_expected():
    """A wrong verdict is set off, a right one is not."""
    right, late, missed = findings(MUTANT, FAIL=1, elsewhere=1, PASS=1)
    assert ["FAIL G", "**FAIL L**"] == [
        tables.found(right),
        tables.found(late),
    ] and "**PASS" in tables.found(missed)
    assert "| G | FAIL G |" in tables.entries([right]) and "no slope at all" in tables.entries(
        [right]
    )
    text = tables.summary(count([right, late, missed, *findings(TWIN, FAIL=1, ERROR=1)]))
    for part in (
        "Mutants: 3; PASS: 1",
        "first shows: 1, at another: 1",
        "FAIL: 1; INCONCLUSIVE: 0",
        "Did not run: 1",
    ):
        assert part in text


def test_the_page_names_every_entry():
    """Written by the program, not by hand: an entry that is not there was never shown."""
    text = tables.PAGE.read_text(encoding="utf-8")
    assert [] == [
        entry.name for entry in EVERYTHING if f"`{entry.workload}` {entry.name} |" not in text
    ]
