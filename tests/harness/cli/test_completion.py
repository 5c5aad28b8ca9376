"""A shell completes what the command line has: bash is asked, the scripts of all three are looked
at."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli.application import COMMANDS, app

ROOT = Path(__file__).parents[3]
SHELLS = ("bash", "fish", "zsh")
NAMES = [name for commands in COMMANDS.values() for name in commands]


@pytest.fixture(scope="module")
def scripts() -> dict[str, str]:
    """What is printed for each shell."""
    argv = [sys.executable, "-m", "harness", "completion"]
    return {
        shell: subprocess.run(
            [*argv, shell], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
        ).stdout
        for shell in SHELLS
    }


def completed(script: str, *words: str) -> list[str]:
    """Return what bash offers for the last of the words."""
    asked = 'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _harness; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(
        ["bash", "--norc", "-c", f"{script}\n{asked}", "bash", "harness", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_completes_commands_and_options(scripts: dict[str, str]):
    """A command by its beginning, an option of that command and of no other, a command within a
    group."""
    bash = scripts["bash"]
    assert ["compare", "completion"] == sorted(completed(bash, "comp"))
    assert ["--no-fidelity", "--no-speed"] == sorted(completed(bash, "compare", "--no"))
    assert ["add", "export", "page", "series"] == sorted(completed(bash, "history", ""))
    assert ["--older-than"] == completed(bash, "clean", "--o")
    assert [] == completed(bash, "none-such", "--o")


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_and_option_is_in_the_script(scripts: dict[str, str], shell: str):
    """Those that the application lists, so that a new one is completed too."""
    words = scripts[shell]
    assert [] == [name for name in NAMES if name not in words]
    shown = [item.name for item in app["compare"].assemble_argument_collection() if item.show]
    assert len(shown) > 30
    # fish has names of options without their dashes
    looks = [f"-l {name[2:]}" if shell == "fish" else name for name in shown]
    assert [] == [look for look in looks if look not in words]


def test_a_script_is_installed_where_the_shell_looks(tmp_path: Path):
    """The file is named, and a bash that is started then completes."""
    argv = [sys.executable, "-m", "harness", "completion", "bash", "--install"]
    environ = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        argv, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60, check=True
    )
    (script,) = tmp_path.rglob("completions/*")
    said = "".join(done.stdout.split())  # a narrow terminal breaks a long path
    assert f"written:{script}" in said
    assert str(script) in (tmp_path / ".bashrc").read_text(encoding="utf-8")
    assert ["compare"] == completed(script.read_text(encoding="utf-8"), "compa")


def test_a_shell_that_is_none_is_refused():
    """The one that was meant is named; nothing is written."""
    argv = [sys.executable, "-m", "harness", "completion", "basch", "--install"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "Did you mean 'bash'?" in done.stderr
