"""The loss terms of EHR-M-GAN's phases; series are time first, and a mean over the batch is over
axis 1."""

from __future__ import annotations

import collections
from typing import Any, Dict, Mapping

import tensorflow.compat.v1 as tf

from backends.ports.tf1.ehr_mgan.networks import STREAMS, Networks, transposed

Tensors = Dict[str, Any]
#: Keras' epsilon: probabilities are kept this far from 0 and 1, and the logarithms' arguments once
#: more.
CLIP = 1e-7
#: What keeps a row's product with itself out of the contrastive loss.
MASKED = 1e9


def binary(logit: Any, label: Any) -> Any:
    """Return the mean binary cross-entropy of logits."""
    return tf.reduce_mean(
        tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.zeros_like(logit) + label, logits=logit)
    )


def totalled(terms: Tensors, total: Any) -> Tensors:
    """Return the terms with `total` behind them."""
    return collections.OrderedDict(list(terms.items()) + [("total", total)])


def vae(networks: Networks, stream: str) -> Tensors:
    """Return the terms of one stream's VAE."""
    config, record = networks.config, networks.record
    mu, s = record[stream + "/mu"], record[stream + "/log_sigma"]
    z = [record[name + "/z"] for name in STREAMS]
    terms: Tensors = collections.OrderedDict()
    data, decoded = networks.series[stream], record[stream + "/decoded"]
    terms["reconstruction"] = reconstruction(data, decoded, stream)
    # Sigma itself where a variance belongs, as in the original.
    kl = tf.reduce_sum(0.5 * (tf.exp(s) + tf.square(mu) - s - 1.0)) / networks.batch
    terms["kl"] = config["discrete_kl"] * kl if stream == "discrete" else kl
    # Of samples, not of means, as in the original.
    terms["matching"] = tf.reduce_mean(tf.squared_difference(*z))
    flat = [tf.reshape(transposed(value), [networks.batch, -1]) for value in z]
    terms["contrastive"] = contrastive(networks, *flat)
    if config["conditional"]:
        terms["semantic"] = semantic(networks, z)
    weighted = [config["vae_weights"][name] * value for name, value in terms.items()]
    return totalled(terms, tf.add_n(weighted))


def reconstruction(data: Any, decoded: Any, stream: str) -> Any:
    """Return the mean squared error, of interventions the binary cross-entropy as Keras computes
    it."""
    if stream == "continuous":
        return tf.reduce_mean(tf.squared_difference(data, decoded))
    p = tf.clip_by_value(decoded, CLIP, 1.0 - CLIP)
    return -tf.reduce_mean(data * tf.log(p + CLIP) + (1.0 - data) * tf.log(1.0 - p + CLIP))


def contrastive(networks: Networks, a: Any, b: Any) -> Any:
    """Return NT-Xent of raw products: neither normalised nor divided by a temperature, as in the
    original."""
    mask = MASKED * tf.eye(networks.batch, dtype=a.dtype)
    labels = tf.range(networks.batch)

    def half(own: Any, other: Any) -> Any:
        products = [
            networks.product(own, other, transpose_b=True),
            networks.product(own, own, transpose_b=True) - mask,
        ]
        logits = tf.concat(products, axis=1)
        return tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        )

    return half(a, b) + half(b, a)


def semantic(networks: Networks, z: Any) -> Any:
    """Return the classes' cross-entropy from the latents without the label's channel; tanh of the
    logits, as in the original."""
    latents = tf.concat([value[:, :, :-1] for value in z], axis=2)
    flat = tf.reshape(transposed(latents), [networks.batch, -1])
    hidden = tf.nn.relu(networks.dense("vae/shared/semantic/hidden", flat))
    logits = tf.tanh(networks.dense("vae/shared/semantic/logits", hidden))
    label = tf.cast(networks.label[0, :, 0], tf.int64)
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=label, logits=logits)
    )


def discriminator(networks: Networks, stream: str, noise: Mapping[str, Any]) -> Tensors:
    """Return the terms of one discriminator, with noisy labels; those of discrete fakes are not
    noisy, as in the original."""
    (real, _), (fake, _) = networks.discriminate(stream, ("real", "fake"))
    terms: Tensors = collections.OrderedDict()
    terms["real"] = binary(real, noise["label/real"])
    terms["fake"] = binary(fake, noise.get("label/fake", networks.config["discrete_fake_label"]))
    return totalled(terms, terms["real"] + terms["fake"])


def generator(networks: Networks, stream: str) -> Tensors:
    """Return the terms of one generator. The continuous one matches moments of what the
    discriminator makes of the series, and of means the roots; the discrete one matches moments of
    the series themselves, as in the original.
    """
    weights = networks.config["generator_weights"]
    ((logit, fake),) = networks.discriminate(stream, ("fake",))
    if stream == "continuous":
        real = networks.discriminate(stream, ("real",))[0][1]
    else:
        fake, real = networks.record["generated/discrete/decoded"], networks.series[stream]
    mean, variance = tf.nn.moments(fake, axes=[1])
    real_mean, real_variance = tf.nn.moments(real, axes=[1])
    if stream == "continuous":
        mean, real_mean = tf.sqrt(tf.abs(mean)), tf.sqrt(tf.abs(real_mean))
    terms: Tensors = collections.OrderedDict()
    terms["adversarial"] = binary(logit, 1.0)
    spread = tf.sqrt(variance + 1e-6) - tf.sqrt(real_variance + 1e-6)
    terms["feature_variance"] = tf.reduce_mean(tf.abs(spread))
    terms["feature_mean"] = tf.reduce_mean(tf.abs(mean - real_mean))
    matching = terms["feature_variance"] + terms["feature_mean"]
    return totalled(
        terms,
        weights["adversarial"] * terms["adversarial"] + weights["feature_matching"] * matching,
    )
