"""Rooms and floors: which package of the product may import which, and a reader of what they
import.

A room is a package or a module directly below `harness/` or `backends/`. It imports rooms on lower
floors only, so that there is no circle and a reader can start at the top. `docs/architecture.md`
draws them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: From the top down; rooms of one floor do not import each other.
FLOORS: dict[str, tuple[tuple[str, ...], ...]] = {
    "harness": (
        ("cli", "pytest_plugin"),
        ("api",),
        ("bisecting", "models", "nightly"),
        ("commands",),
        ("experiments", "history"),
        ("environments", "evaluation", "sinks"),
        ("execution", "report"),
        ("changes", "quality", "records"),
        ("fidelity", "speed"),
        ("pairs", "plan", "results"),
        ("workloads",),
        ("context", "errors"),
    ),
    "backends": (
        ("ports", "worker"),
        ("numpy", "protocol", "tf1", "tf2", "torch"),
        ("adapter", "recording"),
        ("diagnosis", "measuring", "parameters"),
        ("contract",),
        ("declarations",),
        ("activations", "loss_scale", "pair", "schedule", "source", "survey"),
    ),
}
Graph = Mapping[str, frozenset[str]]


def sources(root: Path = ROOT) -> dict[str, str]:
    """Return the text of every module of the product by its dotted name."""
    found = {}
    for package in FLOORS:
        for path in sorted((root / package).rglob("*.py")):
            name = module(path.relative_to(root).as_posix())
            found[name] = path.read_text(encoding="utf-8")
    return found


def module(path: str) -> str:
    """Return the dotted name of a module by its path below the root; a package's is its own."""
    parts = Path(path).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(texts: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Return which modules each module imports, of those given; for types alone counts too."""
    return {
        name: frozenset(other for other in _imported(text, texts) if other != name)
        for name, text in texts.items()
    }


def _imported(text: str, known: Mapping[str, str]) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (item.name for item in node.names if item.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for item in node.names:
                full = f"{node.module}.{item.name}"
                name = full if full in known else node.module
                if name in known:
                    yield name


def room(module: str) -> str:
    """Return the room of a module: `harness.fidelity` of `harness.fidelity.judge`. What `python -m
    harness` runs is the package's own, as its `__init__` is."""
    return ".".join(module.removesuffix(".__main__").split(".")[:2])


def arrows(graph: Graph) -> dict[tuple[str, str], list[str]]:
    """Return the arrows between rooms, each with the imports behind it; a package's own
    `__init__` is no room."""
    found: dict[tuple[str, str], list[str]] = {}
    for module, others in graph.items():
        for other in others:
            ends = room(module), room(other)
            if ends[0] != ends[1] and all("." in end for end in ends):
                found.setdefault(ends, []).append(f"{module} imports {other}")
    return found


def upwards(graph: Graph, floors: Mapping[str, tuple[tuple[str, ...], ...]] = FLOORS) -> list[str]:
    """Return the imports that do not lead downwards, and the rooms that stand on no floor."""
    height = {
        f"{package}.{name}": number
        for package, levels in floors.items()
        for number, level in enumerate(levels)
        for name in level
    }
    rooms = sorted({room(module) for module in graph if "." in room(module)})
    found = [f"{name} stands on no floor" for name in rooms if name not in height]
    for (here, there), behind in sorted(arrows(graph).items()):
        within = (
            here.split(".")[0] == there.split(".")[0]
        )  # `harness` may import the contract of `backends`; import_rules says which
        if within and here in height and there in height and height[there] <= height[here]:
            found += behind
    return found


def circles(graph: Graph) -> list[list[str]]:
    """Return the sets of modules that import each other, each sorted (Tarjan's strongly
    connected components)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            component = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(component) > 1:
                found.append(sorted(component))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def between_rooms(graph: Graph) -> dict[str, frozenset[str]]:
    """Return which rooms each room imports."""
    found: dict[str, set[str]] = {}
    for here, there in arrows(graph):
        found.setdefault(here, set()).add(there)
    return {name: frozenset(others) for name, others in found.items()}
