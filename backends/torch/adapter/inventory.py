"""The modules and parameters of a side by their own names, and the canonical pieces of them.

A module is called by its path, `encoder.0.attention`; if the side has several models, the model's
name stands in front. A model that is itself a layer is called by its class. A parameter that two
modules share has the name by which it is met first, and is one piece. Parameters that an optimizer
updates and no module holds are called `parameter.<number>`.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Set, Tuple

import numpy as np
import torch

from backends.adapter import pieces
from backends.survey import Piece
from backends.torch.adapter import activations, layers, recurrent, rules, values  # noqa: F401
from backends.torch.adapter.rules import Description, Weight

#: What `torch.compile` puts around a module.
COMPILED = "_orig_mod"


class Inventory:
    """Names of everything.

    Args:
        models: by name. optimizers: by name.

    Attributes:
        modules: by path, in the order of declaration, each once.
        paths: of each module, by its identity. top: of the only model; empty if there are several.
    """

    def __init__(self, models: Mapping[str, Any], optimizers: Mapping[str, Any]) -> None:
        self.models, self.optimizers = dict(models), dict(optimizers)
        self.modules: Dict[str, torch.nn.Module] = {}
        self.paths: Dict[int, str] = {}
        for prefix, model in self.models.items():
            for inner, module in model.named_modules():
                if hasattr(module, COMPILED):
                    continue  # what is in it has its name
                words = [prefix, *inner.split(".")]
                path = ".".join(word for word in words if word and word != COMPILED)
                if id(module) not in self.paths and path not in self.modules:
                    self.modules[path or type(module).__name__] = module
                    self.paths[id(module)] = path or type(module).__name__
        only = list(self.models.values()) if len(self.models) == 1 else []
        self.top = "".join(self.paths[id(getattr(model, COMPILED, model))] for model in only)
        self._loose = self._loose_parameters()

    def _loose_parameters(self) -> Dict[str, torch.Tensor]:
        held = {id(value) for model in self.models.values() for value in model.parameters()}
        loose: Dict[str, torch.Tensor] = {}
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                for value in group["params"]:
                    if id(value) not in held:
                        held.add(id(value))
                        loose[f"parameter.{len(loose)}"] = value
        return loose

    def _held(self) -> Iterable[Tuple[str, torch.Tensor, bool]]:
        """Yield every tensor that is a weight or a running statistic, each once, with its name and
        whether it is a parameter. Buffers are looked up each time: a module may have put another
        tensor in the place of one."""
        seen: Set[int] = set()
        for path, module in self.modules.items():
            temporary = _temporary(module)
            for place, parameter in ((module._parameters, True), (module._buffers, False)):
                for name, value in place.items():
                    if value is None or id(value) in seen or name in temporary:
                        continue
                    if value.is_floating_point():
                        seen.add(id(value))
                        yield f"{path}.{name}", value, parameter
        for name, value in self._loose.items():
            yield name, value, True

    def tensors(self) -> Dict[str, torch.Tensor]:
        """Return every weight and running statistic, by name."""
        return {name: value for name, value, _ in self._held()}

    def parameters(self) -> Dict[str, torch.Tensor]:
        """Return what may have a gradient, by name."""
        return {name: value for name, value, parameter in self._held() if parameter}

    # -- pieces ------------------------------------------------------------------------------------

    def pieces(self, order: Iterable[str]) -> Tuple[Piece, ...]:
        """Return the canonical pieces.

        Args:
            order: paths of layers in the order of execution; what is in none of them comes last.
        """
        held = self.tensors()
        names = {id(value): name for name, value in held.items()}
        taken: Set[Tuple[Any, ...]] = set()
        whole: Set[str] = set()
        made: List[Piece] = []
        paths = list(dict.fromkeys([*order, *self.modules]))
        # A rule may reach into a module in it: what rules say comes before what lies about.
        described = [(path, rules.describe(self.modules[path])) for path in paths]
        claims = [(path, weight) for path, each in described for weight in each.weights]
        claimed = self._claimed(claims, names)
        reached = self._claimed([claim for claim in claims if not _is_own(claim[1])], names)
        for path, description in described:
            module = self.modules[path]
            raw = [
                Weight(name, (name,))
                for name in (*module._parameters, *module._buffers)
                if names.get(id(getattr(module, name, None))) not in claimed
            ]
            for weight in (*description.weights, *raw):
                sources = _sources(module, weight, names)
                key = (sources, weight.steps)
                # Tied: the same tensor under a second name, in whatever layout.
                tied = bool(whole & set(sources)) or key in taken
                # A module that runs by itself inside of one whose rule has its weights already.
                inner = _is_own(weight) and set(sources) <= reached
                if sources and not tied and not inner:
                    taken.add(key)
                    made.append(_piece(path, weight, sources, held))
            used = {name for _, name in _whole(module, description, raw, names)}
            whole |= used - reached if all(map(_is_own, description.weights)) else used
        made += [
            _piece("", Weight(name, (name,)), (name,), held)
            for name in self._loose
            if name not in whole
        ]
        return tuple(made)

    def _claimed(self, claims: Iterable[Tuple[str, Weight]], names: Mapping[int, str]) -> Set[str]:
        return {
            name for path, weight in claims for name in _sources(self.modules[path], weight, names)
        }


def _is_own(weight: Weight) -> bool:
    """Return whether all that a weight is made of is the module's own, and no inner module's."""
    return not any("." in source for source in weight.sources)


def _temporary(module: torch.nn.Module) -> Set[str]:
    """Return the names of the buffers that a checkpoint does not hold: tables, no state."""
    names: Set[str] = module._non_persistent_buffers_set
    return names


def _attribute(module: Any, path: str) -> Any:
    for name in path.split("."):
        module = getattr(module, name, None)
    return module


def _sources(module: Any, weight: Weight, names: Mapping[int, str]) -> Tuple[str, ...]:
    """Return the own names of what a weight is made of; nothing where one of them is no parameter
    (there is no bias, or it is computed from others)."""
    sources = tuple(names.get(id(_attribute(module, path)), "") for path in weight.sources)
    return sources if all(sources) else ()


def _whole(
    module: Any, description: Description, raw: Iterable[Weight], names: Mapping[int, str]
) -> Iterable[Tuple[Weight, str]]:
    """Yield what a module's pieces are made of: each of these tensors is used up."""
    for weight in (*description.weights, *raw):
        for name in _sources(module, weight, names):
            yield weight, name


def _piece(
    path: str, weight: Weight, sources: Tuple[str, ...], held: Mapping[str, torch.Tensor]
) -> Piece:
    value = held[sources[0]]
    shape = pieces.apply(np.empty(tuple(value.shape), np.int8), weight.steps, linear=True).shape
    name = f"{path}/{weight.role}" if path else weight.role
    trained = [source for source in sources if held[source].requires_grad]
    return Piece(
        name=name,
        layer=path,
        role=weight.role,
        shape=tuple(shape),
        trainable=bool(trained),
        sources=sources,
        steps=weight.steps,
        frozen=len(sources) - len(trained) if trained else 0,
    )


def arrays(tensors: Mapping[str, torch.Tensor]) -> Dict[str, np.ndarray]:
    """Return tensors as arrays.

    Args:
        tensors: by name.
    """
    return {name: values.array(value) for name, value in tensors.items()}
