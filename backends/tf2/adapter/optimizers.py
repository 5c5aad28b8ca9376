"""Keras' optimizers as data: kind, hyper-parameters, rates, slots.

Those of Keras 3, the new ones of Keras 2 and its old ones (`legacy`, `optimizer_v2`) keep all of it
in different places.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence

import numpy as np
import tensorflow as tf

from backends.survey import AVERAGE, OptimizerSurvey
from backends.tf2.adapter.vocabulary import snake
from backends.tf2.adapter.weights import inner, is_variable

#: Kinds that are called otherwise here.
KINDS = {"rm_sprop": "rmsprop", "rmsprop": "rmsprop", "adam_w": "adamw", "adamw": "adamw"}
#: Word of a slot by the attribute that holds the list of them, by kind: Keras 3 and the new ones of
#: Keras 2.
LISTS: Dict[str, Dict[str, str]] = {
    "adam": {"_momentums": "m", "_velocities": "v", "_velocity_hats": "vhat"},
    "nadam": {"_momentums": "m", "_velocities": "v"},
    "adamax": {"_m": "m", "_u": "u"},
    "sgd": {"momentums": "velocity"},
    "rmsprop": {"_velocities": "v", "_momentums": "velocity", "_average_gradients": "mean"},
    "adagrad": {"_accumulators": "sum"},
    "adadelta": {"_accumulated_grads": "v", "_accumulated_delta_vars": "delta"},
    "lion": {"_momentums": "m"},
    "ftrl": {"_accumulators": "sum", "_linears": "linear"},
}
LISTS["adamw"] = LISTS["adam"]
#: The same by the slot's own name: the old ones of Keras 2.
SLOTS = {
    "rms": "v",
    "momentum": "velocity",
    "mg": "mean",
    "accumulator": "sum",
    "accum_grad": "v",
    "accum_var": "delta",
}
#: By kind, where epsilon is added, in the words of torch's adapter.
EPSILON_PLACES = {
    "adam": "hat",
    "adamw": "hat",
    "nadam": "corrected",
    "rmsprop": "inside",
    "adagrad": "inside",
    "adadelta": "inside",
    "adamax": "outside",
}
#: Where the average of the weights is kept.
AVERAGES = "_model_variables_moving_average"
#: Word of a hyper-parameter by Keras' own.
HYPERPARAMETERS = {
    "beta_1": "beta1",
    "beta_2": "beta2",
    "epsilon": "epsilon",
    "momentum": "momentum",
    "nesterov": "nesterov",
    "rho": "rho",
    "centered": "centered",
    "amsgrad": "amsgrad",
    "weight_decay": "weight_decay",
    "clipvalue": "clip_value",
    "clipnorm": "clip_norm",
    "global_clipnorm": "clip_global_norm",
    "initial_accumulator_value": "initial_accumulator",
    "l1_regularization_strength": "l1",
    "l2_regularization_strength": "l2",
    "use_ema": "average_weights",
    "ema_momentum": "average_momentum",
    "ema_overwrite_frequency": "average_overwrite",
    "gradient_accumulation_steps": "accumulation_steps",
}


def unwrapped(optimizer: Any) -> Any:
    """Return the optimizer that one which scales the loss is wrapped around."""
    held = getattr(optimizer, "inner_optimizer", None)
    return optimizer if held is None else unwrapped(held)


def kind(optimizer: Any) -> str:
    """Return the word for what an optimizer is."""
    for base in type(unwrapped(optimizer)).__mro__:
        word = snake(base.__name__)
        word = KINDS.get(word, word)
        if word in LISTS and "keras" in base.__module__:
            return word
    return "other"


def count(optimizer: Any) -> int:
    """Return how many updates an optimizer has counted."""
    return int(np.asarray(optimizer.iterations))


def begin(optimizer: Any) -> None:
    """Have an optimizer make its variables for numbers: the old ones of Keras 2 do so late.

    Args:
        optimizer: of Keras'.
    """
    held = unwrapped(optimizer)
    if hasattr(held, "_create_hypers"):
        with tf.init_scope():
            held._create_hypers()
            count(held)


def build(optimizer: Any, variables: Sequence[Any]) -> None:
    """Have an optimizer make its variables without an update.

    Args:
        optimizer: of Keras'. variables: that it is about to update.
    """
    held = unwrapped(optimizer)
    if hasattr(held, "_create_all_weights"):
        with tf.init_scope():
            held._create_all_weights(list(variables))
    elif not getattr(optimizer, "built", getattr(held, "_built", False)):
        optimizer.build(list(variables))


def slots(optimizer: Any, variables: Dict[str, Any]) -> Dict[str, Dict[str, np.ndarray]]:
    """Return the slots of an optimizer by own parameter name and word.

    Args:
        optimizer: of Keras'. variables: parameters by own name.
    """
    held = slot_variables(optimizer, variables)
    return {name: _values(words) for name, words in held.items()}


def _values(words: Dict[str, Any]) -> Dict[str, np.ndarray]:
    return {word: np.array(_array(value)) for word, value in words.items()}


def slot_variables(optimizer: Any, variables: Dict[str, Any]) -> Dict[str, Dict[str, Any]]:
    """Return the variables in which `slots` are kept.

    Args:
        optimizer: of Keras'. variables: parameters by own name.
    """
    held = unwrapped(optimizer)
    of = _old_slots if hasattr(held, "get_slot_names") else _new_slots
    own = {name: of(held, variable) for name, variable in variables.items()}
    return {name: words for name, words in own.items() if words}


def averaged(optimizer: Any, variables: Dict[str, Any]) -> List[str]:
    """Return the own names of the parameters that an optimizer keeps averages of.

    Args:
        optimizer: of Keras'. variables: parameters by own name.
    """
    return [
        name for name, words in slot_variables(optimizer, variables).items() if AVERAGE in words
    ]


def _array(value: Any) -> np.ndarray:
    value = inner(value)
    return np.asarray(value.numpy() if hasattr(value, "numpy") else value)


def _old_slots(optimizer: Any, variable: Any) -> Dict[str, Any]:
    held: Dict[str, Any] = {}
    for name in optimizer.get_slot_names():
        try:
            held[SLOTS.get(name, name)] = optimizer.get_slot(inner(variable), name)
        except (KeyError, AttributeError):
            continue
    return held


def _place(optimizer: Any, variable: Any) -> Optional[int]:
    """Return the place of a variable in the lists of slots; None: it has none."""
    known = getattr(optimizer, "_trainable_variables", None)
    if known is None:  # the new ones of Keras 2
        key = getattr(inner(variable), "_unique_id", None)
        place: Optional[int] = getattr(optimizer, "_index_dict", {}).get(key)
        return place
    for index, item in enumerate(known):
        if inner(item) is inner(variable):
            return index
    return None


def _new_slots(optimizer: Any, variable: Any) -> Dict[str, Any]:
    held: Dict[str, Any] = {}
    place = _place(optimizer, variable)
    if place is None:
        return held
    for attribute, word in {**LISTS.get(kind(optimizer), {}), AVERAGES: AVERAGE}.items():
        values = getattr(optimizer, attribute, None)
        if not isinstance(values, (list, tuple)) or place >= len(values):
            continue
        if is_variable(values[place]):
            held[word] = values[place]
    return held


def accumulated(
    members: Mapping[str, Any], variables: Mapping[str, Any], moved: Mapping[str, Iterable[str]]
) -> Dict[str, int]:
    """Return over how many calls an optimizer takes the mean of gradients, by own parameter name:
    of those that do.

    Args:
        members: optimizers of Keras' that are built, by name. variables: parameters by own name.
        moved: by optimizer, the parameters that a step has it move, where that is known; else it
            moves all that it was built for, which may be more.
    """
    parts: Dict[str, int] = {}
    for member, optimizer in members.items():
        held, steps = unwrapped(optimizer), accumulation(optimizer)
        if steps > 1:
            built = [name for name, own in variables.items() if _place(held, own) is not None]
            parts.update(dict.fromkeys(moved.get(member, built), steps))
    return parts


def accumulation(optimizer: Any) -> int:
    """Return over how many calls an optimizer takes the mean of gradients.

    Args:
        optimizer: of Keras'.
    """
    return int(getattr(unwrapped(optimizer), "gradient_accumulation_steps", None) or 1)


def averages_begin(optimizer: Any, variables: Sequence[Any]) -> None:
    """Begin the averages of the weights, where Keras 2 keeps some, at the present weights.

    Args:
        optimizer: of Keras'. variables: all parameters.
    """
    held = unwrapped(optimizer)
    averages = getattr(held, AVERAGES, None)
    if not averages or hasattr(held, "_trainable_variables"):
        return
    for variable in variables:
        place = _place(held, variable)
        if place is not None and place < len(averages):
            averages[place].assign(inner(variable))


def rate(optimizer: Any, step: int) -> float:
    """Return the learning rate in effect at an update, without moving anything.

    Args:
        optimizer: of Keras'. step: number of the update, from 0.
    """
    held = unwrapped(optimizer)
    schedule = schedule_of(held)
    if schedule is not None:
        return float(np.asarray(schedule(tf.constant(step, tf.int64))))
    value = float(np.asarray(_array(held.learning_rate)))
    # The old Nadam of Keras 2 means something else by it.
    decayed = 0.0 if kind(held) == "nadam" else getattr(held, "decay", 0.0) or 0.0
    decay = float(np.asarray(_array(decayed)))
    return value / (1.0 + decay * step)


def schedule_of(optimizer: Any) -> Any:
    """Return the schedule of an optimizer's learning rate; None where it is a number."""
    places = [getattr(optimizer, "_learning_rate", None)]
    places.append(getattr(optimizer, "_hyper", {}).get("learning_rate"))
    for value in places:
        if callable(value) and not is_variable(value) and hasattr(value, "get_config"):
            return value
    return None


