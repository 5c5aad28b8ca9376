"""One comparison of code of libraries: the pair, what is changed in it, and what has to be said."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from backends.contract import Stage
from harness.plan import LOCKSTEP_STAGES
from harness.results.verdicts import Fidelity

PAIRS = Path(__file__).parent / "pairs"
BUILDS = "harness.toml"
#: Options of a comparison whose steps say the same few as many.
QUICK = ("--steps", "4")
#: Builds of the newest releases, and those of the releases before.
BEFORE = {
    "tf2": "keras-before",
    "vision": "vision-before",
    "hub": "hub-before",
    "transformers5": "transformers-before",
}


@dataclasses.dataclass(frozen=True)
class Entry:
    """One comparison.

    Attributes:
        name: of it. file: of the pair. change: texts of the file and what stands in their place.
        precision: of the comparison. verdict: that has to come out. stage: at which it departs.
        what: the change, in words. reason: what else there is to say.
        shows: differences between the libraries that it departs by, as `differences` names them,
            the one that shows first in front.
        accepts: those that are accepted in it, or that its change takes away.
        also: further words of the command.
        brief: whether it is looked at only up to the stage at which it departs: what it is for is
            the size of its first difference, and a longer variant of the pair has the rest.
        planted: whether the change is a mistake, made to see whether it is named.
        places: of a planted mistake, parts of names: one has to be in the name of the place where
            it is found. None where every parameter, or the loss, is concerned.
    """

    name: str
    file: str
    change: tuple[tuple[str, str], ...] = ()
    precision: str = "fp64"
    verdict: Fidelity = Fidelity.PASS
    stage: Stage | None = None
    what: str = ""
    reason: str = ""
    shows: tuple[str, ...] = ()
    accepts: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    brief: bool = False
    planted: bool = False
    places: tuple[str, ...] = ()

    def named_by(self, place: str) -> bool:
        """Whether a name is that of the place where it departs."""
        return not self.places or any(part in place for part in self.places)

    @property
    def path(self) -> Path:
        """Where the pair file lies."""
        return PAIRS / f"{self.file}.py"

    @property
    def lines(self) -> int:
        """Lines of the pair file that say something: neither empty nor its docstring."""
        return sum(bool(line.strip()) for line in self._text().splitlines()[1:])

    @property
    def title(self) -> str:
        """What the pair is, as its docstring says, and what is changed."""
        first = self._text().splitlines()[0].strip('"').rstrip(".")
        return f"{first}; {self.what}" if self.what else first

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages that have to be looked at: all, or those up to where a mistake, or the first
        difference of a brief variant, shows."""
        if self.stage is None or not (self.planted or self.brief):
            return LOCKSTEP_STAGES
        return LOCKSTEP_STAGES[: LOCKSTEP_STAGES.index(self.stage) + 1]

    @property
    def has_releases_before(self) -> bool:
        """Whether a side of it stands on a library whose release before is known here."""
        return any(f'@pair.side("{build}")' in self._text() for build in {*BEFORE} - {"tf2"})

    def _text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    def text(self) -> str:
        """Return the pair file, changed.

        Raises:
            ValueError: a text that is to be changed does not stand there.
        """
        text = self._text()
        for old, new in self.change:
            if old not in text:
                raise ValueError(f"{self.name}: {old!r} is not in {self.path.name}")
            text = text.replace(old, new)
        return text


def plant(base: Entry, name: str, what: str, *change: tuple[str, str], **said: object) -> Entry:
    """Return an honest comparison with a mistake in its second side.

    Args:
        base: that passes. name: of the mistake, behind that of the base. what: it is, in words.
        change: texts of the file, as the base has them, and what stands in their place.
        said: `stage` at which it has to be found, `places`, and whatever else of `Entry` differs.
    """
    bare = {"reason": "", "shows": (), "accepts": ()}
    values = {"verdict": Fidelity.FAIL, "planted": True, **bare, **said}
    changes = (*base.change, *change)
    return dataclasses.replace(
        base, name=f"{base.name}-{name}", what=what, change=changes, **values
    )


def plant_in_forward(
    base: Entry, name: str, what: str, place: str, *change: tuple[str, str]
) -> Entry:
    """Return an honest comparison with a mistake that shows in the forward pass.

    Args:
        base: that passes. name: of the mistake, behind that of the base. what: it is, in words.
        place: where it has to be found. change: as of `plant`.
    """
    return plant(base, name, what, *change, stage=Stage.FORWARD, places=(place,), also=QUICK)
