"""The example of a night in CI: a workflow that a public host takes, which keeps what a night
leaves and shows its pages."""

from __future__ import annotations

import configparser
import datetime
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import cli

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "docs/examples/nightly/github-workflow.yml"


def workflow() -> dict[Any, Any]:
    """Return the CI's job for a night."""
    return dict(yaml.safe_load(EXAMPLE.read_text(encoding="utf-8")))


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
