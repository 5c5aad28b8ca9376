"""Randomness of a graph, answered in a fixed order.

A session may run independent operations in any order, and a loop its iterations. So a run of which
the draws are not known yet is made once on numbers that do not matter, with all state put back, and
writes down who draws how often and in which shape. Sorted as Python made the operations, the
iterations of a loop one after another, this is the order in which the tape is then asked, before
the run; inside it every operation finds a queue of its own.

What a dropout compares its uniform numbers with is handed to what answers in its place, which
therefore keeps exactly where the tape is below the kept share, whatever the rounding of `1 - rate`.
"""

from __future__ import annotations

import collections
import hashlib
from typing import Any, Deque, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.python.ops import script_ops

from backends.adapter.draws import SERVED, Draws
from backends.survey import DROPOUT, NORMAL, OTHER_DRAW, UNIFORM
from backends.tf1.adapter.cones import users
from backends.tf1.adapter.constants import constant, decimal, rounded

#: Types of operations that draw, and what of.
UNIFORMS = (
    "RandomUniform",
    "StatelessRandomUniform",
    "StatelessRandomUniformV2",
)
NORMALS = ("RandomStandardNormal", "StatelessRandomNormal", "StatelessRandomNormalV2")
OTHERS = {
    "TruncatedNormal": "a truncated normal draw is not on the tape",
    "ParameterizedTruncatedNormal": "a truncated normal draw is not on the tape",
    "RandomUniformInt": "a draw of integers is not on the tape",
    "StatelessTruncatedNormal": "a truncated normal draw is not on the tape",
    "StatelessRandomUniformInt": "a draw of integers is not on the tape",
    "Multinomial": "a multinomial draw is not on the tape",
    "RandomShuffle": "a shuffle is not on the tape",
    "RandomGamma": "a gamma draw is not on the tape",
    "RandomPoissonV2": "a Poisson draw is not on the tape",
}
RANDOM = (*UNIFORMS, *NORMALS, *OTHERS)
#: Those of `OTHERS` that are left to TensorFlow, with a seed: their shape is no input of theirs.
LEFT = (
    "Multinomial",
    "RandomShuffle",
    "RandomGamma",
    "RandomPoissonV2",
    "StatelessRandomUniformInt",
)
#: Those whose bounds are operands.
BOUNDED = {"RandomUniformInt": (1, 2)}
BELOW_ONE = 1.0 - 2.0**-24
#: How a comparison with a dropout's numbers keeps: at high ones or at low ones.
HIGH = {"GreaterEqual": 0, "Greater": 0, "Less": 1, "LessEqual": 1}


class Site:
    """One operation that draws.

    Attributes:
        name: of the operation. kind: of `backends.survey`. order: place among all operations.
        loop: name of the loop that it is in, or None. layer: the scope that it is made in.
        threshold: name of the tensor that a dropout compares with, or None. fixed: its value, where
            the comparison is in a loop that the draw is not in. high: whether it keeps
            high numbers. rate: whether the threshold is the dropped share, not the kept one.
        low, high_bound, mean, deviation: of other draws. reason: why it is not served.
        left: whether TensorFlow draws all the same. shape: as far as the graph knows it.
        bounded: whether its bounds are operands. output: of a dropout, the tensor that it gives, or
            None.
    """

    def __init__(self, op: Any, order: int) -> None:
        self.name, self.order = str(op.name), order
        self.dtype = op.outputs[0].dtype
        self.layer, self.loop = _scope(op.name), _loop(op)
        self.threshold: Optional[str] = None
        self.fixed: Optional[float] = None
        self.high, self.rate = True, True
        self.output: Optional[str] = None
        self.low, self.high_bound, self.mean, self.deviation = 0.0, 1.0, 0.0, 1.0
        self.reason = OTHERS.get(op.type, "")
        self.bounded, self.left = op.type in BOUNDED, op.type in LEFT
        known = op.outputs[0].shape
        self.shape = () if known.ndims is None else tuple(size or 0 for size in known.as_list())
        self.kind = OTHER_DRAW
        factor, shift, result = _scaled(op.outputs[0])
        if op.type in NORMALS:
            self.kind, self.deviation, self.mean = NORMAL, factor, shift
        elif op.type in UNIFORMS:
            self.kind, self.low, self.high_bound = UNIFORM, shift, shift + factor
            if (factor, shift) == (1.0, 0.0):
                self._dropout(result)

    def _dropout(self, uniform: Any) -> None:
        """Find out from what uses the numbers whether they make a dropout's mask."""
        consumers = users(uniform)
        if len(consumers) != 1:
            return
        op = consumers[0]
        place = [index for index, item in enumerate(op.inputs) if _copies(item, uniform)]
        if len(place) != 1 or len(op.inputs) != 2:
            return
        other = op.inputs[1 - place[0]]
        floors = [item for item in users(op.outputs[0]) if item.type == "Floor"]
        if op.type in HIGH:
            # `u >= rate` keeps high numbers; `u < keep`, and `rate > u`'s likes, turn it around.
            self.high = (HIGH[op.type] == 0) == (place[0] == 0)
            self.rate, mask = self.high, op.outputs[0]
        elif op.type in ("Add", "AddV2") and floors:
            self.rate, mask = False, floors[0].outputs[0]
        else:
            return
        if (other.shape.num_elements() or 0) != 1 or other.dtype != self.dtype:
            return
        while other.op.type in ("Enter", "Identity") and _loop(other.op) != self.loop:
            other = other.op.inputs[0]
        if _loop(other.op) != self.loop:
            value = constant(other)
            if value is None:
                return
            self.fixed = decimal(value.reshape(-1)[0])
        else:
            self.threshold = str(other.name)
        self.kind, self.output = DROPOUT, _output(mask)
        if self.output is not None:
            self.layer = self.output.split(":", 1)[0].rpartition("/")[0] or self.layer

    def answer(self, draw: np.ndarray, keep: float) -> np.ndarray:
        """Return what the operation gives for what the tape has, in its dtype.

        Args:
            draw: from the tape. keep: of a dropout, the share that is kept.
        """
        if self.bounded:
            return np.floor(self.low + draw * (self.high_bound - self.low))
        if self.kind != DROPOUT:
            return np.asarray(draw)
        return np.where((draw < keep) == self.high, BELOW_ONE, 0.0)


