"""Errors at the nodes of a model's graph, as Google's Model Explorer reads them: custom node data,
and the graphs that they lie on.

The formats are those of its Python package, https://github.com/google-ai-edge/model-explorer:
`ModelNodeData` of `model_explorer/node_data_builder.py` (by graph id `results`, `thresholds`) and
`GraphCollection` of `model_explorer/graph_builder.py`. A report knows the tensors of each stage and
the order in which they were computed, not what each was computed from: edges are that order.

A node's value is error / threshold, so that one scale of colours holds for all: beyond 1 the tensor
departs. Error, floor and threshold stand among the attributes of its node.
"""

from __future__ import annotations

import json
import math
from typing import Any

from backends.contract import Stage
from harness.report import format as spell
from harness.report.labels import Spell, setting
from harness.report.tables import TENSOR
from harness.results.model import Report, StageRow
from harness.results.series import Compared
from harness.results.verdicts import Fidelity

#: What is told of a node: verdict, error, floor and threshold.
SHOWN = TENSOR[1:]
#: Stages whose tensors are nodes; a trajectory has the same parameters again at every step.
STAGES = (Stage.WEIGHTS, Stage.FORWARD, Stage.LOSS, Stage.GRADIENTS, Stage.UPDATE)
#: Upper ends of error / threshold, and what is painted below each; beyond the last, what departs.
COLOURS = ((0.1, "#d7f0dd"), (1.0, "#f7e6a8"), (1e308, "#f4a9a8"))
#: JSON has no number that is not finite, and a node that has none departs the furthest.
LARGEST = 1e308


def node_data(report: Report) -> str:
    """Return the node data of every pair's two graphs, as JSON."""
    thresholds = [{"value": value, "bgColor": colour} for value, colour in COLOURS]
    data = {}
    for graph, rows in _graphs(report).items():
        results = {}
        for row in rows:
            tensors = _tensors(row)
            for at, name in enumerate(tensors.names):
                value = _value(tensors, at)
                if value is not None:
                    results[_node(row, name)] = {"value": value}
        data[graph] = {"results": results, "thresholds": thresholds}
    return _text(data)


def graphs(report: Report) -> str:
    """Return the graphs of both sides of every pair, as JSON: what `node_data` lies on."""
    made = [{"id": graph, "nodes": _nodes(rows)} for graph, rows in _graphs(report).items()]
    return _text({"label": spell.one_line(report.title), "graphs": made})


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _graphs(report: Report) -> dict[str, list[StageRow]]:
    """Return by graph, one of each side of a pair, the rows that its nodes are of."""
    spelled = setting(report)
    by_graph: dict[str, list[StageRow]] = {}
    for row in report.stages:
        if row.stage in STAGES and row.compared is not None and row.verdict != Fidelity.INFO:
            for side in ("a", "b"):
                by_graph.setdefault(_graph(row, side, spelled), []).append(row)
    return by_graph


def _graph(row: StageRow, side: str, spelled: Spell) -> str:
    build = row.a if side == "a" else row.b
    what = f"{row.workload} {spelled(row)} {row.a} : {row.b}, {side} {build}"
    return spell.one_line(what)


def _tensors(row: StageRow) -> Compared:
    assert row.compared is not None
    return row.compared


def _node(row: StageRow, name: str) -> str:
    return spell.one_line(f"{row.stage}/{name}")


def _nodes(rows: list[StageRow]) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = []
    for row in rows:
        tensors, before = _tensors(row), ""
        for at, name in enumerate(tensors.names):
            node = _node(row, name)
            namespace, _, label = node.rpartition("/")
            edges = [{"sourceNodeId": before}] if before else []
            nodes.append(
                {
                    "id": node,
                    "label": label,
                    "namespace": namespace,
                    "attrs": _attributes(tensors, at),
                    "incomingEdges": edges,
                }
            )
            before = node
    return nodes


def _attributes(tensors: Compared, at: int) -> list[dict[str, str]]:
    numbers = (tensors.errors[at], tensors.floors[at], tensors.thresholds[at])
    words = (str(tensors.verdicts[at]), *map(spell.error, numbers))
    return [{"key": key, "value": word} for key, word in zip(SHOWN, words, strict=True)]


def _value(tensors: Compared, at: int) -> float | None:
    """Return error / threshold; more than 1 of a tensor that departs, whatever its numbers are;
    None where nothing was compared."""
    error, threshold = tensors.errors[at], tensors.thresholds[at]
    departs = tensors.verdicts[at] == Fidelity.FAIL
    if error is None or threshold is None or not math.isfinite(error):
        return LARGEST if departs else None
    if threshold == 0.0:
        return LARGEST if error else 0.0
    value = min(error / threshold, LARGEST)
    return max(value, math.nextafter(1.0, 2.0)) if departs else value
