"""What the builds of a pair are made of, and their effective settings, side by side."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from harness.report.json_format import plain
from harness.results.model import BuildRow, SpeedRow


@dataclasses.dataclass(frozen=True)
class Property:
    """One property of both builds; `differs` where they have it and it is not the same."""

    name: str
    a: str
    b: str
    differs: bool


def provenance(a: BuildRow | None, b: BuildRow | None, workload: str) -> tuple[Property, ...]:
    """Return what both builds are made of; nothing where either is not known."""
    if a is None or b is None:
        return ()
    names = [*dict.fromkeys([*sorted(a.versions), *sorted(b.versions)])]
    rows = [("Python", a.python, b.python), ("platform", a.platform, b.platform)]
    rows += [(name, a.versions.get(name, ""), b.versions.get(name, "")) for name in names]
    rows += [
        ("environment", a.origin, b.origin),
        ("port", a.port.get(workload, ""), b.port.get(workload, "")),
    ]
    return tuple(_property(*row) for row in rows)


def settings(
    a: BuildRow | None, b: BuildRow | None, judged: bool, timings: Sequence[SpeedRow]
) -> tuple[tuple[str, tuple[Property, ...]], ...]:
    """Return tables of the effective settings of both sides, each with what it is of.

    Args:
        a, b: the builds; without either there is no table.
        judged: whether anything was judged in lockstep.
        timings: the pair's rows of speed, which have a table each.
    """
    if a is None or b is None:
        return ()
    tables = []
    if judged:
        title = "in lockstep, the first job of each side"
        tables.append((title, _side_by_side(a.effective, b.effective)))
    for row in timings:
        precisions = row.precisions
        effective_a = a.timed.get(f"{row.workload} {row.action} {precisions.a}")
        effective_b = b.timed.get(f"{row.workload} {row.action} {precisions.b}")
        if effective_a and effective_b:
            title = f"timed, {row.action} {row.precision}"
            tables.append((title, _side_by_side(effective_a, effective_b)))
    return tuple(tables)


def _side_by_side(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[Property, ...]:
    words_a, words_b = in_words(a), in_words(b)
    return tuple(
        _property(name, words_a.get(name, ""), words_b.get(name, ""))
        for name in sorted({*words_a, *words_b})
    )


def _property(name: str, a: str, b: str) -> Property:
    return Property(name, a, b, bool(a and b) and a != b)


def in_words(properties: Mapping[str, Any]) -> dict[str, str]:
    """Return what a build says of itself, in words.

    They are the same whether the report was just made or read back.
    """
    values = plain(dict(properties))
    return {
        name: value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        for name, value in values.items()
    }
