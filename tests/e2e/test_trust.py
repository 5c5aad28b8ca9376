"""What runs and what is only read, from outside: files of `--ports` run in the command itself,
ports in workers, and the words of a report never."""

from __future__ import annotations

import dataclasses
import itertools
import json
import subprocess
from fnmatch import fnmatchcase as fnmatch
from pathlib import Path

import pytest

from harness.execution.worker_environment import PASSED
from harness.report import json_format, renderers
from tests.e2e.conftest import Harness
from tests.e2e.test_own_ports import PORT, WORKLOAD
from tests.harness.report import sample

LISTED = [*itertools.chain(*PASSED.values())]
#: The first thing that a file does when it is run.
TELLS = """
import os
with open(__file__ + ".ran", "a") as file:
    file.write("%d\\n" % os.getpid())
"""


@pytest.fixture
def mine(harness: Harness) -> Path:
    """A folder with a workload, ports, and files of other names, each of which tells that it
    runs."""
    folder = harness.folder / "mine"
    (folder / "numpy").mkdir(parents=True)
    (folder / "line.py").write_text(WORKLOAD + TELLS, encoding="utf-8")
    (folder / "numpy/line.py").write_text(PORT + TELLS, encoding="utf-8")
    for name in ("_private.py", "test_line.py", "conftest.py", "numpy/other.py"):
        (folder / name).write_text(TELLS, encoding="utf-8")
    return folder


def ran(folder: Path) -> dict[str, set[int]]:
    """Return which files ran, and in which processes; the next call begins anew."""
    by_file = {}
    for path in sorted(folder.rglob("*.ran")):
        name = path.relative_to(folder).with_suffix("").as_posix()
        by_file[name] = set(map(int, path.read_text(encoding="utf-8").split()))
        path.unlink()
    return by_file


@pytest.mark.parametrize(
    "words",
    [
        ("list",),
        ("compare", "--dry-run", "--workloads", "linear", "--backends", "numpy", "numpy"),
    ],
    ids=["list", "dry run"],
)
def test_workloads_run_whichever_was_asked_for(harness: Harness, mine: Path, words):
    """In the harness's own process; no port does, nor what is named as tests are, nor what lies
    deeper."""
    running = harness.start(*words, "--ports", mine)
    assert running.done().code == 0, running.done().err
    assert {"line.py": {running.process.pid}} == ran(mine)


def test_a_port_gets_what_the_page_lists(harness: Harness, mine: Path):
    """What is on the list, what is added, and what was named; it starts beside `backends` alone."""
    looks = """
import json
with open(__file__ + ".json", "w") as file:
    json.dump({"environ": dict(os.environ), "beside": os.listdir(os.getcwd())}, file)
"""
    (mine / "numpy/line.py").write_text(PORT + TELLS + looks, encoding="utf-8")
    unset = ("TORCHINDUCTOR_CACHE_DIR", "TF_CPP_MIN_LOG_LEVEL", "PYTHONNOUSERSITE")
    harness.environ = {name: value for name, value in harness.environ.items() if name not in unset}
    harness.environ |= {"GITHUB_TOKEN": "s3cret", "MY_DATA": "/data", "TMPDIR": str(mine)}
    words = ("--ports", mine, "--workloads", "line", "--precision", "fp64", "--pass-env", "MY_DATA")
    assert harness.run("run", *words, "--backends", "numpy").code == 0
    seen = json.loads((mine / "numpy/line.py.json").read_text(encoding="utf-8"))
    environ, own = seen["environ"], (*LISTED, "MY_DATA")
    assert [] == [name for name in environ if not any(fnmatch(name, form) for form in own)]
    assert ("/data", "1", "1") == (environ["MY_DATA"], *(environ[name] for name in unset[1:]))
    assert Path(environ["TMPDIR"]).parent == mine and not Path(environ["TMPDIR"]).exists()
    assert unset[0] in environ and ["backends"] == seen["beside"]


def test_ports_run_in_workers(harness: Harness, mine: Path):
    """Of a side's own folder they alone: the workload beside them is not run."""
    words = ("--workloads", "line", "--precision", "fp64", "--no-speed")
    other = harness.folder / "other"
    (other / "numpy").mkdir(parents=True)
    for name in ("line.py", "numpy/line.py"):
        (other / name).write_text((mine / name).read_text(encoding="utf-8"), encoding="utf-8")
    sides = ("--backends", "numpy", f"numpy@{other}")
    running = harness.start("compare", "--ports", mine, *words, *sides)
    assert running.done().code == 0, running.done().err
    own = {running.process.pid}
    shared, theirs = ran(mine), ran(other)
    assert ["line.py", "numpy/line.py"] == [*shared] and own == shared["line.py"]
    assert ["numpy/line.py"] == [*theirs]
    assert not own & (shared["numpy/line.py"] | theirs["numpy/line.py"])


def test_nothing_that_a_report_names_is_run(harness: Harness):
    """Its command, an interpreter and a port; shown, compared, added and sent, in every format."""
    mark = harness.folder / "ran"
    program = harness.folder / "python"
    program.write_text(f"#!/bin/sh\n: > '{mark}'\n", encoding="utf-8")
    program.chmod(0o755)
    command = f"harness compare --python torch={program} --backends torch $({program}); {program}"
    builds = [
        dataclasses.replace(row, origin=str(program), port={"cnn": str(program)})
        for row in sample.REPORT.builds
    ]
    report = dataclasses.replace(sample.REPORT, command=command, builds=tuple(builds))
    for name in ("a", "b"):
        (harness.folder / name).mkdir()
        (harness.folder / name / "report.json").write_text(
            json_format.to_json(report), encoding="utf-8"
        )
    for kind in renderers.FORMATS:
        assert renderers.render(renderers.load(harness.folder / "a"), kind)
    assert harness.run("report", "a").code == 0
    assert harness.run("diff", "a", "b").code == 0
    assert harness.run("history", "add", "a", "--history", "h.db").code == 0
    assert harness.run("send", "a", "--tensorboard", "board").code == 0
    assert not mark.exists()
    subprocess.run(command, shell=True, check=False, env={"PATH": "/nowhere"})
    assert mark.exists()  # the bait is one
