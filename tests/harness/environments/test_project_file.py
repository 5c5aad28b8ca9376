"""The file of a project is found where it may be, and what it has is checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli.application import COMMANDS
from harness.environments import project_file
from harness.errors import HarnessError, UnknownName, UsageError

BUILD = '[builds.work]\nbuild = "torch"\npython = "python"\n'
COMPARE = "[compare]\nbudget = 600\n"


def write(folder: Path, text: str, name: str = project_file.FILE) -> Path:
    """Write a file of a project and return its folder."""
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_builds_and_defaults_are_in_one_file(tmp_path: Path):
    """Each is optional."""
    project = project_file.find([write(tmp_path, BUILD + COMPARE)])
    assert project is not None
    assert (["work"], {"compare": {"budget": 600}}) == (list(project.builds), project.defaults)
    assert project_file.find([write(tmp_path, "")]) is not None


def test_a_shared_file_has_a_table(tmp_path: Path):
    """`[tool.harness]`; what other programs have in the file is theirs."""
    text = '[project]\nname = "x"\n[tool.harness.compare]\nbudget = 600\n'
    project = project_file.find([write(tmp_path, text, project_file.SHARED_FILE)])
    assert project is not None
    assert {"compare": {"budget": 600}} == project.defaults
    assert project.where.endswith("pyproject.toml: [tool.harness]")


@pytest.mark.parametrize("text", ["[tool.ruff]\n", "[project", "# harness\n", "tool = 7 # harness"])
def test_a_shared_file_without_the_table_is_nobodys_business(tmp_path: Path, text: str):
    """Whatever else is in it, or wrong with it."""
    assert project_file.find([write(tmp_path, text, project_file.SHARED_FILE)]) is None


def test_only_the_folders_that_are_named_are_looked_at(tmp_path: Path):
    """The first that has one counts; those above, which others may write to, never do."""
    write(tmp_path, COMPARE)
    below, empty = tmp_path / "below", tmp_path / "empty"
    below.mkdir()
    empty.mkdir()
    assert project_file.find([empty]) is None
    project = project_file.find([empty, write(below, BUILD), tmp_path])
    assert project is not None and project.path == below / project_file.FILE


def test_a_folder_with_both_is_refused(tmp_path: Path):
    """Nobody could tell which one counts."""
    write(tmp_path, "[tool.harness.compare]\n", project_file.SHARED_FILE)
    with pytest.raises(UsageError, match="Keep one of them"):
        project_file.find([write(tmp_path, COMPARE)])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[compar]\n", "Did you mean 'compare'"),
        ("[clean]\n", "unknown table"),
        ("compare = 7\n", r"a table \[compare\]"),
        ("[compare", "no TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str):
    """With the file."""
    with pytest.raises(HarnessError, match=said) as caught:
        project_file.find([write(tmp_path, text)])
    assert project_file.FILE in str(caught.value)
    assert isinstance(caught.value, UsageError | UnknownName)


def test_the_table_is_no_table(tmp_path: Path):
    """Of a shared file too."""
    write(tmp_path, "[tool]\nharness = 7\n", project_file.SHARED_FILE)
    with pytest.raises(UsageError, match="no table"):
        project_file.find([tmp_path])


def test_its_commands_are_there():
    """And none of them deletes."""
    listed = {name for commands in COMMANDS.values() for name in commands}
    assert set() == set(project_file.COMMANDS) - listed
    assert "clean" not in project_file.COMMANDS