def _scope(name: str) -> str:
    parts = name.split("/")[:-1]
    generic = ("random_uniform", "random_normal", "stateless_random_uniform", "truncated_normal")
    if parts and parts[-1].rstrip("_0123456789").startswith(generic):
        parts = parts[:-1] or parts
    return "/".join(parts) if parts else name


def _loop(op: Any) -> Optional[str]:
    context = op._get_control_flow_context()
    while context is not None and not context.IsWhileContext():
        context = context.outer_context
    return None if context is None else str(context.name)


def _copies(tensor: Any, original: Any) -> bool:
    while tensor is not original and tensor.op.type in ("Identity", "Cast", "Enter"):
        tensor = tensor.op.inputs[0]
    return tensor is original


def _scaled(tensor: Any) -> Tuple[float, float, Any]:
    """Return by what numbers are multiplied, and what is added, before they are used, and then."""
    factor, shift = 1.0, 0.0
    for kinds in (("Mul",), ("Add", "AddV2")):
        consumers = tensor.consumers()
        if len(consumers) != 1 or consumers[0].type not in kinds:
            break
        op = consumers[0]
        other = op.inputs[1] if op.inputs[0] is tensor else op.inputs[0]
        value = constant(other)
        # The kept share that is added before a Floor is no bound: it stays for `_dropout`.
        if value is None or np.size(value) != 1 or _floored(op):
            break
        number = decimal(np.asarray(value).reshape(-1)[0])
        factor, shift = (number, shift) if kinds == ("Mul",) else (factor, number)
        tensor = op.outputs[0]
    return factor, shift, tensor


def _floored(op: Any) -> bool:
    return any(item.type == "Floor" for item in users(op.outputs[0]))


def _output(mask: Any) -> Optional[str]:
    for op in users(mask):
        if op.type in ("Mul", "Select", "SelectV2") and "gradient" not in op.name:
            return str(op.outputs[0].name)
    return None


Call = Tuple[Site, Tuple[int, ...], float]


