"""What is known about a class of modules: the words of `backends.survey` for it, and how its
parameters are laid out. One rule a class; `TABLE` holds them all.

A key of the table is a class's name, for classes of torch itself, or `<package>.<name>`. A class
derived from one that has a rule is taken by that rule. What has none is `container` if there are
modules in it, else `other`, its parameters as they are. To add one:

    @rule("mypackage.Scale", "other")
    def _scale(module):
        return Description({"axis": 1}, (Weight("gamma", ("weight",)),))
"""

from __future__ import annotations

from typing import Any, Callable, Dict, NamedTuple, Optional, Sequence, Tuple


class Weight(NamedTuple):
    """One canonical tensor of a layer.

    Attributes:
        role: its name within the layer. sources: attributes of the module that it is made of; a dot
            leads into a module in it. steps: see `backends.adapter.pieces`.
    """

    role: str
    sources: Tuple[str, ...]
    steps: Tuple[Tuple[Any, ...], ...] = ()


class Description(NamedTuple):
    """What a rule says about one module.

    Attributes:
        attributes: in the words of all backends. weights: its canonical tensors.
        first: "channels" where its output is [batch, channels, *space], "time" where it is [time,
            batch, features]; "" where it is canonical, or what goes in decides.
        kind: where it differs from that of the rule.
    """

    attributes: Dict[str, Any] = {}
    weights: Tuple[Weight, ...] = ()
    first: str = ""
    kind: str = ""


Describe = Callable[[Any], Description]
#: By key: the kind, and what describes a module.
TABLE: Dict[str, Tuple[str, Describe]] = {}
NORM = (Weight("gamma", ("weight",)), Weight("beta", ("bias",)))
STATISTICS = (
    Weight("moving_mean", ("running_mean",)),
    Weight("moving_variance", ("running_var",)),
)


def rule(names: str, kind: str) -> Callable[[Describe], Describe]:
    """Put a function of a module into the table.

    Args:
        names: keys of the classes that it describes, with blanks between them.
        kind: of `backends.survey.LAYER_KINDS`.
    """

    def put(describe: Describe) -> Describe:
        TABLE.update(dict.fromkeys(names.split(), (kind, describe)))
        return describe

    return put


def key(class_: type) -> str:
    """Return the key that a class would have in the table."""
    package = class_.__module__.split(".")[0]
    return class_.__name__ if package == "torch" else f"{package}.{class_.__name__}"


def describe(module: Any) -> Description:
    """Return what is known about a module, its kind filled in.

    Args:
        module: any.
    """
    own = getattr(module, "description", None)
    if isinstance(own, Description):
        return own  # a function that is a layer
    for class_ in type(module).__mro__:
        if key(class_) in TABLE:
            kind, describe = TABLE[key(class_)]
            description = describe(module)
            return description._replace(kind=description.kind or kind)
    kind = "container" if any(True for _ in module.children()) else "other"
    return Description(kind=kind)


def axes(first: str, ndim: int) -> Optional[Tuple[int, ...]]:
    """Return the order in which a module's axes are canonical; None: as they are.

    Args:
        first: as `Description` has it. ndim: of the output.
    """
    if first == "channels" and ndim > 2:
        return (0, *range(2, ndim), 1)
    if first == "time" and ndim == 3:
        return (1, 0, 2)
    return None


def numbers(value: Any, count: int) -> Sequence[int]:
    """Return a size that is given as one number, or one an axis, as one an axis."""
    return [int(value)] * count if isinstance(value, int) else [int(item) for item in value]
