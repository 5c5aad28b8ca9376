"""The examples for other programs are what those programs take: Dockerfiles, cron, systemd; and
matrices that load. The CI workflow has a file of its own."""

from __future__ import annotations

import configparser
import datetime
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from harness import cli
from harness.nightly import config, night

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "docs/examples/nightly"
DOCKERFILES = sorted((ROOT / "docker").glob("*.Dockerfile"))
HADOLINT = Path(sys.executable).with_name("hadolint")


def lint(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(HADOLINT), "--no-color", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_dockerfiles_are_sound(path: Path) -> None:
    """hadolint has nothing to say; the last user is not root; what is copied from the repository
    is there."""
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
    bad.write_text(
        DOCKERFILES[0]
        .read_text(encoding="utf-8")
        .replace("WORKDIR /home/harness/parity-harness", "RUN cd /home")
    )
    assert 0 != lint(bad).returncode


def test_the_images_commands_are_understood() -> None:
    """What a container runs is a command of the harness, and its environments are those of
    tox.ini."""
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


def crontab() -> list[str]:
    """Return the lines with a command."""
    return [
        line
        for line in (EXAMPLES / "crontab").read_text(encoding="utf-8").splitlines()
        if re.match(r"[\d@]", line)
    ]


@pytest.mark.parametrize(
    ("names", "finished", "runs"),
    [
        (("{}",), False, True),
        (("{}_2",), False, True),
        (("{}",), True, False),
        (("2001-01-01",), False, False),
        ((), False, False),
    ],
)
def test_after_a_reboot_only_a_night_that_was_cut_off_goes_on(
    tmp_path: Path, names: tuple[str, ...], finished: bool, runs: bool
) -> None:
    """The crontab's line, with a harness that only leaves a trace: a finished night of today,
    one of another date, none: nothing."""
    for name in names:
        date = name.format(datetime.datetime.now().astimezone().date())
        night.write(
            tmp_path / "reports/nightly" / date,
            night.Night(date, "k", "", "", "", "", 1.0, (), finished),
        )
    (tmp_path / "reports").mkdir(exist_ok=True)
    script = tmp_path / ".venv/bin/harness"
    script.parent.mkdir(parents=True)
    script.write_text('#!/bin/sh\necho "$@" > ran\n')
    script.chmod(0o755)
    (line,) = (line for line in crontab() if line.startswith("@reboot"))
    command = line.removeprefix("@reboot").replace("\\%", "%")
    done = subprocess.run(
        ["bash", "-c", command],
        env={**os.environ, "CLONE": str(tmp_path)},
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert (runs, b"", b"") == ((tmp_path / "ran").exists(), done.stdout, done.stderr)


def test_a_users_timer_is_said_to_need_lingering() -> None:
    """Without it nothing runs while nobody is logged in; both files say so where they are read."""
    for name in ("service", "timer"):
        comments = [
            line
            for line in (
                (EXAMPLES / f"parity-nightly.{name}").read_text(encoding="utf-8").splitlines()
            )
            if line.startswith("#")
        ]
        assert any("loginctl enable-linger" in line for line in comments)


def test_cron_and_systemd() -> None:
    """Five fields or @reboot before a command that a shell can read; units with the command in
    the clone."""
    assert 2 == len(crontab())
    for line in crontab():
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
