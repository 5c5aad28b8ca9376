"""The findings as a table by file, the survivors with their differences, and both as Markdown
for the documentation."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

from backends.contract import STAGE_LETTERS
from tests.evaluation.mutation.census import EQUIVALENT, ERROR, KILLED, SURVIVED, UNREACHED, Finding
from tests.evaluation.mutation.operators import Mutation

LETTERS = {stage: letter for letter, stage in STAGE_LETTERS.items() if stage != "distribution"} | {
    "precision": "P"
}
HEADINGS = (
    "file",
    "mutants",
    *LETTERS.values(),
    "error",
    "survived",
    "equivalent",
    "not reached",
    "killed",
)


@dataclasses.dataclass(frozen=True)
class Tally:
    """Numbers of mutants, by what became of them."""

    name: str
    findings: tuple[Finding, ...]

    def count(self, kind: str, stage: str = "") -> int:
        """Return how many ended so; `stage` says where a killed one was."""
        found = [item for item in self.findings if item.kind == kind]
        return sum(
            not stage or (item.outcome is not None and item.outcome.stage == stage)
            for item in found
        )

    @property
    def killed(self) -> int:
        """Killed by a verdict or by an error."""
        return self.count(KILLED) + self.count(ERROR)

    @property
    def alive(self) -> int:
        """Not killed though it runs and is not equivalent."""
        return self.count(SURVIVED)

    @property
    def share(self) -> float:
        """Killed of those that run and are not equivalent; 1 where there are none."""
        return self.killed / (self.killed + self.alive) if self.killed + self.alive else 1.0

    @property
    def share_of_verdicts(self) -> float:
        """The same without those that the worker could not run: of the mutants that give
        numbers, how many the judge sees."""
        return (
            self.count(KILLED) / (self.count(KILLED) + self.alive)
            if self.count(KILLED) + self.alive
            else 1.0
        )

    def row(self) -> list[str]:
        """Return the cells of `HEADINGS`."""
        stages = [self.count(KILLED, stage) for stage in LETTERS]
        rest = [self.count(kind) for kind in (ERROR, SURVIVED, EQUIVALENT, UNREACHED)]
        return [
            self.name,
            *map(str, [len(self.findings), *stages, *rest]),
            f"{100 * self.share:.1f} %",
        ]


def tallies(findings: Sequence[Finding]) -> list[Tally]:
    """Return one tally a file, and one of all."""
    by_file: dict[str, list[Finding]] = {}
    for item in findings:
        by_file.setdefault(item.mutation.file, []).append(item)
    files = [Tally(name, tuple(items)) for name, items in by_file.items()]
    return [*files, Tally("all", tuple(findings))]


def summary(findings: Sequence[Finding]) -> str:
    """Return the figures in one sentence."""
    tally = Tally("all", tuple(findings))
    return (
        f"{len(findings)} mutants: {tally.killed} killed ({tally.count(KILLED)} by a verdict,"
        f" {tally.count(ERROR)} by an error), {tally.alive} survived, {tally.count(EQUIVALENT)}"
        f" equivalent, {tally.count(UNREACHED)} not reached. Killed of those that run and are not"
        f" equivalent: {100 * tally.share:.1f} %; of those among them that give numbers:"
        f" {100 * tally.share_of_verdicts:.1f} %."
    )


def plain(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield the table's lines for a terminal."""
    rows = [list(HEADINGS), *(tally.row() for tally in tallies(findings))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *numbers in rows:
        yield "  ".join(
            [
                name.ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(numbers, widths[1:], strict=True)),
            ]
        )


def difference(mutation: Mutation, text: str) -> list[str]:
    """Return the lines that a mutation changes, before and after."""
    changed, last = mutation.applied(text), mutation.line + mutation.was.count("\n")
    before = text.splitlines()[mutation.line - 1 : last]
    after = changed.splitlines()[mutation.line - 1 : last + changed.count("\n") - text.count("\n")]
    return [*(f"- {line.strip()}" for line in before), *(f"+ {line.strip()}" for line in after)]


def markdown(findings: Sequence[Finding], texts: dict[str, str]) -> str:
    """Return the table, and below it what was not killed and why."""
    lines = ["| " + " | ".join(HEADINGS) + " |", "|" + "---|" * len(HEADINGS)]
    lines += ["| " + " | ".join(tally.row()) + " |" for tally in tallies(findings)]
    lines += ["", summary(findings)]
    for kind, title in (
        (SURVIVED, "Survived"),
        (EQUIVALENT, "Equivalent"),
        (UNREACHED, "Not reached"),
    ):
        found = [item for item in findings if item.kind == kind]
        lines += ["", f"### {title}", "", *(_listed(found, texts) if found else ["None."])]
    return "\n".join(lines).rstrip("\n") + "\n"


def why(finding: Finding) -> str:
    """Return why a mutant was not killed, as far as anybody knows."""
    if finding.reason or finding.outcome is None:
        return finding.reason or "never runs"
    return finding.outcome.reason or "every stage passed"


def _listed(findings: Iterable[Finding], texts: dict[str, str]) -> Iterator[str]:
    """Yield a paragraph for each reason, with its mutants."""
    reasons: dict[tuple[str, str], list[Finding]] = {}
    for item in findings:
        reasons.setdefault((item.mutation.file, why(item)), []).append(item)
    for (file, reason), items in reasons.items():
        functions = ", ".join(
            dict.fromkeys(f"`{item.mutation.function or 'the module itself'}`" for item in items)
        )
        yield f"**{file}**, in {functions}: {reason}. ({len(items)})"
        yield ""
        if items[0].kind != UNREACHED:
            yield "```diff"
            for item in items:
                yield from difference(item.mutation, texts[file])
            yield "```"
            yield ""
