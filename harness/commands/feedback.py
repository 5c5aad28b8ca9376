"""The file of `--feedback`: written before anything runs, as of a comparison that is not finished,
and again once it has ended, whatever its end. Each time whole or not at all.

So whoever reads it after a comparison that was killed does not take an older PASS for this one's.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shlex
from collections.abc import Sequence
from pathlib import Path

from harness.commands.compare import ComparisonResult
from harness.commands.pairs import Looked
from harness.errors import BuildError, Busy, JobFailed, RecordError, UsageError, remedy
from harness.pairs import source_lines, tensor_owners
from harness.pairs.attribute_differences import AttributeDifference
from harness.pairs.preflight import differences
from harness.pairs.tensor_owners import OwnName, TensorOwner
from harness.pairs.workload import Inferred
from harness.records import files
from harness.report import feedback_json
from harness.results import outcome
from harness.results.feedback import (
    Concern,
    DepartingSide,
    Ending,
    Feedback,
    FirstDeparture,
    NextCommand,
    ReadBack,
    SourceLine,
    ToldError,
)
from harness.results.model import Report, StageRow
from harness.results.verdicts import Fidelity, Speed
from harness.results.version import VERSION
from harness.sinks import credentials

OPTION, RESUME = "--feedback", "--resume"
NO_PAIR = "it is no pair of models: which line of a port computes it is not told"
#: What to do about an error beside what its message says; the first class that fits.
DIAGNOSES: tuple[tuple[type[Exception], str, str], ...] = (
    (UsageError, "harness compare --help", "lists every option; the error says what to change"),
    (BuildError, "harness doctor", "says which builds can run here, and why others cannot"),
    (JobFailed, "harness check {pair}", "runs one step of everything on each side"),
    (Busy, "{again}", "once the other timed run is over"),
    (RecordError, "{again}", "once the file that the error names is mended or gone"),
)


def begin(path: Path | None, command: str, compared: bool) -> None:
    """Check that the file can be written, and say in it that the comparison is not finished.

    Args:
        path: None where none is wanted. command: as it was typed.
        compared: whether anything will be compared.

    Raises:
        UsageError: it cannot be written, or there will be nothing to write.
    """
    if path is None:
        return
    if not compared:
        raise UsageError(f"{OPTION}: --dry-run compares nothing. Drop one of them.")
    if error := files.unwritable(path):
        raise UsageError(f"{OPTION} {path}: cannot be written: {error.strerror}. {remedy(error)}.")
    unfinished = _without_run(
        Ending.UNFINISHED,
        "The comparison has not ended, or was broken off.",
        command,
        None,
        NextCommand(_resumed(command), "goes on where it stopped"),
    )
    files.write_text(path, feedback_json.render(unfinished))


def finish(path: Path | None, result: ComparisonResult) -> None:
    """Write what a comparison has come to.

    Args:
        path: None where none is wanted. result: of the comparison.

    Raises:
        UsageError: the file cannot be written any more.
    """
    if path is None:
        return
    try:
        files.write_text(path, feedback_json.render(of_result(result, path)))
    except OSError as error:
        raise UsageError(f"{OPTION} {path}: {error.strerror}. {remedy(error)}.") from error


def failed(words: Sequence[str], error: Exception, exit_code: int) -> None:
    """Write what kept a comparison from its end, into the file that its command names, if it can.

    The words are read, for a command line with an error in it has no options.

    Args:
        words: of the command line, behind the program. error: told to the user.
        exit_code: of the command.
    """
    path = named(words)
    if path is None or files.unwritable(path):
        return
    command = shlex.join(["harness", *credentials.without(words)])
    message = credentials.hidden(str(error))
    pair = next((word for word in words[1:] if word.endswith(".py")), "")
    ended = dataclasses.replace(
        _without_run(Ending.ERROR, message, command, exit_code, _diagnosis(error, command, pair)),
        error=ToldError(type(error).__name__, message),
    )
    # Where the disk is full now, the terminal still has the error, which is the graver one.
    with contextlib.suppress(OSError):
        files.write_text(path, feedback_json.render(ended))


def named(words: Sequence[str]) -> Path | None:
    """Return the file that the words of `harness compare` name for feedback; None if none.

    Args:
        words: of the command line, behind the program.
    """
    if not words or words[0] != "compare":
        return None
    for place, word in enumerate(words):
        name, mark, value = word.partition("=")
        if name == OPTION and mark and value:
            return Path(value)
        if word == OPTION and place + 1 < len(words) and not words[place + 1].startswith("--"):
            return Path(words[place + 1])
    return None


def _diagnosis(error: Exception, command: str, pair: str) -> NextCommand:
    for kind, template, why in DIAGNOSES:
        if isinstance(error, kind) and (pair or "{pair}" not in template):
            return NextCommand(template.format(pair=shlex.quote(pair), again=command), why)
    why = "gives the error again; the message says what to change first"
    return NextCommand(command, why)


def _without_run(
    ending: Ending, headline: str, command: str, exit_code: int | None, following: NextCommand
) -> Feedback:
    return Feedback(
        verdict=ending,
        exit_code=exit_code,
        headline=headline,
        command=command,
        report=None,
        error=None,
        departure=None,
        differences=(),
        next=following,
        harness_version=VERSION,
    )


def of_result(result: ComparisonResult, path: Path) -> Feedback:
    """Return what a program is told of a finished comparison.

    Args:
        result: of the comparison. path: of the file: the command to run next writes there too.
    """
    report, looked = result.report, result.looked
    row = outcome.first_failure(report.stages)
    owner = _owner(looked, row) if row else None
    return Feedback(
        verdict=report.fidelity,
        exit_code=report.exit_code,
        headline=report.headline,
        command=report.command,
        report=str((result.folder / "report.json").absolute()),
        error=None,
        departure=_departure(row, owner, result) if row and owner else None,
        differences=_read_back(looked, row, owner),
        next=_next(report, row, path),
        harness_version=report.harness_version,
    )


def _owner(looked: Looked | None, row: StageRow) -> TensorOwner:
    if looked is None or row.worst is None:
        name = OwnName(row.worst or "")
        return TensorOwner(tensor_owners.TENSOR, name, name)
    return tensor_owners.owner(looked.inference, *row.sides, row.stage, row.worst)


def _departure(row: StageRow, owner: TensorOwner, result: ComparisonResult) -> FirstDeparture:
    sides = zip(row.sides, (owner.a, owner.b), (row.value_a, row.value_b), strict=True)
    a, b = (
        DepartingSide(
            side,
            own.name,
            own.layer,
            own.parameters,
            value,
            _source(result, row, side, own),
        )
        for side, own, value in sides
    )
    return FirstDeparture(
        workload=row.workload,
        stage=row.stage,
        precision=row.precision,
        seed=row.seed,
        kind=owner.kind,
        tensor=row.worst,
        index=tuple(json.loads(row.place)) if row.place else None,
        error=row.error,
        floor=row.floor,
        threshold=row.threshold,
        a=a,
        b=b,
        wrong_layers=row.wrong_layers,
        reason=row.reason,
        logs=tuple(str((result.folder / log).absolute()) for log in row.logs),
    )


def _source(result: ComparisonResult, row: StageRow, side: str, own: OwnName) -> SourceLine:
    """Return the line behind one side: of a pair, from the text of its files; of a port, the file
    that the report names."""
    looked = result.looked
    if looked is None:
        ports = (item.port for item in result.report.builds if item.build == side)
        port = next((port[row.workload] for port in ports if row.workload in port), "")
        return SourceLine(port.rpartition(", ")[0] or None, None, NO_PAIR)
    labels = [item.label for item in looked.request.sides]
    declared = looked.pair.sides[labels.index(side)]
    workload = looked.request.workloads[0]
    folders = workload.paths if isinstance(workload, Inferred) else ()
    words = tensor_owners.words(own.layer) if own.layer else []
    line = source_lines.of_layer(looked.pair, declared, folders, words)
    return SourceLine(str(line.file) if line.file else None, line.line, line.reason)


def _read_back(
    looked: Looked | None, row: StageRow | None, owner: TensorOwner | None
) -> tuple[ReadBack, ...]:
    """Return what was read back and differs between the sides that depart, or between all, that of
    the place first."""
    if looked is None:
        return ()
    rows = [
        item for item in differences(looked.inference) if row is None or item.sides == row.sides
    ]
    rows_read = [_one_read_back(item, _concern(item, row, owner)) for item in rows]
    order, departing = list(Concern), row.stage if row else None
    rows_read.sort(key=lambda item: (order.index(item.concerns), item.stage != departing))
    return tuple(rows_read)


def _concern(item: AttributeDifference, row: StageRow | None, owner: TensorOwner | None) -> Concern:
    if row is None or owner is None:
        return Concern.OTHER
    if tensor_owners.of_place(item, owner):
        return Concern.PLACE
    return Concern.STAGE if tensor_owners.of_stage(item, row.stage) else Concern.OTHER


def _one_read_back(item: AttributeDifference, concerns: Concern) -> ReadBack:
    return ReadBack(
        concerns=concerns,
        where=item.where,
        what=item.what,
        sides=item.sides,
        a=item.a,
        b=item.b,
        stage=item.stage,
        why=item.why,
    )


def _resumed(command: str) -> str:
    return command if RESUME in shlex.split(command) else f"{command} {RESUME}"


def _next(report: Report, row: StageRow | None, path: Path) -> NextCommand:
    """Return what gives the answer again, narrowed to the row that decides the exit code."""
    option = f"{OPTION} {shlex.quote(str(path))}"
    if row is not None:
        why = f"judges stage {row.stage} in {row.precision} alone, where the sides part"
        return NextCommand(f"{row.command} {option}", why)
    for stage in report.stages:
        if stage.verdict == Fidelity.INCONCLUSIVE and stage.command:
            why = f"judges stage {stage.stage} in {stage.precision} alone, which is undecided"
            return NextCommand(f"{stage.command} {option}", why)
    bad = next(iter(outcome.broken(report.jobs)), None)
    if bad is not None:
        return NextCommand(
            _resumed(report.command), f"runs what has broken again; its log is {bad.log}"
        )
    for speed in report.speed:
        refused = speed.verdict == Speed.REFUSED
        slower = report.exit_code == outcome.TOO_SLOW and speed.verdict == Speed.SLOWER
        if (refused or slower) and not speed.by_phase:
            why = f"times {speed.workload} {speed.action} alone: {speed.verdict}"
            return NextCommand(f"{speed.command} {option}", why)
    if report.exit_code:
        return NextCommand(report.command, "gives the answer again")
    return NextCommand(None, "nothing is wrong")
