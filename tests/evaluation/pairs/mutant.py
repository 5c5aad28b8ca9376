"""A mutant of a pair: one real porting bug as the smallest change of the text of a user's package,
and the folder in which it is compared."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

BASES = Path(__file__).parent / "bases"
PORT, ORIGINAL = "port.py", "original.py"
PAIR = "pair.py"


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One bug, planted in one side of an honest pair.

    Attributes:
        bug: what was done wrong, in a few words. name: unique, of letters, digits and `_`.
        base: the honest pair, a folder of `bases`.
        changes: pairs of the file's own text, which must be there exactly once, and what replaces
            it.
        stage: where the judge has to find it first.
        places: parts of names, one of which has to be in the name of the tensor that stands for the
            stage; none where every parameter, or the loss, is concerned.
        file: of the user's package. step: of a trajectory, the first bad step.
    """

    base: str
    name: str
    bug: str
    changes: tuple[tuple[str, str], ...]
    stage: str
    places: tuple[str, ...] = ()
    file: str = PORT
    step: int = 0


def bases() -> list[str]:
    """Return the names of the honest pairs."""
    return sorted(path.parent.name for path in BASES.glob(f"*/{PAIR}"))


def lay_out(base: str, folder: Path) -> Path:
    """Copy an honest pair into an empty folder and return the pair file.

    Args:
        base: its name. folder: made anew; compiled modules of an earlier text go with it.
    """
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(BASES / base, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder / PAIR


def plant(mutant: Mutant, folder: Path) -> Path:
    """Write the changed pair into a folder and return the pair file.

    Args:
        mutant: which. folder: made anew.

    Raises:
        ValueError: a text to be replaced is not there exactly once: the pair has changed, and the
            mutant has to follow.
    """
    path = lay_out(mutant.base, folder)
    (changed,) = folder.glob(f"*/{mutant.file}")
    text = changed.read_text(encoding="utf-8")
    for old, new in mutant.changes:
        if text.count(old) != 1:
            raise ValueError(
                f"mutant {mutant.name}: {old!r} is {text.count(old)} times in {changed.name}, not"
                " once"
            )
        text = text.replace(old, new)
    changed.write_text(text, encoding="utf-8")
    return path
