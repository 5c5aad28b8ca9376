"""The workload that follows from a pair is one like every other."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from harness.pairs.file import DeclaredSide, PairFile
from harness.pairs.workload import Declared, Inferred
from harness.workloads.spec import FORWARD
from tests.backends.adapter.perceptron import BATCH, HIDDEN
from tests.harness.pairs import scenes

SIDES = DeclaredSide("tf2", "original", 1), DeclaredSide("torch", "port", 5)
PAIR = PairFile(Path("/folder/mine.py"), SIDES, "data")


def workload(begins: bool = False) -> Inferred:
    made, _ = scenes.inferred(begins=(begins, False))
    return Inferred(PAIR, ("tf2", "torch"), made, (Path("/packages"),))


def test_before_anybody_has_looked():
    """Builds can be resolved, and nothing else is promised."""
    declared = Declared(PAIR, ("tf2", "torch"))
    config = declared.config("tiny")
    assert ("mine", [], []) == (config["workload"], config["parameters"], config["noise"])
    assert ("tf2", "torch") == declared.backends and {} == declared.data({})


def test_the_configuration_is_plain_json():
    """It crosses a pipe and is hashed: lists, numbers and words, the same each time."""
    config = workload().config("tiny")
    assert config == json.loads(json.dumps(config))
    assert json.dumps(config) == json.dumps(workload().config("tiny"))
    pair = config["pair"]
    assert ("/folder/mine.py", ["/packages"]) == (pair["path"], pair["paths"])
    assert {"plain", "turned"} == {*pair["sides"]}


def test_what_is_trained():
    """One phase with the user's own optimizer, on every parameter that has a gradient."""
    config = workload().config("tiny")
    (update,) = config["updates"]
    names = [item["name"] for item in config["parameters"]]
    assert ("train", "sgd", names) == (update["phase"], update["optimizer"], update["parameters"])
    assert ["train"] == config["phases"] and {"sgd"} == {*config["optimizers"]}
    assert {"phase": FORWARD, "modes": ["training", "inference"]} == config["forward"]


def test_what_has_to_be_seen_to_train():
    """What every optimizer of both sides moves, and what a phase has gradients for, by canonical
    names."""
    made = workload()
    trained = made.trained()
    assert ["plain's optimizer SGD", "turned's optimizer SGD", "the phase train"] == [*trained]
    names = {item.name for item in made.parameters({})}
    assert [names] * 3 == [{*group} for group in trained.values()]
    assert {} == Declared(PAIR, ("tf2", "torch")).trained()


def test_what_is_on_the_tape():
    """Uniform numbers for a dropout, of which each side keeps its own share."""
    sites = workload().config("tiny")["noise"]
    assert [["train"], ["forward"]] == [site["phases"] for site in sites]
    assert {("uniform", 0.0, 1.0)} == {(site["kind"], site["low"], site["high"]) for site in sites}
    assert {(BATCH, HIDDEN)} == {tuple(site["shape"]) for site in sites}


def test_start_values_are_the_same_each_time():
    """Both sides, and a night later, begin with the very same numbers, at another seed with others;
    with the first side's own if that is wanted."""

    def drawn(made: Inferred, seed: int = 0) -> dict[str, np.ndarray]:
        return {item.name: item.draw(np.random.RandomState(seed)) for item in made.parameters({})}

    first, second, own = drawn(workload()), drawn(workload()), drawn(workload(begins=True))
    elsewhere = drawn(workload(), seed=1)
    for name, value in scenes.inferred()[0].values.items():
        assert np.array_equal(first[name], second[name])
        assert np.array_equal(value, own[name])
        assert not np.array_equal(value, first[name])
        assert not np.array_equal(elsewhere[name], first[name])


def test_data_are_the_user_s():
    """As the first side's worker has written them."""
    assert {"x", "y", "eval_x"} == {*workload().data({})}
    assert workload().trajectory_steps("tiny") > 1
