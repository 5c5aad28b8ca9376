"""What the harness keeps on disk, how large it is, and how to delete it: runs, and the environments
it provisioned."""

from __future__ import annotations

import dataclasses
import datetime
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from harness.environments import provision, release_environments
from harness.errors import RecordError, remedy
from harness.records import runs

if TYPE_CHECKING:
    from harness.context import Context


@dataclasses.dataclass(frozen=True)
class Item:
    """One folder that can be deleted. `kind` is `run` or `environment`."""

    kind: str
    path: Path
    size_bytes: int


def survey(reports: Path, older_than_days: int, context: Context) -> list[Item]:
    """Return all runs of a folder that are old enough, and all provisioned environments, with their
    sizes.

    Args:
        reports: the folder of all runs; those in which somebody is working are left out.
        older_than_days: how old a run is at least; 0 for all.
        context: its time is now, its environment says where the environments lie.
    """
    items = []
    for folder, run in runs.all_runs(reports):
        try:
            old = runs.age(run, context.now) >= datetime.timedelta(days=older_than_days)
        except OverflowError:  # more days than there are
            old = False
        if not old:
            continue
        try:
            if not runs.is_held(folder):
                items.append(Item("run", folder, runs.size(folder)))
        except RecordError as error:
            context.say(f"left as it is: {error}")
    made = provision.environments(context.environ)
    made += release_environments.existing(context.environ)
    items += [Item("environment", path, runs.size(path)) for path in made]
    return items


def delete(item: Item) -> None:
    """Delete one folder and all that is in it.

    Raises:
        RecordError: some of it is left.
    """
    try:
        shutil.rmtree(item.path)
    except OSError as error:
        raise RecordError(
            f"{item.path}: not all of it can be deleted ({error.filename}: {error.strerror})."
            f" {remedy(error)}."
        ) from error
