"""Explanations of mutants that are not killed, and whether they still hold.

An explanation names a piece of a module's text that is there exactly once. One for a mutant that
runs says what takes its place; one for code that no recording gets to covers every mutation inside
the piece. What no mutation answers to is stale, and so is what is said of a mutant that is killed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence

from tests.evaluation.mutation.operators import Mutation


@dataclasses.dataclass(frozen=True)
class Equivalent:
    """Mutants that compute the same function, or one that differs in nothing a user of the port can
    see.

    Attributes:
        file: relative to the torch backend.
        reason: why, for all of the changes.
        changes: pairs of a text that is in the file once, and what it becomes.
    """

    file: str
    reason: str
    changes: tuple[tuple[str, str], ...]


@dataclasses.dataclass(frozen=True)
class Missed(Equivalent):
    """Mutants that are another function, and why no stage sees it: a weakness of the judge,
    counted as survivors."""


@dataclasses.dataclass(frozen=True)
class Unreached:
    """Code that runs in none of the judged circumstances.

    Attributes:
        file: relative to the torch backend.
        reason: when it runs, and what judges it then.
        pieces: texts that are in the file once each.
    """

    file: str
    reason: str
    pieces: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Explanations:
    """All of them; made for the files that a run looks at.

    Args:
        texts: the modules by file. mutations: all of theirs.
    """

    texts: Mapping[str, str]
    mutations: Sequence[Mutation]
    equivalent: tuple[Equivalent, ...]
    unreached: tuple[Unreached, ...]

    def alive(self) -> dict[Mutation, Equivalent]:
        """Return what is said of every mutant that runs and is not expected to be killed."""
        return {
            mutation: item
            for item, change in self._changes()
            if (mutation := self._answering(item.file, change))
        }

    def excuses(self, missed: Collection[Mutation]) -> dict[Mutation, str]:
        """Return the reason of those of the mutations nobody got to that an explanation covers."""
        found = {}
        for item, piece in self._pieces():
            start = self.texts[item.file].find(piece)
            inside = (
                mutation
                for mutation in missed
                if mutation.file == item.file and start <= mutation.start < start + len(piece)
            )
            found.update(dict.fromkeys(inside, item.reason) if start >= 0 else {})
        return found

    def stale(self, missed: Collection[Mutation], killed: Collection[Mutation]) -> list[str]:
        """Return the explanations that explain nothing, each with why.

        Args:
            missed: the mutations that no circumstance gets to. killed: those that are.
        """
        found = []
        for item, change in self._changes():
            mutation, count = (
                self._answering(item.file, change),
                self.texts[item.file].count(change[0]),
            )
            if count != 1:
                found.append(f"{item.file}: {change[0]!r} is there {count} times, not once")
            elif mutation is None:
                found.append(f"{item.file}: no mutation turns {change[0]!r} into {change[1]!r}")
            elif mutation in killed:
                found.append(
                    f"{mutation.place}: {change[0]!r} -> {change[1]!r} is said to stay alive, and"
                    " is killed"
                )
            elif mutation in missed:
                found.append(
                    f"{mutation.place}: {change[0]!r} -> {change[1]!r} is said to run, and never"
                    " does"
                )
        for item, piece in self._pieces():
            count = self.texts[item.file].count(piece)
            if count != 1:
                found.append(f"{item.file}: {piece!r} is there {count} times, not once")
            elif not any(
                mutation.file == item.file and self._inside(mutation, piece) for mutation in missed
            ):
                found.append(
                    f"{item.file}: {piece!r} is said not to be reached; no mutation in it was"
                    " missed"
                )
        return found

    def _changes(self) -> Iterator[tuple[Equivalent, tuple[str, str]]]:
        yield from (
            (item, change)
            for item in self.equivalent
            if item.file in self.texts
            for change in item.changes
        )

    def _pieces(self) -> Iterator[tuple[Unreached, str]]:
        yield from (
            (item, piece)
            for item in self.unreached
            if item.file in self.texts
            for piece in item.pieces
        )

    def _inside(self, mutation: Mutation, piece: str) -> bool:
        start = self.texts[mutation.file].find(piece)
        return start <= mutation.start < start + len(piece)

    def _answering(self, file: str, change: tuple[str, str]) -> Mutation | None:
        """Return the mutation that gives the text with the change made."""
        text = self.texts[file]
        changed = text.replace(*change)
        if text.count(change[0]) != 1:
            return None
        return next(
            (
                item
                for item in self.mutations
                if item.file == file and item.applied(text) == changed
            ),
            None,
        )
