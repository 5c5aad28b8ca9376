"""What a report says of a pair beside its verdicts: what was read back and is not the same, what is
not compared, and what the adapters remark upon."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from backends.contract import Stage
from backends.survey import Survey
from harness.pairs.attribute_differences import AttributeDifference, folded, worded
from harness.pairs.inference import Against, Inference, SurveyedSide
from harness.pairs.preflight import DRAW, differences
from harness.pairs.taps import by_name

#: How the line of an attribute that is not the same begins.
READ_BACK = "read back: "
#: Of a forward stage.
MODES = ("training", "inference")


@dataclasses.dataclass(frozen=True)
class ForwardAgreement:
    """What the forward stage has shown to be the same, without anything being accepted.

    Attributes:
        every: whether that is all of it. names: else of the activations, `<mode>/<name>`.
    """

    every: bool = False
    names: frozenset[str] = frozenset()

    def holds(self, activations: Iterable[str]) -> bool:
        """Return whether it holds for a layer.

        Args:
            activations: that show it, by name; in every mode.
        """
        shown = [f"{mode}/{name}" for name in activations for mode in MODES]
        return self.every or (bool(shown) and self.names.issuperset(shown))


def sentences(inference: Inference, agreement: ForwardAgreement | None = None) -> list[str]:
    """Return `differences` as lines of a report.

    Args:
        inference: of the pair. agreement: of the forward stage, once that is known: what was to
            show there, of a layer that agrees, is said to be without effect.
    """
    rows = differences(inference)
    without = [row for row in rows if agreement and _agrees(row, inference, agreement)]
    lines = []
    for row in folded(row for row in rows if row not in without):
        shows = f"shows at {row.stage}" if row.stage else "no stage shows it"
        why = f" ({row.why})" if row.why else ""
        lines.append(f"{READ_BACK}{_what(row)}; {shows}{why}")
    lines += [
        f"{READ_BACK}{_what(row)}; without effect here: {row.stage} agrees there"
        for row in folded(without)
    ]
    for other in inference.others:
        lines += _not_compared(inference.first, other)
    return [*lines, *(f"{label}: {remark}" for label, remark in remarks(inference))]


def _what(row: AttributeDifference) -> str:
    values = f"{row.a} in {row.sides[0]}, {row.b} in {row.sides[1]}"
    return f"{row.where}: {row.what} is {values}"


def _agrees(row: AttributeDifference, inference: Inference, agreement: ForwardAgreement) -> bool:
    """Whether a setting of a layer that was to show in the forward stage has not done so: another
    layer may make up for it, as one that pads does for a convolution that does not."""
    layers = {layer.name for layer in inference.first.survey.layers}
    if row.stage != Stage.FORWARD or row.where not in layers or row.what.startswith(DRAW):
        return False
    return agreement.holds(tap.name for tap in inference.taps() if tap.a == row.where)


def remarks(inference: Inference) -> list[tuple[str, str]]:
    """Return what the adapters remark upon, by the side's label; not the draws, which are listed
    by themselves.

    Args:
        inference: of the pair.
    """
    lines = []
    for label, survey in inference.surveys().items():
        lines += [(label, remark) for remark in _remarks(survey)]
    return lines


def _remarks(survey: Survey) -> Iterator[str]:
    listed = {draw.reason for draw in survey.draws}
    for remark in dict.fromkeys(survey.remarks):
        if remark not in listed and not remark.startswith("the draw "):
            yield remark


def _not_compared(first: SurveyedSide, other: Against) -> Iterator[str]:
    """Yield what is said of layers that belong together and whose activations are not compared."""
    for tap in other.decided.elsewhere:
        yield (
            f"{tap.name} is not compared: {tap.a} of {first.label} and {tap.b} of"
            f" {other.side.label} show different places of the computation (before and behind a"
            " dropout or a mask), and what is made of them agrees"
        )
    shown = {tap.a for tap in (*other.decided.taps, *other.decided.elsewhere)}
    left, right = by_name(first.survey.layers), by_name(other.side.survey.layers)
    for name_a, name_b in other.decided.matched.units:
        x, y = left.get(name_a), right.get(name_b)
        if x is None or y is None or name_a in shown or not x.outputs or not y.outputs:
            continue
        shapes = worded(list(x.outputs[0])), worded(list(y.outputs[0]))
        if sorted(x.outputs[0]) != sorted(y.outputs[0]):
            yield (
                f"what {name_a} returns is not compared: it is {shapes[0]} in {first.label} and"
                f" {shapes[1]} in {other.side.label}; what is wrong in it is named by the next one"
            )
