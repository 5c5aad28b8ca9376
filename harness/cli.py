"""The command line: one function per command. The only module that prints, exits or reads the environment."""

from __future__ import annotations

import datetime
import os
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

from cyclopts import App, CycloptsError, Parameter
from rich.console import Console
from rich.text import Text

from harness import __version__, cleaning, comparison, doctoring, listing, modeling, recording, reference, rendering, repeating
from harness import converting as carrying
from harness import selfchecking as checking
from harness.comparison import Context
from harness.errors import HarnessError, UsageError
from harness.model_options import Converting, Training, What, Where, of
from harness.model_options import source as find
from harness.options import SEVERAL, Options, References
from harness.repeating import Repeated
from harness.report import repeats, terminal, terminal_selfcheck
from harness.report.terminal_style import plain_table as _table
from harness.selfchecking import Checked

OUT = Console(highlight=False, soft_wrap=False)
ERR = Console(stderr=True, highlight=False)
INTERRUPTED = 130
DEFECT = 4
RESUMABLE = ("compare", "run", "train")

app = App(
    name="harness", version=__version__, help_format="plaintext", result_action="return_value", suppress_keyboard_interrupt=False,
    help="Is a model moved between TensorFlow 1, TensorFlow 2 and PyTorch still the same model, and what did the move cost?",
)
references = App(name="reference", help="Recorded outputs of the real TF 1.15.5: record, verify or list them.")
app.command(references)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit with its code."""
    # A termination request ends the workers and leaves a resumable run, exactly as Ctrl-C does.
    signal.signal(signal.SIGTERM, _interrupt)
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = app(words, exit_on_error=False, print_error=False)
        sys.exit(code if isinstance(code, int) else 0)
    except CycloptsError as error:
        _fail(UsageError(f"{error} See: harness {_command(words)}--help"))
    except HarnessError as error:
        _fail(error)
    except OSError as error:  # a disk that is full where no job runs: Python's own exit code would read as a FAIL
        _fail(HarnessError(f"{error}. Mend this (make room, for instance) and run again; compare and run go on with --resume."))
    except Exception:  # noqa: BLE001  (a defect of ours; Python's own exit code, 1, would read as a FAIL)
        ERR.print_exception()
        sys.exit(DEFECT)
    except KeyboardInterrupt:
        kept = "; what is finished is kept. Go on with the same command and --resume." if _command(words)[:-1] in RESUMABLE else ""
        ERR.print(f"interrupted{kept}", style="yellow")
        sys.exit(INTERRUPTED)


def _command(words: Sequence[str]) -> str:
    return f"{words[0]} " if words and words[0] in app else ""


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _fail(error: HarnessError) -> NoReturn:
    ERR.print(Text("error: ", style="bold red") + Text(str(error)))
    sys.exit(error.exit_code)


def _say(line: str) -> None:
    ERR.print(Text(line, style="dim"))


def _context() -> Context:
    command = shlex.join(["harness", *sys.argv[1:]])
    return Context(dict(os.environ), datetime.datetime.now().astimezone(), command, _say)


@app.command(name="compare")
def compare(chosen: Options = Options()) -> int:
    """Compare builds: the same function, stage by stage, and how fast. Ends in a table and a report."""
    context = _context()
    if chosen.dry_run:
        OUT.print(_table(("what", "detail"), listing.dry_run(chosen, context)))
        return 0
    result = comparison.compare(chosen, context)
    OUT.print(terminal.render(result.report))
    OUT.print(Text(f"report: {result.folder / 'report.md'} (.html .json .xml)"))
    return result.report.exit_code


@app.command(name="run")
def run(chosen: Options = Options(no_speed=True)) -> int:
    """Record what each build computes, and the bounds of lower precisions, without comparing builds."""
    result = recording.run(chosen, _context())
    OUT.print(_table(("workload", "build", "precision", "status", "first loss", "last loss", "seconds"), result.rows))
    OUT.print(Text(f"records: {result.folder / 'jobs'}"))
    return result.exit_code


@app.command(name="selfcheck")
def selfcheck(checked: Checked = Checked()) -> int:
    """Check the verdict on speed here: a build against itself, and against itself slowed down by a known share."""
    result = checking.check(checked, _context())
    OUT.print(terminal_selfcheck.render([(checking.title(one), one.found) for one in result.sections]))
    OUT.print(Text(f"written: {result.folder / 'selfcheck.json'}, and a plot for each (.svg)"))
    return result.exit_code


@app.command(name="repeat")
def repeat(repeated: Repeated = Repeated()) -> int:
    """Run a build on the same seed again and again: are the bits the same, or equal within rounding? And what does certainty cost?"""
    result = repeating.repeat(repeated, _context())
    OUT.print(repeats.render(result.report))
    OUT.print(Text(f"written: {result.folder / 'repeat.json'}"))
    return result.report.exit_code


@app.command(name="list")
def show_list(ports: Annotated[tuple[Path, ...], SEVERAL] = ()) -> int:
    """List workloads with their backends and presets, and the builds.

    Parameters
    ----------
    ports
        Folders with workloads and ports of your own.
    """
    OUT.print(_table(("workload", "backends", "presets", "runs", "what"), listing.workloads(ports), "Workloads"))
    OUT.print()
    OUT.print(_table(("build", "backend", "python", "framework", "devices"), listing.builds(), "Builds"))
    return 0


@app.command(name="doctor")
def doctor(*, quick: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Say which builds, devices and precisions can run here, and why the others cannot.

    Parameters
    ----------
    quick
        Look only; do not run a step in each precision.
    """
    found = doctoring.examine(_context(), probe=not quick)
    for section in found:
        OUT.print(_table(section.columns, section.rows, section.title))
        OUT.print()
    return 0


