"""A kept model: what its folder says, what of its losses survives a break, and what it refuses
to go on with."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import types
from pathlib import Path
from typing import Any

import pytest

from backends.contract import Status
from harness import cli
from harness.cli.progress import Plain
from harness.context import Context
from harness.errors import (
    CorruptRecord,
    JobFailed,
    NewerSchema,
    UnknownName,
    UsageError,
)
from harness.execution.progress import ProgressStep
from harness.models import training
from harness.models.origin import Converted
from harness.models.training import Model, Site
from harness.records import store
from harness.workloads.linear import WORKLOAD
from tests.harness.models.stand import MODEL, NOW, Stand, Worker, losses


@pytest.fixture
def said() -> list[str]:
    """What was told of progress."""
    return []


@pytest.fixture
def stand(said: list[str]) -> Stand:
    """A stand with a fresh worker."""
    return Stand(WORKLOAD, Context({}, NOW, "harness train", said.append), {}, hand=Worker())


def test_training_leaves_a_model_and_its_losses(
    stand: Stand, said: list[str], tmp_path: Path
) -> None:
    """A line for each loss of each step that had it; a checkpoint at the end, and progress told."""
    made = training.train(stand, MODEL, tmp_path / "out", 4, resume=False)
    assert dataclasses.replace(MODEL, step=4, threads=1) == made == training.read(tmp_path / "out")
    ones, twos = (
        [f"{step},one/total,{step}.0" for step in (1, 2, 3, 4)],
        [
            "3,two/total,0.3",
            "4,two/total,0.4",
        ],
    )
    assert "step,loss,value" == losses(tmp_path / "out")[0] and sorted(ones + twos) == sorted(
        losses(tmp_path / "out")[1:]
    )
    assert 4 == stand.hand.saved and "tape.npz" == stand.hand.asked[0]["tape"]
    assert "step 4 of 4" in said[-1] and "two/total 0.4" in said[-1]


def test_progress_says_how_many_steps_are_left_and_how_long_they_take(
    stand: Stand,
    said: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the last request's own rate, but for the first step, whose tracing is no measure of the
    others. Going on counts from where the model is; and a model that has seen enough is not told
    of."""
    ticks = itertools.count(step=2)
    monkeypatch.setattr(training, "REQUEST_S", 1e9)
    monkeypatch.setattr(
        training, "time", types.SimpleNamespace(monotonic=lambda: float(next(ticks)))
    )
    training.train(stand, MODEL, tmp_path / "out", 7, resume=False)
    steps = [line for line in said if isinstance(line, ProgressStep)]
    told = [(step.what, step.done, step.total, step.left_s, step.passing) for step in steps]
    what = "training linear on torch"
    assert [
        (what, 0, 7, None, True),
        (what, 1, 7, None, True),
        (what, 3, 7, 4.0, True),
        (what, 7, 7, 0.0, False),
    ] == told and "linear on torch: step 3 of 7; one/total 3, two/total 0.3; 1 s a step" == str(
        steps[2]
    )
    said.clear()
    training.train(stand, MODEL, tmp_path / "out", 9, resume=True)
    assert [(7, None), (8, None), (9, 0.0)] == [
        (line.done, line.left_s) for line in said if isinstance(line, ProgressStep)
    ]
    said.clear()
    training.train(stand, MODEL, tmp_path / "out", 4, resume=True)
    assert [] == said


def test_the_command_shows_progress_as_the_others_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log gets lines that end in the time left, no more than are of use."""
    sites: list[Site] = []

    def train(site: Site, model: Model, *_: object, **more: object) -> Model:
        sites.append(site)
        return model

    monkeypatch.setattr(training, "train", train)
    with pytest.raises(SystemExit) as ended:
        cli.main(["train", "linear", "--out", str(tmp_path / "out")])
    assert not ended.value.code and isinstance(sites[0].context.say, Plain)


def test_requests_stay_short(stand: Stand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first is of one step, none is more than twice the one before, and the last ends where
    it was asked to."""
    monkeypatch.setattr(training, "REQUEST_S", 1e9)
    training.train(stand, MODEL, tmp_path / "out", 20, resume=False)
    assert [1, 2, 4, 8, 5] == [one["steps"] for one in stand.hand.asked[1:]]


