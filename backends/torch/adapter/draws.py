"""Draws of randomness, answered by the tape below autograd and modules: whatever a layer, a
functional or a kernel of recurrent layers or attention draws comes by here.

torch marks each operation that draws with the tag `nondeterministic_seeded`. Those that fill a
tensor with independent numbers are served; the others (permutations, integers, multinomials,
exponentials, kernels that draw inside) run on torch's own generator, seeded for the run, and are
listed as not served. Each that is met, served or not, takes its place in the order of draws.

A draw in a backward pass is a layer computed again (activation checkpointing, which puts the
generator back for it): it gets what it got the first time.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import sys
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode

from backends.adapter.draws import Draws
from backends.survey import DROPOUT, NORMAL, OTHER_DRAW, UNIFORM, Draw
from backends.torch.adapter.compiled import eagerly

#: Base names of operations, the direction in which the numbers go, and what they are.
BERNOULLI = ("bernoulli", "bernoulli_")
UNIFORMS = ("rand", "rand_like", "uniform_", "uniform")
NORMALS = ("randn", "randn_like", "normal_", "normal", "normal_functional")
#: Arguments that switch the drawing inside a kernel off, by name, and the value that does.
OFF = {"dropout_p": 0.0, "dropout": 0.0, "p": 0.0, "training": False, "train": False}


class Tape(TorchDispatchMode):
    """Serves draws as long as it is entered.

    Args:
        draws: that answer.
        place: returns the path of the layer that is running.
        mark: told each tensor of the tape's that has been put in.

    Attributes:
        made: what has been drawn.
    """

    def __init__(
        self,
        draws: Draws,
        place: Callable[[], str] = str,
        mark: Callable[[torch.Tensor], Any] = lambda tensor: tensor,
    ) -> None:
        super().__init__()
        self.draws, self.place, self.mark = draws, place, mark
        self.made: List[Draw] = []
        self._answered: Dict[Any, np.ndarray] = {}
        self._again = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if torch.Tag.nondeterministic_seeded not in func.tags:
            return func(*args, **kwargs)
        named = _named(func, args, kwargs)
        off = any(word in named and named[word] == value for word, value in OFF.items())
        if off and not str(func).startswith("aten.bernoulli"):
            return func(*args, **kwargs)
        return self._served(func, named, lambda: func(*args, **kwargs))

    def _served(self, func: Any, named: Dict[str, Any], run: Callable[[], Any]) -> Any:
        word = func._schema.name.split("::")[1]
        if word == "native_dropout":
            return self._dropout(named)
        state = _state(named)
        result = run()
        if word in BERNOULLI:
            kind, made = DROPOUT, self._bernoulli
        elif word in UNIFORMS:
            kind, made = UNIFORM, self._uniform
        elif word in NORMALS:
            kind, made = NORMAL, self._normal
        else:
            self._unserved(word, result)
            return result
        values = self._values(kind, result, (state, word, tuple(result.shape)))
        result.copy_(made(named, result, values))
        return result

    def _values(self, kind: str, result: torch.Tensor, key: Any) -> torch.Tensor:
        """Return the next draw as a tensor of double precision beside `result`."""
        self._again = torch._C._current_graph_task_id() != -1 and key in self._answered
        if not self._again:
            self._answered[key] = self.draws.draw(kind, tuple(result.shape))
        value = torch.from_numpy(np.array(self._answered[key], np.float64))
        dtype = torch.float64 if result.device.type != "mps" else torch.float32
        return self.mark(value.to(result.device, dtype))

    def _note(self, kind: str, shape: Any, **words: Any) -> None:
        if self._again:
            return
        index = len(self.draws.made) - 1
        self.made.append(
            Draw(
                phase=self.draws.phase,
                index=index,
                layer=self.place(),
                kind=kind,
                shape=tuple(int(size) for size in shape),
                **words,
            )
        )

    def _dropout(self, named: Dict[str, Any]) -> Any:
        """The kernel that GPUs have for dropout: what it gives, and what it kept."""
        value, rate = named["input"], float(named["p"])
        state = _state(named)
        torch.rand((), device=value.device)  # the generator moves on, as the kernel would let it
        drawn = self._values(DROPOUT, value, (state, "native_dropout", tuple(value.shape)))
        self._note(DROPOUT, value.shape, keep=1.0 - rate)
        kept = drawn < 1.0 - rate
        scale = 0.0 if rate == 1.0 else 1.0 / (1.0 - rate)
        return value * kept.to(value.dtype) * scale, kept

    def _bernoulli(
        self, named: Dict[str, Any], result: torch.Tensor, drawn: torch.Tensor
    ) -> torch.Tensor:
        share = named["p"] if "p" in named else named["self"]
        constant = _constant(share)
        if constant is None:
            # Each element has a probability of its own: a uniform draw that is compared.
            if not self._again:
                self.draws.made[-1] = (UNIFORM, tuple(result.shape))
            self._note(UNIFORM, result.shape)
        else:
            self._note(DROPOUT, result.shape, keep=constant)
        limit = share.to(torch.float64) if isinstance(share, torch.Tensor) else constant
        return (drawn < limit).to(result.dtype)

    def _uniform(
        self, named: Dict[str, Any], result: torch.Tensor, drawn: torch.Tensor
    ) -> torch.Tensor:
        low, high = float(named.get("from", 0.0)), float(named.get("to", 1.0))
        self._note(UNIFORM, result.shape, low=low, high=high)
        return low + (high - low) * drawn

    def _normal(
        self, named: Dict[str, Any], result: torch.Tensor, drawn: torch.Tensor
    ) -> torch.Tensor:
        mean, deviation = named.get("mean", 0.0), named.get("std", 1.0)
        means, deviations = _constant(mean), _constant(deviation)
        self._note(
            NORMAL,
            result.shape,
            mean=0.0 if means is None else means,
            deviation=1.0 if deviations is None else deviations,
        )
        return drawn * deviation + mean

    def _unserved(self, word: str, result: Any) -> None:
        first = next(
            (item for item in _flat(result) if isinstance(item, torch.Tensor)), torch.empty(())
        )
        # It has its place in the order of draws, whoever answers.
        self.draws.draw(OTHER_DRAW, ())
        self._again = False
        reason = f"torch draws in `{word}`, which no tape of independent numbers can answer"
        self._note(OTHER_DRAW, first.shape, served=False, reason=reason)


def _flat(value: Any) -> List[Any]:
    return list(value) if isinstance(value, (tuple, list)) else [value]


def _named(func: Any, args: Any, kwargs: Any) -> Dict[str, Any]:
    """Return the arguments of an operation by name, defaults filled in."""
    named: Dict[str, Any] = {}
    for index, argument in enumerate(func._schema.arguments):
        if index < len(args):
            named[argument.name] = args[index]
        elif argument.name in kwargs:
            named[argument.name] = kwargs[argument.name]
        elif argument.has_default_value():
            named[argument.name] = argument.default_value
    return named


def _state(named: Dict[str, Any]) -> bytes:
    """Return where the generator stands that an operation draws from."""
    generator = named.get("generator")
    if generator is None:
        tensor = next((item for item in named.values() if isinstance(item, torch.Tensor)), None)
        device = named.get("device") if tensor is None else tensor.device
        if device is not None and torch.device(device).type == "cuda":
            state = torch.cuda.get_rng_state(device)
        else:
            state = torch.get_rng_state()
    else:
        state = generator.get_state()
    return hashlib.sha1(state.numpy().tobytes()).digest()  # noqa: S324  (a name, no secret)


def _constant(value: Any) -> Optional[float]:
    """Return what a number, or a tensor all of whose elements are one number, is."""
    if not isinstance(value, torch.Tensor):
        return float(value)
    low, high = (float(item) for item in value.detach().aminmax()) if value.numel() else (0.0, 0.0)
    return low if low == high else None


def _seed(draws: Draws) -> int:
    digest = hashlib.sha256(f"{draws.phase} {draws.seed}".encode()).digest()
    return int.from_bytes(digest[:4], "little")


def _numpy_state() -> Any:
    state: Any = np.random.get_state()
    return state[1].tobytes(), state[2:]


@contextlib.contextmanager
def seeded(draws: Draws) -> Iterator[Callable[[], Tuple[str, ...]]]:
    """Let every generator of the process stand at a seed of its own for this run, and put them
    back.

    What no tape answers is then the same in every run of the same phase.

    Args:
        draws: whose phase and seed it follows from.

    Yields:
        A function that returns the generators beside torch's that have been drawn from.
    """
    kept = random.getstate(), np.random.get_state(), torch.get_rng_state()
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    seed = _seed(draws)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    begun = random.getstate(), _numpy_state()

    def drawn() -> Tuple[str, ...]:
        now = random.getstate(), _numpy_state()
        pairs = zip(("random", "numpy.random"), begun, now)
        return tuple(name for name, before, after in pairs if before != after)

    try:
        yield drawn
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])
        torch.set_rng_state(kept[2])
        if devices:
            torch.cuda.set_rng_state_all(devices)


@contextlib.contextmanager
def open_kernels(recurrent_dropout: bool) -> Iterator[None]:
    """Let torch compute with operations that can be seen, not with kernels that draw inside: no
    fused attention, no fast path of transformer layers, no compiled code.

    Args:
        recurrent_dropout: whether a recurrent layer drops out between its layers, which cuDNN does
            inside.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        fast = torch.backends.mha.get_fastpath_enabled()
        torch.backends.mha.set_fastpath_enabled(False)
        stack.callback(torch.backends.mha.set_fastpath_enabled, fast)
        if recurrent_dropout and torch.cuda.is_available():
            cudnn = torch.backends.cudnn.flags(
                enabled=False, allow_tf32=torch.backends.cudnn.allow_tf32
            )
            stack.enter_context(cudnn)
        if "torch._dynamo" in sys.modules:
            stack.enter_context(eagerly())
        yield
