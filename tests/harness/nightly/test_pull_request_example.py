"""The example that comments a pull request: code of anybody's never runs where something can be
written, and what it has left is text. Each rule is shown to find a planted fault; the script that
comments is run, with a `gh` that keeps what it is asked."""

from __future__ import annotations

import copy
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import cli
from harness.nightly import conclusion

EXAMPLES = Path(__file__).parents[3] / "docs/examples/pull-request"
SHA = "0123456789abcdef0123456789abcdef01234567"
Document = dict[Any, Any]


def documents() -> dict[str, Document]:
    """The action and both workflows."""
    names = ("action", "compare", "comment")
    return {
        name: dict(yaml.safe_load((EXAMPLES / f"{name}.yml").read_text("utf-8"))) for name in names
    }


def steps(document: Document) -> list[dict[str, Any]]:
    if "runs" in document:
        return list(document["runs"]["steps"])
    (job,) = document["jobs"].values()
    return list(job["steps"])


def granted(document: Document) -> dict[str, str]:
    """What the only job of a workflow may do."""
    (job,) = document["jobs"].values()
    return dict(job.get("permissions", document.get("permissions", {"all": "write"})))


def faults(found: dict[str, Document]) -> Iterator[str]:
    """Yield what would let code of a pull request write, or its words be run."""
    for name in ("compare", "comment"):
        if "pull_request_target" in found[name][True]:  # YAML 1.1 reads `on` as a truth
            yield f"{name}: runs on pull_request_target"
        if "permissions" not in found[name]:
            yield f"{name}: has the default permissions"
    if {"contents": "read"} != granted(found["compare"]):
        yield "compare: may do more than read"
    if {"actions": "read", "pull-requests": "write"} != granted(found["comment"]):
        yield "comment: may do something else than comment"
    for name, document in found.items():
        for step in steps(document):
            yield from (f"{name}: {fault}" for fault in _of_step(name, step))


def _of_step(name: str, step: dict[str, Any]) -> Iterator[str]:
    action, text = step.get("uses", "./"), str(step)
    checkout = action.startswith("actions/checkout@")
    rules = {
        f"{action} is not pinned": not action.startswith("./")
        and not re.search(r"@[0-9a-f]{40}$", action),
        "a script has an expression in it": "${{" in step.get("run", ""),
        "the checkout keeps its token": checkout
        and step.get("with", {}).get("persist-credentials") is not False,
        "is given a secret": "secrets." in text,
        "is given a token": "github.token" in text and name != "comment",
        "uses an action": name == "comment" and "uses" in step,
    }
    yield from (fault for fault, there in rules.items() if there)


def test_nothing_of_a_pull_request_runs_where_something_can_be_written() -> None:
    """By the rules above; the second workflow follows the first, and takes what it leaves."""
    found = documents()
    assert [] == list(faults(found))
    assert [found["compare"]["name"]] == found["comment"][True]["workflow_run"]["workflows"]
    (upload,) = (
        step for step in steps(found["compare"]) if "upload-artifact" in step.get("uses", "")
    )
    assert "posted/summary.md" == upload["with"]["path"]
    (script,) = (step["run"] for step in steps(found["comment"]))
    assert f"--name {upload['with']['name']} --dir posted" in script


def target(found: dict[str, Document]) -> None:
    found["compare"][True] = {"pull_request_target": None}


def no_permissions(found: dict[str, Document]) -> None:
    del found["compare"]["permissions"]


def writes(found: dict[str, Document]) -> None:
    found["compare"]["permissions"] = {"contents": "write"}


def more(found: dict[str, Document]) -> None:
    found["comment"]["jobs"]["comment"]["permissions"]["contents"] = "write"


def unpinned(found: dict[str, Document]) -> None:
    steps(found["compare"])[0]["uses"] = "actions/checkout@v4"


def injected(found: dict[str, Document]) -> None:
    steps(found["comment"])[0]["run"] += "echo ${{ github.event.workflow_run.head_branch }}"


def kept(found: dict[str, Document]) -> None:
    del steps(found["compare"])[0]["with"]


def secret(found: dict[str, Document]) -> None:
    steps(found["compare"])[2]["with"]["key"] = "${{ secrets.KEY }}"


def checked_out(found: dict[str, Document]) -> None:
    found["comment"]["jobs"]["comment"]["steps"].append(dict(steps(found["compare"])[0]))


def token(found: dict[str, Document]) -> None:
    steps(found["action"])[1]["env"]["GH_TOKEN"] = "${{ github.token }}"


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        (target, "compare: runs on pull_request_target"),
        (no_permissions, "compare: has the default permissions"),
        (writes, "compare: may do more than read"),
        (more, "comment: may do something else than comment"),
        (unpinned, "compare: actions/checkout@v4 is not pinned"),
        (injected, "comment: a script has an expression in it"),
        (kept, "compare: the checkout keeps its token"),
        (secret, "compare: is given a secret"),
        (checked_out, "comment: uses an action"),
        (token, "action: is given a token"),
    ],
)
def test_a_planted_fault_is_found(plant: Callable[[dict[str, Document]], None], said: str) -> None:
    """One for each rule."""
    found = copy.deepcopy(documents())
    plant(found)
    assert said in list(faults(found))


