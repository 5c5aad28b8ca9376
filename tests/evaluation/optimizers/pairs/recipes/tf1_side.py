"""The nets in TensorFlow 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow.contrib import opt

from recipes.combinations import (
    BOUNDARY,
    CLASSES,
    CLIPPING,
    DECAY,
    HIDDEN,
    INPUTS,
    KEPT,
    KINDS,
    LAST,
    OUTPUTS,
    PARTS,
    Combination,
)


def made_rate(chosen: Combination) -> tuple[Any, Any]:
    """Return the rate of a combination, and the counter that it follows; None for a constant."""
    rate = KINDS[chosen.kind]["rate"]
    if chosen.schedule == "constant":
        return rate, None
    step = tf.get_variable("step", [], tf.int64, tf.zeros_initializer(), trainable=False)
    if chosen.schedule == "piecewise":
        return tf.train.piecewise_constant(step, [BOUNDARY - 1], [rate, rate / 4]), step
    if chosen.schedule == "exponential":
        return tf.train.exponential_decay(rate, step, 1, 0.9), step
    return tf.train.cosine_decay(rate, step, LAST), step


def made_optimizer(chosen: Combination, rate: Any) -> Any:
    """Return the optimizer of a combination."""
    hyper, train = KINDS[chosen.kind], tf.train
    epsilon, momentum = hyper.get("epsilon"), hyper.get("momentum", 0.0)
    betas = hyper.get("beta1"), hyper.get("beta2")
    nesterov, centered = hyper.get("nesterov", False), hyper.get("centered", False)
    makers: dict[str, Any] = {
        "sgd": lambda: train.GradientDescentOptimizer(rate),
        "Momentum": lambda: train.MomentumOptimizer(rate, momentum, use_nesterov=nesterov),
        "Adam": lambda: train.AdamOptimizer(rate, *betas, epsilon),
        # What is taken from the weights is not multiplied by the rate there.
        "AdamW": lambda: opt.AdamWOptimizer(DECAY * rate, rate, *betas, epsilon),
        "RMSprop": lambda: train.RMSPropOptimizer(
            rate, hyper["rho"], momentum, epsilon, centered=centered
        ),
        "Adagrad": lambda: train.AdagradOptimizer(rate, hyper["initial"]),
        "Adadelta": lambda: train.AdadeltaOptimizer(rate, hyper["rho"], epsilon),
        "Adamax": lambda: opt.AdaMaxOptimizer(rate, *betas, epsilon),
        "Ftrl": lambda: train.FtrlOptimizer(
            rate,
            hyper["power"],
            hyper["initial"],
            l1_regularization_strength=hyper["l1"],
            l2_regularization_strength=hyper["l2"],
        ),
    }
    name = "Momentum" if momentum and chosen.kind in ("momentum", "nesterov") else chosen.kind
    return makers[name if name in makers else CLASSES[chosen.kind]]()


def clipped(chosen: Combination, gradients: list[Any]) -> list[Any]:
    """Return the gradients as a combination wants them."""
    if chosen.clipping == "value":
        return [tf.clip_by_value(item, -CLIPPING["value"], CLIPPING["value"]) for item in gradients]
    if chosen.clipping == "norm":
        return [tf.clip_by_norm(item, CLIPPING["norm"]) for item in gradients]
    if chosen.clipping == "global":
        return list(tf.clip_by_global_norm(gradients, CLIPPING["global"])[0])
    return gradients


def accumulated(chosen: Combination, x: Any, y: Any) -> tuple[Any, Any, Any]:
    """Return `trained`, by gradients that a variable beside each weight adds up over all parts of a
    batch."""
    with tf.variable_scope(chosen.name):
        first, last = tf.layers.Dense(HIDDEN, tf.tanh), tf.layers.Dense(OUTPUTS)
        out = last(first(x))
        variables = tf.trainable_variables(chosen.name + "/")
        sums = [tf.Variable(tf.zeros_like(v.initialized_value()), False) for v in variables]
        added, losses = [item.assign(tf.zeros_like(item)).op for item in sums], []
        for rows, wanted in zip(tf.split(x, PARTS), tf.split(y, PARTS)):
            losses.append(tf.reduce_mean(tf.square(last(first(rows)) - wanted)) / PARTS)
            gradients = tf.gradients(losses[-1], variables)
            with tf.control_dependencies(added):
                added = [one.assign_add(other).op for one, other in zip(sums, gradients)]
        with tf.control_dependencies(added):
            optimizer = made_optimizer(chosen, KINDS[chosen.kind]["rate"])
            train = optimizer.apply_gradients(
                [(s.read_value(), v) for s, v in zip(sums, variables)]
            )
    return out, tf.add_n(losses), train


def averaged(chosen: Combination, train: Any, step: Any) -> Any:
    """Return the operation of an update after which the weights are averaged."""
    counts = step if chosen.extra == "warmed" else None
    with tf.control_dependencies([train]):
        return tf.train.ExponentialMovingAverage(KEPT, counts).apply(
            tf.trainable_variables(chosen.name + "/")
        )


def trained(chosen: Combination, x: Any, y: Any) -> tuple[Any, Any, Any]:
    """Return what a combination's net gives, its loss, and the operation of one update."""
    with tf.variable_scope(chosen.name):
        hidden = tf.layers.dense(x, HIDDEN, tf.tanh)
        out = tf.layers.dense(hidden, OUTPUTS)
        loss = tf.reduce_mean(tf.square(out - y))
        variables = tf.trainable_variables(chosen.name + "/")
        if chosen.decay == "loss":
            loss += DECAY * tf.add_n([tf.reduce_sum(tf.square(item)) for item in variables])
        rate, step = made_rate(chosen)
        if chosen.extra == "warmed":
            step = tf.get_variable("step", [], tf.int64, tf.zeros_initializer(), trainable=False)
        optimizer = made_optimizer(chosen, rate)
        gradients = tf.gradients(loss, variables)
        before = [tf.identity(item) for item in gradients]
        if chosen.decay == "decoupled" and chosen.kind != "adamw":
            with tf.control_dependencies(before):
                taken = DECAY * KINDS[chosen.kind]["rate"]
                before = [tf.assign_sub(item, taken * item) for item in variables]
        with tf.control_dependencies(before):
            pairs = zip(clipped(chosen, gradients), variables)
            train = optimizer.apply_gradients(pairs, global_step=step)
        if chosen.extra != "none":
            train = averaged(chosen, train, step)
    return out, loss, train


def declared(every: Sequence[Combination]) -> Any:
    """Return the side with a net for each combination."""
    from backends import pair

    names: dict[str, dict[str, str]] = {"loss": {}, "train": {}}

    def build() -> dict[str, Any]:
        x = tf.placeholder(tf.float32, [None, INPUTS], "x")
        y = tf.placeholder(tf.float32, [None, OUTPUTS], "y")
        made: dict[str, Any] = {"x": x, "y": y}
        outs = []
        for chosen in every:
            made_by = accumulated if chosen.extra == "accumulated" else trained
            out, loss, train = made_by(chosen, x, y)
            outs.append(out)
            made.update({"loss " + chosen.name: loss, "train " + chosen.name: train})
        return dict(made, product=tf.concat(outs, 1))

    for chosen in every:
        names["loss"][chosen.name] = "loss " + chosen.name
        names["train"][chosen.name] = "train " + chosen.name
    return pair.tf1(build, {"x": "x", "y": "y"}, "product", names["loss"], names["train"])