def test_what_came_after_the_last_checkpoint_is_trained_again(
    stand: Stand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that dies leaves losses of steps that the checkpoint does not know; going on
    gives each step once."""
    whole = Stand(WORKLOAD, stand.context, {}, hand=Worker())
    training.train(whole, MODEL, tmp_path / "whole", 9, resume=False)
    training.train(stand, MODEL, tmp_path / "out", 2, resume=False)
    stand.hand.dies_at = 6
    with pytest.raises(ConnectionError):
        training.train(stand, MODEL, tmp_path / "out", 9, resume=True)
    assert 2 == training.read(tmp_path / "out").step and "5,one/total,5.0" in losses(
        tmp_path / "out"
    )
    stand.hand.dies_at = None
    assert 9 == training.train(stand, MODEL, tmp_path / "out", 9, resume=True).step
    assert sorted(losses(tmp_path / "whole")) == sorted(losses(tmp_path / "out"))


def test_what_a_kill_has_cut_off_does_not_stay(stand: Stand, tmp_path: Path) -> None:
    """Neither the beginning of a line of losses, which may read as an earlier step, nor a file that
    was being written; what is somebody else's does."""
    out = tmp_path / "out"
    training.train(stand, MODEL, out, 3, resume=False)
    whole = losses(out)
    with (out / training.LOSSES).open("a") as file:
        file.write("2")
    left = [out / f".{name}.7.8.tmp" for name in (training.LOSSES, training.MODEL_FILE)]
    for path in (*left, out / ".mine.7.8.tmp"):
        path.touch()
    training.train(stand, MODEL, out, 4, resume=True)
    assert [*whole, "4,one/total,4.0", "4,two/total,0.4"] == losses(out)
    assert not any(path.exists() for path in left) and (out / ".mine.7.8.tmp").exists()


def test_a_kill_while_the_first_file_was_written_keeps_nobody_from_going_on(
    stand: Stand, tmp_path: Path
) -> None:
    """Its name is none of a stranger's file."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / f".{training.LOSSES}.7.8.tmp").touch()
    assert 1 == training.train(stand, MODEL, tmp_path / "out", 1, resume=True).step


def test_a_model_that_is_there_is_not_trained_over(stand: Stand, tmp_path: Path) -> None:
    """Nor gone on with under other options."""
    training.train(stand, MODEL, tmp_path / "out", 1, resume=False)
    with pytest.raises(UsageError, match="--resume"):
        training.train(stand, MODEL, tmp_path / "out", 2, resume=False)
    with pytest.raises(UsageError, match="other options"):
        training.train(stand, dataclasses.replace(MODEL, seed=1), tmp_path / "out", 2, resume=True)
    assert 1 == training.read(tmp_path / "out").step


def test_training_that_left_no_checkpoint_begins_anew(stand: Stand, tmp_path: Path) -> None:
    """Its losses are of no model; a folder with anything else in it is left alone."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / training.LOSSES).write_text("step,loss,value\n1,one/total,9.0\n")
    assert 2 == training.train(stand, MODEL, tmp_path / "out", 2, resume=True).step
    assert ["1,one/total,1.0", "2,one/total,2.0"] == losses(tmp_path / "out")[1:]
    (tmp_path / "other").mkdir()
    (tmp_path / "other/mine").write_text("mine")
    for resume in (False, True):
        with pytest.raises(UsageError, match="something else already"):
            training.train(stand, MODEL, tmp_path / "other", 2, resume=resume)
    assert ["mine"] == [path.name for path in (tmp_path / "other").iterdir()]


def test_there_is_nothing_to_go_on_with_in_no_folder(stand: Stand, tmp_path: Path) -> None:
    """A mistyped folder begins no new training. One that is there, and empty, is what a training
    leaves that was interrupted before its first step."""
    with pytest.raises(UsageError, match=r"nothing to go on with there\. Drop"):
        training.train(stand, MODEL, tmp_path / "mistyped", 2, resume=True)
    assert not (tmp_path / "mistyped").exists()
    (tmp_path / "empty").mkdir()
    assert 2 == training.train(stand, MODEL, tmp_path / "empty", 2, resume=True).step


def test_a_converted_model_that_goes_on_says_still_where_it_came_from(
    stand: Stand, tmp_path: Path
) -> None:
    """What was done to it is no option of the training."""
    stand.hand.saved = 3
    (tmp_path / "out").mkdir()
    dataclasses.replace(MODEL, step=3, converted=Converted("tf1")).write(tmp_path / "out")
    made = training.train(stand, MODEL, tmp_path / "out", 5, resume=True)
    assert (5, Converted("tf1")) == (made.step, made.converted)


def test_a_model_remembers_the_threads_that_it_was_trained_with(
    stand: Stand, tmp_path: Path
) -> None:
    """The last ones: going on with others is allowed, and told. A model that was written before
    they were has none."""
    assert 1 == training.train(stand, MODEL, tmp_path / "out", 1, resume=False).threads
    assert (
        3
        == training.train(
            dataclasses.replace(stand, threads=3), MODEL, tmp_path / "out", 2, resume=True
        ).threads
    )
    path = tmp_path / "out" / training.MODEL_FILE
    document = json.loads(path.read_text())
    assert 3 == document.pop("threads")
    store.write_sealed(path, document)
    assert training.read(tmp_path / "out").threads is None
    assert 1 == training.train(stand, MODEL, tmp_path / "out", 3, resume=True).threads


def test_rows_are_generated_from_the_checkpoint(stand: Stand, tmp_path: Path) -> None:
    """Into a folder that is made, in the shape that the worker says."""
    training.train(stand, MODEL, tmp_path / "out", 3, resume=False)
    assert (5, 2) == training.generate(stand, tmp_path / "out", 5, tmp_path / "deep/rows.npz")
    assert b"rows" == (tmp_path / "deep/rows.npz").read_bytes()
    assert [str(tmp_path / "out" / training.CHECKPOINTS), 3] == [
        stand.hand.asked[-2]["checkpoint"],
        stand.hand.step,
    ]


def test_a_model_of_another_configuration_generates_nothing(stand: Stand, tmp_path: Path) -> None:
    """Its weights would be read with other layers around them."""
    dataclasses.replace(MODEL, config="another").write(tmp_path)
    with pytest.raises(UsageError, match="another configuration of linear"):
        training.generate(Site(WORKLOAD, stand.context, {}), tmp_path, 5, tmp_path / "rows.npz")


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"schema": training.SCHEMA + 1}, NewerSchema),
        ({"schema": None}, CorruptRecord),
        ({"seed": None}, CorruptRecord),
    ],
)
def test_a_damaged_description_is_no_model(
    tmp_path: Path, changed: dict[str, Any], error: type[Exception]
) -> None:
    """A newer harness's, or one from which a key is gone."""
    MODEL.write(tmp_path)
    path = tmp_path / training.MODEL_FILE
    document = {**json.loads(path.read_text()), **changed}
    path.write_text(
        json.dumps({name: value for name, value in document.items() if value is not None})
    )
    with pytest.raises(error):
        training.read(tmp_path)


