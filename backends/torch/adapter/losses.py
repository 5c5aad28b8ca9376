"""What a step returns, as losses by name, and how what it differentiates follows from that."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

import torch

from backends.contract import Stage

TOTAL = "total"
Rule = Callable[[Mapping[str, float]], float]


def _number(value: Any) -> Optional[float]:
    if isinstance(value, torch.Tensor):
        return float(value.detach()) if value.numel() == 1 else None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def named(returned: Any) -> Dict[str, float]:
    """Return the scalars that a step has returned, by name; a loss without a name is `total`.

    Args:
        returned: a scalar, a mapping, a sequence, or nothing.
    """
    if isinstance(returned, Mapping):
        entries: List[Tuple[str, Any]] = [(str(key), value) for key, value in returned.items()]
    elif isinstance(returned, (tuple, list)):
        entries = [(str(index), value) for index, value in enumerate(returned)]
    else:
        entries = [(TOTAL, returned)]
    numbers = ((name, _number(value)) for name, value in entries if value is not None)
    return {name: value for name, value in numbers if value is not None}


def _picked(name: str) -> Rule:
    return lambda losses: losses[name]


def _sum(losses: Mapping[str, float]) -> float:
    return sum(losses.values())


def rule(losses: Mapping[str, float], total: Optional[float] = None) -> Optional[Rule]:
    """Return how the total follows from what a step returns; None where it does not.

    Args:
        losses: what it returned. total: what it differentiated; None where nobody saw it.
    """
    names = [name for name in (TOTAL, Stage.LOSS) if name in losses]
    if total is None:
        if names or len(losses) == 1:
            return _picked((names or list(losses))[0])
        return _sum if losses else None
    for name in (*names, *losses):
        if losses[name] == total:
            return _picked(name)
    if losses and abs(_sum(losses) - total) <= 1e-6 * abs(total):
        return _sum
    return None


def complete(losses: Mapping[str, float], total: float) -> Dict[str, float]:
    """Return losses with the total, last.

    Args:
        losses: what a step returned. total: what it differentiated.
    """
    return dict({name: value for name, value in losses.items() if name != TOTAL}, total=total)
