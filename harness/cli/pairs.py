"""Commands for two models that somebody already has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from backends.contract import Status
from harness.cli.console import OUT, plain, show_table
from harness.cli.progress import working
from harness.commands import pair_tables, pairs
from harness.commands.option_groups import SEVERAL
from harness.commands.options import PRESETS, Options, PassEnv, Paths, Ports, Python
from harness.commands.pair_tables import TableSection
from harness.errors import UnknownName, UsageError
from harness.workloads import registry

#: Exit code of a check in which a side failed.
FAILED = 1


def init(name: Path, *, sides: Annotated[tuple[str, ...], SEVERAL] = ("tf2", "torch")) -> int:
    """Write a pair file that runs, with comments where your own code goes.

    Parameters
    ----------
    name
        Of the file.
    sides
        Builds of the two models, e.g. `tf1 torch`.
    """
    path = pairs.write_skeleton(name, sides)
    OUT.print(plain(f"written: {path}"))
    OUT.print(plain(f"try it: harness check {path}"))
    OUT.print(plain(f"compare: harness compare {path} --no-speed"))
    return 0


def check(pair: Path, *, python: Python = (), path: Paths = (), pass_env: PassEnv = ()) -> int:
    """Look at both models of a pair, say what is not the same as far as it can be read, and run one
    step of everything.

    Parameters
    ----------
    pair
        The pair file.
    """
    with working() as at_work:
        looked = pairs.look(pair, Options(python=python, path=path, pass_env=pass_env), at_work)
        trials = pairs.attempt(looked, at_work)
    inference = looked.inference
    _show(pair_tables.attributes(inference), "Nothing that can be read back differs.")
    for section in (
        pair_tables.initializers(inference),
        pair_tables.only_one_side(inference),
        pair_tables.undecided(inference),
        pair_tables.unserved(inference),
        pair_tables.remarks(inference),
    ):
        _show(section)
    columns = ("side", "precision", "status", "seconds", "reason")
    rows = [
        (item.label, item.precision, item.status, f"{item.seconds:.1f}", item.reason)
        for item in trials
    ]
    show_table(columns, rows, "One step of everything")
    return FAILED if any(item.status != Status.OK for item in trials) else 0


def show_map(
    pair: Path,
    *,
    out: Path | None = None,
    python: Python = (),
    path: Paths = (),
    pass_env: PassEnv = (),
) -> int:
    """Write which parameter and which layer of one model is which of the other's, for you to read
    and correct; `compare` reads it.

    Parameters
    ----------
    pair
        The pair file.
    out
        Where to write it; beside the pair file as <pair>.map.toml, if not given.
    """
    with working() as at_work:
        looked = pairs.look(
            pair, Options(python=python, path=path, pass_env=pass_env), at_work, use_map=False
        )
    written = pairs.write_map(looked, out)
    inference = looked.inference
    for section in (pair_tables.only_one_side(inference), pair_tables.undecided(inference)):
        _show(section)
    count = f"{len(inference.pieces())} parameters, {len(inference.taps())} activations"
    OUT.print(plain(f"written: {written} ({count})"))
    return 0


def describe(
    what: str,
    *,
    preset: str = "tiny",
    ports: Ports = (),
    python: Python = (),
    path: Paths = (),
    pass_env: PassEnv = (),
) -> int:
    """Show what a workload or a pair is made of: parameters, layers, draws, losses.

    Parameters
    ----------
    what
        A workload's name, or a pair file.
    preset
        Of a workload: tiny, small or paper.
    """
    if what.endswith(".py"):
        with working() as at_work:
            looked = pairs.look(
                Path(what), Options(python=python, path=path, pass_env=pass_env), at_work
            )
        for section in pair_tables.sides(looked.inference):
            _show(section)
        _show(pair_tables.only_one_side(looked.inference))
        return 0
    workload = registry.get(what, ports)
    if preset not in PRESETS:
        raise UnknownName("preset", preset, PRESETS)
    if preset not in workload.presets:
        raise UsageError(
            f"--preset {preset}: workload {what} has no such preset. It has:"
            f" {', '.join(workload.presets)}."
        )
    for section in pair_tables.described(workload, preset):
        _show(section)
    return 0


def _show(section: TableSection, empty: str = "") -> None:
    """Print a table; one without rows only if there is something to say about that."""
    if section.rows:
        show_table(section.columns, section.rows, section.title)
        OUT.print()
    elif empty:
        OUT.print(plain(empty))
        OUT.print()
