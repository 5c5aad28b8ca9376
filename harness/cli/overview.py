"""Commands that look at what is there: workloads, this machine, finished runs, disk space."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from harness.cli.console import OUT, complain, context, put, say, show_table
from harness.cli.progress import working
from harness.commands import clean as cleaning
from harness.commands import doctor as doctoring
from harness.commands import listing
from harness.commands.option_groups import FLAG, SEVERAL
from harness.errors import RecordError, UnknownName, UsageError
from harness.report import renderers, terminal

#: What `list` lists, if not workloads and builds.
DIFFERENCES = "differences"


def show_list(what: str | None = None, *, ports: Annotated[tuple[Path, ...], SEVERAL] = ()) -> int:
    """List workloads with their backends and presets, and the builds; or the differences of the
    frameworks that `compare --accept` takes for the same.

    Parameters
    ----------
    what
        `differences`, for those.
    ports
        Folders with workloads and ports of your own.
    """
    if what is not None:
        if what != DIFFERENCES:
            raise UnknownName("list", what, [DIFFERENCES])
        show_table(
            ("name", "what it is", "what --accept does"),
            listing.differences(),
            "Differences of the frameworks",
        )
        return 0
    columns = ("workload", "backends", "presets", "runs", "what")
    show_table(columns, listing.workloads(ports), "Workloads")
    OUT.print()
    columns = ("build", "backend", "python", "framework", "devices")
    show_table(columns, listing.builds(), "Builds")
    return 0


def doctor(*, steps: Annotated[bool, FLAG] = False, quick: Annotated[bool, FLAG] = False) -> int:
    """Say which builds and devices can be used here, and why the others cannot. Installs nothing,
    and takes less than a minute.

    Parameters
    ----------
    steps
        Run a step of each shipped workload in each precision too; takes minutes.
    quick
        Look only; do not even import the frameworks.
    """
    if steps and quick:
        raise UsageError("--quick and --steps contradict each other. Drop one of them.")
    _show(doctoring.machine(context()))
    with working() as at_work:
        sections = doctoring.examine(at_work, imports=not quick, steps=steps)
    for section in sections:
        _show(section)
    return 0


def _show(section: doctoring.DoctorSection) -> None:
    show_table(section.columns, section.rows, section.title)
    OUT.print()


def report(
    run: Path,
    *,
    format: Annotated[  # noqa: A002
        str,
        Parameter(
            help="terminal, markdown, json, html, junit or csv; model-explorer: errors at the nodes"
            " of both sides' graphs, model-explorer-graphs: the graphs"
        ),
    ] = "terminal",
    out: Path | None = None,
) -> int:
    """Render a finished run again, from its report.json.

    Parameters
    ----------
    run
        The run's folder, or its report.json.
    out
        File to write; the screen, if not given.
    """
    if format == "terminal" and out is not None:
        raise UsageError(
            f"--out {out}: the format terminal is for the screen. Name another with --format:"
            f" {', '.join(renderers.FORMATS)}; or leave --out away."
        )
    loaded = renderers.load(run)
    if format == "terminal":
        OUT.print(terminal.render(loaded))
        return 0
    text = renderers.render(loaded, format)
    if out is None:
        put(text)
    else:
        renderers.save(text, out)
        say(f"wrote {out}")
    return 0


def clean(
    *,
    reports: Path = Path("reports"),
    runs: Annotated[bool, Parameter(negative="")] = False,
    environments: Annotated[bool, Parameter(negative="")] = False,
    older_than: int = 0,
) -> int:
    """Show what the environments and old runs take on disk, and delete what is asked for.

    Parameters
    ----------
    reports
        Folder of the runs.
    runs
        Delete the runs.
    environments
        Delete the environments that the harness provisioned.
    older_than
        Only runs that are at least so many days old.
    """
    items = cleaning.survey(reports, older_than, context())
    show_table(("kind", "path", "size"), listing.sizes(items))
    wanted = {"run": runs, "environment": environments}
    code = 0
    for item in (item for item in items if wanted[item.kind]):
        try:
            cleaning.delete(item)
        except RecordError as error:  # the others are deleted all the same
            complain(str(error))
            code = error.exit_code
        else:
            say(f"deleted {item.path}")
    if not any(wanted.values()):
        say("nothing deleted; add --runs or --environments")
    return code
