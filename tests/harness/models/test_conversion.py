"""A conversion is kept only if nothing was lost on the way and the model goes on as before; what
it cannot prove it does not leave."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.errors import BuildError, InterpreterMissing, JobFailed, UsageError
from harness.execution import answers
from harness.execution.verbs import Promised, Said, Verb
from harness.models import foreign_names, training
from harness.models.conversion import CEILING, Checkpoint, compare, convert
from harness.models.origin import Converted
from harness.models.training import Model
from harness.workloads.linear import WORKLOAD as LINEAR
from harness.workloads.spec import Workload

MODEL = Model(
    "linear", "tiny", data="", build="torch", precision="fp32", seed=0, step=0, config="key"
)
WEIGHTS = np.linspace(0.5, 1.0, 8)
STEP = 2.0**-10


def stepped(change: float = 0.0) -> dict[str, np.ndarray]:
    """Return a weight, its slot and a count before and after a step; `change` goes to one
    element of the weight."""
    after = WEIGHTS - STEP
    after[3] += change
    return {
        "before/parameter/W": WEIGHTS,
        "after/parameter/W": after,
        "before/optimizer/adam/W/m": np.zeros(8),
        "after/optimizer/adam/W/m": WEIGHTS / 8,
        "before/optimizer/adam/step": np.array(6),
        "after/optimizer/adam/step": np.array(7),
    }


def test_two_sides_that_go_on_alike_have_no_error():
    """Whatever the weights have come to."""
    assert 0.0 == compare(stepped(), stepped())[0]


def test_a_planted_difference_is_measured_by_what_the_step_changed():
    """Its size beside the weight does not matter: a thousandth of an update is a thousandth."""
    error, worst = compare(stepped(STEP / 1000), stepped())
    assert (pytest.approx(1e-3, rel=1e-6), "parameter/W") == (error, worst)
    assert error > CEILING


@pytest.mark.parametrize("name", ["parameter/W", "optimizer/adam/W/m", "optimizer/adam/step"])
def test_a_difference_is_found_in_every_kind_of_array(name):
    """Weights, slots and counts; a value that is not a number is no small difference."""
    for change in (1.0, np.nan):
        other = stepped()
        other["after/" + name] = other["after/" + name] + change
        error, worst = compare(other, stepped())
        assert error > CEILING and name == worst


@pytest.mark.parametrize("side", [0, 1])
def test_another_list_of_arrays_is_the_largest_error_there_is(side):
    """Nothing is compared by the names that both happen to have."""
    sides = [stepped(), stepped()]
    del sides[side]["after/optimizer/adam/W/m"]
    assert (float("inf"), "the list of arrays") == compare(*sides)


def test_a_slot_that_is_all_rounding_is_measured_beside_its_kind():
    """Two slots of 1e-30 that differ wholly are no difference, next to one of 1e-1; one of 1e-9
    is."""
    for size, limit in ((1e-30, True), (1e-9, False)):
        sides = []
        for sign in (1.0, -1.0):
            extra = {
                "before/optimizer/adam/b/m": np.zeros(2),
                "after/optimizer/adam/b/m": sign * np.full(2, size),
            }
            sides.append({**stepped(), **extra})
        assert limit == (compare(*sides)[0] <= CEILING)


@dataclasses.dataclass
class Worker:
    """Answers as a worker does; `site` says with which faults."""

    site: Site
    build: str

    def request(self, verb: Verb[Promised], **asked: Any) -> Said[Promised]:
        return answers.read(
            {"id": 1, "status": "ok", "result": self._answer(verb.name, **asked)}, verb, 1
        )

    def _answer(self, verb: str, **asked: Any) -> dict[str, Any]:
        self.site.asked.append((self.build, verb))
        if verb == "inspect":
            return {"variables": self.site.held}
        if verb == "export":
            self.site.named.append(asked.get("names"))
            np.savez(asked["path"], **{"parameter/W": WEIGHTS})
            return {"step": 6, "origin": {"adam": "the saved powers"}}
        if verb == "adopt":
            Path(asked["checkpoint"]).mkdir(parents=True)
            if self.site.damaged:
                raise JobFailed("error", "the checkpoint cannot be read again")
            return {"step": self.site.step, "lost": self.site.lost, "parameters": 1, "state": 2}
        assert (verb, asked["step"]) == ("continue", 6)
        np.savez(asked["out"], **stepped(0.0 if self.build == "torch" else self.site.change))
        return {"step": 7}


@dataclasses.dataclass
class Site:
    """Where the conversion works: `change` is how far the second build's next step goes astray."""

    change: float = 0.0
    lost: list[str] = dataclasses.field(default_factory=list)
    missing: str = ""
    damaged: bool = False
    step: int = 6
    unfit: str = ""
    asked: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    held: dict[str, Any] = dataclasses.field(default_factory=dict)
    named: list[Any] = dataclasses.field(default_factory=list)
    workload: Workload = LINEAR

    def check(self, model: Model) -> None:
        if model.build == self.unfit:
            raise UsageError(f"no port for {model.build}")

    @contextlib.contextmanager
    def worker(self, model: Model, scratch: Path) -> Iterator[tuple[Worker, str]]:
        assert scratch.is_dir()
        if model.build == self.missing:
            raise InterpreterMissing(f"{model.build} is not there")
        yield Worker(self, model.build), "tape.npz"


