"""Two models that somebody already has, as a stranger meets them: from the text of `docs/pairs.md`
alone, and from what `harness init` writes. Real builds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import tomllib

from tests.e2e.page_of_pairs import BRIEF, Example

REVIEWS = Example("An example", "reviews")
FORWARD = ("--no-speed", "--precision", "fp64", "--stages", "F", "--threads", 1)


@pytest.fixture
def reviews(harness) -> Path:
    """The example, its pair file as it stands in the text."""
    return REVIEWS.lay_out(harness.folder)


def test_the_text_shows_the_example_as_it_is():
    """The pair file whole, and of the models the lines that it speaks of."""
    assert [] == REVIEWS.misquoted()


def test_the_text_leads_to_all_three_mistakes(harness, reviews: Path):
    """The check names them before anything is compared; the proof names both wrong layers, each
    given the right input, and no other."""
    checked = harness.run("check", reviews)
    assert 0 == checked.code, checked.err
    rows = [line.split() for line in checked.out.splitlines()]
    for row in (
        ["norm", "epsilon", "0.001", "1e-05", "forward"],
        ["norm", "keep", "0.99", "0.9", "update"],
        ["dropout", "rate", "0.25", "0.2", "forward"],
        [
            *["optimizer", "adam", "learning", "rate", "at", "update", "1"],
            "0.001741101",
            "0.002",
            "update",
        ],
    ):
        assert row in rows, checked.out
    compared = harness.run("compare", reviews, *BRIEF)
    assert 1 == compared.code, compared.err
    stages = {row["stage"]: row for row in harness.report()["stages"]}
    assert "FAIL" == stages["forward"]["verdict"]
    assert "training/norm" == stages["forward"]["worst"]
    said = stages["forward"]["reason"]
    assert "wrong layers, each given the right input: norm, dropout (in training)" in said
    assert "PASS" == stages["weights"]["verdict"]


@pytest.mark.parametrize("sides", [("tf1", "torch"), ("tf2", "torch")])
def test_what_init_writes_is_the_same_model_twice(harness, sides: tuple[str, str]):
    """It runs as it is, with dropout and batch normalisation, and every stage is looked at; a rate
    that is another one in the port is found."""
    assert 0 == harness.run("init", "mine", "--sides", *sides).code
    path = harness.folder / "mine.py"
    compared = harness.run("compare", path, *BRIEF)
    assert 0 == compared.code, compared.out + compared.err
    report = harness.report()
    assert {"PASS"} == {row["verdict"] for row in report["stages"]}
    assert {"weights", "forward", "loss", "gradients", "update"} == {
        row["stage"] for row in report["stages"]
    }
    shutil.rmtree(harness.folder / "reports")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("nn.Dropout(0.25)", "nn.Dropout(0.5)"), encoding="utf-8")
    compared = harness.run("compare", path, *FORWARD)
    assert 1 == compared.code
    assert "dropout" in harness.report()["stages"][0]["worst"]


def test_a_map_is_written_read_and_corrected(harness):
    """What is taken away from it is not compared; a name that no side has is refused."""
    assert 0 == harness.run("init", "mine", "--sides", "tf1", "torch").code
    path = harness.folder / "mine.py"
    mapped = harness.run("map", path)
    assert 0 == mapped.code, mapped.err
    written = harness.folder / "mine.map.toml"
    content = tomllib.loads(written.read_text(encoding="utf-8"))
    assert {"name", "tf1", "torch", "decided"} == {*content["parameter"][0]}
    text = written.read_text(encoding="utf-8")
    own = f"torch = {json.dumps(content['parameter'][0]['torch'])}"
    assert own in text
    written.write_text(text.replace(own, 'torch = "nothing/kernel"', 1), encoding="utf-8")
    refused = harness.run("compare", path, *BRIEF)
    assert 2 == refused.code
    assert "has no parameter 'nothing/kernel'" in refused.err


def test_a_failure_of_the_users_names_file_and_line(harness):
    """So does one in a function of the pair file; nothing is a traceback."""
    assert 0 == harness.run("init", "mine", "--sides", "torch", "torch").code
    path = harness.folder / "mine.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("import torch\n", "import torch\n    raise KeyError('mine')\n", 1))
    line = 1 + path.read_text().splitlines().index("    raise KeyError('mine')")
    failed = harness.run("check", path)
    assert failed.code not in (0, 1)
    assert "Traceback" not in failed.err
    assert f"mine.py, line {line}, in `original`" in failed.err


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        ("0.125, momentum", "agrees: the gradients are to blame, and not the optimizer"),
        ("0.25, momentum", "departs all the same"),
    ],
)
def test_a_wrong_gradient_hides_no_wrong_optimizer(harness, rate: str, said: str):
    """The update is made once more, of the other side's gradients."""
    assert 0 == harness.run("init", "mine", "--sides", "torch", "torch").code
    path = harness.folder / "mine.py"
    head, port = path.read_text(encoding="utf-8").split("def port")
    port = port.replace("loss.backward()", "(2 * loss).backward()")
    path.write_text(f"{head}def port{port.replace('0.125, momentum', rate)}", encoding="utf-8")
    options = ("--no-speed", "--precision", "fp64", "--stages", "G", "U", "--threads", 1)
    assert 1 == harness.run("compare", path, *options).code
    report = harness.report()
    (row,) = (row for row in report["stages"] if row["stage"] == "update")
    assert f"given the gradients of torch, the first update of torch#2 {said}" in row["reason"]
    assert any(said in note for note in report["notes"])


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        ("0.25 if not optimizer.state else 0.125", "step 2/train agrees"),
        ("0.25", "step 2/train departs all the same, parameter/classes/bias first"),
    ],
)
def test_a_wrong_step_hides_no_later_one(harness, rate: str, said: str):
    """The second update begins once more, with the other side's state: a rate that is wrong at the
    first one alone, beside one that is wrong at each."""
    assert 0 == harness.run("init", "mine", "--sides", "torch", "torch").code
    path = harness.folder / "mine.py"
    head, port = path.read_text(encoding="utf-8").split("def port")
    rated = f'optimizer.param_groups[0]["lr"] = {rate}\n        optimizer.step()'
    port = port.replace("optimizer.step()", rated)
    path.write_text(f"{head}def port{port}", encoding="utf-8")
    options = ("--no-speed", "--precision", "fp64", "--stages", "G", "U", "--threads", 1)
    assert 1 == harness.run("compare", path, *options).code
    report = harness.report()
    stages = {row["stage"]: row for row in report["stages"]}
    assert "PASS" == stages["gradients"]["verdict"]
    assert f"begun with the state of torch, {said}" in stages["update"]["reason"]
    assert any(said in note for note in report["notes"])


