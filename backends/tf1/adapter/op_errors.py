"""What TensorFlow says when an operation fails, in one line, with the line of the user's code that
made the operation: the session only knows the graph, and its own account of it is pages long."""

from __future__ import annotations

import re
from typing import Any

from backends.diagnosis import faults

#: How a message names the operation that failed, in 1.15 and in 2.
NODE = re.compile(r"\[\[\s*\{?\{?node ([^\s}]+)")
#: What TensorFlow 2 puts before the message itself.
HEAD = re.compile(r"\AGraph execution error:.*Node: '[^']*'", re.DOTALL)


def located(error: Any, graph: Any) -> Any:
    """Return an error of the same class that says where the operation was made.

    Args:
        error: of a session. graph: the user's own, in which Python made the operations.
    """
    said = HEAD.sub("", str(error.message)).split("[[", 1)[0]
    words = " ".join(said.split("Original stack trace", 1)[0].split())
    node = NODE.search(error.message)
    name = node.group(1) if node else getattr(error.op, "name", "")
    spot = _made_at(graph, name)
    where = f"; operation {name}" if name else ""
    where += f", made at {spot}" if spot else ""
    return type(error)(None, None, words + where)


def _made_at(graph: Any, name: str) -> str:
    try:
        traceback = graph.get_operation_by_name(name).traceback
    except (KeyError, ValueError):
        return ""  # one that a rewriting of the graph has added
    frames = (tuple(frame) for frame in traceback or ())
    return faults.innermost([(path, line, function) for path, line, function, *_ in frames])
