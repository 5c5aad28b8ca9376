"""torch's optimizers in the words that all backends share, and the names of their slots."""

from __future__ import annotations

from typing import Any, Dict, Iterable, Iterator, List, Mapping, Tuple

import numpy as np
import torch

from backends.survey import AVERAGE
from backends.torch.adapter import values

#: By class: the kind. A class derived from one of these is of its kind.
KINDS = {
    "SGD": "sgd",
    "Adam": "adam",
    "AdamW": "adamw",
    "SparseAdam": "adam",
    "Adamax": "adamax",
    "NAdam": "nadam",
    "RAdam": "radam",
    "Adagrad": "adagrad",
    "Adadelta": "adadelta",
    "RMSprop": "rmsprop",
    "Rprop": "rprop",
    "ASGD": "asgd",
    "LBFGS": "lbfgs",
    "Adafactor": "adafactor",
    "Muon": "muon",
}
#: By torch's name of a slot, the word for it; a slot that is not here keeps its name.
WORDS = {
    "exp_avg": "m",
    "exp_avg_sq": "v",
    "max_exp_avg_sq": "vhat",
    "exp_inf": "u",
    "momentum_buffer": "momentum",
    "square_avg": "v",
    "grad_avg": "mean",
    "acc_delta": "delta",
    "sum": "sum",
    "prev": "previous_gradient",
    "step_size": "step_size",
    "ax": "average",
}
#: By torch's name of a hyper-parameter, the word for it.
HYPERPARAMETERS = {
    "lr": "learning_rate",
    "eps": "epsilon",
    "alpha": "rho",
    "rho": "rho",
    "momentum": "momentum",
    "nesterov": "nesterov",
    "dampening": "dampening",
    "centered": "centered",
    "amsgrad": "amsgrad",
    "maximize": "maximize",
    "lr_decay": "rate_decay",
    "initial_accumulator_value": "initial_accumulator",
    "momentum_decay": "momentum_decay",
    "weight_decay": "weight_decay",
    "lambd": "lambda",
    "t0": "average_start",
}
#: The update after which ASGD averages, where nobody has chosen one: no training comes so far.
NEVER = 1e6
#: What says nothing where it has this value.
UNSAID = {
    "dampening": 0,
    "amsgrad": False,
    "maximize": False,
    "rate_decay": 0,
    "nesterov": False,
    "average_start": NEVER,
}
#: Classes that take the weight decay from the weights, not into the gradient.
DECOUPLED = frozenset(["AdamW", "Muon", "Adafactor"])
#: Where epsilon is added. `corrected`: to the root of the moment that is corrected for its bias.
#: `hat`: to the root of the uncorrected one. `outside`: to the root, or to the largest value.
#: `inside`: under the root. `each`: to the size of each gradient.
EPSILON_PLACES = {
    "Adam": "corrected",
    "AdamW": "corrected",
    "NAdam": "corrected",
    "RAdam": "corrected",
    "SparseAdam": "hat",
    "RMSprop": "outside",
    "Adagrad": "outside",
    "Adadelta": "inside",
    "Adamax": "each",
}


def _class(optimizer: Any) -> str:
    """Return the name of the class of torch's that an optimizer is of, or is derived from."""
    for class_ in type(optimizer).__mro__:
        # AdamW is derived from Adam from torch 2.7 on.
        if class_.__module__.startswith("torch.optim") and class_.__name__ in KINDS:
            return class_.__name__
    return type(optimizer).__name__


def kind(optimizer: Any) -> str:
    """Return the word for the kind of an optimizer.

    Args:
        optimizer: any.
    """
    return KINDS.get(_class(optimizer), "other")


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, torch.Tensor) else value


def _of_group(name: str, group: Mapping[str, Any]) -> Dict[str, Any]:
    pairs = HYPERPARAMETERS.items()
    words: Dict[str, Any] = {word: _plain(group[own]) for own, word in pairs if own in group}
    if "betas" in group:
        first, second = group["betas"]
        words.update(beta1=_plain(first), beta2=_plain(second))
    said = (word for word in words if word not in UNSAID or UNSAID[word] != words[word])
    words = {word: words[word] for word in said}
    if words.get("weight_decay"):
        decoupled = name in DECOUPLED or group.get("decoupled_weight_decay", False)
        words["decay"] = "decoupled" if decoupled else "l2"
    return words


