"""The examples for other programs are what those programs take: Dockerfiles, a CI workflow,
cron, systemd; and matrices that load."""

from __future__ import annotations

import configparser
import datetime
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

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


def workflow() -> dict[Any, Any]:
    """Return the CI's job for a night."""
    return dict(yaml.safe_load((EXAMPLES / "github-workflow.yml").read_text(encoding="utf-8")))


def steps() -> list[dict[str, Any]]:
    """Return its steps, in their order."""
    (job,) = workflow()["jobs"].values()
    return list(job["steps"])


def caching(what: str, path: str) -> tuple[int, dict[str, Any]]:
    """Return the only step that restores or saves a folder, and its place among all."""
    (found,) = (
        (place, step)
        for place, step in enumerate(steps())
        if step.get("uses", "").startswith(f"actions/cache/{what}@")
        and step["with"]["path"] == path
    )
    return found


def placed(text: str) -> int:
    """Return the place of the first step that runs this."""
    return next(place for place, step in enumerate(steps()) if text in step.get("run", ""))


def uploaded() -> list[str]:
    """Return the patterns of what the artifact holds."""
    (step,) = (
        step for step in steps() if step.get("uses", "").startswith("actions/upload-artifact@")
    )
    assert "always()" == step["if"]
    return str(step["with"]["path"]).split()


def test_the_workflow_is_one() -> None:
    """YAML with a schedule, the checkout first, `tox run -e nightly` as a command that is
    understood, scripts that a shell can read."""
    assert [{"cron": "30 1 * * *"}] == workflow()[True][
        "schedule"
    ]  # YAML 1.1 reads `on` as a truth
    assert steps()[0]["uses"].startswith("actions/checkout@")
    for step in steps():
        if "run" in step:
            subprocess.run(["bash", "-n", "-c", step["run"]], check=True, timeout=30)
    (command,) = re.findall(
        r"tox run -e nightly -- (.*)", "\n".join(step.get("run", "") for step in steps())
    )
    cli.app.parse_args(["nightly", *shlex.split(command)], exit_on_error=False, print_error=False)
    assert [] == [step for step in steps() if step.get("uses", "").startswith("actions/cache@")], (
        "it saves only after a job that succeeds"
    )


def test_a_night_that_fails_the_job_is_kept() -> None:
    """Exit codes 1, 3, 4 and 6 fail the night's step: its history is saved all the same, under a
    key of its own for each attempt.

    It is not if the earlier nights did not come: the newest cache is taken, and would be without
    them.
    """
    back, restored = caching("restore", "reports")
    place, saved = caching("save", "reports")
    assert back < placed("tox run -e nightly --") < place
    assert f"always() && steps.{restored['id']}.outcome == 'success'" == saved["if"]
    key = "reports-${{ github.run_id }}-${{ github.run_attempt }}"
    assert (key, key, "reports-") == (
        saved["with"]["key"],
        restored["with"]["key"],
        restored["with"]["restore-keys"],
    )


def test_environments_are_kept_before_the_night() -> None:
    """They are saved by what is pinned, whatever the night says; only whole ones, for nothing
    replaces a cache; and those of tox.ini."""
    back, restored = caching("restore", ".tox")
    place, saved = caching("save", ".tox")
    made = placed("tox run --notest")
    assert back < made < place < placed("tox run -e nightly --")
    assert all(
        name in restored["with"]["key"]
        for name in ("hashFiles", "tox.ini", "pyproject.toml", "requirements")
    )
    assert f"${{{{ steps.{restored['id']}.outputs.cache-primary-key }}}}" == saved["with"]["key"]
    assert steps()[made]["continue-on-error"], (
        "the night goes on without a build that cannot be had"
    )
    names = (
        f"steps.{steps()[made]['id']}.outcome == 'success' &&"
        f" steps.{restored['id']}.outputs.cache-hit != 'true'"
    )
    assert names == saved["if"]
    tox = configparser.ConfigParser(interpolation=None)
    tox.read_string((ROOT / "tox.ini").read_text(encoding="utf-8"))
    assert [] == [
        name for name in steps()[made]["run"].split()[-1].split(",") if f"testenv:{name}" not in tox
    ]


PAGES = {
    "reports/nightly/index.html",
    "reports/nightly/history.html",
    "reports/nightly/*/index.html",
    "reports/nightly/*/night.json",
    "reports/nightly/*/summary.md",
    "reports/nightly/*/cells/*/report.*",
}


def test_the_artifact_has_the_pages_and_all_that_they_lead_to(nights) -> None:
    """A real night: each of its pages is uploaded, and every link of these to a file of the
    night leads to one that is uploaded too."""
    assert PAGES == set(uploaded())
    found = nights.run(nights.write(("good", ""), ("wrong", "nan_activation")))
    kept = {path for pattern in uploaded() for path in nights.folder.glob(pattern)}
    assert {found.folder / name for name in ("index.html", "summary.md", "night.json")} < kept
    pages = [path for path in kept if path.name == "index.html"]
    links = {
        (page, link)
        for page in pages
        for link in re.findall(r'href="(\.[^"#]+)', page.read_text(encoding="utf-8"))
    }
    led = {(page.parent / link).resolve() for page, link in links}
    assert (
        {
            found.folder / "cells/good-hostile/report.html",
            found.folder.parent / "index.html",
            found.folder / "index.html",
        }
        <= led
        <= kept
    )


@pytest.mark.parametrize(
    ("there", "posted"),
    [
        (("2026-11-20", "2026-11-21"), "2026-11-21"),
        (("2026-11-20", "2026-11-21_2"), "2026-11-21_2"),
        (("2026-11-20",), "The night of 2026-11-21 has left no summary."),
        ((), "The night of 2026-11-21 has left no summary."),
    ],
)
def test_the_summary_is_that_of_tonight(
    tmp_path: Path, there: tuple[str, ...], posted: str
) -> None:
    """Not that of the last night that wrote one; the night has the date by which it is looked
    for."""
    place = placed("GITHUB_STEP_SUMMARY")
    assert "always()" == steps()[place]["if"] and placed("NIGHT=") < place
    assert '--date "$NIGHT"' in steps()[placed("tox run -e nightly --")]["run"]
    for name in there:
        (tmp_path / "reports/nightly" / name).mkdir(parents=True)
        (tmp_path / "reports/nightly" / name / "summary.md").write_text(f"{name}\n")
    environ = {
        **os.environ,
        "NIGHT": "2026-11-21",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "page.md"),
    }
    subprocess.run(
        ["bash", "-e", "-c", steps()[place]["run"]],
        cwd=tmp_path,
        env=environ,
        check=True,
        timeout=30,
    )
    assert f"{posted}\n" == (tmp_path / "page.md").read_text()


def test_the_date_is_one_that_the_harness_takes(tmp_path: Path) -> None:
    """What the first script hands on is a date as --date has it."""
    environ = {**os.environ, "GITHUB_ENV": str(tmp_path / "env")}
    subprocess.run(
        ["bash", "-e", "-c", steps()[placed("NIGHT=")]["run"]], env=environ, check=True, timeout=30
    )
    name, _, date = (tmp_path / "env").read_text().strip().partition("=")
    assert "NIGHT" == name and datetime.date.fromisoformat(date)


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
