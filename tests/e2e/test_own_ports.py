"""Ports of one's own as a new user meets them: the one that was asked for runs, a mistake is
found in seconds, a command repeats it."""

from __future__ import annotations

import csv
import json
import shlex
import sys
import textwrap
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest

WORKLOAD = textwrap.dedent('''
    """A line through a cloud."""
    import numpy as np

    from harness.workloads.spec import Optimizer, Parameter, Workload


    class Line(Workload):
        """A line."""

        name, backends, presets, default = "line", ("numpy",), ("tiny", "small"), False

        def hyperparameters(self, preset):
            return {"batch": 8}

        def parameters(self, hyper):
            return Parameter("w", (4, 1), "glorot_uniform"), Parameter("b", (1,))

        def optimizers(self, hyper):
            return {"sgd": Optimizer("sgd", learning_rate=2.0**-4)}

        def data(self, hyper):
            x = np.random.RandomState(0).normal(size=(100, 4))
            return {"x": x, "y": x @ np.ones((4, 1)), "eval_x": x[:20]}

        def trajectory_steps(self, preset):
            return 5


    WORKLOAD = Line()
''').lstrip()
PORT = textwrap.dedent("""
    import numpy as np

    from backends import contract


    class Port(contract.Port):
        def load_parameters(self, values):
            self.w, self.b = np.array(values["w"]), np.array(values["b"])

        def parameters(self):
            return {"w": self.w.copy(), "b": self.b.copy()}

        def train(self, source, steps):
            losses = []
            for _ in range(steps):
                batch = source.batch(source.cursor, "train").arrays
                source.cursor += 1
                error = batch["x"] @ self.w + self.b - batch["y"]
                losses.append(float((error * error).mean()))
                self.w -= 2.0**-4 * (batch["x"].T @ (2 * error / len(error)))
                self.b -= 2.0**-4 * (2 * error / len(error)).sum(0)
            return {"total": losses}

        def generate(self, source, count):
            return source.evaluation_rows(count)["x"] @ self.w + self.b

        def losses(self, phase, batch):
            error = batch.arrays["x"] @ self.w + self.b - batch.arrays["y"]
            return {"total": float((error ** 2).mean())}
""").lstrip()


@pytest.fixture
def mine(harness) -> Callable[..., Any]:
    """Return what writes a port, changed, into a folder of its own, and runs a comparison of the
    folders named with the honest port."""
    folder = harness.folder / "mine"
    (folder / "numpy").mkdir(parents=True)
    (folder / "line.py").write_text(WORKLOAD)
    (folder / "numpy/line.py").write_text(PORT)

    def change(name: str, old: str, new: str) -> str:
        place = harness.folder / name / "numpy"
        place.mkdir(parents=True, exist_ok=True)
        assert old in PORT
        (place / "line.py").write_text(PORT.replace(old, new))
        return f"numpy@{name}"

    return change


def compare(harness, *sides: str, more: tuple[object, ...] = ()):
    """Run a comparison of the honest port with others."""
    words = ("--ports", "mine", "--workloads", "line", "--precision", "fp64", "--no-speed", *more)
    return harness.run("compare", *words, "--backends", "numpy", *sides)


def test_a_folder_without_the_port_is_wrong_usage(harness, mine) -> None:
    """Neither the shipped port nor that of --ports stands in; nothing is run, and the path that
    is missing is named."""
    (harness.folder / "empty/numpy").mkdir(parents=True)
    (harness.folder / "empty/numpy/linear.py").write_text("raise SystemExit")
    for build, words in (
        ("numpy", ("--ports", "mine", "--workloads", "line")),
        ("torch", ("--workloads", "cnn")),
    ):
        done = harness.run("compare", *words, "--backends", build, f"{build}@empty", "--no-speed")
        assert (
            done.code == 2
            and f"empty/{build}/{words[-1]}.py" in done.err
            and not (harness.folder / "reports").exists()
        ), done.err
    # A workload whose ports are in files of another name: that name counts.
    (harness.folder / "mine/line.py").write_text(
        WORKLOAD.replace("    name, backends", '    port = "straight"\n    name, backends')
    )
    (harness.folder / "mine/numpy/line.py").rename(harness.folder / "mine/numpy/straight.py")
    own = mine("own", "2.0**-4", "2.0**-5")
    done = compare(harness, own)
    assert done.code == 2 and "own/numpy/straight.py" in done.err
    (harness.folder / "own/numpy/line.py").rename(harness.folder / "own/numpy/straight.py")
    assert compare(harness, own).code == 1


