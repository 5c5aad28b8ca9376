"""`harness train`, `generate` and `convert` on the real builds, from the outside."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.environments import provision
from harness.workloads.linear import WORKLOAD as LINEAR

TIMEOUT_S = 300.0


@pytest.fixture(scope="module")
def run(new_harness: Callable[[], Any]) -> Callable[..., str]:
    """Run a command, check its exit code, and return what it printed."""
    commands = new_harness()

    def run(*words: object, code: int = 0) -> str:
        done = commands.start(*words).done(TIMEOUT_S)
        assert code == done.code, done.out + done.err
        return str(done.out + done.err)

    return run


def train(
    run: Callable[..., str],
    folder: Path,
    build: str,
    steps: int,
    *more: object,
    workload: str = "ehr_mgan",
    code: int = 0,
) -> str:
    """Train up to a step, in a model's folder; return what was printed."""
    words = ("train", workload, "--build", build, "--steps", steps, "--out", folder, *more)
    return run(*words, code=code)


def losses(folder: Path) -> dict[tuple[int, str], float]:
    """Return the losses of a model by step and name."""
    with (folder / "losses.csv").open(encoding="utf-8") as file:
        return {
            (int(row["step"]), row["loss"]): float(row["value"]) for row in csv.DictReader(file)
        }