def test_commands_and_scripts_are_understood() -> None:
    """bash reads every script; the harness its own command; the summary has the name that it
    has."""
    for document in documents().values():
        for step in steps(document):
            subprocess.run(["bash", "-n", "-c", step.get("run", "")], check=True, timeout=30)
    (script,) = (step["run"] for step in steps(documents()["action"]) if "nightly" in str(step))
    (command,) = re.findall(r"^ *harness (nightly .*?) \|\|", script, re.MULTILINE)
    cli.app.parse_args(shlex.split(command), exit_on_error=False, print_error=False)
    assert f"-name {conclusion.SUMMARY} " in script


GH = """#!/bin/bash
printf '%s\\n' "$*" >> calls
case "$*" in
  *"/pulls"*) printf '%s' "$PULL" ;;
  "run download"*) mkdir -p posted; printf '%s' "$WRITTEN" > posted/summary.md ;;
  *"--paginate"*) printf '%s' "$EARLIER" ;;
  *) cp body.md sent.md ;;
esac
"""


def commented(folder: Path, **environ: str) -> list[str]:
    """Run the script that comments; return what was asked of `gh`."""
    (folder / "bin").mkdir()
    (folder / "bin/gh").write_text(GH, encoding="utf-8")
    (folder / "bin/gh").chmod(0o755)
    (step,) = steps(documents()["comment"])
    told = {"REPOSITORY": "me/mine", "RUN": "1", "SHA": SHA, "OWNER": "you", "BRANCH": "b"}
    told |= {"PULL": "7\n", "WRITTEN": "# Night\n", "EARLIER": "", **environ}
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    subprocess.run(
        ["bash", "-eo", "pipefail", "-c", step["run"]],
        cwd=folder,
        env={**told, "PATH": path},
        check=True,
        timeout=30,
        capture_output=True,
    )
    return (folder / "calls").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("ending", "left"), [("exit 0", True), ("exit 1", True), ("exit 2", False)]
)
def test_the_action_tells_how_it_ended(tmp_path: Path, ending: str, left: bool) -> None:
    """Whether it passed, failed, or left no summary; it goes on, so that this can be posted."""
    writing = "mkdir -p r/nightly/2026-11-30; echo x > r/nightly/2026-11-30/summary.md"
    (tmp_path / "harness").write_text(f"#!/bin/bash\n{writing if left else ''}\n{ending}\n")
    (tmp_path / "harness").chmod(0o755)
    (step,) = (step for step in steps(documents()["action"]) if "nightly" in step["run"])
    environ = {"CONFIG": "a b.toml", "REPORTS": "r", "GITHUB_OUTPUT": "out"}
    subprocess.run(
        ["bash", "-eo", "pipefail", "-c", step["run"]],
        cwd=tmp_path,
        env={**environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        check=True,
        timeout=30,
    )
    summary = "r/nightly/2026-11-30/summary.md" if left else ""
    said = [f"exit-code={ending[-1]}", f"summary={summary}"]
    assert said == (tmp_path / "out").read_text().splitlines()


def test_a_comment_is_made_once_and_then_changed(tmp_path: Path) -> None:
    """By its marker; with the summary and the commit that it is of."""
    assert "--method POST repos/me/mine/issues/7/comments" in commented(tmp_path)[-1]
    body = (tmp_path / "sent.md").read_text(encoding="utf-8")
    assert body.startswith("<!-- parity-harness -->\n") and SHA in body and "# Night" in body
    again = tmp_path / "again"
    again.mkdir()
    assert "--method PATCH repos/me/mine/issues/comments/12" in commented(again, EARLIER="12\n")[-1]


@pytest.mark.parametrize("pull", ["", "7; rm -rf /", "null\n"])
def test_where_no_pull_request_is_at_that_commit_nothing_is_written(
    tmp_path: Path, pull: str
) -> None:
    """It has moved on, or what comes back is no number."""
    assert 1 == len(commented(tmp_path, PULL=pull))


def test_what_the_artifact_holds_is_text(tmp_path: Path) -> None:
    """No command in it is run, nobody is called, and it is cut to what a comment holds; nor is the
    name of a branch a command."""
    written = "$(touch ran) `touch ran` @everybody\n" + "@x" * 60_000
    branch = "$(touch ran)`touch ran`;touch ran"
    assert commented(tmp_path, WRITTEN=written, BRANCH=branch)
    body = (tmp_path / "sent.md").read_text(encoding="utf-8")
    assert not (tmp_path / "ran").exists() and "@everybody" not in body
    assert "$(touch ran)" in body and len(body) < 65_536