def test_a_side_is_called_by_its_folder_everywhere(harness, mine) -> None:
    """Headline, rows, builds, jobs, JUnit, CSV, the run's folder, and --python."""
    own = mine("a <b> folder", "2.0**-4 * (batch", "2.0**-5 * (batch")
    label = "numpy@a--b--folder"
    done = compare(harness, own, more=("--python", f"{label}={sys.executable}"))
    report = harness.report()
    assert done.code == 1 and f"numpy and {label} part in line" in report["summary"]["headline"]
    assert {("numpy", label)} == {(row["a"], row["b"]) for row in report["stages"]}
    assert (
        ["numpy", label]
        == [row["build"] for row in report["builds"]]
        == [row["build"] for row in report["jobs"]]
    )
    assert ["the harness's own interpreter", "--python"] == [
        row["origin"] for row in report["builds"]
    ]
    (run,) = (harness.folder / "reports").iterdir()
    assert run.name.endswith(f"_numpy-{label}")
    assert label in (run / "report.md").read_text() and label in (run / "report.html").read_text()
    assert any(
        label in str(case.attrib) for case in ElementTree.parse(run / "report.xml").iter("testcase")
    )
    shown = harness.run("report", run, "--format", "csv")
    assert label in {row["b"] for row in csv.DictReader(shown.out.splitlines())}
    assert harness.run("diff", run, run).code == 0


def test_a_mistake_in_training_costs_the_stages_of_training(harness, mine) -> None:
    """With its file and line; the forward pass is judged, the job is not ok, and where nothing
    fails the run ends with 4."""
    bad = mine("bad", "self.b - batch", "self.c - batch")
    done = compare(harness, bad)
    report = harness.report()
    verdicts = {row["stage"]: row["verdict"] for row in report["stages"]}
    assert done.code == 4 and ("PASS", "PASS", "INCONCLUSIVE") == tuple(
        verdicts[stage] for stage in ("weights", "forward", "trajectory")
    )
    (job,) = [job for job in report["jobs"] if job["status"] != "ok"]
    assert ("numpy@bad", "error") == (job["build"], job["status"])
    assert (
        "in trajectory: AttributeError" in job["reason"]
        and "bad/numpy/line.py, line 18, in `train`: error =" in job["reason"]
    )


def test_a_mistake_costs_the_check_and_no_more(harness, mine) -> None:
    """The side that fails is not compared, with its file and line; the others are. Where nothing
    is left the run ends at once."""
    bad, other = (
        mine("bad", "import numpy", "import nampy\nimport numpy"),
        mine("other", "2.0**-4", "2.0**-5"),
    )
    done = compare(harness, bad, other)
    report = harness.report()
    assert done.code == 1 and {("numpy", "numpy@other")} == {
        (row["a"], row["b"]) for row in report["stages"]
    }
    (check,) = [job for job in report["jobs"] if job["kind"] == "check"]
    assert ("numpy@bad", "error") == (check["build"], check["status"])
    assert "bad/numpy/line.py, line" in check["reason"] and "import nampy" in check["reason"]
    alone = compare(harness, bad, more=("--reports", "alone"))
    (path,) = harness.folder.glob("alone/*/report.json")
    told = json.loads(path.read_text())
    assert (
        alone.code == 4
        and ["check"] == [job["kind"] for job in told["jobs"]]
        and [] == told["stages"]
    )
    again = compare(harness, mine("bad", "2.0**-4", "2.0**-4"), more=("--reports", "alone"))
    assert again.code == 0  # mended


