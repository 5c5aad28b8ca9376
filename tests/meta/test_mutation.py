"""The mutation run: what it changes, what it explains, keeps and shows, and that each of its
refusals can happen."""

from __future__ import annotations

import dataclasses

import pytest

from tests.evaluation.mutation import __main__ as program
from tests.evaluation.mutation import alive, ledger, table, unreached
from tests.evaluation.mutation.census import (
    CIRCUMSTANCES,
    EQUIVALENT,
    ERROR,
    KILLED,
    SURVIVED,
    UNREACHED,
    Finding,
    files,
)
from tests.evaluation.mutation.explained import Equivalent, Explanations, Unreached
from tests.evaluation.mutation.ledger import Ledger
from tests.evaluation.mutation.operators import mutations
from tests.evaluation.mutation.reach import probed, reached
from tests.evaluation.mutation.source import Source
from tests.evaluation.mutation.trial import Outcome
from tests.evaluation.zoo.mutant import SHIPPED

#: A little of everything that is changed, and of everything that is left alone.
TEXT = '''"""Adds 1 - 2."""

from __future__ import annotations


def scaled(x: list[1 + 2], keep, factor=2.0, dim=-1):
    """Divides by 3 / 4."""
    if len(x) < 1:
        raise ValueError("1 + 1")
    x += functional.relu(x.sum(dim=1), keep)[1:]
    found = torch.zeros(3, dtype=x.dtype, device=x.device) if keep is None else -x.square() / 0.5
    name = "%d é" % 7 + "!"
    observed_dtypes = "1" + "2"
    self.observed_dtypes[2] = 3 * 4
    return found.permute(0, 2, 1), name
'''


def _shipped(port):
    """Return the explanations of a port's mutants without running anything."""
    modules = [Source(file, (SHIPPED / file).read_text(encoding="utf-8")) for file in files(port)]
    found = [mutation for module in modules for mutation in mutations(module)]
    return Explanations(
        {module.name: module.text for module in modules}, found, alive.ALIVE, unreached.UNREACHED
    )


def test_what_is_changed_and_what_is_left_alone():
    """Every operator finds its place; docstrings, annotations, guards, text, labels and devices
    are not touched."""
    found = [(item.operator, item.was, item.becomes) for item in mutations(Source("a.py", TEXT))]
    assert sorted(
        [
            ("constant", "2.0", "3.0"),
            ("constant", "2.0", "4.0"),
            ("constant", "2.0", "0.0"),
            ("sign", "-1", "1"),
            ("constant", "1", "2"),
            ("constant", "1", "0"),
            ("statement", "x += functional.relu(x.sum(dim=1), keep)[1:]", "pass"),
            ("arithmetic", "+", "-"),
            ("function", "relu", "sigmoid"),
            ("function", "relu", "tanh"),
            ("reduction", "sum", "mean"),
            ("argument", "dim=1", ""),
            ("axis", "1", "2"),
            ("axis", "1", "0"),
            ("slice", "1", "2"),
            ("slice", "1", "0"),
            ("function", "zeros", "ones"),
            ("constant", "3", "4"),
            ("constant", "3", "6"),
            ("constant", "3", "0"),
            ("argument", ", dtype=x.dtype", ""),
            ("condition", "is", "is not"),
            ("sign", "-x.square()", "x.square()"),
            ("reduction", "square", "abs"),
            ("arithmetic", "/", "*"),
            ("constant", "0.5", "1.5"),
            ("constant", "0.5", "1.0"),
            ("constant", "0.5", "0.0"),
            ("constant", "7", "8"),
            ("constant", "7", "14"),
            ("constant", "7", "0"),
            ("axis", "0, 2", "2, 0"),
            ("axis", "2, 1", "1, 2"),
            # The arguments of relu: one has no type, the other is annotated with another one than a
            # tensor's.
        ]
    ) == sorted(found)


@pytest.mark.parametrize("port", CIRCUMSTANCES)
def test_every_mutant_of_the_ports_is_a_python_module_of_its_own(port):
    """No two mutants are the same text, none is the port itself, and all compile."""
    for file in files(port):
        module = Source(file, (SHIPPED / file).read_text(encoding="utf-8"))
        texts = [item.applied(module.text) for item in mutations(module)]
        assert len(texts) == len({*texts, module.text}) - 1
        for text in texts:
            compile(text, file, "exec")


def test_probes_tell_the_branch_that_runs(tmp_path):
    """Of a line with two branches the one that is evaluated is reached, the other is not;
    nothing else changes."""
    text = (
        '"""Doc."""\n\nfrom __future__ import annotations\n\n\ndef f(x: int):\n    x += 2\n   '
        " return x * 3 if x > 4 else x / 5\n"
    )
    module = Source("f.py", text)
    found = mutations(module)
    space = {}
    exec(compile(probed(module, found, tmp_path / "noted"), "f.py", "exec"), space)
    assert frozenset() == reached(found, tmp_path / "noted")
    assert 2.0 == space["f"](8) / 15
    there = {item.was for item in reached(found, tmp_path / "noted")}
    assert {"x += 2", "+", "2", "*", "3", ">", "4"} == there
    assert {"/", "5"} == {item.was for item in found} - there


