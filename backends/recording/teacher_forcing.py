"""Teacher-forced passes: what each activation is when those before it are somebody else's, and what
it was really computed from.

A port that reads its predecessors back from the record in which it keeps its activations is
teacher-forced for free: the record, a `ForcedRecord`, keeps what the port sets and answers with
the teacher's value. Nothing is assumed of a port: a backend says what was computed from what, and
`survey` finds in it which of the teacher's values each activation was computed from and which of
the port's own went into it all the same. Runs in every build, knows no framework.
"""

from __future__ import annotations

from typing import (
    Any,
    Callable,
    Collection,
    Dict,
    Iterator,
    List,
    Mapping,
    MutableMapping,
    Sequence,
    Set,
    Tuple,
)

import numpy as np

from backends.activations import copied
from backends.contract import Unsupported

#: Kinds of leaves of what was computed; a leaf is (kind, name), anything else that can be hashed is
#: something computed. What came from where nobody looked is UNKNOWN.
DATA, WEIGHT, TEACHER, UNKNOWN = "data", "weight", "teacher", "unknown"

Node = Any
#: Everything upstream of an activation, itself included: what each node was computed from.
Walk = Dict[Node, Set[Node]]


class ForcedRecord(MutableMapping[str, Any]):
    """A record of activations that keeps what is set, in order, and answers with the teacher's.

    Args:
        answer: returns what to give for an activation, from its name and the port's own value of
            it.
        keep: returns what to keep of an activation, from its name and the value that is set; here a
            copy, as a `Record` keeps it.

    Attributes:
        kept: the port's own values by name, as they were when they were set.

    Raises:
        Unsupported: an activation is set that has been read already. What was read was the
            teacher's value of the last one.
    """

    def __init__(
        self,
        answer: Callable[[str, Any], Any],
        keep: Callable[[str, Any], Any] = lambda _, value: copied(value),
    ) -> None:
        self._answer, self._keep = answer, keep
        self._answered: Set[str] = set()
        self._set: Dict[str, Any] = {}
        self.kept: Dict[str, Any] = {}

    def __setitem__(self, name: str, value: Any) -> None:
        if name in self._answered:
            raise Unsupported(
                f"the activation {name} is read and then set again: a port that is to be"
                " teacher-forced sets each once"
            )
        self.kept[name], self._set[name] = self._keep(name, value), value

    def __getitem__(self, name: str) -> Any:
        value = self._answer(name, self._set[name])
        self._answered.add(name)
        return value

    def __delitem__(self, name: str) -> None:
        del self.kept[name], self._set[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.kept)

    def __len__(self) -> int:
        return len(self.kept)


def fits(
    teacher: Mapping[str, np.ndarray], name: str, shape: Sequence[Any], complexes: bool = False
) -> bool:
    """Return whether the teacher has a value that can take the place of the port's own; any other
    is not used.

    Args:
        teacher: its values, by the name of the activation. name: of the activation.
        shape: of the port's own value; None for any length.
        complexes: whether it is complex; the teacher's has to be what it is.
    """
    if name not in teacher or np.iscomplexobj(teacher[name]) != complexes:
        return False
    lengths = np.shape(teacher[name])
    return len(lengths) == len(shape) and all(
        own in (None, length) for own, length in zip(shape, lengths)
    )


def walk(start: Node, inputs: Callable[[Node], Collection[Node]]) -> Walk:
    """Return everything upstream of a node, with what each was computed from; leaves are where it
    ends.

    Args:
        start: a node; it is part of the answer.
        inputs: called with each node that is no leaf; returns what it was computed from.
    """
    upstream: Walk = {}
    waiting: List[Node] = [start]
    while waiting:
        node = waiting.pop()
        if node not in upstream:
            upstream[node] = set() if isinstance(node, tuple) else set(inputs(node))
            waiting.extend(upstream[node])
    return upstream


def survey(
    walks: Mapping[str, Walk], starts: Mapping[str, Node]
) -> Tuple[Dict[str, List[str]], Dict[str, List[str]], List[str]]:
    """Return what each activation has read of the teacher, which earlier ones' own computing went
    into it, and which of them are rooted: computed from data and weights alone.

    The second holds an earlier activation that is upstream itself, and one that shares with this
    one anything computed from the teacher's values, or from data with weights: what a port keeps in
    its record may be a copy of what it goes on with, and a loop may compute several layers at once.
    So it says too much rather than too little. What depends on data alone, or on weights alone (a
    mask, a cast, a transposed kernel), may be shared.

    Args:
        walks: of each activation, in order.
        starts: the node that each is.
    """
    living, order = _living(walks), list(walks)
    computed = {name: _computed(upstream) for name, upstream in walks.items()}
    read: Dict[str, List[str]] = {}
    own: Dict[str, List[str]] = {}
    for index, name in enumerate(order):
        read[name] = [other for other in order if (TEACHER, other) in walks[name]]
        shared = computed[name] & living
        own[name] = [
            other
            for other in order[:index]
            if starts[other] in computed[name] or shared & computed[other]
        ]
    rooted = []
    for name in order:
        kinds = _leaf_kinds(walks[name])
        if kinds and kinds <= {DATA, WEIGHT} and not own[name]:
            rooted.append(name)
    return read, own, rooted


def _computed(upstream: Walk) -> Set[Node]:
    """Return the nodes that are no leaves."""
    return {node for node in upstream if not isinstance(node, tuple)}


def _leaf_kinds(upstream: Walk) -> Set[str]:
    return {node[0] for node in upstream if isinstance(node, tuple)}


def _living(walks: Mapping[str, Walk]) -> Set[Node]:
    """Return the nodes in which an activation takes shape: computed from the teacher's values, or
    from data with weights.
    """
    users: Dict[Node, Set[Node]] = {}
    reached: Dict[Node, Set[str]] = {}
    for upstream in walks.values():
        for node, sources in upstream.items():
            for source in sources:
                users.setdefault(source, set()).add(node)
    waiting = [node for node in users if isinstance(node, tuple)]
    reached.update((node, {node[0]}) for node in waiting)
    while waiting:
        node = waiting.pop()
        for user in users.get(node, ()):
            known = reached.setdefault(user, set())
            if not reached[node] <= known:
                known |= reached[node]
                waiting.append(user)
    return {node for node, kinds in reached.items() if TEACHER in kinds or {DATA, WEIGHT} <= kinds}
