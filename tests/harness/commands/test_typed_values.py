"""What is no value of an option is refused, typed and in a file alike: both have one parser."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli.application import app
from harness.commands import resolution
from harness.commands.options import Options
from harness.errors import UsageError

EMPTY = "nothing is named. Name at least one, or leave it out for"


def parsed(*words: str) -> Options:
    _, arguments, _ = app.parse_args(words, exit_on_error=False, print_error=False)
    chosen = arguments.arguments.get("chosen", Options())
    assert isinstance(chosen, Options)
    return chosen


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["compare", "--seed", "1.5"], "--seed 1.5: give a whole number."),
        (["compare", "--steps", "2.0"], "--steps 2.0: give a whole number."),
        (["repeat", "--runs", "2.5"], "--runs 2.5: give a whole number."),
        (["compare", "--precision"], f"--precision: {EMPTY} fp64 fp32."),
        (["compare", "--stages", "--no-speed"], f"--stages: {EMPTY} weights forward"),
        (["compare", "--backends"], f"--backends: {EMPTY} tf2 torch."),
    ],
)
def test_what_is_typed(words: list[str], said: str):
    with pytest.raises(UsageError) as raised:
        parsed(*words)
    assert str(raised.value).startswith(said)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("seed = 1.5", "--seed 1.5: give a whole number."),
        ("threads = 2.0", "--threads 2.0: give a whole number."),
        ("precision = []", f"--precision: {EMPTY} fp64 fp32."),
        ("stages = []", f"--stages: {EMPTY} weights forward"),
    ],
)
def test_what_a_file_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, said: str):
    """With the file and the table."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "harness.toml").write_text(f"[compare]\n{line}\n", encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        parsed("compare")
    assert str(raised.value).startswith(f"harness.toml: [compare]: {said}")


def test_what_is_a_value_stays_one():
    """Whole numbers in other bases, numbers with a point, and no value where none is needed."""
    chosen = parsed("compare", "--seed=0x10", "--budget=1.5", "--accept", "--workloads")
    assert (16, 1.5, (), ()) == (chosen.seed, chosen.budget, chosen.accept, chosen.workloads)


@pytest.mark.parametrize("options", [Options(precision=()), Options(stages=())])
def test_nothing_is_judged_nowhere(options: Options):
    """Whoever asks for it: also without a command line."""
    with pytest.raises(UsageError, match="nothing would be judged"):
        resolution.resolve(options)
