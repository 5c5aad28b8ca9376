"""Which names of torch a source takes for granted, and which the oldest release has that is
accepted: that is 5 GB, its names are 80 KB.

    python tests/torch_names.py          in the environment torch-oldest: does the recorded list
    tell what is there? python tests/torch_names.py --write  records it

Only names below the modules of `MODULES` are told; what an object has (`tensor.untyped_storage`)
shows when the environment's tests run.
"""

from __future__ import annotations

import ast
import importlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

RECORDED = Path(__file__).parent / "data" / "torch-2.4.1-names.json"
MODULES = (
    "torch",
    "torch.Tensor",
    "torch.amp",
    "torch.autograd",
    "torch.autograd.graph",
    "torch.backends",
    "torch.backends.cuda",
    "torch.compiler",
    "torch.cuda",
    "torch.fft",
    "torch.func",
    "torch.jit",
    "torch.linalg",
    "torch.nn",
    "torch.nn.functional",
    "torch.nn.init",
    "torch.nn.modules",
    "torch.nn.modules.batchnorm",
    "torch.nn.modules.module",
    "torch.nn.utils",
    "torch.nn.utils.parametrizations",
    "torch.nn.utils.parametrize",
    "torch.nn.utils.rnn",
    "torch.optim",
    "torch.optim.lr_scheduler",
    "torch.optim.optimizer",
    "torch.overrides",
    "torch.random",
    "torch.special",
    "torch.utils",
    "torch.utils._python_dispatch",
    "torch.utils._pytree",
    "torch.utils.checkpoint",
    "torch.utils.data",
    "torch.utils.flop_counter",
    "torch.utils.hooks",
    "torch._dynamo",
    "torch._dynamo.config",
    "torch._dynamo.exc",
    "torch._dynamo.utils",
    "torch._ops",
    "torch._C",
    "torch._VF",
)


def used(source: str) -> Iterator[str]:
    """Yield the dotted names that a source imports or looks up; not those that it asks for by
    `hasattr` or `getattr` somewhere."""
    tree = ast.parse(source)
    asked = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    alias: dict[str, str] = {}
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                alias[name.asname or name.name.partition(".")[0]] = (
                    name.name if name.asname else name.name.partition(".")[0]
                )
                found.add(name.name)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for name in node.names:
                alias[name.asname or name.name] = f"{node.module}.{name.name}"
                found.add(alias[name.asname or name.name])
    for node in ast.walk(tree):
        chain = _chain(node)
        if chain and chain[0] in alias:
            found.add(".".join([alias[chain[0]], *chain[1:]]))
    for name in sorted(found):
        if name.partition(".")[0] == "torch" and not asked & set(name.split(".")):
            yield name


def _chain(node: ast.AST) -> list[str] | None:
    """Return the parts of a dotted expression, None for any other."""
    if isinstance(node, ast.Name):
        return [node.id]
    before = _chain(node.value) if isinstance(node, ast.Attribute) else None
    return [*before, node.attr] if before and isinstance(node, ast.Attribute) else None


def missing(names: Iterable[str], known: Mapping[str, set[str]]) -> list[str]:
    """Return the names that are not there; below what is no module of `known`, nothing is told."""
    found = []
    for name in names:
        parts = name.split(".")
        places = [(".".join(parts[:place]), parts[place]) for place in range(1, len(parts))]
        if any(
            module in known and part not in known[module]
            for module, part in places
            if not part.startswith("__")
        ):
            found.append(name)
    return found


def recorded() -> dict[str, set[str]]:
    """Return the names of each module in the oldest release that is accepted."""
    return {
        module: set(names.split()) for module, names in json.loads(RECORDED.read_text()).items()
    }


def present() -> dict[str, str]:
    """Return the names of each module in the torch of this interpreter."""
    found = {}
    for module in MODULES:
        path, _, last = module.rpartition(".")
        try:
            there = importlib.import_module(module)
        except ImportError:
            there = getattr(importlib.import_module(path), last)
        found[module] = there
    # All are imported first: a submodule is a name of its parent from then on.
    return {
        module: " ".join(name for name in _names(there) if not name.startswith("__"))
        for module, there in found.items()
    }


def _names(module: object) -> list[str]:
    """Return what a module has; torch's modules of settings keep theirs in a dict."""
    return sorted({*dir(module), *getattr(module, "_config", {})})


if __name__ == "__main__":
    text = json.dumps(present(), indent=1) + "\n"
    if sys.argv[1:] == ["--write"]:
        RECORDED.write_text(text)
    elif text != RECORDED.read_text():
        sys.exit(f"{RECORDED} does not tell what this torch has; write it anew with --write")
