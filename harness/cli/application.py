"""The application: every command by its name, in groups, with a line about it.

A command's module is imported when the command is used and not before: `harness --version` and
`harness --help` would otherwise wait for SciPy and SQLAlchemy.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from cyclopts import App, Group, Parameter

from harness import __version__
from harness.cli.help_pages import FlowingPages
from harness.commands import option_groups, typed_values
from harness.commands.project_defaults import PROJECT


@dataclasses.dataclass(frozen=True)
class Registered:
    """A command as `harness --help` lists it.

    Attributes:
        target: module and function, or application of a group of commands, below `harness.cli`.
        summary: one line about it; its own page has the docstring.
        whole: it is a group of commands, whose page begins with the summary too.
    """

    target: str
    summary: str
    whole: bool = False


#: By the title of the group, in the order in which they are listed.
COMMANDS: Mapping[str, Mapping[str, Registered]] = MappingProxyType(
    {
        "Compare two models, or builds": {
            "compare": Registered(
                "measure:compare", "The same function, stage by stage, and how fast."
            ),
            "init": Registered("pairs:init", "Write a pair file that runs, for your two models."),
            "check": Registered(
                "pairs:check", "Look at both models of a pair; run one step of everything."
            ),
            "map": Registered("pairs:show_map", "Write which parameter and layer is which."),
            "describe": Registered("pairs:describe", "Show what a workload or a pair is made of."),
        },
        "Look at one build": {
            "run": Registered("measure:run", "Record what builds compute; compare nothing."),
            "repeat": Registered("measure:repeat", "The same seed again: are the bits the same?"),
            "selfcheck": Registered(
                "measure:selfcheck", "How sure is a verdict on speed on this machine?"
            ),
        },
        "Over nights and releases": {
            "nightly": Registered("nightly:nightly", "Run a matrix of comparisons every night."),
            "bisect": Registered(
                "bisect:bisect", "Find the release at which a verdict or a step time changed."
            ),
        },
        "Finished runs": {
            "report": Registered("overview:report", "Show a run again, or write it in a format."),
            "diff": Registered("diff:diff", "Say what differs between two runs."),
            "merge": Registered("merge:merge", "Make one report of those of several machines."),
            "history": Registered(
                "history:stored",
                "The results of all runs that were added to a history: how measurements went over"
                " time.",
                whole=True,
            ),
            "send": Registered("send:send", "Send runs to MLflow or TensorBoard."),
            "reference": Registered(
                "references:references",
                "Recorded outputs of the real TF 1.15.5: record, verify or list them.",
                whole=True,
            ),
        },
        "Models that are kept": {
            "train": Registered("models:train", "Train a model and keep it."),
            "generate": Registered("models:generate", "Let a trained model generate."),
            "convert": Registered("models:convert", "Carry a checkpoint to another build."),
        },
        "This machine": {
            "list": Registered("overview:show_list", "Workloads, builds, known differences."),
            "doctor": Registered("overview:doctor", "Which builds and devices can be used here."),
            "completion": Registered(
                "completion:completion", "Let bash, zsh or fish complete commands and options."
            ),
            "clean": Registered("overview:clean", "What environments and runs take on disk."),
        },
    }
)


def _made() -> App:
    """Return the application with all commands, none of them imported."""
    made = App(
        name="harness",
        version=__version__,
        version_flags=("--version", "-V"),
        help_format="plaintext",
        help_formatter=FlowingPages(),
        result_action="return_value",
        suppress_keyboard_interrupt=False,
        config=(PROJECT, typed_values.check),
        default_parameter=Parameter(show_default=option_groups.shown),
        group_commands=Group("Help", sort_key=len(COMMANDS)),
        help=(
            "Is a model moved between TensorFlow 1, TensorFlow 2 and PyTorch still the same model,"
            " and what did the move cost?"
        ),
    )
    for place, (title, commands) in enumerate(COMMANDS.items()):
        group = Group(title, sort_key=place)
        for order, (name, registered) in enumerate(commands.items()):
            made.command(
                f"harness.cli.{registered.target}",
                name=name,
                help=registered.summary,
                group=group,
                sort_key=order,
            )
    return made


app = _made()


def open_page(words: Sequence[str]) -> None:
    """Let the command that is asked for explain itself by its docstring, of which the summary is
    the short form.

    Args:
        words: of the command line.
    """
    for commands in COMMANDS.values():
        if words and words[0] in commands and not commands[words[0]].whole:
            app[words[0]].help = None
