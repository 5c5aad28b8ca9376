"""What `--feedback FILE` tells a program: the answer of one comparison, where it departs first,
what was read back about that place, and what to run next.

Owns the shape, nothing else. History of `SCHEMA`: 1 (first). A field that is added, renamed or
removed makes another schema: whoever reads such a file has no harness beside it.
"""

from __future__ import annotations

import dataclasses

from backends.contract import Word

SCHEMA = 1


class Ending(Word):
    """What stands in place of a verdict where there is none."""

    #: The comparison ended with an error, which is told.
    ERROR = "ERROR"
    #: It runs, or was broken off before it could say anything.
    UNFINISHED = "UNFINISHED"


class Concern(Word):
    """How near a difference that was read back is to what departs."""

    #: It is of the layer or the parameter that departs.
    PLACE = "place"
    #: It shows at the stage that departs.
    STAGE = "stage"
    #: It shows elsewhere, or nothing departs.
    OTHER = "other"


@dataclasses.dataclass(frozen=True)
class SourceLine:
    """A line of the user's code.

    Attributes:
        file: absolute; None where it is not known. line: from 1; None where only the file is known.
        reason: how it was found, or why not.
    """

    file: str | None
    line: int | None
    reason: str


@dataclasses.dataclass(frozen=True)
class DepartingSide:
    """What departs, as one side has it.

    Attributes:
        side: its label. name: of the layer, parameter or tensor on this side.
        layer: that owns it; None where none is known. parameters: the side's own names of the
            parameters that it is made of; empty for an activation.
        value: at the worst index; None where no values were compared.
        source: the line that makes the layer.
    """

    side: str
    name: str
    layer: str | None
    parameters: tuple[str, ...]
    value: float | None
    source: SourceLine


@dataclasses.dataclass(frozen=True)
class FirstDeparture:
    """Where two sides part first.

    Attributes:
        stage: of the ladder, or `precision`. kind: `layer`, `parameter`, or `tensor` for what is
            neither: a loss, an output.
        tensor: its name in the report. index: of the worst element, from 0.
        error, floor, threshold: by the report's measure, dimensionless.
        wrong_layers: every layer that departs given the right input, where that was found.
        reason: one sentence. logs: of both sides' jobs, absolute.
    """

    workload: str
    stage: str
    precision: str
    seed: int
    kind: str
    tensor: str | None
    index: tuple[int, ...] | None
    error: float | None
    floor: float | None
    threshold: float | None
    a: DepartingSide
    b: DepartingSide
    wrong_layers: tuple[str, ...]
    reason: str
    logs: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class ReadBack:
    """One thing that was read back before the run and is not the same on both sides.

    Attributes:
        concerns: how near it is to what departs. where: the layer, parameter or optimizer, in the
            first side's words. what: the attribute. sides: labels. a, b: its values, as text.
        stage: where it shows; None where no stage shows it. why: what follows, in a few words.
    """

    concerns: Concern
    where: str
    what: str
    sides: tuple[str, str]
    a: str
    b: str
    stage: str | None
    why: str


@dataclasses.dataclass(frozen=True)
class NextCommand:
    """What to run next. `command`: None where there is nothing to run. `why`: one sentence."""

    command: str | None
    why: str


@dataclasses.dataclass(frozen=True)
class ToldError:
    """Why there is no verdict. `kind`: the error's class. `message`: says what failed, the value
    met, what is allowed and what to do."""

    kind: str
    message: str


@dataclasses.dataclass(frozen=True)
class Feedback:
    """One comparison, for a program.

    Attributes:
        verdict: PASS, FAIL, INCONCLUSIVE, NONE where no stage was judged, or an `Ending`.
        exit_code: of the comparison; None while it is not finished.
        headline: the answer in one sentence. command: as it was typed.
        report: path of `report.json`; None where there is none.
        departure: None unless the verdict is FAIL.
        differences: those of the place that departs come first.
    """

    verdict: str
    exit_code: int | None
    headline: str
    command: str
    report: str | None
    error: ToldError | None
    departure: FirstDeparture | None
    differences: tuple[ReadBack, ...]
    next: NextCommand
    harness_version: str
    schema: int = SCHEMA
