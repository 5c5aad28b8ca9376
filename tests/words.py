"""The words that verdicts, statuses, stages and the like are, and where the same letters mean
something else; and the names of modules that are no nouns.

The words are those of the enumerations, whatever is added to one of them; `tests.structure` counts
where one stands as a literal, and the modules that are named after an activity.
"""

from __future__ import annotations

import ast
import dataclasses
import enum
import fnmatch
from collections.abc import Iterable, Iterator

from backends.contract import Stage, Status
from harness.changes.model import Severity
from harness.results.verdicts import Bounds, Fidelity, Repeat, Shown, Speed

ENUMERATIONS: tuple[type[enum.Enum], ...] = (
    Fidelity,
    Shown,
    Bounds,
    Speed,
    Repeat,
    Severity,
    Status,
    Stage,
)
WORDS = frozenset(str(member.value) for kind in ENUMERATIONS for member in kind)
#: What a literal that is counted has to stand in.
PACKAGES = ("harness/", "backends/")


@dataclasses.dataclass(frozen=True)
class Homonym:
    """Words that are none of an enumeration in some modules, and what they are there.

    Attributes:
        places: patterns of paths.
    """

    reason: str
    words: frozenset[str]
    places: tuple[str, ...]

    def covers(self, path: str, word: str) -> bool:
        """Whether the word is none of an enumeration in that module."""
        return word in self.words and any(fnmatch.fnmatch(path, place) for place in self.places)


def _homonym(reason: str, words: str, *places: str) -> Homonym:
    return Homonym(reason, frozenset(words.split()), places)


HOMONYMS = (
    _homonym("a field, an option or a column: what a row ran in", "precision", "*"),
    _homonym(
        "a method of a port",
        "forward gradients",
        "backends/contract.py",
        "backends/diagnosis/promises.py",
        "backends/diagnosis/wants.py",
        "backends/numpy/core.py",
        "backends/protocol/session.py",
        "backends/recording/passes.py",
        "harness/evaluation/pair_evidence.py",
        "harness/evaluation/stage_rows.py",
    ),
    _homonym(
        "a method of a port", "update", "backends/declarations.py", "backends/tf2/training.py"
    ),
    _homonym(
        "what a workload's configuration says of its forward look",
        "forward",
        "backends/protocol/session.py",
        "backends/recording/*.py",
        "backends/t*/core.py",
        "backends/tf1/teacher_forcing.py",
        "harness/workloads/spec.py",
    ),
    _homonym(
        "the attribute of a port that holds them",
        "weights",
        "backends/numpy/core.py",
        "backends/*/effective_settings.py",
        "backends/t*/undeclared_state.py",
    ),
    _homonym(
        "a kind of honest variation",
        "weights",
        "backends/recording/variations.py",
        "harness/fidelity/noise.py",
        "harness/fidelity/nulls.py",
        "harness/fidelity/variations.py",
        "harness/plan/lockstep.py",
    ),
    _homonym(
        "what the names of another program's model are of",
        "weights",
        "backends/tf1/foreign.py",
        "harness/models/*.py",
        "harness/workloads/ehr_mgan/original.py",
    ),
    _homonym(
        "what a dtype was seen of",
        "loss",
        "backends/ports/numpy/linear.py",
        "backends/tf1/training.py",
        "backends/tf2/training.py",
        "backends/torch/training.py",
    ),
    _homonym("a part of TensorFlow 1's graph", "gradients update", "backends/tf1/training.py"),
    _homonym("how TensorFlow pads", "SAME", "backends/ports/tf1/cnn.py"),
    _homonym("a curve's name", "loss", "harness/sinks/mlflow.py"),
    _homonym(
        "by how much two tensors differ: a column",
        "error",
        "harness/history/aggregate.py",
        "harness/history/schema.py",
        "harness/history/tables.py",
        "harness/report/markdown.py",
        "harness/report/plots/errors.py",
        "harness/report/tables.py",
        "harness/report/terminal.py",
        "harness/sinks/figures.py",
    ),
    _homonym("an element of JUnit's", "error", "harness/report/junit.py"),
    _homonym(
        "a sign for terminals without Unicode",
        "ok",
        "harness/report/signs.py",
        "harness/report/terminal_diff.py",
    ),
    _homonym("SQLite's own", "ok timeout", "harness/history/database.py"),
    _homonym("a kind of job", "distribution", "harness/evaluation/job_rows.py"),
    _homonym("a direction in space", "forward", "harness/workloads/ehr_mgan/daphnet.py"),
    _homonym("an instruction of a pickle", "NONE", "harness/workloads/ehr_mgan/pickle_opcodes.py"),
)

#: Modules and rooms that are named after an activity all the same, by their path without `.py`: the
#: gerund is what the field calls the thing, and why.
ESTABLISHED_NOUNS = {
    "backends/*/teacher_forcing": "how recurrent models are trained on true values",
    "backends/measuring": "the room in which whole steps are measured; it does nothing else",
    "backends/protocol/loading": "of a plug-in: a port",
    "backends/recording": "what a run leaves on a tape; a recording is made there",
    "backends/recording/graph_feeding": "TensorFlow 1 feeds its graphs",
    "backends/*/training": "what a framework does beside inference",
    "harness/bisecting": "the room of `harness bisect`",
    "harness/commands/listing": "a table that is printed",
    "harness/environments/staging": "a place where files wait for those who use them",
    "harness/models/training": "what a model has behind it",
}


def literals(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the word of every literal that is a word of an enumeration: not the
    members themselves, and not what lies between the braces of a formatted text.

    Args:
        path: of the module, below the root. source: its text.
    """
    tree = ast.parse(source)
    exempt = {id(part) for node in ast.walk(tree) for part in _exempt(node)}
    for node in ast.walk(tree):
        word = node.value if isinstance(node, ast.Constant) else None
        if isinstance(word, str) and word in WORDS and id(node) not in exempt:
            yield node.lineno, word


def _exempt(node: ast.AST) -> list[ast.expr]:
    """Return the constants in a formatted text, and the values of a member of an enumeration."""
    if isinstance(node, ast.JoinedStr):
        return node.values
    if isinstance(node, ast.ClassDef) and node.name in {kind.__name__ for kind in ENUMERATIONS}:
        return [item.value for item in node.body if isinstance(item, ast.Assign)]
    return []


def gerunds(paths: Iterable[str]) -> list[str]:
    """Return the modules and rooms of the product that are named after an activity, as `staging`
    is, and are no established nouns.

    Args:
        paths: of modules, below the root.
    """
    names = {path.removesuffix(".py").removesuffix("/__init__") for path in paths}
    activities = {name for name in names if name.startswith(PACKAGES) and name.endswith("ing")}
    for noun in ESTABLISHED_NOUNS:
        activities -= {*fnmatch.filter(activities, noun)}
    return sorted(activities)


def spelled(path: str, source: str) -> Iterator[tuple[int, str]]:
    """Yield the literals of a module of the product that are words of an enumeration, and no
    homonyms.

    Args:
        path: of the module, below the root. source: its text.
    """
    if path.startswith(PACKAGES):
        for line, word in literals(source):
            if not any(homonym.covers(path, word) for homonym in HOMONYMS):
                yield line, word
