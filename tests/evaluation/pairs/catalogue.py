"""All mutants of all pairs."""

from __future__ import annotations

import importlib
import pkgutil

from tests.evaluation.pairs import mutants
from tests.evaluation.pairs.mutant import Mutant


def planted() -> tuple[Mutant, ...]:
    """Return all mutants, pair by pair."""
    chosen: list[Mutant] = []
    for item in pkgutil.iter_modules(mutants.__path__):
        chosen += importlib.import_module(f"{mutants.__name__}.{item.name}").MUTANTS
    return tuple(chosen)
