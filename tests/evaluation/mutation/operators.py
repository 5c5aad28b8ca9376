"""Every way in which a module's numeric code is changed in one place.

An operator looks at one node of the syntax tree and yields edits of the text there, one token or
argument long, so that a mutant's difference can be read. Two edits that give the same text are one
mutation.
"""

from __future__ import annotations

import ast
import dataclasses
import itertools
from collections.abc import Iterator

from tests.evaluation.mutation.source import PLACES, Site, Source, is_list, is_text, number, site
from tests.evaluation.mutation.substitutes import (
    ARITHMETIC,
    AXES,
    COMPARISONS,
    FUNCTIONS,
    MODULES,
    REDUCTIONS,
)


@dataclasses.dataclass(frozen=True)
class Mutation:
    """One change.

    Attributes:
        file: relative to the torch backend. function: the qualified name; empty at the module's
            level.
        line, column: of the change, from 1 and 0. operator: its class.
        was, becomes: the text. start, end: where `was` lies in the module's text, in characters.
        site: what has to be evaluated for the change to matter, see `source.site`.
    """

    file: str
    function: str
    line: int
    column: int
    operator: str
    was: str
    becomes: str
    start: int
    end: int
    site: Site

    def applied(self, text: str) -> str:
        """Return the module's text with the change."""
        return text[: self.start] + self.becomes + text[self.end :]

    @property
    def place(self) -> str:
        """FILE:LINE:COLUMN."""
        return f"{self.file}:{self.line}:{self.column}"


@dataclasses.dataclass(frozen=True)
class Edit:
    """One change of the text from `start` to `end`."""

    operator: str
    start: int
    end: int
    becomes: str


def mutations(source: Source) -> list[Mutation]:
    """Return every mutation of a module, in the order of the text."""
    nodes = list(source.computing())
    roles = _roles(node for node, _ in nodes)
    found: dict[tuple[int, int, str], Mutation] = {}
    for node, function in nodes:
        for edit in _edits(node, source, roles):
            start = source.text.rfind("\n", 0, edit.start) + 1
            found.setdefault(
                (edit.start, edit.end, edit.becomes),
                Mutation(
                    file=source.name,
                    function=function,
                    line=source.line(edit.start),
                    column=edit.start - start,
                    operator=edit.operator,
                    was=source.text[edit.start : edit.end],
                    becomes=edit.becomes,
                    start=edit.start,
                    end=edit.end,
                    site=site(node),
                ),
            )
    return [found[key] for key in sorted(found)]


@dataclasses.dataclass(frozen=True)
class Roles:
    """Nodes that are not just numbers, by identity: axes, bounds of slices, and the insides of
    signed axes and bounds."""

    axes: set[int] = dataclasses.field(default_factory=set)
    bounds: set[int] = dataclasses.field(default_factory=set)
    inner: set[int] = dataclasses.field(default_factory=set)


def _roles(nodes: Iterator[ast.AST]) -> Roles:
    roles = Roles()
    for node in nodes:
        axes = list(_axes(node)) if isinstance(node, ast.Call) else []
        if isinstance(node, ast.Call) and _name(node) == "permute":
            roles.inner.update(map(id, node.args))
        bounds = (
            [bound for bound in (node.lower, node.upper) if bound is not None]
            if isinstance(node, ast.Slice)
            else []
        )
        roles.axes.update(id(axis) for axis in axes if number(axis) is not None)
        roles.bounds.update(map(id, bounds))
        roles.inner.update(
            id(item.operand)
            for item in axes + bounds
            if isinstance(item, ast.UnaryOp) and number(item) is not None
        )
    return roles


def _axes(call: ast.Call) -> Iterator[ast.expr]:
    yield from (item.value for item in call.keywords if item.arg == "dim")
    name = _name(call)
    if name in AXES:
        first, count = AXES[name]
        shift = (
            isinstance(call.func, ast.Attribute)
            and isinstance(call.func.value, ast.Name)
            and call.func.value.id in MODULES
        )
        yield from call.args[first + shift :][:count]


def _name(call: ast.Call) -> str:
    return (
        call.func.attr
        if isinstance(call.func, ast.Attribute)
        else call.func.id
        if isinstance(call.func, ast.Name)
        else ""
    )


def _edits(node: ast.AST, source: Source, roles: Roles) -> Iterator[Edit]:
    if id(node) in roles.bounds:
        yield from _bound(node, source)
    if id(node) in roles.axes:
        value = number(node)
        yield from (Edit("axis", *source.span(node), str(value + step)) for step in (1, -1))
    elif isinstance(node, ast.Constant) and id(node) not in roles.bounds | roles.inner:
        yield from _constant(node, source)
    elif isinstance(node, ast.UnaryOp) and (id(node) not in roles.bounds or number(node) is None):
        yield from _unary(node, source)
    elif isinstance(node, (ast.BinOp, ast.Compare, ast.BoolOp)):
        yield from _operator(node, source)
    elif isinstance(node, ast.Call):
        yield from itertools.chain(
            _swapped_name(node, source),
            _dropped(node, source),
            _swapped(node, source),
            _permuted(node, source),
        )
    elif isinstance(node, (ast.AugAssign, ast.Expr)):
        yield from _statement(node, source)


