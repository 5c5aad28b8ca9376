"""The pairs: code of libraries, and what has to be said of it. Where a pair fails, the reason is a
difference that is there, and a variant of the pair without it has to pass: that is the proof.
Where several differ, variants without those in front show the next one, and its size."""

from __future__ import annotations

from collections.abc import Sequence

from tests.evaluation.wild.entries import hugging_face, keras_hub, plain_objects, releases, vision
from tests.evaluation.wild.entry import Entry

ENTRIES: Sequence[Entry] = (
    *releases.ENTRIES,
    *plain_objects.ENTRIES,
    *hugging_face.ENTRIES,
    *keras_hub.ENTRIES,
    *vision.ENTRIES,
)
#: Mistakes planted in those that pass.
PLANTS: Sequence[Entry] = (*keras_hub.PLANTS, *vision.PLANTS)


def chosen(names: Sequence[str]) -> list[Entry]:
    """Return entries by name, or all of a pair by that of its file.

    Raises:
        ValueError: there is none of a name.
    """
    every = [*ENTRIES, *PLANTS]
    for name in names:
        if not any(name in (entry.name, entry.file) for entry in every):
            known = ", ".join(entry.name for entry in every)
            raise ValueError(f"{name!r} is none of {known}")
    return [entry for entry in every if not names or {entry.name, entry.file} & {*names}]
