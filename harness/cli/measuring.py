"""Commands that run builds against each other or against themselves."""

from __future__ import annotations

from rich.text import Text

from harness import comparison, listing, recording, repeating
from harness import selfchecking as checking
from harness.cli.console import OUT, app, context
from harness.cli.progress import working
from harness.options import Options
from harness.repeating import Repeated
from harness.report import repeats, terminal, terminal_selfcheck
from harness.report.terminal_style import plain_table
from harness.selfchecking import Checked


@app.command(name="compare")
def compare(chosen: Options = Options()) -> int:
    """Compare builds: the same function, stage by stage, and how fast. Ends in a table and a report."""
    if chosen.dry_run:
        OUT.print(plain_table(("what", "detail"), listing.dry_run(chosen, context())))
        return 0
    with working() as given:
        result = comparison.compare(chosen, given)
    OUT.print(terminal.render(result.report))
    OUT.print(Text(f"report: {result.folder / 'report.md'} (.html .json .xml)"))
    return result.report.exit_code


@app.command(name="run")
def run(chosen: Options = Options(no_speed=True)) -> int:
    """Record what each build computes, and the bounds of lower precisions, without comparing builds."""
    with working() as given:
        result = recording.run(chosen, given)
    OUT.print(plain_table(("workload", "build", "precision", "status", "first loss", "last loss", "seconds"), result.rows))
    OUT.print(Text(f"records: {result.folder / 'jobs'}"))
    return result.exit_code


@app.command(name="selfcheck")
def selfcheck(checked: Checked = Checked()) -> int:
    """Check the verdict on speed here: a build against itself, and against itself slowed down by a known share."""
    with working() as given:
        result = checking.check(checked, given)
    OUT.print(terminal_selfcheck.render([(checking.title(one), one.found) for one in result.sections]))
    OUT.print(Text(f"written: {result.folder / 'selfcheck.json'}, and a plot for each (.svg)"))
    return result.exit_code


@app.command(name="repeat")
def repeat(repeated: Repeated = Repeated()) -> int:
    """Run a build on the same seed again and again: are the bits the same, or equal within rounding? And what does certainty cost?"""
    with working() as given:
        result = repeating.repeat(repeated, given)
    OUT.print(repeats.render(result.report))
    OUT.print(Text(f"written: {result.folder / 'repeat.json'}"))
    return result.report.exit_code