def _bound(node: ast.AST, source: Source) -> Iterator[Edit]:
    if isinstance(node, ast.BinOp) and number(node.right) is not None:
        return  # its constant is changed by itself
    value = number(node)
    for step, sign in ((1, "+ 1"), (-1, "- 1")):
        yield Edit(
            "slice",
            *source.span(node),
            f"{source.segment(node)} {sign}" if value is None else str(value + step),
        )


def _constant(node: ast.Constant, source: Source) -> Iterator[Edit]:
    if isinstance(node.value, bool):
        yield Edit("constant", *source.span(node), str(not node.value))
    value = number(node)
    if value is not None:
        others = dict.fromkeys(
            other for other in (value + 1, 2 * value, 0 * value) if other != value
        )
        yield from (Edit("constant", *source.span(node), repr(other)) for other in others)


def _unary(node: ast.UnaryOp, source: Source) -> Iterator[Edit]:
    if isinstance(node.op, (ast.USub, ast.Not)):
        yield Edit(
            "sign" if isinstance(node.op, ast.USub) else "condition",
            *source.span(node),
            source.segment(node.operand),
        )


def _operator(node: ast.BinOp | ast.Compare | ast.BoolOp, source: Source) -> Iterator[Edit]:
    if isinstance(node, ast.BinOp):
        if type(node.op) in ARITHMETIC and not is_text(node) and not is_list(node):
            was, becomes = ARITHMETIC[type(node.op)]
            yield Edit("arithmetic", *_between(source, node.left, node.right, was), becomes)
    elif isinstance(node, ast.Compare):
        for left, kind, right in zip(
            [node.left, *node.comparators], node.ops, node.comparators, strict=False
        ):
            was, others = COMPARISONS[type(kind)]
            yield from (
                Edit("condition", *_between(source, left, right, was), other) for other in others
            )
    else:
        was, becomes = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        yield from (
            Edit("condition", *_between(source, *pair, was), becomes)
            for pair in itertools.pairwise(node.values)
        )


def _between(source: Source, left: ast.AST, right: ast.AST, token: str) -> tuple[int, int]:
    """Return where an operator's token lies between its operands."""
    start = source.text.index(token, source.span(left)[1], source.span(right)[0])
    return start, start + len(token)


def _swapped_name(call: ast.Call, source: Source) -> Iterator[Edit]:
    name, end = _name(call), source.span(call.func)[1]
    plain = isinstance(call.func, ast.Name)
    for operator, table in (("reduction", REDUCTIONS), ("function", FUNCTIONS)):
        for other in table.get(name, ()):
            if not (plain and name == "sum"):  # Python's own has no mean beside it
                yield Edit(operator, end - len(name), end, other)


def _dropped(call: ast.Call, source: Source) -> Iterator[Edit]:
    """Yield the call without one of its keyword arguments."""
    items = sorted([*call.args, *call.keywords], key=lambda item: source.span(item)[0])
    for before, item in itertools.pairwise([None, *items]):
        if not isinstance(item, ast.keyword) or item.arg is None or item.arg in PLACES:
            continue
        start, end = source.span(item)
        if before is not None:
            yield Edit("argument", source.text.rindex(",", source.span(before)[1], start), end, "")
        elif len(items) == 1:
            yield Edit("argument", start, end, "")
        else:
            yield Edit("argument", start, source.span(items[1])[0], "")


def _swapped(call: ast.Call, source: Source) -> Iterator[Edit]:
    """Yield the call with two neighbouring positional arguments of one type exchanged, neither
    of them a literal."""
    for first, second in itertools.pairwise(call.args):
        if any(
            isinstance(item, (ast.Starred, ast.Constant, ast.Lambda)) or number(item) is not None
            for item in (first, second)
        ):
            continue
        texts = source.segment(first), source.segment(second)
        if source.kind(first) == source.kind(second) and texts[0] != texts[1]:
            (start, between), (resume, end) = source.span(first), source.span(second)
            yield Edit("argument", start, end, texts[1] + source.text[between:resume] + texts[0])


def _permuted(call: ast.Call, source: Source) -> Iterator[Edit]:
    """Yield a permutation with two neighbouring axes exchanged: any other change of one axis
    alone is an error at once."""
    for first, second in itertools.pairwise(call.args if _name(call) == "permute" else ()):
        if number(first) is not None and number(second) is not None:
            (start, between), (resume, end) = source.span(first), source.span(second)
            yield Edit(
                "axis",
                start,
                end,
                source.segment(second) + source.text[between:resume] + source.segment(first),
            )


def _statement(node: ast.AugAssign | ast.Expr, source: Source) -> Iterator[Edit]:
    """Yield `pass` for an augmented assignment or a call that changes its argument in place, and
    the other sign."""
    if isinstance(node, ast.AugAssign):
        yield Edit("statement", *source.span(node), "pass")
        if type(node.op) in ARITHMETIC and not is_text(node.value) and not is_list(node.value):
            was, becomes = ARITHMETIC[type(node.op)]
            yield Edit("arithmetic", *_between(source, node.target, node.value, was), becomes)
    elif (
        isinstance(node.value, ast.Call)
        and _name(node.value).endswith("_")
        and not _name(node.value).endswith("__")
    ):
        yield Edit("statement", *source.span(node), "pass")