def test_a_trial_is_held_once(tmp_path):
    """An outcome is found again by another run; a time limit, or a line that was not finished,
    is not an outcome."""
    killed, late = (
        Outcome("killed", "linear fp64", "loss", "train/l2", float("inf"), "departs"),
        Outcome("error", stage="timeout"),
    )
    first = Ledger(tmp_path)
    assert [killed, late] == [first.outcome("a", lambda: killed), first.outcome("b", lambda: late)]
    with first.path.open("a") as file:
        file.write('{"digest": "c", "kind": "surv')
    second = Ledger(tmp_path)
    assert killed == second.outcome("a", lambda: pytest.fail("tried again"))
    assert [late, killed] == [
        second.outcome("b", lambda: late),
        second.outcome("c", lambda: killed),
    ]
    assert {"a": killed, "c": killed} == Ledger(tmp_path).outcomes


def test_another_judge_makes_another_outcome(monkeypatch):
    """The text of the judge is part of the key."""
    before = ledger.digest("a.py", "text")
    ledger._judge.cache_clear()
    monkeypatch.setattr(ledger, "JUDGE", ledger.JUDGE[1:])
    assert before != ledger.digest("a.py", "text") != ledger.digest("a.py", "other text")
    ledger._judge.cache_clear()


@pytest.mark.parametrize("port", CIRCUMSTANCES)
def test_shipped_explanations_name_a_mutation(port):
    """What is said of the ports' mutants still fits their text, and every file named is one of a
    port's."""
    explanations = _shipped(port)
    assert [] == dataclasses.replace(explanations, unreached=()).stale((), ())
    assert [] == dataclasses.replace(explanations, equivalent=()).stale(explanations.mutations, ())
    named = {item.file for item in (*alive.ALIVE, *unreached.UNREACHED)}
    assert named <= {file for other in CIRCUMSTANCES for file in files(other)}


@pytest.mark.parametrize(
    ("equivalents", "pieces", "message"),
    [
        ([("mse + l2", "mse - l2")], [], "is killed"),
        ([("mse + l2", "mse / l2")], [], "no mutation turns"),
        ([("arrays", "l2")], [], "times, not once"),
        ([('(prediction, arrays["y"])', '(arrays["y"], prediction)')], [], "never does"),
        ([], ["0.5 * self"], "no mutation in it was missed"),
        ([], ["nowhere"], "0 times, not once"),
    ],
)
def test_a_stale_explanation_is_refused(equivalents, pieces, message):
    """Text that has gone, a change that nobody makes, a mutant that is killed or never runs,
    code that does run."""
    shipped = _shipped("linear")
    explanations = dataclasses.replace(
        shipped,
        equivalent=(Equivalent("linear.py", "a test", tuple(equivalents)),),
        unreached=(Unreached("linear.py", "a test", tuple(pieces)),),
    )
    killed = [
        item for item in shipped.mutations if "mse - l2" in item.applied(shipped.texts["linear.py"])
    ]
    missed = [item for item in shipped.mutations if item.operator == "argument"]
    (fault,) = explanations.stale(missed, killed)
    assert message in fault


def test_the_share_counts_what_runs_and_is_not_equivalent():
    """A survivor lowers the share of killed mutants, and more so that of those that give
    numbers; the rest is listed apart."""
    mutation, *_ = mutations(Source("a.py", TEXT))
    kinds = [KILLED, KILLED, ERROR, SURVIVED, EQUIVALENT, UNREACHED]
    found = [
        Finding(mutation, kind, Outcome(kind, "linear fp64", "loss" if kind == KILLED else ""))
        for kind in kinds
    ]
    tally = table.Tally("all", tuple(found))
    assert (3 / 4, 2 / 3) == (tally.share, tally.share_of_verdicts)
    assert [
        "all",
        "6",
        "0",
        "0",
        "2",
        "0",
        "0",
        "0",
        "0",
        "1",
        "1",
        "1",
        "1",
        "75.0 %",
    ] == tally.row()
    page = table.markdown(found, {"a.py": TEXT})
    assert (
        "### Survived\n\n**a.py**, in `scaled`: every stage passed. (1)\n\n```diff\n- def scaled("
        in page
    )


def test_the_page_is_written_between_its_markers(tmp_path):
    """What stands around the markers stays; a page without them is refused."""
    page = tmp_path / "page.md"
    page.write_text("before\n{}\nold\n{}\nafter\n".format(*program.MARKERS))
    program.write_docs(page, "new\n")
    assert "before\n{}\n\nnew\n\n{}\nafter\n".format(*program.MARKERS) == page.read_text()
    page.write_text("nothing")
    with pytest.raises(ValueError, match="unpack"):
        program.write_docs(page, "new\n")
    assert all(marker in program.DOCS.read_text() for marker in program.MARKERS)
