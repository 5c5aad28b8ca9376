"""Commands for the recorded references."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from backends.contract import Status
from harness.cli.console import context, say, show_table
from harness.commands import listing, record
from harness.commands.option_groups import SEVERAL
from harness.records import references as reference

references = App(name="reference", group_commands="Commands")


@Parameter(name="*")
@dataclasses.dataclass(frozen=True, kw_only=True)
class References:
    """Where recorded references are looked for.

    Parameters
    ----------
    folder
        Where they lie; the shipped ones, if not given.
    """

    folder: Path | None = None


@references.command(name="list")
def reference_list(where: References = References()) -> int:
    """List the recorded references with their provenance."""
    rows = listing.references(where.folder or reference.shipped())
    show_table(("reference", "framework", "python", "tensors", "size"), rows)
    return 0


@references.command(name="verify")
def reference_verify(where: References = References()) -> int:
    """Check the references: checksums, and that today's workloads draw the same data and tape."""
    rows = record.verify(where.folder or reference.shipped())
    show_table(("reference", "status", "detail"), rows)
    return 0 if rows and all(row[1] == Status.OK for row in rows) else 1


@references.command(name="record")
def reference_record(
    *,
    folder: Path | None = None,
    workloads: Annotated[tuple[str, ...], SEVERAL] = (),
    python: Annotated[tuple[str, ...], SEVERAL] = (),
) -> int:
    """Record the references anew with the real TF 1.15.5.

    Parameters
    ----------
    folder
        Where to write them; over the shipped ones, if not given.
    workloads
        Which; all that have a TF1 port, if not given.
    python
        tf1=PATH, an interpreter that has TF 1.15.5.
    """
    target = folder or reference.shipped()
    for path in record.record_references(target, workloads, python, context()):
        say(f"wrote {path}")
    return 0
