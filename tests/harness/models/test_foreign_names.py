"""What a file of names may say, and that it fits a checkpoint: no variable is missing,
misshapen, used twice or left behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UsageError
from harness.execution.verbs import Variable
from harness.models import foreign_names, foreign_variables
from harness.workloads.ehr_mgan import CONDITIONAL, WORKLOAD
from harness.workloads.linear import WORKLOAD as LINEAR
from harness.workloads.spec import ModelSpec, Optimizer, Parameter, Update

#: Names and shapes in checkpoints that the original's own program (jli0117/ehrMGAN at 62af0d7)
#: wrote on TensorFlow 1.15.5, with the sizes of `tiny`.
ORIGINAL = json.loads(
    (Path(__file__).parents[2] / "data/ehr_mgan_original_variables.json").read_text(
        encoding="utf-8"
    )
)
ADAM = Optimizer("adam", 0.5)
SPEC = ModelSpec(
    workload="made up",
    parameters=(Parameter("a/W", (3, 4)), Parameter("b", (2,))),
    optimizers={"one": ADAM, "two/of b": ADAM, "plain": Optimizer("sgd", 0.5)},
    updates=(
        Update("first", "one", ("a/W", "b")),
        Update("again", "one", ("b",)),
        Update("second", "two/of b", ("b",)),
    ),
)
DOCUMENT: dict[str, Any] = {
    "kind": "naming",
    "schema": 1,
    "weights": {"a/W": ["left", "right"], "b": "own/b"},
    "optimizers": ["one", "two/of b"],
    "step": 3,
}
#: As TF1 numbers them: both optimizers update `own/b`.
SHAPES = {
    "left": [3, 1],
    "left/Adam": [3, 1],
    "left/Adam_1": [3, 1],
    "right": [3, 3],
    "right/Adam": [3, 3],
    "right/Adam_1": [3, 3],
    "own/b": [2],
    "own/b/Adam": [2],
    "own/b/Adam_1": [2],
    "own/b/Adam_2": [2],
    "own/b/Adam_3": [2],
    "beta1_power": [],
    "beta2_power": [],
    "beta1_power_1": [],
    "beta2_power_1": [],
}


def held(shapes: dict[str, list[int]], **dtypes: str) -> dict[str, Variable]:
    """What a checkpoint holds; float32 unless said otherwise."""
    return {
        name: Variable(tuple(shape), dtypes.get(name, "float32")) for name, shape in shapes.items()
    }


def resolve(document: dict[str, Any], variables: dict[str, Variable]) -> dict[str, Any]:
    return foreign_variables.resolve(
        foreign_names.parse(document, "--names file", SPEC), SPEC, variables, "fp32"
    )


def refusal(document: dict[str, Any], variables: dict[str, Variable]) -> str:
    """What is said of a naming that does not fit: one line, with the way to all variables."""
    with pytest.raises(UsageError) as caught:
        resolve(document, variables)
    said = str(caught.value)
    assert said.startswith("--names file: ") and "--print-names" in said
    assert "\n" not in said and len(said) <= 300
    return said


def test_every_weight_slot_and_power_gets_its_variables():
    """In the order in which TF1 numbers them, pieces in the order given."""
    assert {
        "weights": {"a/W": ["left", "right"], "b": ["own/b"]},
        "slots": {
            "one/a/W/m": ["left/Adam", "right/Adam"],
            "one/a/W/v": ["left/Adam_1", "right/Adam_1"],
            "one/b/m": ["own/b/Adam"],
            "one/b/v": ["own/b/Adam_1"],
            "two/of b/b/m": ["own/b/Adam_2"],
            "two/of b/b/v": ["own/b/Adam_3"],
        },
        "powers": {
            "one": ["beta1_power", "beta2_power"],
            "two/of b": ["beta1_power_1", "beta2_power_1"],
        },
        "step": 3,
    } == resolve(DOCUMENT, held(SHAPES))


def test_the_order_of_the_optimizers_decides_the_numbers():
    """And an optimizer with a name and a scope of its own counts by itself."""
    first = resolve({**DOCUMENT, "optimizers": ["two/of b", "one"]}, held(SHAPES))["slots"]
    assert (["own/b/Adam_2"], ["own/b/Adam"]) == (first["one/b/m"], first["two/of b/b/m"])
    shapes = {
        name: shape
        for name, shape in SHAPES.items()
        if name[-2:] not in {"_2", "_3"} and "power" not in name
    }
    shapes |= {
        "own/b/Own": [2],
        "own/b/Own_1": [2],
        "x/p1": [],
        "x/p2": [],
        "beta1_power": [],
        "beta2_power": [],
    }
    own = {"optimizer": "two/of b", "slots": "Own", "powers": ["x/p1", "x/p2"]}
    second = resolve({**DOCUMENT, "optimizers": [own, "one"]}, held(shapes))
    assert (["own/b/Own"], ["own/b/Adam"]) == (
        second["slots"]["two/of b/b/m"],
        second["slots"]["one/b/m"],
    )
    assert {"two/of b": ["x/p1", "x/p2"], "one": ["beta1_power", "beta2_power"]} == second["powers"]


@pytest.mark.parametrize("workload", [WORKLOAD, CONDITIONAL], ids=lambda workload: workload.name)
def test_the_originals_names_fit_what_its_own_program_wrote(workload):
    """All 500 variables (536 with classes) have a place, each one, in its shape."""
    config, spec = workload.config("tiny"), workload.model_spec("tiny")
    shapes = ORIGINAL[workload.name]
    named = foreign_names.parse(workload.namings(config)["original"], "original", spec)
    found = foreign_variables.resolve(named, spec, held(shapes), "fp32")
    used = [
        part
        for kind in ("weights", "slots", "powers")
        for parts in found[kind].values()
        for part in parts
    ]
    assert sorted(shapes) == sorted(used)
    wanted = {
        f"{update['optimizer']}/{name}/{slot}"
        for update in config["updates"]
        for name in update["parameters"]
        for slot in "mv"
    }
    assert wanted == set(found["slots"])


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("right", "there is no right"),
        ("own/b/Adam_2", "there is no own/b/Adam_2 (nearest: own/b/Adam"),
        (
            "beta1_power_1",
            "there is no beta1_power_1 (nearest: beta2_power_1, beta1_power, beta2_power)",
        ),
    ],
)
def test_a_variable_that_is_missing_is_named_with_the_nearest(gone, said):
    """Weights, slots and powers alike."""
    assert said in refusal(
        DOCUMENT, held({name: shape for name, shape in SHAPES.items() if name != gone})
    )


@pytest.mark.parametrize(
    ("weights", "changed", "said"),
    [
        ({"a/W": ["left", "left"]}, {}, "left is named 2 times"),
        ({"b": "left"}, {}, "left is named 2 times, for a/W, b (the first of 2"),
        (
            {"b": "left"},
            {"left2": [2]},
            "left is named 2 times, for a/W, b (named nowhere, and like it: left2)",
        ),
        ({}, {"left": [3, 2]}, "left [3, 2] + right [3, 3] makes no a/W [3, 4]"),
        ({}, {"left": [4, 1]}, "left [4, 1] + right [3, 3] makes no a/W [3, 4]"),
        ({}, {"own/b": []}, "own/b [] makes no b [2]"),
        ({}, {"own/b/Adam_3": [3]}, "own/b/Adam_3 [3] makes no two/of b/b/v [2]"),
        ({}, {"beta2_power": [1]}, "beta2_power has the shape [1]; it must be a single number"),
        (
            {},
            {"more": [7]},
            "more would be left behind; name what it is, or put it under 'ignored'",
        ),
    ],
)
def test_what_does_not_fit_is_named(weights, changed, said):
    """With the shapes on both sides; what follows from it is not."""
    document = {**DOCUMENT, "weights": {**DOCUMENT["weights"], **weights}}
    message = refusal(document, held({**SHAPES, **changed}))
    assert said in message and "left/Adam" not in message


def test_what_is_ignored_may_be_left_behind():
    """By its full name."""
    assert resolve({**DOCUMENT, "ignored": ["more"]}, held({**SHAPES, "more": [7]}))
    assert "other would be left behind" in refusal(
        {**DOCUMENT, "ignored": ["more"]}, held({**SHAPES, "more": [7], "other": []})
    )


def test_another_precision_and_a_step_that_is_not_there():
    """The weights' dtype is the precision's."""
    assert "own/b is float64, b must be float32: give --precision" in refusal(
        DOCUMENT, held(SHAPES, **{"own/b": "float64"})
    )
    assert "there is no global_step" in refusal({**DOCUMENT, "step": "global_step"}, held(SHAPES))
    assert "global_step has the shape [2]" in refusal(
        {**DOCUMENT, "step": "global_step"}, held({**SHAPES, "global_step": [2]})
    )


def test_optimizers_that_are_left_out_have_no_variables():
    """Then their slots are left behind, unless they are ignored or not there."""
    document = {name: value for name, value in DOCUMENT.items() if name != "optimizers"}
    assert "beta1_power, beta1_power_1" in refusal(document, held(SHAPES))
    weights = {
        name: shape for name, shape in SHAPES.items() if "Adam" not in name and "power" not in name
    }
    assert ({}, {}) == tuple(resolve(document, held(weights))[kind] for kind in ("slots", "powers"))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"kind": "names"}, 'it must be an object with "kind": "naming" and "schema": 1'),
        ({"schema": 2}, "it must be an object"),
        ({"weihgts": {}}, "unknown key 'weihgts'; known: ignored, kind, optimizers"),
        ({"weights": ["a"]}, "'weights' must be an object"),
        (
            {"weights": {"a/W": 3, "b": "x"}},
            "'weights' of a/W must be the name of a variable, or a list of names",
        ),
        ({"weights": {"a/W": [], "b": "x"}}, "'weights' of a/W"),
        ({"weights": {"a/W": ["x", 1], "b": "x"}}, "'weights' of a/W"),
        (
            {"weights": {"a/w": "x", "a/W": "y", "b": "z"}},
            "made up has no parameter a/w; did you mean a/W?",
        ),
        ({"weights": {"b": "z"}}, "'weights' lacks a/W"),
        ({"step": -1}, "'step' must be the name of a variable or a number of steps, not -1"),
        ({"step": True}, "'step' must be"),
        ({"step": 1.5}, "'step' must be"),
        ({"ignored": "x"}, "'ignored' must be a list"),
        ({"optimizers": "one"}, "'optimizers' must be a list"),
        ({"optimizers": ["three"]}, "made up has no Adam named 'three'; it has one, two/of b"),
        ({"optimizers": ["plain"]}, "no Adam named 'plain'"),
        ({"optimizers": ["one", "one"]}, "optimizer one stands there 2 times"),
        ({"optimizers": [{"slots": "x"}]}, "an optimizer must be a name, or an object"),
        ({"optimizers": [{"optimizer": "one", "slots": 3}]}, "'slots' of one must be"),
        (
            {"optimizers": [{"optimizer": "one", "powers": ["x"]}]},
            "'powers' of one must be two variables",
        ),
    ],
)
def test_what_a_file_may_not_say(changed, said):
    """Each by its key, with what is allowed."""
    with pytest.raises(UsageError) as caught:
        foreign_names.parse({**DOCUMENT, **changed}, "--names file", SPEC)
    assert said in str(caught.value) and 2 == caught.value.exit_code


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not JSON"),
        ("[" * 10**5, "not JSON"),
        ("\udcff", "cannot be read"),
        ("[]", "it must be an object"),
        ('{"weights": {"b": "x", "b": "y"}}', "it has the name 'b' twice"),
    ],
)
def test_a_file_that_is_no_naming_is_refused(tmp_path, content, said):
    """JSON keeps the last of two names that are the same; here it is an error."""
    path = tmp_path / "names.json"
    path.write_text(content, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(UsageError, match=said) as caught:
        foreign_names.read(path, SPEC)
    assert f"--names {path}" in str(caught.value)


def test_a_file_that_is_not_there_or_too_large_is_refused(tmp_path, monkeypatch):
    """And one that can be read is."""
    with pytest.raises(UsageError, match=r"cannot be read \(No such file"):
        foreign_names.read(tmp_path / "names.json", SPEC)
    (tmp_path / "names.json").write_text(json.dumps(DOCUMENT), encoding="utf-8")
    assert ("left", "right") == foreign_names.read(tmp_path / "names.json", SPEC).weights["a/W"]
    monkeypatch.setattr(foreign_names, "MAX_BYTES", 10)
    with pytest.raises(UsageError, match="more than 10 bytes"):
        foreign_names.read(tmp_path / "names.json", SPEC)


def test_only_ehr_mgan_has_a_program_whose_names_are_known():
    """Under the word that `--names` takes."""
    assert {} == LINEAR.namings(LINEAR.config("tiny"))
    assert ["original"] == list(WORKLOAD.namings(WORKLOAD.config("tiny")))
