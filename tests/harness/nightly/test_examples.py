"""The examples for other programs are what those programs take: Dockerfiles, a CI workflow, cron, systemd; and matrices that load."""

from __future__ import annotations

import configparser
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from harness import cli
from harness.nightly import config

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "docs/examples/nightly"
DOCKERFILES = sorted((ROOT / "docker").glob("*.Dockerfile"))
HADOLINT = Path(sys.executable).with_name("hadolint")


def lint(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(HADOLINT), "--no-color", str(path)], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_dockerfiles_are_sound(path: Path) -> None:
    """hadolint has nothing to say; the last user is not root; what is copied from the repository is there."""
    done = lint(path)
    assert (0, "") == (done.returncode, done.stdout), done.stderr
    text = path.read_text(encoding="utf-8")
    assert "${UID}" == re.findall(r"^USER (.*)$", text, re.MULTILINE)[-1] and "ARG UID=1000" in text
    for name in re.findall(r"(?<![\w/.-])((?:backends|docs|docker)/[\w./-]+\.\w+)", text):
        assert (ROOT / name).is_file(), name


def test_both_kinds_have_one() -> None:
    """One for the CPU, one for the GPU."""
    assert ["cpu.Dockerfile", "gpu.Dockerfile"] == [path.name for path in DOCKERFILES]


def test_a_bad_dockerfile_is_found(tmp_path: Path) -> None:
    """The linter sees a planted fault."""
    bad = tmp_path / "bad.Dockerfile"
    bad.write_text(DOCKERFILES[0].read_text(encoding="utf-8").replace("WORKDIR /home/harness/parity-harness", "RUN cd /home"))
    assert 0 != lint(bad).returncode


def test_the_images_commands_are_understood() -> None:
    """What a container runs is a command of the harness, and its environments are those of tox.ini."""
    for path in DOCKERFILES:
        text = path.read_text(encoding="utf-8").replace("\\\n", "")
        words = re.findall(r'"([^"]*)"', re.findall(r"^CMD \[(.*)\]$", text, re.MULTILINE)[-1])
        cli.app.parse_args(words, exit_on_error=False, print_error=False)
    tox = configparser.ConfigParser(interpolation=None)
    tox.read_string((ROOT / "tox.ini").read_text(encoding="utf-8"))
    (named,) = re.findall(r"tox run --notest -e (\S+)", DOCKERFILES[0].read_text(encoding="utf-8"))
    assert [] == [name for name in named.split(",") if f"testenv:{name}" not in tox]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.name)
def test_matrices_load(path: Path) -> None:
    """Every example of a matrix is one."""
    assert config.load(path).cells


def test_the_workflow_is_one() -> None:
    """YAML with a schedule, the checkout first, a cache of .tox keyed by what is pinned, `tox run -e nightly`, and the summary posted."""
    made = yaml.safe_load((EXAMPLES / "github-workflow.yml").read_text(encoding="utf-8"))
    assert [{"cron": "30 1 * * *"}] == made[True]["schedule"]  # YAML 1.1 reads `on` as a truth
    (job,) = made["jobs"].values()
    steps = job["steps"]
    assert steps[0]["uses"].startswith("actions/checkout@")
    (cached,) = (step["with"] for step in steps if step.get("with", {}).get("path") == ".tox")
    assert all(name in cached["key"] for name in ("tox.ini", "pyproject.toml", "requirements"))
    commands = "\n".join(step.get("run", "") for step in steps)
    assert "tox run -e nightly" in commands and "GITHUB_STEP_SUMMARY" in commands
    for step in steps:
        if "run" in step:
            subprocess.run(["bash", "-n", "-c", step["run"]], check=True, timeout=30)
    (kept,) = (step["with"]["path"] for step in steps if "upload-artifact" in step.get("uses", ""))
    assert {"index.html", "night.json", "summary.md", "report.*"} <= {Path(line).name for line in kept.split()}


def test_cron_and_systemd() -> None:
    """Five fields or @reboot before a command that a shell can read; units with the command in the clone."""
    jobs = [line for line in (EXAMPLES / "crontab").read_text(encoding="utf-8").splitlines() if re.match(r"[\d@]", line)]
    assert 2 == len(jobs)
    for line in jobs:
        fields = re.fullmatch(r"(@reboot|(?:[\d*/,-]+ ){4}[\d*/,-]+)\s+(.*)", line)
        assert fields is not None, line
        command = fields[2].replace("\\%", "%")
        assert ".venv/bin/harness nightly" in command and not re.search(r"(?<!\\)%", fields[2])
        subprocess.run(["bash", "-n", "-c", command], check=True, timeout=30)
    for name, section in (("service", "Service"), ("timer", "Timer")):
        unit = configparser.ConfigParser(interpolation=None, delimiters=("=",))
        unit.optionxform = str  # type: ignore[assignment, method-assign]
        unit.read_string((EXAMPLES / f"parity-nightly.{name}").read_text(encoding="utf-8"))
        assert unit["Unit"]["Description"]
        if name == "service":
            words = shlex.split(unit[section]["ExecStart"])
            assert words[0].startswith(unit[section]["WorkingDirectory"])
            cli.app.parse_args(words[1:], exit_on_error=False, print_error=False)
        else:
            assert "true" == unit[section]["Persistent"] and unit[section]["OnCalendar"]