@pytest.mark.parametrize("name", ["", ".", "/", "a b", "1st", "mine.txt"])
def test_a_pair_file_has_the_name_of_a_module(harness, name: str):
    """It is imported; nothing is written under another name."""
    refused = harness.run("init", name)
    assert 2 == refused.code
    assert "the name of a pair file is a word" in refused.err
    assert "hide the module keras" in harness.run("init", "keras").err
    assert [] == [path.name for path in harness.folder.glob("*.py")]


@pytest.mark.parametrize(
    ("option", "value"),
    [("--backends", "tf2"), ("--workloads", "linear"), ("--ports", "."), ("--data", "daphnet")],
)
def test_what_the_pair_file_says_is_no_option(harness, option: str, value: str):
    """Nothing that was typed is passed over in silence, the defaults neither."""
    assert 0 == harness.run("init", "mine").code
    values = [value, "torch"] if option == "--backends" else [value]
    refused = harness.run("compare", "mine.py", option, *values)
    assert 2 == refused.code
    assert f"{option}: mine.py" in refused.err


def test_a_stage_that_pairs_have_not_is_refused(harness):
    """In a sentence that ends."""
    assert 0 == harness.run("init", "mine").code
    refused = harness.run("compare", "mine.py", "--stages", "D")
    assert 2 == refused.code
    assert "mine has no such stage. Drop it." in refused.err
