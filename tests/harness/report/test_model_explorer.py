"""What Model Explorer reads: the fields that its package documents, and no other; nodes that the
graphs have; a tensor that departs lies beyond 1."""

from __future__ import annotations

import dataclasses
import json

import pytest

from harness.report import model_explorer, renderers

#: Of `GraphNodeData`, `NodeDataResult`, `ThresholdItem`; of `Graph` and `GraphNode`, with what of
#: them is needed (model_explorer/node_data_builder.py, model_explorer/graph_builder.py).
DATA = {"results", "thresholds", "gradient"}
NODE = {"id", "label", "namespace", "attrs", "incomingEdges"}


def faults(data, graphs):
    """Return what is wrong with node data and the graphs that it lies on."""
    found = []
    nodes = {}
    for graph in graphs["graphs"]:
        nodes[graph["id"]] = {node["id"] for node in graph["nodes"]}
    for graph in graphs["graphs"]:
        found += [f"node has {sorted(node)}" for node in graph["nodes"] if set(node) != NODE]
        known = nodes[graph["id"]]
        edges = [edge["sourceNodeId"] for node in graph["nodes"] for edge in node["incomingEdges"]]
        found += [f"edge from {source}" for source in edges if source not in known]
        if len(known) != len(graph["nodes"]):
            found.append(f"nodes of {graph['id']} twice")
    if set(data) != set(nodes):
        found.append("other graphs")
    for name, own in data.items():
        if not {"results"} <= set(own) <= DATA:
            found.append(f"{name} has {sorted(own)}")
        found += [f"no node {node}" for node in own["results"] if node not in nodes.get(name, ())]
        for result in own["results"].values():
            if set(result) != {"value"} or not isinstance(result["value"], (int, float)):
                found.append(f"value {result}")
        values = [item["value"] for item in own.get("thresholds", ())]
        if values != sorted(values):
            found.append("thresholds out of order")
    return found


@pytest.fixture
def written(full):
    """Both files, as they are read by who knows strict JSON only."""

    def strict(text):
        return json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))

    data = strict(renderers.render(full, "model-explorer"))
    return data, strict(renderers.render(full, "model-explorer-graphs"))


def test_both_sides_have_a_graph_with_the_error_at_each_node(written):
    """What departs lies beyond 1, also where it has no number; the rest below."""
    data, graphs = written
    assert [] == faults(data, graphs)
    sides = ["cnn fp64 tf1-compat : torch, a tf1-compat", "cnn fp64 tf1-compat : torch, b torch"]
    assert sides == list(data)[:2]
    for side in sides:
        values = {name: one["value"] for name, one in data[side]["results"].items()}
        assert values["loss/train/l2"] > 1e10 and values["loss/train/total"] == 1e308
        assert 0.0 < values["loss/train/mse"] < 1.0 and values["weights/conv1/kernel"] == 0.0
    (node,) = [one for one in graphs["graphs"][0]["nodes"] if one["id"] == "loss/train/l2"]
    assert ("l2", "loss/train") == (node["label"], node["namespace"])
    assert {"key": "error", "value": "3.1e-04"} in node["attrs"]


@pytest.mark.parametrize(
    "plant",
    [
        lambda data, graphs: data.update(more={"results": {}}),
        lambda data, graphs: next(iter(data.values())).update(values={}),
        lambda data, graphs: next(iter(data.values()))["results"].update(x={"value": 1}),
        lambda data, graphs: next(iter(data.values()))["results"].update(x={"value": "1"}),
        lambda data, graphs: next(iter(data.values()))["thresholds"].reverse(),
        lambda data, graphs: graphs["graphs"][0]["nodes"].append(graphs["graphs"][0]["nodes"][0]),
        lambda data, graphs: graphs["graphs"][0]["nodes"].pop(0),
        lambda data, graphs: graphs["graphs"][0]["nodes"][0].update(name="x"),
    ],
)
def test_a_planted_fault_is_found(written, plant):
    """Each is in otherwise good files."""
    plant(*written)
    assert [] != faults(*written)


def test_a_report_without_tensors_has_no_graph(empty, full):
    """And what only informs is none."""
    assert "{}\n" == model_explorer.node_data(empty)
    informing = tuple(dataclasses.replace(row, verdict="INFO") for row in full.stages)
    assert "{}\n" == model_explorer.node_data(dataclasses.replace(full, stages=informing))
