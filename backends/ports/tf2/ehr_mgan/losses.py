"""The losses of EHR-M-GAN; what looks odd is the original's."""

from __future__ import annotations

import collections
from typing import Any, Callable, Dict

import tensorflow as tf

from backends.ports.tf2.ehr_mgan.networks import STREAMS, Networks, transposed
from backends.ports.tf2.ehr_mgan.vae import Vaes

Tensors = Dict[str, Any]
KERAS_EPSILON = 1e-7
#: Added under the root of a variance.
VARIANCE_EPSILON = 1e-6
#: Takes a row's product with itself out of the softmax; beyond float16, so it is added in the
#: master dtype.
SELF = 1e9


def vae(networks: Networks, stream: str, arrays: Tensors, noise: Tensors) -> Tensors:
    """Return the terms of one stream's VAE; both streams run, for they meet in the latent space."""
    config, series = networks.config, Vaes(networks, arrays, noise).run()
    own, z = series[stream], [series[name]["z"] for name in STREAMS]
    if stream == "continuous":
        reconstruction = tf.reduce_mean(tf.square(arrays[stream] - own["decoded"]))
    else:
        # Keras' cross-entropy on probabilities: clipped, and its epsilon once more inside the
        # logarithms.
        p = tf.clip_by_value(own["decoded"], KERAS_EPSILON, 1.0 - KERAS_EPSILON)
        data = arrays[stream]
        reconstruction = -tf.reduce_mean(
            data * tf.math.log(p + KERAS_EPSILON)
            + (1.0 - data) * tf.math.log(1.0 - p + KERAS_EPSILON)
        )
    mu, log_sigma = own["mu"], own["log_sigma"]
    # sigma itself where its square belongs, as in the original.
    divergence = 0.5 * (tf.exp(log_sigma) + tf.square(mu) - log_sigma - 1.0)
    kl = tf.reduce_mean(tf.reduce_sum(divergence, axis=[1, 2]))
    if stream == "discrete":
        kl *= config["discrete_kl"]
    terms: Tensors = collections.OrderedDict()
    terms["reconstruction"] = reconstruction
    terms["kl"] = kl
    terms["matching"] = tf.reduce_mean(tf.square(z[0] - z[1]))
    flat = [tf.reshape(value, [networks.batch, -1]) for value in z]
    terms["contrastive"] = contrastive(networks.recurrence.product, *flat)
    if config["conditional"]:
        terms["semantic"] = semantic(networks, z, arrays["label"])
    terms["total"] = tf.add_n(
        [config["vae_weights"][name] * value for name, value in terms.items()]
    )
    return terms


def contrastive(product: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    """Return NT-Xent of two views; not normalised and at temperature 1, as in the original."""
    rows = a.shape[0]
    mask = SELF * tf.eye(rows, dtype=a.dtype)
    across = product(a, tf.transpose(b))
    total = 0.0
    for own, others in ((a, across), (b, tf.transpose(across))):
        logits = tf.concat([others, product(own, tf.transpose(own)) - mask], axis=1)
        total += tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.range(rows), logits=logits)
        )
    return total


def semantic(networks: Networks, z: Any, label: Any) -> Any:
    """Return the cross-entropy of the classes, from the latents without the label's channel; tanh
    logits, as in the original."""
    flat = tf.reshape(tf.concat([value[:, :, :-1] for value in z], axis=2), [networks.batch, -1])
    hidden = tf.nn.relu(networks.dense("vae/shared/semantic/hidden", flat))
    logits = tf.tanh(networks.dense("vae/shared/semantic/logits", hidden))
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=label[:, 0], logits=logits)
    )


def discriminator(networks: Networks, stream: str, arrays: Tensors, noise: Tensors) -> Tensors:
    """Return the terms of one discriminator, with noisy labels; the discrete stream's fake one is a
    constant."""
    series = collections.OrderedDict(
        [("real", transposed(arrays[stream])), ("fake", networks.generated(stream, arrays, noise))]
    )
    logits = {
        side: logit for side, (_, logit) in networks.discriminate(stream, series, noise).items()
    }
    fake = noise.get("label/fake", networks.config["discrete_fake_label"])
    terms: Tensors = collections.OrderedDict()
    terms["real"] = binary(logits["real"], noise["label/real"])
    terms["fake"] = binary(logits["fake"], fake)
    terms["total"] = terms["real"] + terms["fake"]
    return terms


def generator(networks: Networks, stream: str, arrays: Tensors, noise: Tensors) -> Tensors:
    """Return the terms of one generator: the logit of what it makes, and moments over the batch at
    each hour and channel.

    The continuous stream's moments are those of the discriminator's outputs, and its means enter by
    their roots; the discrete stream's are those of the data, as in the original. sqrt(|mean|) has
    no finite slope at 0.
    """
    weights = networks.config["generator_weights"]
    generated, data = networks.generated(stream, arrays, noise), transposed(arrays[stream])
    outputs, logit = networks.discriminate(stream, {"fake": generated}, noise)["fake"]
    if stream == "continuous":
        # Apart from the fake side: nothing is differentiated through the real one.
        real_outputs, _ = networks.discriminate(stream, {"real": data}, noise)["real"]
        fake, real = outputs[-1], real_outputs[-1]
    else:
        fake, real = generated, data
    moments = [tf.nn.moments(value, axes=[1]) for value in (fake, real)]
    roots = [tf.sqrt(variance + VARIANCE_EPSILON) for _, variance in moments]
    centres = [tf.sqrt(tf.abs(mean)) if stream == "continuous" else mean for mean, _ in moments]
    terms: Tensors = collections.OrderedDict()
    terms["adversarial"] = binary(logit, 1.0)
    terms["feature_variance"] = tf.reduce_mean(tf.abs(roots[0] - roots[1]))
    terms["feature_mean"] = tf.reduce_mean(tf.abs(centres[0] - centres[1]))
    matching = terms["feature_variance"] + terms["feature_mean"]
    terms["total"] = (
        weights["adversarial"] * terms["adversarial"] + weights["feature_matching"] * matching
    )
    return terms


def binary(logit: Any, label: Any) -> Any:
    """Return the mean binary cross-entropy of logits."""
    return tf.reduce_mean(
        tf.nn.sigmoid_cross_entropy_with_logits(labels=label * tf.ones_like(logit), logits=logit)
    )


LOSSES: Dict[str, Callable[..., Tensors]] = {
    "vae": vae,
    "discriminator": discriminator,
    "generator": generator,
}