@app.command(name="report")
def report(
    run: Path, *, format: Annotated[str, Parameter(help="terminal, markdown, json, html or junit")] = "terminal", out: Path | None = None  # noqa: A002
) -> int:
    """Render a finished run again, from its report.json.

    Parameters
    ----------
    run
        The run's folder, or its report.json.
    out
        File to write; the screen, if not given.
    """
    loaded = rendering.load(run)
    if format == "terminal" and out is None:
        OUT.print(terminal.render(loaded))
        return 0
    text = rendering.render(loaded, format)
    if out is None:
        sys.stdout.write(text)
    else:
        rendering.save(text, out)
        _say(f"wrote {out}")
    return 0


@app.command(name="train")
def train(workload: str, *, training: Training = Training(), what: What = What(), where: Where = Where()) -> int:
    """Train a model in native mode and keep it: checkpoints in the build's own format, losses, and what it is."""
    context = _context()
    spec, model = what.model(workload, training.build, where)
    made = modeling.train(where.site(spec, context, training.begun()), model, training.out, training.steps, resume=training.resume)
    OUT.print(Text(f"{training.out}: {made.workload} on {made.build}, {made.step} steps, losses in {training.out / modeling.LOSSES}"))
    return 0


@app.command(name="generate")
def generate(model: Path, *, rows: int = 256, out: Path = Path("generated.npz"), where: Where = Where()) -> int:
    """Let a trained model generate; writes `samples` of an .npz.

    Parameters
    ----------
    model
        A folder that `harness train` or `harness convert` wrote.
    rows
        How many; a generative model makes whole batches.
    out
        File to write.
    """
    spec, made = of(model, where)
    shape = modeling.generate(where.site(spec, _context(), made), model, rows, out)
    OUT.print(Text(f"{out}: samples {list(shape)}"))
    return 0


@app.command(name="convert")
def convert(source: Path, *, converting: Converting, what: What = What(), where: Where = Where()) -> int:
    """Carry a checkpoint's weights and optimizer state to another build, and prove that its next step is the same."""
    spec, model, folder = find(source, converting, what, where)
    site = where.site(spec, _context(), model)
    done = carrying.convert(site, folder, model, converting.to, converting.out, prove=not converting.no_proof)
    OUT.print(_table(("what", "value"), listing.conversion(done)))
    return 0


@app.command(name="clean")
def clean(
    *, reports: Path = Path("reports"), runs: Annotated[bool, Parameter(negative="")] = False,
    environments: Annotated[bool, Parameter(negative="")] = False, older_than: int = 0,
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
    found = cleaning.survey(reports, older_than, _context())
    OUT.print(_table(("kind", "path", "size"), listing.sizes(found)))
    wanted = {"run": runs, "environment": environments}
    for item in found:
        if wanted[item.kind]:
            cleaning.delete(item)
            _say(f"deleted {item.path}")
    if not any(wanted.values()):
        _say("nothing deleted; add --runs or --environments")
    return 0


@references.command(name="list")
def reference_list(where: References = References()) -> int:
    """List the recorded references with their provenance."""
    found = listing.references(where.folder or reference.shipped())
    OUT.print(_table(("reference", "framework", "python", "tensors", "size"), found))
    return 0


@references.command(name="verify")
def reference_verify(where: References = References()) -> int:
    """Check the references: checksums, and that today's workloads draw the same data and tape."""
    rows = recording.verify(where.folder or reference.shipped())
    OUT.print(_table(("reference", "status", "detail"), rows))
    return 0 if rows and all(row[1] == "ok" for row in rows) else 1


@references.command(name="record")
def reference_record(
    *, folder: Path | None = None, workloads: Annotated[tuple[str, ...], SEVERAL] = (), python: Annotated[tuple[str, ...], SEVERAL] = ()
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
    for path in recording.record_references(target, workloads, python, _context()):
        _say(f"wrote {path}")
    return 0


if __name__ == "__main__":
    main()


