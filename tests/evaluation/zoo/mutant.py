"""A mutant: one real porting bug as the smallest change of a port's text, and the folder in
which a worker finds the result."""

from __future__ import annotations

import dataclasses
from pathlib import Path

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "backends/ports/torch"
PURPOSE_BUILT = Path(__file__).parent / "workloads/torch"


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One bug of the catalogue, planted in a torch port.

    Attributes:
        bug: its number in the catalogue. name: unique, of letters, digits and `_`.
        workload: whose port is changed: a shipped one, or one of `tests/evaluation/zoo/workloads`.
        changes: pairs of the port's own text, which must be there exactly once, and what replaces
            it.
        stage, place: where the judge has to find it first; `place` is a part of the tensor's name.
        file: of a port that is a package, the module that changes.
        precision: in which the bug shows.
        verdict: what the judge has to say; INCONCLUSIVE where no honest verdict is possible (a port
            that draws its own noise).
    """

    bug: int
    name: str
    workload: str
    changes: tuple[tuple[str, str], ...]
    stage: str
    place: str
    file: str = "__init__.py"
    precision: str = "fp64"
    verdict: str = "FAIL"


def source(workload: str) -> Path:
    """Return the port of a workload: a file, or the folder of a package."""
    places = [
        folder / name
        for folder in (PURPOSE_BUILT, SHIPPED)
        for name in (f"{workload}.py", workload)
    ]
    return next(path for path in places if path.is_file() or (path / "__init__.py").is_file())


def plant(mutant: Mutant, folder: Path) -> Path:
    """Write the changed port under `folder` and return the folder that `Laboratory.side` takes.

    Raises:
        ValueError: a text to be replaced is not there exactly once: the port has changed, and the
            mutant has to follow.
    """
    port = source(mutant.workload)
    changed = port if port.is_file() else port / mutant.file
    text = changed.read_text(encoding="utf-8")
    for old, new in mutant.changes:
        if text.count(old) != 1:
            raise ValueError(
                f"mutant {mutant.name}: {old!r} is {text.count(old)} times in {changed.name}, not"
                " once"
            )
        text = text.replace(old, new)
    return write(mutant.workload, {changed: text}, folder / mutant.name)


def write(workload: str, texts: dict[Path, str], folder: Path) -> Path:
    """Write a workload's port with some of its files' texts replaced; return `folder`."""
    port = source(workload)
    target = folder / "torch"
    target.mkdir(parents=True, exist_ok=True)
    if port.is_file():
        (target / port.name).write_text(texts[port], encoding="utf-8")
        return folder
    (target / workload).mkdir(exist_ok=True)
    for path in sorted(port.glob("*.py")):
        text = texts.get(path, path.read_text(encoding="utf-8"))
        # The package's own modules, not the shipped ones.
        package = f"backends.ports.torch.{workload}"
        text = text.replace(f"from {package}.", "from .").replace(
            f"from {package} import", "from . import"
        )
        (target / workload / path.name).write_text(text, encoding="utf-8")
    return folder
