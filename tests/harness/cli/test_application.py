"""The application starts at once: nothing is imported but what the command needs, and every command
is listed with a line of its own."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli.application import COMMANDS, app

ROOT = Path(__file__).parents[3]
#: What takes long to import and no listing needs.
SLOW = ("jinja2", "numpy", "scipy", "sklearn", "sqlalchemy", "tox")
#: CPU time of `harness --version` and `harness --help`, interpreter and all, seconds.
MOST_CPU_S = 0.3
#: Prints, after what the command has, what was imported and the CPU time of the whole process.
PROGRAM = """\
import atexit, json, sys, time
sys.argv = ["harness", *sys.argv[1:]]

def told():
    slow = sorted({name.partition(".")[0] for name in sys.modules} & set(%r))
    print(json.dumps([slow, time.process_time()]), file=sys.stderr)

atexit.register(told)
from harness.cli import main
main()
"""


def started(*words: str) -> tuple[str, list[str], float]:
    """Run a command in a process of its own; return its output, the slow packages that it
    imported, and its CPU time, seconds: the least of three, for another program may have taken the
    processor's caches."""
    argv = [sys.executable, "-c", PROGRAM % (SLOW,), *words]
    out, slow, least_s = "", [], float("inf")
    for _ in range(3):
        done = subprocess.run(
            argv, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
        )
        out = done.stdout
        slow, spent_s = json.loads(done.stderr.splitlines()[-1])
        least_s = min(least_s, spent_s)
    return out, slow, least_s


@pytest.mark.parametrize("words", [("--version",), ("-V",), ("--help",), ("-h",), ()])
def test_the_listing_and_the_version_come_at_once(words: tuple[str, ...]):
    """No package that takes long is imported, and the CPU time is below its bound."""
    out, slow, cpu_s = started(*words)
    assert out.strip()
    assert [] == slow
    assert cpu_s < MOST_CPU_S


def test_a_command_that_needs_them_imports_them():
    """The count sees what is imported: a history is a database."""
    assert "sqlalchemy" in started("history", "--help")[1]


def test_the_package_is_a_program():
    """`python -m harness` is `harness`."""
    argv = [sys.executable, "-m", "harness", "--version"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    from harness import __version__

    assert __version__ == done.stdout.strip()


def test_commands_are_listed_in_their_groups(capsys: pytest.CaptureFixture[str]):
    """Each below the title of its group, in one line where the terminal is wide enough."""
    app.help_print([])
    lines = capsys.readouterr().out.splitlines()
    shown: dict[str, list[str]] = {}
    title = ""
    for line in lines:
        if line.startswith("╭"):
            title = line.strip("╭╮─ ")
        elif line.startswith("│") and line[2] != " ":
            shown.setdefault(title, []).append(line.split()[1])
    shown.pop("Help")
    assert {title: list(commands) for title, commands in COMMANDS.items()} == shown


def _registered() -> list[tuple[str, str]]:
    return [(name, item.target) for group in COMMANDS.values() for name, item in group.items()]


@pytest.mark.parametrize(("name", "target"), _registered())
def test_every_command_is_there(name: str, target: str):
    """The module has what the table names: a wrong entry would be met by a user alone."""
    module, _, attribute = target.partition(":")
    tree = ast.parse((ROOT / f"harness/cli/{module}.py").read_text(encoding="utf-8"))
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assigned = {
        node.targets[0].id
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    assert attribute in functions | assigned
    assert app[name].name[0] == name


def test_a_commands_own_page_has_its_whole_docstring():
    """The summary is for the listing."""
    out = started("diff", "--help")[0]
    assert "Ends with 3 where a PASS was lost" in " ".join(out.replace("│", "").split())
    assert "history" in started("history", "--help")[0]
