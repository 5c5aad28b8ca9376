"""Commands that run builds against each other or against themselves."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

from harness.cli.consent import Asking, Consent
from harness.cli.console import OUT, complain, context, plain, show_table
from harness.cli.progress import working
from harness.cli.send import deliver
from harness.commands import compare as comparison
from harness.commands import feedback as feedbacks
from harness.commands import listing, record
from harness.commands import repeat as repeating
from harness.commands import selfcheck as checking
from harness.commands.option_groups import WRITTEN
from harness.commands.options import Options
from harness.commands.repeat import RepeatOptions
from harness.commands.selfcheck import Checked
from harness.errors import HarnessError, UsageError
from harness.history import open_history
from harness.report import repeats, terminal, terminal_selfcheck
from harness.sinks import delivery
from harness.sinks.delivery import Sinks


def compare(
    pair: Path | None = None,
    *,
    feedback: Annotated[Path | None, WRITTEN] = None,
    chosen: Options = Options(),
    sinks: Annotated[Sinks, WRITTEN] = Sinks(),
    consent: Consent = Consent(),
) -> int:
    """Compare builds, or two models that you have: the same function, stage by stage, and how fast.
    Ends in a table and a report.

    Parameters
    ----------
    pair
        A pair file: the two models are compared that it declares.
    feedback
        Write one JSON object for a program to this file: the verdict, where it departs first, what
        to run next. E.g. `--feedback feedback.json`.
    """
    feedbacks.begin(feedback, context().command, compared=not chosen.dry_run)
    delivery.check(sinks)
    comparison.check(pair, chosen)
    if chosen.dry_run and pair is not None:
        raise UsageError(
            f"--dry-run: what a comparison of {pair} takes is known once both models have been"
            f" built. Try: harness check {pair}"
        )
    if chosen.dry_run:
        show_table(("what", "detail"), listing.dry_run(chosen, context()))
        return 0
    if chosen.history is not None:
        # refuses, before anything runs, a file that could not be used after it
        open_history(chosen.history).close()
    with working(Asking(yes=consent.yes)) as at_work:
        result = comparison.compare_named(pair, chosen, at_work)
    feedbacks.finish(feedback, result)
    OUT.print(terminal.render(result.report))
    OUT.print(plain(f"report: {result.folder / 'report.md'} (.html .json .xml)"))
    added = chosen.history is None or keep(result, chosen.history)
    sent = deliver(result, sinks)
    if added and sent:
        return result.report.exit_code
    return result.report.exit_code or HarnessError.exit_code


def keep(result: comparison.ComparisonResult, path: Path) -> bool:
    """Add a finished run to a history; where that fails, say how it is added later."""
    try:
        with open_history(path) as history:
            history.add(result.report, result.folder)
    except (HarnessError, OSError) as error:
        command = ["harness", "history", "add", str(result.folder), "--history", str(path)]
        later = shlex.join(command)
        complain(f"{error} The run is kept, but not in the history. Add it later: {later}")
        return False
    return True


def run(chosen: Options = Options(no_speed=True), consent: Consent = Consent()) -> int:
    """Record what each build computes, and the bounds of lower precisions, without comparing
    builds."""
    if chosen.history is not None:
        raise UsageError(
            "--history: `harness run` compares nothing that could be added. Drop it, or take"
            " `harness compare`."
        )
    if chosen.dry_run:
        show_table(("what", "detail"), listing.dry_run(chosen, context(), judged=False))
        return 0
    with working(Asking(yes=consent.yes)) as at_work:
        result = record.run(chosen, at_work)
    columns = ("workload", "build", "precision", "status", "first loss", "last loss", "seconds")
    show_table(columns, result.rows)
    OUT.print(plain(f"records: {result.folder / 'jobs'}"))
    return result.exit_code


def selfcheck(checked: Checked = Checked()) -> int:
    """Check the verdict on speed here: a build against itself, and against itself slowed down by a
    known share."""
    with working() as at_work:
        result = checking.check(checked, at_work)
    sections = [(checking.title(section), section.findings) for section in result.sections]
    OUT.print(terminal_selfcheck.render(sections))
    OUT.print(plain(f"written: {result.folder / 'selfcheck.json'}, and a plot for each (.svg)"))
    return result.exit_code


def repeat(repeated: RepeatOptions = RepeatOptions()) -> int:
    """Run a build on the same seed again and again: are the bits the same, or equal within
    rounding? And what does certainty cost?"""
    with working() as at_work:
        result = repeating.repeat(repeated, at_work)
    OUT.print(repeats.render(result.report))
    OUT.print(plain(f"written: {result.folder / 'repeat.json'}"))
    return result.report.exit_code
