"""The rules of other checkers, on the same records: what each looks at, and whether it would call
two ports different.

Every rule sees what its own tool looks at, in float32, on the same weights and inputs: outputs,
inner activations of the inference mode, losses, gradients, or the losses of ten steps. Polygraphy's
comparator, `torch.testing.assert_close` and TorchDynamo's `same` are the real ones; the last two
run in the interpreter of build torch.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from harness.fidelity.evidence import Evidence

TORCH_RULES = Path(__file__).parent / "torch_rules.py"
ALGOPERF_STEPS = 10


@dataclasses.dataclass(frozen=True)
class Seen:
    """Both sides in float32 and the first one in float64: `<stage>/<name>` -> array."""

    a: Mapping[str, np.ndarray]
    b: Mapping[str, np.ndarray]
    full: Mapping[str, np.ndarray]

    def pairs(self, *prefixes: str) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return what both sides have under one of the prefixes; these rules skip what only one
        side has."""
        return [
            (self.a[name], self.b[name])
            for name in self.a
            if name.startswith(prefixes) and name in self.b
        ]


#: The name under which what our own judge says of a pair is kept beside the rules.
OURS = "this harness"
OUTPUT = "forward/generate"
INFERENCE = ("forward/inference/", OUTPUT)


def gather(a: Evidence, b: Evidence, full: Evidence) -> Seen:
    """Read what any rule looks at."""
    return Seen(_looked_at(a), _looked_at(b), _looked_at(full))


def _looked_at(side: Evidence) -> dict[str, np.ndarray]:
    return {
        f"{stage}/{entry.name}": side.read(stage, entry.name)
        for stage in ("forward", "loss", "gradients", "trajectory")
        for entry in side.entries(stage)
        if stage != "trajectory" or "/loss/" in entry.name
    }


def allclose(seen: Seen) -> bool:
    """The migration guide's check: outputs, atol 1e-4."""
    return any(
        a.shape != b.shape or not np.allclose(a, b, atol=1e-4) for a, b in seen.pairs(OUTPUT)
    )


def largest_difference(seen: Seen) -> bool:
    """Hugging Face's PT-TF test: outputs, hidden states and the loss, NaN set to zero on both
    sides, max |a - b| <= 1e-5."""
    for a, b in seen.pairs(*INFERENCE, "loss/"):
        if a.shape != b.shape:
            return True
        odd = np.isnan(a) | np.isnan(b)
        if np.max(np.abs(np.where(odd, 0.0, a) - np.where(odd, 0.0, b)), initial=0.0) > 1e-5:
            return True
    return False


def polygraphy(seen: Seen) -> bool:
    """Polygraphy's comparator with its default tolerances, on every tensor of the inference
    mode."""
    from polygraphy.comparator import SimpleCompareFunc
    from polygraphy.logger import G_LOGGER

    compare = SimpleCompareFunc()
    with (
        G_LOGGER.verbosity(G_LOGGER.CRITICAL),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        pairs = seen.pairs(*INFERENCE)
        a, b = _results([a for a, _ in pairs]), _results([b for _, b in pairs])
        return any(not bool(found) for found in compare(a, b).values())


def _results(arrays: Sequence[np.ndarray]) -> Any:
    from polygraphy.comparator import IterationResult

    return IterationResult(
        {f"output {index}": np.ascontiguousarray(value) for index, value in enumerate(arrays)}
    )


def algoperf(seen: Seen) -> bool:
    """AlgoPerf's: the losses of ten steps and the norm of the gradient, relative tolerance 5e-3."""
    steps = tuple(f"trajectory/step {step}/loss/" for step in range(1, ALGOPERF_STEPS + 1))
    scalars = [(float(a), float(b)) for a, b in seen.pairs(*steps)]
    gradients = seen.pairs("gradients/")
    if gradients:
        scalars.append((_norm([a for a, _ in gradients]), _norm([b for _, b in gradients])))
    return any(not np.allclose(a, b, rtol=5e-3) for a, b in scalars)


def _norm(gradients: Iterable[np.ndarray]) -> float:
    return float(np.sqrt(sum(np.sum(np.square(part, dtype=np.float64)) for part in gradients)))


LOCAL: dict[str, tuple[str, Callable[[Seen], bool]]] = {
    "`numpy.allclose(atol=1e-4)`": ("outputs", allclose),
    "max abs 1e-5 (PT-TF)": ("outputs, activations, losses", largest_difference),
    "Polygraphy": ("outputs, activations", polygraphy),
    "AlgoPerf norms, 5e-3": ("losses of 10 steps, gradient norm", algoperf),
}
#: As `torch_rules.py` names them.
IN_TORCH = {
    "`torch.testing.assert_close`": "outputs",
    "TorchDynamo `same`, float64 baseline": "outputs, losses, gradients",
}
SEES = {**{name: sees for name, (sees, _) in LOCAL.items()}, **IN_TORCH}


class Peers:
    """Asks all rules about pairs: the local ones at once, those that need torch together at the
    end."""

    def __init__(self, folder: Path, torch: Path) -> None:
        self.folder, self.torch = folder, torch
        self.said: dict[str, dict[str, bool]] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def ask(self, name: str, seen: Seen, ours: bool) -> None:
        """Ask about one pair; True means different. `ours` is what our own judge said."""
        self.said[name] = {OURS: ours, **{rule: judge(seen) for rule, (_, judge) in LOCAL.items()}}
        arrays = {}
        for key in seen.a:
            if (
                key.startswith((OUTPUT, "loss/", "gradients/"))
                and key in seen.b
                and key in seen.full
            ):
                arrays.update(
                    {
                        f"a|{key}": seen.a[key],
                        f"b|{key}": seen.b[key],
                        f"full|{key}": seen.full[key],
                    }
                )
        np.savez(self.folder / f"{name}.npz", **arrays)

    def answers(self) -> dict[str, dict[str, bool]]:
        """Return what every rule said of every pair."""
        done = subprocess.run(
            [self.torch, TORCH_RULES, self.folder], check=True, capture_output=True, text=True
        )
        for name, found in json.loads(done.stdout.splitlines()[-1]).items():
            self.said[name].update(found)
        return self.said
