"""An entry of the metamorphic zoo: a port's text with something changed, and what the judge has to
say of it.

A mutant is a fault that one of the judge's own honest variations (other rows' order, a unit in the
last place, the same run again) touches too. A twin says the same as the port in other words, or is
the pair of honest ports itself, where nothing is changed.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

HERE = Path(__file__).parent
WORKLOADS = HERE / "workloads"
#: What a fault has to do with the judge's variations.
KINDS = (
    "order",
    "ties",
    "edges",
    "seeds",
    "state",
    "undeclared",
    "casts",
    "storage",
    "complex",
    "integers",
)


@dataclasses.dataclass(frozen=True)
class Entry:
    """One comparison: the honest port on the reference's build against the changed one.

    Attributes:
        kind: one of `KINDS`. name: unique, of letters, digits and `_`. workload: whose port is
            changed.
        changes: pairs of the port's own text, which must be there exactly once, and what replaces
            it; empty for the honest port itself.
        what: what it is, in one sentence.
        stage: where the judge has to say FAIL first; empty for a twin, which must not fail
            anywhere.
        apart: the first stage at which the records of both sides differ, where that is a later one:
            the judge has seen more, such as a repeated run.
        build: whose port is changed: `torch`, judged against tf2, or `numpy`, judged against the
            honest numpy port.
    """

    kind: str
    name: str
    workload: str
    changes: tuple[tuple[str, str], ...]
    what: str
    stage: str = ""
    build: str = "torch"
    apart: str = ""

    @property
    def honest(self) -> bool:
        """Whether the two sides compute the same function."""
        return not self.stage

    @property
    def reference(self) -> str:
        """The build of the other side."""
        return "tf2" if self.build == "torch" else self.build


def plant(entry: Entry, folder: Path) -> Path:
    """Write the changed port under `folder` and return the folder that `Laboratory.side` takes.

    Raises:
        ValueError: a text to be replaced is not there exactly once: the port has changed, and the
            entry has to follow.
    """
    port = WORKLOADS / entry.build / f"{entry.workload}.py"
    text = port.read_text(encoding="utf-8")
    for old, new in entry.changes:
        if text.count(old) != 1:
            raise ValueError(
                f"entry {entry.name}: {old!r} is {text.count(old)} times in {port.name}, not once"
            )
        text = text.replace(old, new)
    target = folder / entry.name / entry.build
    target.mkdir(parents=True, exist_ok=True)
    (target / port.name).write_text(text, encoding="utf-8")
    return target.parent