def test_what_can_be_judged_is_judged_and_remarked_on(harness, mine) -> None:
    """The verdict is on the values; a note names the line of the contract."""
    done = compare(harness, mine("bare", "self.b.copy()}", "self.b.copy().reshape(1, 1)}"))
    report = harness.report()
    assert done.code == 1
    (note,) = [note for note in report["notes"] if "bare/numpy/line.py" in note]
    assert (
        note.startswith("numpy@bare, port of line: ")
        and "line 10, `parameters` gave b in the shape (1, 1)" in note
    )


def test_only_the_stages_asked_for_run(harness, mine) -> None:
    """A port whose training raises is judged at weights, forward and loss."""
    own = mine(
        "untrained", "        losses = []\n", "        raise RuntimeError('not on this machine')\n"
    )
    done = compare(harness, own, more=("--stages", "W", "F", "L"))
    assert done.code == 0, done.err
    assert {"PASS"} == {row["verdict"] for row in harness.report()["stages"]}
    assert compare(harness, own, more=("--reports", "trained")).code == 4


@pytest.mark.parametrize("more", [(), ("--steps", 3, "--seed", 2, "--limit", 50)])
def test_the_commands_of_a_report_give_its_verdicts_again(
    harness, mine, more: tuple[object, ...]
) -> None:
    """From another folder too: every judged row's command, as it stands in the report."""
    own = mine("slow learner", "self.b -= 2.0**-4", "self.b -= 2.0**-5")
    compare(harness, own, more=(*more, "--python", f"numpy@slow-learner={sys.executable}"))
    rows = [row for row in harness.report()["stages"] if row["verdict"] != "INFO"]
    assert {"PASS", "FAIL"} == {row["verdict"] for row in rows}
    for place, row in enumerate(rows):
        command, *words = shlex.split(row["command"])
        assert command == "harness" and f"numpy@slow-learner={sys.executable}" in words
        assert ("--limit" in words) == ("--limit" in more)
        harness.run(*words, "--reports", f"again{place}")
        (path,) = harness.folder.glob(f"again{place}/*/report.json")
        (found,) = [
            one for one in json.loads(path.read_text())["stages"] if one["stage"] == row["stage"]
        ]
        told = ("a", "b", "stage", "verdict", "worst", "error", "threshold", "tensors")
        assert {name: row[name] for name in told} == {name: found[name] for name in told}


def test_a_helper_is_a_part_of_what_ran(harness, mine) -> None:
    """Its text is in the hash of the source and in the record, and a run is not resumed with
    another."""
    own = mine(
        "helped",
        "import numpy as np\n",
        "import os, sys\nsys.path.insert(0, os.path.join(os.path.dirname(__file__), '../kit'))\n"
        "import numpy as np\nfrom rate import RATE\n",
    )
    kit = harness.folder / "helped/kit"
    kit.mkdir()
    hashes = set()
    for number, rate in enumerate(("2.0**-4", "2.0**-3")):
        (kit / "rate.py").write_text(f"RATE = {rate}\n")
        assert compare(harness, own, more=("--reports", f"run{number}", "--keep")).code == 0
        (path,) = harness.folder.glob(f"run{number}/*/jobs/line-numpy-helped-*/manifest.json")
        told = json.loads(path.read_text())["result"]
        assert {"kit/rate.py", "numpy/line.py", "line.py"} <= {
            name for name, _ in told["sources"]
        }, told["sources"]
        hashes.add(told["source_hash"])
    assert len(hashes) == 2
    (first,) = harness.folder.glob("run0/*/run.json")
    (second,) = harness.folder.glob("run1/*/run.json")
    assert json.loads(first.read_text())["key"] != json.loads(second.read_text())["key"]