@pytest.fixture(scope="module")
def trained(run: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """EHR-M-GAN on torch, six steps: four of pre-training, two joint ones."""
    folder = tmp_path_factory.mktemp("models") / "trained"
    train(run, folder, "torch", 6, "--threads", 1)
    return folder


def test_a_model_says_what_it_is(trained: Path) -> None:
    """`model.json` names everything that is needed to go on, and the losses are all there."""
    document = json.loads((trained / "model.json").read_text(encoding="utf-8"))
    keys = ("workload", "preset", "build", "precision", "step", "threads")
    assert ("ehr_mgan", "tiny", "torch", "fp32", 6, 1) == tuple(document[key] for key in keys)
    found = losses(trained)
    assert {step for step, name in found if name == "pretrain/continuous/total"} == {1, 2, 3, 4}
    assert {step for step, name in found if name == "joint/vae/discrete/total"} == {5, 6}
    assert np.isfinite(list(found.values())).all()


def test_training_that_stops_goes_on_exactly(
    run: Callable[..., str], trained: Path, tmp_path: Path
) -> None:
    """Four steps, then two more from the checkpoint: the same losses, digit by digit, as six in
    one go, with the threads of the first."""
    train(run, tmp_path / "parts", "torch", 4, "--threads", 1)
    refused = train(run, tmp_path / "parts", "torch", 6, code=2)
    assert "--resume" in refused
    other = train(run, tmp_path / "parts", "torch", 6, "--seed", 9, "--resume", code=2)
    assert "other options" in other
    train(run, tmp_path / "parts", "torch", 6, "--resume")
    assert losses(tmp_path / "parts") == losses(trained)


def test_a_trained_model_generates(run: Callable[..., str], trained: Path, tmp_path: Path) -> None:
    """Whole batches of series in the channels' own units; too few rows are refused with the
    batch size."""
    run("generate", trained, "--rows", 30, "--out", tmp_path / "made.npz")
    with np.load(tmp_path / "made.npz", allow_pickle=False) as archive:
        samples = archive["samples"]
    assert samples.shape == (24, 24, 7)
    assert samples[:, :, 0].min() > 20
    assert set(np.unique(samples[:, :, 4:])) <= {0.0, 1.0}
    assert "batches of 12 rows" in run(
        "generate", trained, "--rows", 5, "--out", tmp_path / "few.npz", code=4
    )


@pytest.mark.parametrize("there", ["tf2", "tf1"])
def test_a_model_goes_to_another_build_and_comes_back(
    run: Callable[..., str], trained: Path, tmp_path: Path, there: str
) -> None:
    """Every weight and slot arrives bit by bit, the next float64 step agrees, and the way back
    gives the same checkpoint."""
    said = run("convert", trained, "--to", there, "--out", tmp_path / "there")
    assert "largest difference" in said
    document = json.loads((tmp_path / "there" / "model.json").read_text(encoding="utf-8"))
    assert (there, 6) == (document["build"], document["step"])
    assert document["converted"]["proof"] <= 1e-9
    run("convert", tmp_path / "there", "--to", "torch", "--out", tmp_path / "back", "--no-proof")
    for folder in (trained, tmp_path / "back"):
        run("generate", folder, "--rows", 12, "--out", tmp_path / f"{folder.name}.npz")
    with np.load(tmp_path / "trained.npz") as one, np.load(tmp_path / "back.npz") as other:
        np.testing.assert_array_equal(one["samples"], other["samples"])
    # Weights, moments and step counts came through: it goes on as the first does, digit by digit.
    assert json.loads((tmp_path / "back" / "model.json").read_text(encoding="utf-8"))["step"] == 6
    shutil.copytree(trained, tmp_path / "first")
    for name in ("first", "back"):
        train(run, tmp_path / name, "torch", 7, "--threads", 1, "--resume")
    later = [
        {key: value for key, value in losses(tmp_path / name).items() if key[0] == 7}
        for name in ("first", "back")
    ]
    assert later[0] and later[0] == later[1]


def test_a_tf1_checkpoint_arrives_in_the_newest_frameworks(
    run: Callable[..., str], tmp_path: Path
) -> None:
    """What TF 1.15.5 wrote after six steps goes on in TensorFlow 2.21 and in torch."""
    train(run, tmp_path / "tf1", "tf1", 6, "--threads", 1)
    for build in ("tf2", "torch"):
        assert "largest difference" in run(
            "convert", tmp_path / "tf1", "--to", build, "--out", tmp_path / build
        )
        train(run, tmp_path / build, build, 8, "--threads", 1, "--resume")
        assert {
            step for step, name in losses(tmp_path / build) if name == "joint/vae/discrete/total"
        } == {7, 8}


@pytest.mark.parametrize(
    ("here", "there"), [("tf2", "tf1"), ("tf1", "tf1-compat"), ("tf1", "tf2.10")]
)
def test_adams_state_goes_between_tensorflows(
    run: Callable[..., str], tmp_path: Path, here: str, there: str
) -> None:
    """`cnn`, the smallest model with moments and step counts: they arrive, the next float64 step
    agrees, and training goes on."""
    train(run, tmp_path / "here", here, 3, "--threads", 1, workload="cnn")
    assert "largest difference" in run(
        "convert", tmp_path / "here", "--to", there, "--out", tmp_path / "there"
    )
    document = json.loads((tmp_path / "there" / "model.json").read_text(encoding="utf-8"))
    assert (there, 3, here) == (document["build"], document["step"], document["converted"]["from"])
    assert document["converted"]["proof"] <= 1e-9
    train(run, tmp_path / "there", there, 4, "--threads", 1, "--resume", workload="cnn")
    assert {4} == {step for step, _ in losses(tmp_path / "there")}


def _flipped(path: Path) -> bytes:
    """Flip a bit in the midst of a file; return what it was."""
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    return content


@pytest.mark.parametrize("build", ["tf1", "tf2"])
def test_one_bit_of_a_tensorflow_checkpoint(
    run: Callable[..., str], tmp_path: Path, build: str
) -> None:
    """Whichever file it is in: nothing is generated, trained or converted from it; put right, it
    is used as before."""
    model, out = tmp_path / "model", tmp_path / "made"
    train(run, model, build, 2, "--threads", 1, workload="linear")
    paths = [path for path in (model / "checkpoints").rglob("*") if path.is_file()]
    assert len(paths) >= 3
    commands: tuple[tuple[object, ...], ...] = (
        ("generate", model, "--out", out),
        ("train", "linear", "--build", build, "--steps", 3, "--out", model, "--resume"),
        ("convert", model, "--to", "torch", "--out", out),
    )
    for number, path in enumerate(paths):
        content = _flipped(path)
        for words in commands if not number else commands[:1]:
            assert path.name in "".join(run(*words, code=4).split())
        assert not out.exists()
        path.write_bytes(content)
    run("generate", model, "--rows", 3, "--out", out)


#: A program of somebody else, on TensorFlow 1.15.5: it trains six steps and saves.
PROGRAM = """
import sys
import numpy as np
import tensorflow.compat.v1 as tf
kernel = tf.get_variable("fit/kernel", [int(sys.argv[1]), 1])
bias = tf.get_variable("fit/offset", [1])
step = tf.train.get_or_create_global_step()
loss = tf.reduce_sum(tf.square(kernel - 1.0)) + tf.square(bias - 2.0)
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss, step)
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for _ in range(6):
        session.run(train)
    tf.train.Saver().save(session, sys.argv[2] + "/theirs", global_step=step)
    np.savez(sys.argv[2] + "/values.npz", kernel=session.run(kernel), bias=session.run(bias))
"""


def test_another_programs_checkpoint_is_converted_under_its_names(
    run: Callable[..., str], tmp_path: Path
) -> None:
    """Its weights predict in torch what they say, at its step; without the names, or with a
    wrong one, it is refused."""
    config = LINEAR.config("tiny")
    python = provision.locate("tf1", "cpu", overrides={}, environ=os.environ, progress=print).path
    theirs, names = tmp_path / "theirs", tmp_path / "names.json"
    theirs.mkdir()
    subprocess.run(
        [python, "-c", PROGRAM, str(config["parameters"][0]["shape"][0]), theirs],
        check=True,
        timeout=TIMEOUT_S,
    )
    document = {
        "kind": "naming",
        "schema": 1,
        "weights": {"W": "fit/kernel", "b": "fit/offset"},
        "step": "global_step",
    }
    words = (
        "convert",
        theirs,
        "--from",
        "tf1",
        "--workload",
        "linear",
        "--to",
        "torch",
        "--out",
        tmp_path / "out",
    )
    assert "--names" in run(*words, code=4)
    written = next(theirs.glob("*.index")).with_suffix("")
    prefix = run("convert", written, *words[2:], code=2)
    assert "the beginning of a TF1 checkpoint's files" in prefix and "--names FILE" in prefix
    drafted = run("convert", written, *words[2:6], "--print-names")
    assert '"W": "fit/kernel"' in drafted and '"step": "global_step"' in drafted
    assert not (tmp_path / "out").exists()
    for changed, said in (
        (document, "largest difference"),
        ({**document, "step": "steps"}, "there is no steps"),
    ):
        names.write_text(json.dumps(changed), encoding="utf-8")
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        assert said in run(*words, "--names", names, code=0 if changed is document else 2)
        if changed is document:
            assert (
                6 == json.loads((tmp_path / "out/model.json").read_text(encoding="utf-8"))["step"]
            )
            run("generate", tmp_path / "out", "--rows", 5, "--out", tmp_path / "made.npz")
    with np.load(theirs / "values.npz") as values, np.load(tmp_path / "made.npz") as made:
        expected = LINEAR.data(config)["eval_x"][:5] @ values["kernel"] + values["bias"]
        np.testing.assert_allclose(made["samples"], expected, rtol=1e-5)
    assert not (tmp_path / "out").exists()
    names.write_text(json.dumps(document), encoding="utf-8")
    (data,) = theirs.glob("*.data-*")
    for path in (data, written.with_suffix(".index")):  # nothing of ours has their checksums
        content = _flipped(path)
        refused = run(*words, "--names", names, code=4)
        assert "Traceback" not in refused and "theirs" in refused
        path.write_bytes(content)
    assert not (tmp_path / "out").exists()


def test_what_is_no_model_is_refused(
    run: Callable[..., str], trained: Path, tmp_path: Path
) -> None:
    """Each refusal names what is wrong and what to do; nothing is written."""
    assert "harness train" in run("generate", tmp_path, code=2)
    assert "--from" in run("convert", tmp_path, "--to", "tf2", "--out", tmp_path / "x", code=2)
    assert "Leave the option out" in run(
        "convert", trained, "--from", "tf1", "--to", "tf2", "--out", tmp_path / "x", code=2
    )
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine", encoding="utf-8")
    assert "already" in run("convert", trained, "--to", "tf2", "--out", tmp_path / "full", code=2)
    assert (tmp_path / "full" / "file").read_text(encoding="utf-8") == "mine"
    assert "Did you mean 'ehr_mgan'" in run("train", "ehr_mgn", "--out", tmp_path / "x", code=2)
    assert "no checkpoint" in run(
        "convert",
        tmp_path / "full",
        "--from",
        "torch",
        "--workload",
        "linear",
        "--to",
        "tf2",
        "--out",
        tmp_path / "x",
        code=4,
    )
    assert not (tmp_path / "x").exists()
