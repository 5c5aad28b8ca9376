"""nightly.toml: what is wrong in it is named, with the file, the key, the value and what is
allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import cli
from harness.commands import options
from harness.errors import UsageError
from harness.nightly import config

ROOT = Path(__file__).parents[3]
HOSTILE = ROOT / "tests/e2e/hostile"
GOOD = """
[night]
budget_s = 60
[[matrix]]
name = "one"
workloads = ["linear"]
builds = ["numpy", "torch"]
"""


def load(folder: Path, text: str) -> config.Config:
    path = folder / "nightly.toml"
    path.write_text(text, encoding="utf-8")
    return config.load(path)


def test_defaults_are_those_of_compare(tmp_path: Path) -> None:
    """What an entry does not say is as `harness compare` has it."""
    made = load(tmp_path, GOOD)
    (cell,) = made.cells
    assert ("one-linear", ("fidelity", "speed"), 0) == (cell.name, cell.judge, cell.priority)
    given, plain = made.options(cell, cell.builds), options.Options()
    assert (given.precision, given.preset, given.device, given.seed, given.stages, given.limit) == (
        plain.precision,
        plain.preset,
        plain.device,
        plain.seed,
        plain.stages,
        plain.limit,
    )
    assert not given.no_speed and not given.no_fidelity


def test_the_shipped_matrix_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five builds on two workloads, three of them timed, the GAN last, within a quarter of an
    hour."""
    made = config.load(ROOT / "nightly.toml")
    assert made.budget_s <= 15 * 60
    assert ["function-linear", "function-cnn", "speed-linear", "speed-cnn", "gan-ehr_mgan"] == [
        cell.name for cell in made.cells
    ]
    assert (
        {"tf1", "tf1-compat", "tf2.10", "tf2", "torch"}
        == set(made.cells[0].builds)
        == set(made.cells[1].builds)
    )
    assert {("fp64", "fp32")} == {cell.precisions for cell in made.cells if not cell.timed}


def test_folders_are_relative_to_the_file(tmp_path: Path) -> None:
    """Ports and `build@folder` are found wherever the command is started."""
    (tmp_path / "mine").symlink_to(HOSTILE)
    text = GOOD.replace("budget_s = 60", 'budget_s = 60\nports = ["mine"]').replace(
        '"linear"', '"hostile"'
    )
    made = load(tmp_path, text.replace('"torch"', '"numpy@mine/segfault"'))
    assert f"numpy@{tmp_path / 'mine/segfault'}" in made.cells[0].builds
    assert (tmp_path / "mine",) == made.ports


def test_what_a_cell_asks_for_is_made_of_what_was_loaded(tmp_path: Path) -> None:
    """On all its builds it is the request that was checked; on some of them, another one of the
    same workload."""
    made = load(tmp_path, GOOD)
    (cell,) = made.cells
    assert made.requests[cell.name] is made.request(cell, cell.builds)
    fewer = made.request(cell, ("numpy",))
    assert ["numpy"] == [side.label for side in fewer.sides]
    assert fewer.workloads[0] is made.workloads["linear"]