def hyperparameters(optimizer: Any) -> Dict[str, Any]:
    """Return an optimizer's hyper-parameters; where its groups of parameters differ in one, a list
    of what each has.

    Args:
        optimizer: any.
    """
    name = _class(optimizer)
    groups = [_of_group(name, group) for group in optimizer.param_groups]
    words: Dict[str, Any] = {}
    for word in dict.fromkeys(word for group in groups for word in group):
        each = [group.get(word) for group in groups]
        words[word] = each[0] if all(value == each[0] for value in each) else each
    decay = words.get("weight_decay")
    if not (any(decay) if isinstance(decay, list) else decay):
        words.pop("weight_decay", None)
    if "decay" in words:
        words["decay"] = next(group["decay"] for group in groups if "decay" in group)
    # A class of the user's own that steps otherwise may have it elsewhere.
    if name in EPSILON_PLACES and type(optimizer).step.__module__.startswith("torch."):
        words["epsilon_place"] = EPSILON_PLACES[name]
    if name == "SGD" and not words.get("momentum"):
        words.pop("momentum", None)
    if name == "ASGD" and _averages(optimizer):
        words["average_weights"] = True
    return words


def _averages(optimizer: Any) -> bool:
    """Return whether the average of an ASGD is more than the copy of the weights that it is until
    the update `t0`: that comes within a training, though maybe not within the steps that are looked
    at, or has come before, as the share `mu` of the next update says."""
    begins = any(group.get("t0", NEVER) < NEVER for group in optimizer.param_groups)
    shares = [state.get("mu", 1.0) for state in optimizer.state.values() if isinstance(state, dict)]
    return begins or any(_plain(share) != 1.0 for share in shares)


def loss_scale(scalers: Iterable[Any]) -> Dict[str, Any]:
    """Return how scalers scale losses, in the words of all backends; nothing where there is none
    that does, a list of each where they differ.

    Args:
        scalers: of the class of torch's.
    """
    each = [_of_scaler(scaler) for scaler in scalers if scaler.is_enabled()]
    if not each:
        return {}
    if all(words == each[0] for words in each):
        return each[0]
    together: Dict[str, Any] = {}
    for words in each:
        for word, value in words.items():
            together.setdefault(word, []).append(value)
    return together


def _of_scaler(scaler: Any) -> Dict[str, Any]:
    return {
        "loss_scale": float(scaler.get_scale()),
        "loss_scale_interval": int(scaler.get_growth_interval()),
        "loss_scale_growth": float(scaler.get_growth_factor()),
        "loss_scale_backoff": float(scaler.get_backoff_factor()),
    }


def rate(optimizer: Any) -> float:
    """Return the learning rate that is in effect: that of the first group of parameters.

    Args:
        optimizer: any.
    """
    return float(optimizer.param_groups[0].get("lr", float("nan")))


def count(optimizer: Any) -> int:
    """Return how many updates an optimizer says that it has made; 0 where it does not count.

    Args:
        optimizer: any.
    """
    states = [state for state in optimizer.state.values() if isinstance(state, dict)]
    return max((int(_plain(state["step"])) for state in states if "step" in state), default=0)


def owned(optimizer: Any, names: Mapping[int, str]) -> List[str]:
    """Return the own names of the parameters that an optimizer has.

    Args:
        optimizer: any. names: by the identity of the parameter.
    """
    members = [value for group in optimizer.param_groups for value in group["params"]]
    return [names[id(value)] for value in members if id(value) in names]


def _slots(optimizer: Any, names: Mapping[int, str]) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """Yield the parameters that have slots: those of its shape, by their words."""
    for parameter, state in optimizer.state.items():
        if id(parameter) in names and isinstance(state, dict):
            shaped = {
                str(WORDS.get(own, own)): value
                for own, value in state.items()
                if isinstance(value, torch.Tensor)
                and value.shape == parameter.shape
                and own != "step"
            }
            yield names[id(parameter)], shaped


def slots(optimizer: Any, names: Mapping[int, str]) -> Dict[str, Dict[str, Any]]:
    """Return the slots of each parameter by their words: those of its shape.

    Args:
        optimizer: any. names: by the identity of the parameter.
    """
    return {name: _arrays(held) for name, held in _slots(optimizer, names)}


def averaged(optimizer: Any, names: Mapping[int, str]) -> List[str]:
    """Return the parameters of which an optimizer keeps averages itself, as ASGD does.

    Args:
        optimizer: any. names: by the identity of the parameter.
    """
    return [name for name, held in _slots(optimizer, names) if AVERAGE in held]


def _arrays(held: Mapping[str, Any]) -> Dict[str, Any]:
    return {word: values.array(value) for word, value in held.items()}


@torch.no_grad()
def assign_slots(
    optimizer: Any, names: Mapping[int, str], word: str, own: Mapping[str, Any]
) -> None:
    """Set the slots of one word.

    Args:
        optimizer, names: as for `slots`. word: of the slots. own: by the name of the parameter.
    """
    for name, held in _slots(optimizer, names):
        if name in own and word in held:
            held[word].copy_(torch.from_numpy(np.array(own[name])))