def test_a_conversion_leaves_a_model_that_says_where_it_came_from(tmp_path: Path):
    """With its step count, how that was found, and the proof."""
    site = Site()
    done = convert(site, Checkpoint(tmp_path), MODEL, "tf2", tmp_path / "out", prove=True)
    assert ("tf2", 6, 1, 2, 0.0) == (
        done.model.build,
        done.model.step,
        done.parameters,
        done.state,
        done.error,
    )
    made = training.read(tmp_path / "out")
    assert Converted("torch", {"adam": "the saved powers"}, 0.0) == made.converted
    document = json.loads((tmp_path / "out" / training.MODEL_FILE).read_text())
    assert {
        "from": "torch",
        "step_origin": {"adam": "the saved powers"},
        "proof": 0.0,
    } == document["converted"]
    assert [
        ("torch", "export"),
        ("tf2", "adopt"),
        ("torch", "continue"),
        ("tf2", "continue"),
    ] == site.asked


NAMES = {
    "kind": "naming",
    "schema": 1,
    "weights": {"W": "dense/kernel", "b": "dense/bias"},
    "step": 6,
}


def test_another_programs_checkpoint_is_read_under_its_names(tmp_path: Path):
    """What the checkpoint holds is asked first; the worker gets the variables, and the model
    remembers whose names they were."""
    names = foreign_names.parse(NAMES, "--names mine.json", LINEAR.model_spec("tiny"))
    shapes = {item["name"]: item["shape"] for item in LINEAR.config("tiny")["parameters"]}
    held = {
        NAMES["weights"][name]: {"shape": shape, "dtype": "float32"}
        for name, shape in shapes.items()
    }
    site = Site(held=held)
    convert(site, Checkpoint(tmp_path, names), MODEL, "tf2", tmp_path / "out", prove=True)
    assert [("torch", "inspect"), ("torch", "export")] == site.asked[:2]
    weights = {"W": ["dense/kernel"], "b": ["dense/bias"]}
    assert [{"weights": weights, "slots": {}, "powers": {}, "step": 6}] == site.named
    assert "--names mine.json" == training.read(tmp_path / "out").converted.names


def test_names_that_do_not_fit_leave_nothing(tmp_path: Path):
    """The refusal says what the checkpoint holds."""
    names = foreign_names.parse(NAMES, "--names mine.json", LINEAR.model_spec("tiny"))
    site = Site(held={"dense/kernel_1": {"shape": [13, 1], "dtype": "float32"}})
    with pytest.raises(UsageError, match=r"there is no dense/kernel \(nearest: dense/kernel_1\)"):
        convert(site, Checkpoint(tmp_path, names), MODEL, "tf2", tmp_path / "out", prove=True)
    assert not (tmp_path / "out").exists() and [("torch", "inspect")] == site.asked


