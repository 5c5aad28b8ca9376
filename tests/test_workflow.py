"""The public host's CI does what `.ci/run` does: the same environments of tox and comparisons, and
one job that waits for all."""

from __future__ import annotations

import configparser
import copy
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
MATRIX = re.compile(r"\$\{\{ *matrix\.(\w+) *\}\}")
#: How a line of `.ci/run` begins that says what is compared.
COMPARING = (".venv/bin/harness ", ".venv/bin/python ", "builds=", "oldest=")

Workflow = dict[Any, Any]


def workflow() -> Workflow:
    """Return the CI's jobs."""
    text = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def script() -> list[str]:
    """Return the lines of `.ci/run`."""
    return (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()


def tox() -> configparser.ConfigParser:
    """Return tox.ini as it is written."""
    config = configparser.ConfigParser(interpolation=None)
    config.read_string((ROOT / "tox.ini").read_text(encoding="utf-8"))
    return config


def labelled(name: str) -> set[str]:
    """Return the environments of a label."""
    labels = (line.partition("=") for line in tox()["tox"]["labels"].strip().splitlines())
    (found,) = (names for label, _, names in labels if label.strip() == name)
    return {item.strip() for item in found.split(",")}


def entries(job: dict[str, Any]) -> list[dict[str, str]]:
    """Return the entries of a job's matrix; one that is empty where it has none."""
    return job.get("strategy", {}).get("matrix", {}).get("include", [{}])


def lines(job: dict[str, Any]) -> Iterator[str]:
    """Yield every line that a job's steps run, for each entry of its matrix."""
    for entry in entries(job):
        for step in job["steps"]:
            for line in step.get("run", "").splitlines():
                yield MATRIX.sub(lambda found, entry=entry: entry[found[1]], line.strip())


def environments(document: Workflow) -> set[str]:
    """Return the environments whose commands a workflow runs.

    Those that are only installed are tested by nothing.
    """
    found: set[str] = set()
    for line in (line for job in document["jobs"].values() for line in lines(job)):
        if re.match(r"(\.venv/bin/)?tox run(-parallel)? ", line) and "--notest" not in line:
            words = shlex.split(line)
            found.update(words[words.index("-e") + 1].split(","))
    return found


def drift(document: Workflow) -> list[str]:
    """Return in what a workflow differs from `.ci/run`, which runs the label `all`."""
    wanted, found = labelled("all"), environments(document)
    faults = [f"no job runs {name}" for name in sorted(wanted - found)]
    faults += [f"{name} is not in the label `all`" for name in sorted(found - wanted)]
    asked = [line for line in script() if line.startswith(COMPARING)]
    made = [line for line in lines(document["jobs"]["comparisons"]) if line.startswith(COMPARING)]
    faults += [f"not compared: {line}" for line in asked if line not in made]
    return faults + [f"not in .ci/run: {line}" for line in made if line not in asked]


def test_the_workflow_is_that_of_the_script():
    """Every environment of the label is run by a job, no other is, and all comparisons are made."""
    (tested,) = (line for line in script() if line.startswith(".venv/bin/tox run"))
    assert tested.endswith(" -m all")
    assert [] == drift(workflow())


def without(document: Workflow) -> None:
    document["jobs"]["builds"]["strategy"]["matrix"]["include"].pop()


def installed_only(document: Workflow) -> None:
    step(document, "py37", "tox run -e py37")["run"] = "tox run --notest -e py37"


def renamed(document: Workflow) -> None:
    step(document, "oldest", "tox run -e tf2-oldest")["run"] = "tox run -e torch-oldest"


def not_compared(document: Workflow) -> None:
    step(document, "comparisons", "--budget 0")["run"] = "true"


def step(document: Workflow, job: str, text: str) -> dict[str, Any]:
    """Return the only step of a job that runs this."""
    (found,) = (item for item in document["jobs"][job]["steps"] if text in item.get("run", ""))
    return found


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        (without, ["no job runs torch-cpu"]),
        (installed_only, ["no job runs py37"]),
        (renamed, ["no job runs tf2-oldest", "torch-oldest is not in the label `all`"]),
        (not_compared, ["not compared: .venv/bin/harness compare --backends tf2 torch --budget 0"]),
    ],
)
def test_a_planted_difference_is_found(plant, said: list[str]):
    """A missing environment, one that is only installed, another one, a missing comparison."""
    document = copy.deepcopy(workflow())
    plant(document)
    assert said == drift(document)


def test_each_build_has_its_python():
    """The Python of each entry is one that tox takes for that environment."""
    config = tox()
    newest = config["build"]["newest_python"]
    for entry in entries(workflow()["jobs"]["builds"]):
        wanted = config[f"testenv:{entry['environment']}"]["base_python"]
        accepted = wanted.replace("{[build]newest_python}", newest).split(", ")
        assert f"python{entry['python']}" in accepted


def test_the_last_job_waits_for_all_others():
    """It runs whatever became of them, and passes only if each of them passed."""
    *others, last = workflow()["jobs"]
    job = workflow()["jobs"][last]
    assert (sorted(others), "always()") == (sorted(job["needs"]), job["if"])
    (only,) = job["steps"]
    assert {"RESULTS": "${{ join(needs.*.result, ' ') }}"} == only["env"]
    ends = {"success success": 0, "success skipped": 1, "failure success": 1, "cancelled": 1}
    for results, code in ends.items():
        argv = ["bash", "-eo", "pipefail", "-c", only["run"]]
        done = subprocess.run(argv, env={"RESULTS": results}, capture_output=True, check=False)
        assert code == done.returncode, results


def test_every_script_can_be_read():
    """bash parses each step's script, and actions are pinned by their major version."""
    for item in (item for job in workflow()["jobs"].values() for item in job["steps"]):
        subprocess.run(["bash", "-n", "-c", item.get("run", "")], check=True, timeout=30)
        assert "uses" not in item or re.fullmatch(r"[\w-]+/[\w-]+@v\d+", item["uses"])
