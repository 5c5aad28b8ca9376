"""A pair compared as a user compares it: the command, in a folder with the pair file and the builds
that it names, and what its report says."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from backends.contract import Stage
from harness.environments import own_builds
from harness.results.verdicts import Fidelity
from tests.evaluation import one_command
from tests.evaluation.wild.catalogue import ENTRIES, PLANTS
from tests.evaluation.wild.entry import BEFORE, BUILDS, PAIRS, Entry

#: Versions that are read back and say nothing of a library that is compared.
ASIDE = ("numpy", "cuda", "cudnn", "tensorflow-cpu")


@dataclasses.dataclass(frozen=True)
class Said:
    """What came of one pair.

    Attributes:
        entry: the pair. verdict: of all, or the last line of a command that made no report.
        stage, place, error: where it departs first, and by how much. looked: stages that were
            looked at.
        unmatched: lines about what could not be laid beside anything. lasted_s: the command.
        versions: of the libraries, by name.
    """

    entry: Entry
    verdict: str
    stage: str = ""
    place: str = ""
    error: float | None = None
    looked: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()
    lasted_s: float = 0.0
    versions: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def right(self) -> bool:
        """Whether it is what has to be said, and every stage that matters was looked at."""
        entry = self.entry
        expected = entry.stage.value if entry.stage else ""
        every = {stage.value for stage in entry.stages} <= {*self.looked}
        as_expected = self.verdict == entry.verdict and self.stage == expected
        return as_expected and entry.named_by(self.place) and every


def placed(entry: Entry, folder: Path, before: bool = False) -> Path:
    """Put a pair into a folder of its own, with the builds and the packages that the pairs name,
    and return the path of its file.

    Args:
        entry: which. folder: that is made. before: on the releases before the newest ones.
    """
    folder.mkdir()
    shutil.copy(PAIRS / BUILDS, folder)
    for package in sorted(path.parent for path in PAIRS.glob("*/__init__.py")):
        shutil.copytree(package, folder / package.name)
    pair = folder / entry.path.name
    text = entry.text()
    if before:
        for build, older in BEFORE.items():
            text = text.replace(f'@pair.side("{build}")', f'@pair.side("{older}")')
    pair.write_text(text, encoding="utf-8")
    return pair


def options(entry: Entry, pythons: Sequence[str]) -> list[str]:
    """Return the options of an entry's comparison.

    Args:
        entry: which. pythons: as `--python` has them.
    """
    named = ["--python", *pythons] if pythons else []
    stages = ["--stages", *(stage.value for stage in entry.stages)]
    return ["--precision", entry.precision, *entry.also, *stages, *named]


def compared(entry: Entry, scratch: Path, pythons: Sequence[str], before: bool = False) -> Said:
    """Compare one pair and return what was said.

    Args:
        entry: which. scratch: a folder for it. pythons: as `--python` has them.
        before: on the releases before the newest ones.
    """
    pair = placed(entry, scratch / entry.name, before)
    report, lasted = one_command.compare([pair.name, *options(entry, pythons)], pair.parent)
    if isinstance(report, str):
        return Said(entry, report, lasted_s=lasted)
    return read(entry, report, lasted)


def read(entry: Entry, report: dict[str, Any], lasted_s: float) -> Said:
    """Return what a report says.

    Args:
        entry: the pair. report: as `report.json` has it. lasted_s: the command.
    """
    verdict = report["summary"]["fidelity"]
    rows = report["stages"]
    first = next((row for row in rows if row["verdict"] == verdict != Fidelity.PASS), None)
    return Said(
        entry,
        verdict,
        stage=first["stage"] if first else "",
        place=first["worst"] if first else "",
        error=first["error"] if first else None,
        looked=tuple(row["stage"] for row in rows if row["tensors"]),
        unmatched=tuple(note for note in report["notes"] if not note.startswith("read back")),
        lasted_s=lasted_s,
        versions=_versions(report),
    )


def _versions(report: dict[str, Any]) -> dict[str, str]:
    """Return the releases of the frameworks, as they were read back, and of what is installed
    beside them. Of a library that both sides have in two releases, both."""
    own = own_builds.read([PAIRS])
    several: dict[str, set[str]] = {}
    for build in report["builds"]:
        told = {**build["versions"]}
        beside = own[build["build"]].requirements if build["build"] in own else ()
        for text in beside:
            requirement = Requirement(text)
            pins = [item.version for item in requirement.specifier if item.operator == "=="]
            if pins:
                told.setdefault(requirement.name, pins[0])
        for name, version in told.items():
            if name not in ASIDE:
                several.setdefault(name, set()).add(version.partition("+")[0])
    return {name: ", ".join(sorted(found)) for name, found in sorted(several.items())}


def keep(path: Path, said: Said) -> None:
    """Add what was said of a pair to a file, one line of JSON.

    Args:
        path: of the file. said: of one pair.
    """
    content = {**dataclasses.asdict(said), "entry": said.entry.name}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(content) + "\n")


def kept(path: Path | None) -> dict[str, Said]:
    """Return by name what stands in such a file; nothing where there is none.

    Args:
        path: of the file.
    """
    if path is None or not path.is_file():
        return {}
    entries = {entry.name: entry for entry in (*ENTRIES, *PLANTS)}
    read_back = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        content = json.loads(line)
        name = content.pop("entry")
        if name not in entries:  # it has been taken out of the catalogue
            continue
        several = {key: tuple(content.pop(key)) for key in ("looked", "unmatched")}
        read_back[name] = Said(entries[name], **content, **several)
    return read_back


def word(stage: str) -> str:
    """Return the letter of a stage."""
    return Stage(stage).value[0].upper() if stage else ""