def test_without_a_proof_no_step_is_run_and_none_is_claimed(tmp_path: Path):
    """What was not looked at is None, and not 0."""
    site = Site(change=1.0)
    done = convert(site, Checkpoint(tmp_path), MODEL, "tf2", tmp_path / "out", prove=False)
    assert (None, None, None) == (
        done.error,
        done.worst,
        training.read(tmp_path / "out").converted.proof,
    )
    assert "continue" not in {verb for _, verb in site.asked}


def test_a_model_that_goes_on_otherwise_is_not_left(tmp_path: Path):
    """A difference of 2e-9 of the update is above the ceiling; the reason names the array and
    the figure."""
    for change, kept in ((2e-9 * STEP, False), (0.5e-9 * STEP, True)):
        out = tmp_path / f"out {kept}"
        with (
            contextlib.nullcontext()
            if kept
            else pytest.raises(JobFailed, match=r"parameter/W differs by 2\.0e-09")
        ):
            convert(Site(change=change), Checkpoint(tmp_path), MODEL, "tf2", out, prove=True)
        assert kept == out.exists()


def test_what_did_not_survive_the_way_is_named(tmp_path: Path):
    """Bit by bit is the rule."""
    with pytest.raises(
        JobFailed, match="2 arrays did not survive the way to tf2, optimizer/adam/W/m first"
    ):
        convert(
            Site(lost=["optimizer/adam/W/m", "parameter/W"]),
            Checkpoint(tmp_path),
            MODEL,
            "tf2",
            tmp_path / "out",
            prove=True,
        )
    assert not (tmp_path / "out").exists()


def test_a_step_count_that_changes_on_the_way_is_refused(tmp_path: Path):
    """The model would go on at another place of its schedule."""
    with pytest.raises(JobFailed, match="had seen 6 steps, on tf2 it says 0"):
        convert(Site(step=0), Checkpoint(tmp_path), MODEL, "tf2", tmp_path / "out", prove=True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("build", ["torch", "tf2"])
def test_a_model_that_does_not_fit_is_refused_before_any_work(tmp_path: Path, build: str):
    """On either side."""
    site = Site(unfit=build)
    with pytest.raises(UsageError, match=f"no port for {build}"):
        convert(site, Checkpoint(tmp_path), MODEL, "tf2", tmp_path / "out", prove=True)
    assert [] == site.asked


def test_a_build_that_fails_half_way_leaves_nothing(tmp_path: Path):
    """Also what it has already written."""
    with pytest.raises(JobFailed, match="cannot be read again"):
        convert(
            Site(damaged=True), Checkpoint(tmp_path), MODEL, "tf2", tmp_path / "out", prove=True
        )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("build", ["torch", "tf2"])
def test_a_build_that_is_missing_is_named_with_its_part(tmp_path: Path, build: str):
    """Of reading or of writing."""
    with pytest.raises(BuildError, match=f"torch to read and tf2 to write: {build} is not there"):
        convert(
            Site(missing=build), Checkpoint(tmp_path), MODEL, "tf2", tmp_path / "out", prove=True
        )


def test_a_place_that_cannot_be_had_is_refused_before_any_work(tmp_path: Path):
    """By the option's name, and not by that of the folder that is filled beside it."""
    (tmp_path / "file").touch()
    site = Site()
    with pytest.raises(UsageError, match=r"--out .*/file/out: .*A part of this path is a file"):
        convert(site, Checkpoint(Path("there")), MODEL, "tf2", tmp_path / "file/out", prove=True)
    assert not site.asked and [tmp_path / "file"] == list(tmp_path.iterdir())


def test_nothing_is_written_over(tmp_path: Path):
    """A folder with something in it, or a file, is refused before any work."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine").write_text("mine")
    for out in (tmp_path / "full", tmp_path / "full/mine"):
        site = Site()
        with pytest.raises(UsageError, match="already"):
            convert(site, Checkpoint(tmp_path), MODEL, "tf2", out, prove=True)
        assert [] == site.asked
    assert "mine" == (tmp_path / "full/mine").read_text()
