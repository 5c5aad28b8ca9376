"""What is shown of a pair or of a workload: its parts, and where two sides are not alike."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.pairs import notes, preflight
from harness.pairs.attribute_differences import AttributeDifference, folded
from harness.pairs.inference import Inference, unshared_draws
from harness.pairs.matches import OPEN
from harness.workloads.spec import Workload

Rows = Sequence[tuple[str, ...]]


@dataclasses.dataclass(frozen=True)
class TableSection:
    """One table. `columns`: their heads."""

    title: str
    columns: tuple[str, ...]
    rows: Rows


def attributes(inference: Inference) -> TableSection:
    """Return what is not the same on both sides, as far as it can be read.

    Args:
        inference: of the pair.
    """
    rows = [
        (row.where, row.what, *_values(inference, row), row.stage or "nothing", row.why)
        for row in folded(preflight.differences(inference))
    ]
    columns = ("where", "what", *_heads(inference), "shows at", "because")
    return TableSection("Read back from both sides, and not the same", columns, rows)


def initializers(inference: Inference) -> TableSection:
    """Return which weights begin otherwise on both sides.

    Args:
        inference: of the pair.
    """
    rows = [
        (row.where, row.what, *_values(inference, row)) for row in preflight.initializers(inference)
    ]
    title = "Initialisers that differ: both sides start from the same weights here, users would not"
    return TableSection(title, ("layer", "weight", *_heads(inference)), rows)


def _heads(inference: Inference) -> tuple[str, str]:
    if len(inference.others) > 1:
        return "one side", "another"
    return inference.first.label, inference.others[0].side.label


def _values(inference: Inference, row: AttributeDifference) -> tuple[str, str]:
    if len(inference.others) > 1:
        return f"{row.sides[0]}: {row.a}", f"{row.sides[1]}: {row.b}"
    return row.a, row.b


def undecided(inference: Inference) -> TableSection:
    """Return the parameters that neither rules nor data could decide.

    Args:
        inference: of the pair.
    """
    rows: list[tuple[str, ...]] = []
    for other in inference.others:
        label, first_open = other.side.label, other.decided.first_open
        rows += [
            (pair.name, label, pair.b.name, first_open)
            for pair in other.decided.matched.pieces
            if pair.how == OPEN
        ]
    columns = ("parameter", "side", "taken for", "the forward passes part at")
    return TableSection("Undecided: taken by order, kind and shape alone", columns, rows)


def unserved(inference: Inference) -> TableSection:
    """Return the draws of randomness that the tape does not answer.

    Args:
        inference: of the pair.
    """
    rows = [
        (label, draw.layer or "-", draw.phase, draw.kind, _shape(draw.shape), draw.reason)
        for label, draw in unshared_draws(inference)
    ]
    columns = ("side", "layer", "phase", "draw", "shape", "why")
    return TableSection(
        "Draws that only one side makes, or that the tape cannot answer", columns, rows
    )


def remarks(inference: Inference) -> TableSection:
    """Return what the adapters remark upon.

    Args:
        inference: of the pair.
    """
    return TableSection("Also seen", ("side", "what"), notes.remarks(inference))


def described(workload: Workload, preset: str) -> list[TableSection]:
    """Return what a workload is made of.

    Args:
        workload: which. preset: one of its own.
    """
    config: dict[str, Any] = workload.config(preset)
    parameters = [
        (item["name"], _shape(item["shape"]), "yes" if item["trainable"] else "no")
        for item in config["parameters"]
    ]
    sites = [
        (item["site"], ", ".join(item["phases"]), item["kind"], _shape(item["shape"]))
        for item in config["noise"]
    ]
    phases = [
        (item["phase"], item["optimizer"], str(len(item["parameters"])))
        for item in config["updates"]
    ]
    return [
        TableSection("Parameters", ("name", "shape", "trainable"), parameters),
        TableSection("Draws on the tape", ("site", "phases", "kind", "shape"), sites),
        TableSection("Training", ("phase", "optimizer", "parameters"), phases),
    ]


def sides(inference: Inference) -> list[TableSection]:
    """Return what each side of a pair is made of, layer by layer, beside the other.

    Args:
        inference: of the pair.
    """
    plans = inference.plans()
    labels = list(plans)
    layers: list[tuple[str, ...]] = []
    for number, tap in enumerate(inference.taps()):
        shown = [plan["taps"][number]["layer"] for plan in plans.values()]
        layers.append((tap.name, *shown, tap.how))
    parameters: list[tuple[str, ...]] = []
    for number, pair in enumerate(inference.pieces()):
        made_of = [" + ".join(plan["pieces"][number]["sources"]) for plan in plans.values()]
        parameters.append((pair.name, _shape(pair.a.shape), *made_of, pair.how))
    losses = [(phase, ", ".join(inference.losses(phase))) for phase in inference.phases()]
    draws = [(site.phase, site.name, site.kind, _shape(site.shape)) for site in inference.sites()]
    return [
        TableSection("Parameters", ("name", "shape", *labels, "decided by"), parameters),
        TableSection("Activations", ("name", *labels, "decided by"), layers),
        TableSection("Draws on the tape", ("phase", "site", "kind", "shape"), draws),
        TableSection("Losses", ("training step", "terms"), losses),
    ]


def _own(plans: Mapping[str, Mapping[str, Any]], kind: str, key: str) -> list[tuple[str, ...]]:
    """Return what each side calls its taps or pieces, all sides' of one together."""
    columns = []
    for plan in plans.values():
        values = [entry[key] for entry in plan[kind]]
        columns.append([item if isinstance(item, str) else " + ".join(item) for item in values])
    return list(zip(*columns, strict=True))


def only_one_side(inference: Inference) -> TableSection:
    """Return the parameters that only one side has.

    Args:
        inference: of the pair.
    """
    rows: list[tuple[str, ...]] = []
    for other in inference.others:
        rows += _listed(inference.first.label, other.decided.matched.only_a)
        rows += _listed(other.side.label, other.decided.matched.only_b)
    return TableSection("Parameters that only one side has", ("side", "parameter", "shape"), rows)


def _listed(label: str, pieces: Iterable[Any]) -> Rows:
    return [(label, piece.name, _shape(piece.shape)) for piece in pieces]


def _shape(shape: Sequence[int]) -> str:
    return "[" + ", ".join(str(size) for size in shape) + "]"