NAMED = 'name = "one"'
TWICE = '[[matrix]]\nname = "one"\nworkloads = ["linear"]\nbuilds = ["numpy", "tf2"]\n[night]'
NIGHT = "budget_s = 60"
#: What is replaced in the good file, by what, and what the error says.
WRONG = {
    "a key of the night": (
        NIGHT,
        f"{NIGHT}\nbudgets = 3",
        "[night]",
        "unknown key 'budgets'",
        "Did you mean 'budget_s'?",
    ),
    "a key of an entry": (
        NAMED,
        f'{NAMED}\npreset = "tiny"',
        "[[matrix]] 1",
        "unknown key 'preset'",
        "'presets'",
        "seeds",
    ),
    "a table": ("[night]", "[nights]", "unknown key 'nights'", "Did you mean 'night'?"),
    "a budget in words": ("60", '"60"', "[night]: budget_s = '60'", "number of seconds above 0"),
    "no time": ("60", "0", "[night]: budget_s = 0", "above 0"),
    "a truth": ("60", "true", "budget_s = True", "above 0"),
    "infinite time": ("60", "inf", "budget_s = inf", "above 0"),
    "one workload as a word": (
        '["linear"]',
        '"linear"',
        "[[matrix]] 1: workloads = 'linear'",
        "a list of strings",
    ),
    "no builds": ('["numpy", "torch"]', "[]", "builds = []", "at least one"),
    "seeds in words": (NAMED, f'{NAMED}\nseeds = ["0"]', "seeds = ['0']", "whole numbers"),
    "a missing key": (NAMED, "", "[[matrix]] 1", "'name' is missing"),
    "no entry": ("[[matrix]]", "[other]", "unknown key 'other'"),
    "a workload": (
        '"linear"',
        '"lineer"',
        "[[matrix]] 'one': workloads: unknown workload 'lineer'",
        "Did you mean 'linear'?",
    ),
    "a build": (
        '"torch"',
        '"tourch"',
        "builds: unknown build 'tourch'",
        "Did you mean 'torch'?",
        "tf2.10",
    ),
    "a device": (
        NAMED,
        f'{NAMED}\ndevices = ["gpus"]',
        "devices: unknown device 'gpus'",
        "cpu, gpu, tpu",
    ),
    "a preset": (
        NAMED,
        f'{NAMED}\npresets = ["huge"]',
        "presets: unknown preset 'huge'",
        "paper, small, tiny",
    ),
    "a precision": (
        NAMED,
        f'{NAMED}\nprecisions = ["fp99"]',
        "precisions: unknown precision 'fp99'",
        "bf16",
    ),
    "a judgement": (
        NAMED,
        f'{NAMED}\njudge = ["speeds"]',
        "judge: unknown judgement 'speeds'",
        "Did you mean 'speed'?",
    ),
    "a folder as a name": ('"one"', '"../one"', "name: may hold letters"),
    "two of a name": ("[night]", TWICE, "two cells are called"),
    "no port": ('["linear"]', '["ehr_mgan"]', "the cell one-ehr_mgan", "numpy", "fewer than 2"),
    "a seed below 0": (NAMED, f"{NAMED}\nseeds = [-1]", "the cell one-linear: --seed -1"),
    "a python": (
        NIGHT,
        f'{NIGHT}\npython = ["torch"]',
        "[night]: python: --python torch",
        "BUILD=PATH",
    ),
    "a folder that is not there": (
        NIGHT,
        f'{NIGHT}\nports = ["nowhere"]',
        "[night]: ports",
        "nowhere",
        "no such folder",
    ),
    "lists in lists": ("[night]", f"a = {'[' * 5000}", "nested too deep"),
    "a number without an end": ("60", "9" * 5000, "cannot be read"),
    "no TOML": ("[night]", "[night", "this is no TOML", "line 2"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_named(tmp_path: Path, what: str) -> None:
    """Each fault is planted in a good file; the error names the file, the key, the value and
    what is allowed."""
    old, new, *said = WRONG[what]
    assert old in GOOD
    with pytest.raises(UsageError) as found:
        load(tmp_path, GOOD.replace(old, new, 1))
    assert [] == [
        text for text in (str(tmp_path / "nightly.toml"), *said) if text not in str(found.value)
    ], str(found.value)


def test_no_file(tmp_path: Path) -> None:
    """A file that is not there is wrong usage."""
    with pytest.raises(UsageError, match="no such file"):
        config.load(tmp_path / "nightly.toml")


def test_the_matrix_of_the_folder_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without `--config`; with it, the one that is named."""
    for name, cell in (("nightly.toml", "here"), ("other.toml", "elsewhere")):
        text = GOOD.replace('name = "one"', f'name = "{cell}"').replace("torch", "numpy")
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for words, cell in (((), "here"), (("--config", "other.toml"), "elsewhere")):
        with pytest.raises(SystemExit, match="0"):
            cli.main(["nightly", "--dry-run", *words])
        assert f"{cell}-linear" in capsys.readouterr().out