class Answers:
    """What answers in the place of a graph's random operations.

    Args:
        sites: all of them. double: whether float32 has become float64.

    Attributes:
        sites: by name. tokens: by the site's name, what TensorFlow knows its function by.
        calls: of the run that is being written down, in the order in which they were made.
    """

    def __init__(self, sites: Sequence[Site], double: bool) -> None:
        self._double = double
        self.sites = {site.name: site for site in sites}
        self.calls: List[Call] = []
        self.tokens: Dict[str, str] = {}
        self.failure: Optional[Exception] = None
        self._functions: List[Any] = []  # TensorFlow's registry holds them weakly
        self._queues: Optional[Dict[str, Deque[np.ndarray]]] = None
        self._generator = np.random.RandomState(0)
        self._seed = ""
        self._counts: Dict[str, int] = collections.Counter()
        for site in sites:
            function = self._function(site)
            self._functions.append(function)
            self.tokens[site.name] = script_ops._py_funcs.insert(function)

    def _function(self, site: Site) -> Any:
        def answer(shape: Any, *threshold: Any) -> np.ndarray:
            try:
                return self._answer(site, tuple(int(size) for size in shape), threshold)
            except Exception as error:
                self.failure = error
                raise

        return answer

    def _answer(self, site: Site, shape: Tuple[int, ...], threshold: Sequence[Any]) -> np.ndarray:
        keep = 1.0
        if site.bounded:
            low, high = (int(np.asarray(item)) for item in threshold)
            site.low, site.high_bound = low, high
        elif threshold or site.fixed is not None:
            share = site.fixed
            if share is None:
                share = decimal(np.asarray(threshold[0]).reshape(-1)[0])
            keep = rounded(1.0 - share) if site.rate else share
        count = self._counts[site.name]
        self._counts[site.name] += 1
        self.calls.append((site, shape, keep))
        if site.kind == DROPOUT and keep >= 1.0:
            draw = np.zeros(shape)  # everything is kept, and nothing asked for
        elif self._queues is None:
            draw = _numbers(site, shape, self._generator)
        elif site.kind not in SERVED:
            draw = _numbers(site, shape, _generator(f"{self._seed} {site.name} {count}"))
        else:
            queue = self._queues[site.name]
            draw = queue.popleft() if queue else np.zeros(0)
            if draw.shape != shape:
                raise ValueError(
                    f"{site.name} draws the shape {list(shape)} where {list(draw.shape)} was"
                    " expected: the number and the shape of draws may not depend on values"
                )
        widened = self._double and site.dtype == tf.float32
        dtype = np.float64 if widened else site.dtype.as_numpy_dtype
        return site.answer(draw, keep).astype(dtype)

    def write_down(self) -> None:
        """Answer the next run with numbers that do not matter, and write it down."""
        self.calls, self._queues, self.failure = [], None, None
        self._counts = collections.Counter()
        self._generator = np.random.RandomState(0)

    def written(self) -> List[Call]:
        """Return the calls of that run in the order in which the tape is to be asked; a dropout
        that keeps everything makes none."""
        first: Dict[Optional[str], int] = {}
        for site in self.sites.values():
            if site.loop is not None:
                first[site.loop] = min(site.order, first.get(site.loop, site.order))
        counts: Dict[str, int] = collections.Counter()
        keyed = []
        for index, call in enumerate(self.calls):
            site = call[0]
            anchor = site.order if site.loop is None else first[site.loop]
            keyed.append(((anchor, counts[site.name], site.order, index), call))
            counts[site.name] += 1
        ordered = [call for _, call in sorted(keyed, key=lambda item: item[0])]
        return [call for call in ordered if call[0].kind != DROPOUT or call[2] < 1.0]

    def ask(self, draws: Draws, order: Sequence[Call]) -> List[Tuple[str, np.ndarray]]:
        """Return the tape's answers to a run's calls, by site, in order.

        Args:
            draws: that answers. order: of `written`.
        """
        self._seed = f"{draws.phase} {draws.seed}"
        return [
            (site.name, draws.draw(site.kind, shape))
            for site, shape, _ in order
            if site.kind in SERVED
        ]

    def load(self, answers: Sequence[Tuple[str, np.ndarray]]) -> None:
        """Have the next run answered by these.

        Args:
            answers: of `ask`.
        """
        self.calls, self.failure, self._counts = [], None, collections.Counter()
        self._queues = {name: collections.deque() for name in self.sites}
        for name, value in answers:
            self._queues[name].append(value)


def _generator(seed: str) -> np.random.RandomState:
    digest = hashlib.sha256(seed.encode()).digest()
    return np.random.RandomState(int.from_bytes(digest[:4], "little"))


def _numbers(site: Site, shape: Tuple[int, ...], generator: np.random.RandomState) -> np.ndarray:
    if site.kind == NORMAL:
        return np.asarray(generator.standard_normal(shape))
    if "Truncated" in site.reason or "truncated" in site.reason:
        return np.clip(generator.standard_normal(shape), -2.0, 2.0)
    return np.asarray(generator.random_sample(shape))


def sites_of(graph: Any, names: Mapping[str, int]) -> List[Site]:
    """Return the sites among some operations, in their order.

    Args:
        graph: the user's, as Python has it.
        names: of the operations that may draw, with the place of each.
    """
    sites = []
    for name, order in names.items():
        op = graph.get_operation_by_name(name)
        if op.type in RANDOM:
            sites.append(Site(op, order))
    return sorted(sites, key=lambda site: site.order)
