"""The end of a night: from its rows to one verdict, one sentence and one exit code, and the pages
that people open in the morning."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from harness.changes.model import NOTE, REGRESSION
from harness.nightly import comparison, index, matrix, night, page, summary
from harness.nightly.night import CellStatus, Night
from harness.records import files
from harness.results.verdicts import Fidelity

SUMMARY, INDEX = "summary.md", "index.html"


def summed_up(state: Night) -> Night:
    """Return the night with its verdict, its sentence and, unless broken off, its exit code."""
    verdicts = {row.fidelity for row in state.rows}
    from_the_worst = (Fidelity.FAIL, Fidelity.INCONCLUSIVE, Fidelity.PASS)
    verdict = next((word for word in from_the_worst if word in verdicts), Fidelity.NONE)
    codes = [code for row in state.rows if (code := _code(state, row)) is not None]
    codes += [matrix.NOT_OK] if state.uncompared or state.failed_builds() else []
    exit_code = state.exit_code
    if exit_code is None:
        exit_code = matrix.exit_code(codes, state.regressed)
    return dataclasses.replace(
        state, verdict=verdict, headline=_headline(state), exit_code=exit_code
    )


def _code(state: Night, row: night.CellRow) -> int | None:
    """Return a cell's exit code: its report's, or what stands for none; None if not tried."""
    if row.status == CellStatus.UNSUPPORTED:
        return matrix.NOTHING
    if row in state.broken():
        return matrix.FAILED if row.exit_code == matrix.FAILED else matrix.NOT_OK
    return row.exit_code


def _headline(state: Night) -> str:
    failed = [row for row in state.rows if row.fidelity == Fidelity.FAIL]
    unsure = [
        row
        for row in state.rows
        if row.fidelity == Fidelity.INCONCLUSIVE and row.status == CellStatus.OK
    ]
    passed = sum(row.fidelity == Fidelity.PASS for row in state.rows)
    if failed:
        text = f"{failed[0].cell.name}: {failed[0].headline}"
        text += f" {len(failed)} cells fail." if len(failed) > 1 else ""
    elif unsure:
        text = f"{unsure[0].cell.name}: {unsure[0].headline}"
    elif passed:
        judged = sum(matrix.FIDELITY in row.cell.judge for row in state.rows)
        text = f"Same function in {passed} of {judged} cells."
    else:
        text = "Nothing was judged."
    text += _speed(state)
    worse = sum(change.severity == REGRESSION for change in state.changed)
    if worse:
        text += f" {worse} regression{'s' if worse > 1 else ''} since {state.before}."
    elif state.before and not state.uncompared and state.finished:
        better = any(change.severity != NOTE for change in state.changed)
        text += f" {'Nothing worse' if better else 'Unchanged'} since {state.before}."
    text += f" {state.uncompared}" if state.uncompared else ""
    failed_builds = len(state.failed_builds())
    for count, singular, plural in (
        (failed_builds, "build could not be installed", "builds could not be installed"),
        (len(state.broken()), "cell did not end well", "cells did not end well"),
        (state.count(CellStatus.NOT_REACHED), "was not reached", "were not reached"),
        (state.count(CellStatus.UNSUPPORTED), "cannot run here", "cannot run here"),
        (state.count(CellStatus.WAITING), "has not run yet", "have not run yet"),
    ):
        text += f" {count} {singular if count == 1 else plural}." if count else ""
    return text


def _speed(state: Night) -> str:
    """Return the widest difference in speed of all cells; a sentence also where there is none."""
    compared = sum(row.compared for row in state.rows)
    if not compared:
        return ""
    apart = max(state.rows, key=lambda row: row.apart or 0.0)
    if apart.speed:
        answered = sum(row.settled for row in state.rows)
        others = f"; {answered} of {compared} comparisons of speed have an answer"
        return f" {apart.cell.name}: {apart.speed}{others}."
    if any(row.settled and row.apart is None for row in state.rows):
        return ""  # judged before it was told
    return f" No build is found faster or slower in {compared} comparisons of speed."


def write(state: Night, folder: Path, nights: Path) -> None:
    """Write a night's summary, its page, its state, and the index of all nights. The state comes
    after the pages: a night that says that it is finished has them."""
    files.write_text(folder / SUMMARY, summary.render(state))
    files.write_text(folder / page.NAME, page.render(state, list(page.reports(state, folder))))
    night.write(folder, state)
    history = comparison.PAGE if (nights / comparison.PAGE).exists() else ""
    files.write_text(nights / INDEX, index.render(list(night.nights(nights)), history))
