"""The frozen files in `tests/data/formats`, what reads each kind, and which fields of today's they
show."""

from __future__ import annotations

import ast
import dataclasses
import json
import re
import types
import typing
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from harness.bisecting import record as bisections
from harness.models import training
from harness.nightly import night
from harness.records import contents, references, runs, store
from harness.report import json_format, renderers
from harness.results import model as results

FORMATS = Path(__file__).parents[2] / "data" / "formats"
#: The folders there, by date and hour.
D21_09, D21_13, D21_23 = ("2026-11-21-09h", "2026-11-21-13h", "2026-11-21-23h")
D28_15, D29_02 = ("2026-11-28-15h", "2026-11-29-02h")
D29_11, D29_12, D29_16 = ("2026-11-29-11h", "2026-11-29-12h", "2026-11-29-16h")
D29_18, D30_13, D30_14 = ("2026-11-29-18h", "2026-11-30-13h", "2026-11-30-14h")
HARNESS = Path(json_format.__file__).parents[1]
#: The class that declares a field, and the field's name on disk.
Shown = set[tuple[str, str]]
#: What reads the JSON of a kind that is named in its second argument.
READERS = {"read_json", "read_sealed"}
#: Where `dataclasses` keeps the fields of a class.
FIELDS = "__dataclass_fields__"


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        file: its name, or a pattern. schema: the one that is written today.
        read: returns what a folder with such a file holds.
        contents: the dataclass that it becomes; None for a report, which has a shape of its own.
    """

    file: str
    schema: int
    read: Callable[[Path], Any]
    contents: type[Any] | None

    def files(self) -> list[Path]:
        """Return all frozen files of this kind, the oldest first."""
        return sorted(FORMATS.glob(f"*/*/{self.file}"))


def bisection(folder: Path) -> Any:
    """Return what a bisection has left, whatever its key."""
    found = re.search(r'"key": "(\w+)"', (folder / bisections.FILE).read_text(encoding="utf-8"))
    return bisections.read(folder, found[1] if found else "")


def _report(folder: Path) -> results.Report:
    return renderers.load(folder / "report.json")


def _reference(folder: Path) -> references.Reference:
    (path,) = references.names(folder)
    return references.read(path)


#: By the word that the readers' messages call it.
KINDS = {
    "record": Kind(store.MANIFEST, store.SCHEMA, store.read_manifest, store.Manifest),
    "run": Kind(runs.RUN_FILE, runs.SCHEMA, runs.read, runs.Noted),
    "night": Kind(night.FILE, night.SCHEMA, night.read, night.Night),
    "model": Kind(training.MODEL_FILE, training.SCHEMA, training.read, training.Model),
    "bisection": Kind(bisections.FILE, bisections.SCHEMA, bisection, bisections.Stored),
    "reference": Kind("*-seed*.json", references.SCHEMA, _reference, references.Document),
    "report": Kind("report.json", results.SCHEMA, _report, None),
}


def plain(path: Path) -> dict[str, Any]:
    """Return a frozen file as it lies there."""
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def words_read(source: str) -> set[str]:
    """Return the kinds of files that a module reads: what it tells `store.read_json` or
    `store.read_sealed`, unless it only hands that on."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        name = getattr(node, "func", None)
        if READERS & {getattr(name, "attr", ""), getattr(name, "id", "")}:
            assert isinstance(node, ast.Call)
            if isinstance(node.args[1], ast.Constant):
                found.add(str(node.args[1].value))
    return found


def holds(path: Path) -> Iterable[tuple[type[Any], Any]]:
    """Yield each dataclass that a frozen file becomes, with what it is made of."""
    document = plain(path)
    kind = next(kind for kind in KINDS.values() if path.match(kind.file))
    if kind.contents:
        yield kind.contents, document
    if kind.contents is store.Manifest:
        yield contents.Description, document["job"]
        if document["status"] == "ok":
            job = contents.described(document["job"], str(path))
            yield contents.kind(job), document["result"]


def fields(kind: Any) -> Shown:
    """Return all fields of a dataclass and of those inside it."""
    found: Shown = set()
    for part in typing.get_args(kind):
        found |= fields(part)
    if dataclasses.is_dataclass(kind):
        for field in _declared(kind):
            found |= {(field.owner, field.stored)} | fields(field.kind)
    return found


def shown(kind: Any, value: Any) -> Shown:
    """Return the fields that have a value in a piece of JSON."""
    found: Shown = set()
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType and value is not None:
        return shown(inner[0], value)
    if origin in (tuple, dict):
        for part in value.values() if origin is dict else value:
            found |= shown(inner[1] if origin is dict else inner[0], part)
    if dataclasses.is_dataclass(kind):
        for field in _declared(kind):
            if field.stored in value:
                found |= {(field.owner, field.stored)} | shown(field.kind, value[field.stored])
    return found


@dataclasses.dataclass(frozen=True)
class Declared:
    """A field: the class that declares it, its name on disk, and its type."""

    owner: str
    stored: str
    kind: Any


def _declared(kind: Any) -> list[Declared]:
    """Return the fields of a dataclass."""
    hints, found = typing.get_type_hints(kind), []
    for field in dataclasses.fields(kind):
        bases = reversed(kind.__mro__)
        owner = next(base for base in bases if field.name in vars(base).get(FIELDS, {}))
        stored = field.metadata.get("name", field.name)
        found.append(Declared(owner.__name__, stored, hints[field.name]))
    return found