def test_a_build_without_a_port_is_refused_before_it_is_looked_for(tmp_path: Path) -> None:
    """And one that does not exist with the ones that do."""
    site = Site(WORKLOAD, Context({}, NOW, "", print), {})
    for build, error, text in (
        ("pytorch", UnknownName, "Did you mean 'torch'"),
        ("tf2", UsageError, "linear has no port for tf2"),
    ):
        bound = dataclasses.replace(site, workload=_without(build))
        with (
            pytest.raises(error, match=text),
            bound.worker(dataclasses.replace(MODEL, build=build), tmp_path),
        ):
            raise AssertionError("a worker was started")


def _without(build: str) -> Any:
    class Narrow(type(WORKLOAD)):  # type: ignore[misc]
        backends = tuple(name for name in WORKLOAD.backends if name != build)

    return Narrow()


def test_a_port_without_checkpoints_is_said_to_have_none(tmp_path: Path) -> None:
    """Before it trains for nothing."""
    site = Site(WORKLOAD, Context(dict(os.environ), NOW, "harness train", str), {})
    numpy = dataclasses.replace(MODEL, build="numpy")
    with pytest.raises(JobFailed, match="numpy keeps no checkpoints: it defines no `save`"):
        training.train(site, numpy, tmp_path / "out", 2, resume=False)


def test_a_model_names_neither_ports_nor_an_interpreter() -> None:
    """What runs its checkpoints has to be said again by whoever opens it."""
    names = {field.name for field in dataclasses.fields(Model)}
    assert {"workload", "build", "data"} < names
    assert not [name for name in names if "port" in name or "python" in name or "folder" in name]


def test_a_port_that_is_refused_leaves_no_folder(
    stand: Stand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same command is not told then that there is something else already."""

    def refuse(*_: object) -> None:
        raise JobFailed(Status.UNSUPPORTED, "the port keeps no checkpoints")

    monkeypatch.setattr(Stand, "worker", refuse)
    with pytest.raises(JobFailed):
        training.train(stand, MODEL, tmp_path / "models/out", 4, resume=False)
    assert [] == list(tmp_path.iterdir())
