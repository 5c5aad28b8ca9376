"""Which mutations a recording gets to: an unchanged port notes each place at which one would have
taken effect.

Coverage by line would be too coarse: a line of these ports holds both the branch that runs and the
one that does not. So every mutated expression is wrapped in a probe of its own, which writes its
number down when it is first evaluated.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path

from tests.evaluation.mutation.operators import Mutation
from tests.evaluation.mutation.source import Site, Source, site

PROBE = "_probe"
#: What a module with probes defines. A number goes to the file at once: a worker ends without a
#: farewell.
PREAMBLE = f"""
_probed = set()

def {PROBE}(number, value=None):
    if number not in _probed:
        _probed.add(number)
        with open(%r, "a") as file:
            file.write("%%d\\n" %% number)
    return value
"""


def probed(source: Source, mutations: Sequence[Mutation], noted: Path) -> str:
    """Return the module's text with a probe at every mutation; `noted` is the file that their
    numbers go to."""
    tree = Inserting(_sites(mutations)).visit(ast.parse(source.text))
    opening = [
        place for place, statement in enumerate(tree.body) if place == 0 or _is_future(statement)
    ]
    tree.body[opening[-1] + 1 : opening[-1] + 1] = ast.parse(PREAMBLE % str(noted)).body
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def reached(mutations: Sequence[Mutation], noted: Path) -> frozenset[Mutation]:
    """Return the mutations whose place was evaluated, by what the probes have noted."""
    numbers, sites = (
        set(map(int, noted.read_text().split())) if noted.exists() else set(),
        _sites(mutations),
    )
    return frozenset(mutation for mutation in mutations if sites[mutation.site] in numbers)


def _sites(mutations: Sequence[Mutation]) -> dict[Site, int]:
    sites = dict.fromkeys(mutation.site for mutation in mutations)
    return {site: number for number, site in enumerate(sites)}


def _is_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


class Inserting(ast.NodeTransformer):
    """Wraps the expressions at the given sites in probes, and puts probes before the statements
    there."""

    def __init__(self, sites: dict[Site, int]) -> None:
        self.sites = sites

    def visit(self, node: ast.AST) -> ast.AST | list[ast.AST]:
        """Return the node with its probe; annotations stay as they are, nobody evaluates them."""
        number = self.sites.get(site(node)) if isinstance(node, (ast.expr, ast.stmt)) else None
        found = self.generic_visit(node)
        if number is None:
            return found
        call = ast.Call(ast.Name(PROBE, ast.Load()), [ast.Constant(number)], [])
        if isinstance(node, ast.stmt):
            return [ast.Expr(call), found]
        call.args.append(found)
        return call
