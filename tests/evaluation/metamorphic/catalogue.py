"""All entries, collected from the modules of `entries/`: each has MUTANTS and TWINS."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence

from tests.evaluation.metamorphic import entries
from tests.evaluation.metamorphic.entry import KINDS, WORKLOADS, Entry


def everything() -> tuple[Entry, ...]:
    """Return all entries: by kind, mutants first, then the pairs of honest ports and their twins.

    Raises:
        ValueError: two entries have one name, or one has a kind that there is not.
    """
    modules = [
        importlib.import_module(f"{entries.__name__}.{item.name}")
        for item in pkgutil.iter_modules(entries.__path__)
    ]
    found = [entry for module in modules for entry in (*module.MUTANTS, *module.TWINS)] + pairs(
        [entry for module in modules for entry in module.MUTANTS]
    )
    names = [entry.name for entry in found]
    twice, strange = (
        {name for name in names if names.count(name) > 1},
        {entry.kind for entry in found} - {*KINDS},
    )
    if twice or strange:
        raise ValueError(
            f"names that are there twice: {sorted(twice)}; kinds that are none of {KINDS}:"
            f" {sorted(strange)}"
        )
    return tuple(
        sorted(
            found,
            key=lambda entry: (KINDS.index(entry.kind), entry.honest, entry.workload, entry.name),
        )
    )


def pairs(mutants: Sequence[Entry]) -> list[Entry]:
    """Return the honest pair of each workload that tf2 and torch both port, in the kind of its
    first mutant."""
    kinds = {entry.workload: entry.kind for entry in reversed(mutants)}
    names = sorted(path.stem for path in (WORKLOADS / "torch").glob("*.py"))
    return [
        Entry(kinds[name], f"{name}_itself", name, (), "the honest ports of both builds")
        for name in names
        if name in kinds
    ]


def chosen(only: Sequence[str]) -> tuple[Entry, ...]:
    """Return the entries with one of these names, kinds or workloads, or all.

    Raises:
        ValueError: nothing has such a name.
    """
    found = everything()
    known = {word for entry in found for word in (entry.name, entry.kind, entry.workload)}
    unknown = [word for word in only if word not in known]
    if unknown:
        raise ValueError(
            f"no entry, kind or workload is named {', '.join(unknown)}; kinds: {', '.join(KINDS)}"
        )
    return tuple(
        entry for entry in found if not only or {entry.name, entry.kind, entry.workload} & {*only}
    )