def survey(name: str, optimizer: Any, variables: Dict[str, Any], pieces: Any) -> OptimizerSurvey:
    """Return what an optimizer is.

    Args:
        name: its own. optimizer: of Keras'. variables: parameters by own name.
        pieces: canonical, that it updates.
    """
    held = unwrapped(optimizer)
    word = kind(held)
    config = held.get_config()
    numbers: Dict[str, Any] = {"learning_rate": rate(held, 0)}
    for own, shared in HYPERPARAMETERS.items():
        value = config.get(own, getattr(held, own, None))
        if value is not None and value is not False:
            numbers[shared] = value if isinstance(value, (bool, int, str)) else _number(value)
    if "average_weights" not in numbers:
        numbers.pop("average_momentum", None)
    place = _epsilon_place(held, word)
    if place and "epsilon" in numbers:
        numbers["epsilon_place"] = place
    if word == "nadam":
        numbers["momentum_decay"] = _number(getattr(held, "_initial_decay", 1.0))
    if numbers.get("weight_decay"):
        numbers["decay"] = "decoupled"
    if "nesterov" in config:
        numbers["nesterov"] = bool(config["nesterov"])
    if schedule_of(held) is not None:
        numbers["schedule"] = snake(type(schedule_of(held)).__name__)
    own_slots = slots(optimizer, variables)
    words: List[str] = []
    for by_word in own_slots.values():
        words += [item for item in by_word if item not in words]
    rates = {str(step): rate(held, step) for step in (0, 1, 10)}
    return OptimizerSurvey(
        name=name,
        type=type(held).__name__,
        kind=word,
        hyperparameters=numbers,
        rates=rates,
        slots=tuple(words),
        pieces=tuple(pieces),
    )


def loss_scale(optimizer: Any) -> Dict[str, Any]:
    """Return how an optimizer scales losses, in the words of all backends; nothing of one that does
    not. Keras multiplies by 2, and by 1/2, and lets nobody choose.

    Args:
        optimizer: of Keras'.
    """
    if unwrapped(optimizer) is optimizer:
        return {}
    words: Dict[str, Any] = {"loss_scale": float(optimizer.initial_scale)}
    if optimizer.dynamic_growth_steps:
        interval = int(optimizer.dynamic_growth_steps)
        words.update(loss_scale_interval=interval, loss_scale_growth=2.0, loss_scale_backoff=0.5)
    return words


def _epsilon_place(optimizer: Any, word: str) -> str:
    """Return where an optimizer of some kind adds epsilon; empty where it is not known.

    The old ones of Keras 2 add it beside the root, but for RMSprop's with momentum, which is a
    kernel of its own.
    """
    old = hasattr(optimizer, "get_slot_names")
    if old and (word == "adagrad" or (word == "rmsprop" and not optimizer._momentum)):
        return "outside"
    return EPSILON_PLACES.get(word, "")


def _number(value: Any) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value)
