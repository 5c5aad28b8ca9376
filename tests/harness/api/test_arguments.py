"""A call's arguments are the command's options: the same names, defaults and refusals."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import Any

import pytest

from harness import cli
from harness.api import arguments, project_options
from harness.commands.options import Options
from harness.errors import UnknownName, UsageError

LADDER = ("weights", "forward", "loss", "gradients", "update", "trajectory")


def options(**given_options: Any) -> Options:
    return arguments.read(None, given_options).options


def test_what_is_not_given_is_as_the_command_has_it():
    """Also where it is None; the sides stay the very default, which a pair file looks at."""
    assert Options() == options() == options(preset=None, until=None, backends=None)
    assert options().backends is Options.backends


def test_every_option_of_the_command_can_be_given():
    """But for those that make it write files, and the two that say what is looked at."""
    called = {arguments.INVERTED.get(name, name) for name in arguments.KNOWN}
    called = {arguments.RENAMED.get(name, name) for name in called} - {*arguments.ALONE}
    names = {field.name for field in dataclasses.fields(Options)}
    assert names - {*project_options.COMMANDS_OWN} == called


@pytest.mark.parametrize(
    ("given_options", "wanted"),
    [
        ({"backends": "torch"}, Options(backends=("torch",))),
        ({"backends": ["tf2", "torch"]}, Options(backends=("tf2", "torch"))),
        ({"precision": "fp64", "speed": False}, Options(precision=("fp64",), no_speed=True)),
        ({"fidelity": False, "budget": 5}, Options(no_fidelity=True, budget=5.0)),
        ({"speed": True}, Options()),
        ({"until": "weights"}, Options(stages=LADDER[:1])),
        ({"until": "U"}, Options(stages=LADDER[:5])),
        ({"until": "trajectory"}, Options(stages=LADDER)),
        ({"stages": "WF"}, Options(stages=("WF",))),  # resolving refuses it, as on the command line
        (
            {"out": "here", "path": [Path("a"), "b"]},
            Options(reports=Path("here"), path=(Path("a"), Path("b"))),
        ),
        ({"python": {"tf1": Path("/opt/py")}}, Options(python=("tf1=/opt/py",))),
        (
            {"warmup": 500, "accept": "float32-constants"},
            Options(warmup="500", accept=("float32-constants",)),
        ),
    ],
)
def test_arguments_become_options(given_options: dict[str, Any], wanted: Options):
    """One name stands for a sequence of one; numbers and paths may be what they are."""
    assert wanted == options(**given_options)


def test_a_path_is_a_pair_file_and_a_name_a_workload():
    """A pair file that is not there is said to be missing, and taken for no workload."""
    assert Path("pair.py") == arguments.read("pair.py", {}).pair
    assert Path("in/pair") == arguments.read(Path("in/pair"), {}).pair
    assert Path("in/pair") == arguments.read("in/pair", {}).pair
    named = arguments.read("linear", {})
    assert (None, ("linear",)) == (named.pair, named.options.workloads)
    assert ("linear", "cnn") == arguments.read(["linear", "cnn"], {}).options.workloads


@pytest.mark.parametrize(
    ("what", "given_options", "said"),
    [
        (None, {"precison": "fp64"}, "unknown argument 'precison'. Did you mean 'precision'?"),
        (None, {"until": "gradient"}, "unknown stage 'gradient'. Did you mean 'gradients'?"),
        (None, {"until": "distribution"}, "unknown stage 'distribution'."),
        (None, {"until": "loss", "stages": "W"}, "Drop one of them."),
        ("linear", {"workloads": "cnn"}, "workloads are named twice."),
        (None, {"seed": "3"}, "seed='3': this is str; give a whole number."),
        (None, {"seed": True}, "seed=True: this is bool; give a whole number."),
        (None, {"seed": 1.0}, "seed=1.0: this is float; give a whole number."),
        (None, {"speed": 0}, "speed=0: this is int; give True or False."),
        (None, {"budget": "10"}, "budget='10': this is str; give a number."),
        (None, {"preset": ["tiny"]}, "preset=['tiny']: this is list; give a text."),
        (None, {"backends": 7}, "backends=7: this is int; give a name or a sequence of them."),
        (7, {}, "what is compared=7: this is int; give a name or a sequence of them."),
        (None, {"python": ["tf1=x"]}, "give the interpreters by build"),
        (None, {"precision": []}, "precision=(): nothing is named. Name at least one"),
    ],
)
def test_what_cannot_be_used_is_refused(what: Any, given_options: dict[str, Any], said: str):
    """With the value met and what is allowed; nothing is a TypeError."""
    with pytest.raises(UsageError) as raised:
        arguments.read(what, given_options)
    assert said in str(raised.value)
    assert isinstance(raised.value, UnknownName) == said.startswith("unknown")


@pytest.mark.parametrize(
    ("what", "given_options"),
    [
        (None, {}),
        ("linear", {"backends": ["numpy", "numpy"], "until": "update", "speed": False}),
        ("my pair.py", {"precision": "fp64", "python": {"torch#2": "/a b/python"}, "seed": 3}),
        (None, {"fidelity": False, "budget": 5, "warmup": "2s", "keep": True, "out": "x"}),
        (
            None,
            {"ports": ["one", "two"], "accept": ["float32-constants"], "limit": 10, "data": "d"},
        ),
    ],
)
def test_the_command_that_does_the_same_is_read_as_the_same(
    what: Any, given_options: dict[str, Any]
):
    """By the command line's own parser: it stands in the report."""
    named = arguments.read(what, given_options)
    words = shlex.split(named.command)
    assert ["harness", "compare"] == words[:2]
    _, bound, _ = cli.app.parse_args(words[1:], exit_on_error=False, print_error=False)
    assert named.options == bound.arguments.get("chosen", Options())
    assert named.pair == bound.arguments.get("pair")
