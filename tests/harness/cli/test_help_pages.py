"""The page of a command: options in groups, defaults as they are typed, an example of each."""

from __future__ import annotations

import io
import re
import shlex
from pathlib import Path

import pytest
from rich.console import Console

from harness.cli.application import app
from harness.commands.option_groups import shown

#: The commands with many options, and what they cannot do without.
BIG: dict[str, list[str]] = {
    "compare": [],
    "run": [],
    "repeat": [],
    "selfcheck": [],
    "bisect": ["--from", "torch==2.4.0", "--to", "2.6.0", "--workload", "linear"],
}
#: In the order in which a page has them.
TITLES = ["What", "How it is judged", "How it is timed", "Where it is written", "Environment"]


def page(command: str, width: int = 1000) -> str:
    """Return a command's page."""
    sink = io.StringIO()
    app.help_print([command], console=Console(file=sink, width=width))
    return sink.getvalue()


def options(command: str) -> list[str]:
    """Return the line of each option of a command that takes a value."""
    lines = [line.strip("│ *") for line in page(command).splitlines() if " --" in line]
    return [line for line in lines if re.match(r"--[a-z-]+ [A-Z]", line)]


@pytest.mark.parametrize("command", BIG)
def test_options_are_in_groups(command: str):
    """Each of the five groups that a command has, in their order; none is left outside."""
    titles = [line.strip("╭╮─ ") for line in page(command).splitlines() if line.startswith("╭")]
    assert "What" in titles and "Environment" in titles
    assert [title for title in TITLES if title in titles] == [
        title for title in titles if title != "Parameters"
    ]
    if "Parameters" in titles:
        assert command == "compare"  # the pair file alone


@pytest.mark.parametrize("command", BIG)
def test_every_option_has_an_example_that_is_understood(command: str):
    """The example is of that option, and the command line takes it."""
    for line in options(command):
        name = line.split()[0]
        (example, *_) = re.findall(rf"`({name} [^`]+)`", line) or [""]
        assert example, line
        kept = list(BIG[command])
        if name in kept:
            del kept[kept.index(name) : kept.index(name) + 2]
        words = [command, *kept, *shlex.split(example)]
        assert app.parse_args(words, exit_on_error=False, print_error=False)


@pytest.mark.parametrize("command", BIG)
def test_defaults_are_spelled_as_they_are_typed(command: str):
    """No tuple, no `False`: what is shown can be typed again."""
    text = page(command)
    defaults = re.findall(r"\[default: ([^\]]*)\]", text)
    assert defaults
    assert [] == [item for item in defaults if re.search(r"[(),']|False|None", item)]


@pytest.mark.parametrize(
    ("default", "text"),
    [
        (("tf2", "torch"), "tf2 torch"),
        ((), None),
        (False, None),
        (None, None),
        (120.0, "120"),
        (0, "0"),
        (0.5, "0.5"),
        (Path("reports"), "reports"),
    ],
)
def test_a_default(default: object, text: str | None):
    """What is off or not given is not spoken of; a zero is."""
    assert text == shown(default)


def test_sentences_flow_with_the_terminal():
    """A line of the source ends nothing: a wide page has each option in one line."""
    (line,) = (line for line in page("compare").splitlines() if " --stages " in line)
    assert "without it all others are looked at. E.g." in line
    narrow = page("compare", 80)
    assert max(map(len, narrow.splitlines())) <= 80
