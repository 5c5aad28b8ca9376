"""EHR-M-GAN's losses and activations in plain NumPy, written from the specification and sharing no
code with any port.

What the ports must agree with, in float64. `fixes` names oddities of the specification to be "put
right": each gives another model, which the ports must *not* agree with.
"""

from __future__ import annotations

import numpy as np
from ehr_mgan_networks import STREAMS, Networks  # `conftest.py` makes it known

#: Every oddity that the specification keeps, by the name under which it can be put right here.
FIXES = (
    "single sigmoid of the previous output",
    "kl of sigma squared",
    "full discrete kl",
    "matching on mu",
    "normalised contrastive",
    "new state handed over",
    "forget bias in the bilateral cell",
    "no forget bias in the lstm",
    "dropout of the state",
    "e redrawn every hour",
    "l2 added",
    "soft discrete fake label",
    "zero initial states",
    "linked encoder and decoder",
    "continuous moments of the data",
    "mean of the roots",
    "linear semantic logits",
    "no dropout in generation",
    "sample variance in the matching",
)


def binary(logit, label):
    """Return the mean binary cross-entropy of logits."""
    return np.mean(np.maximum(logit, 0.0) - logit * label + np.log1p(np.exp(-np.abs(logit))))


class Oracle(Networks):
    """The networks with the losses of every phase."""

    def __init__(self, config, weights, arrays, noise, fixes=()):
        unknown = set(fixes) - set(FIXES)
        assert not unknown, unknown
        super(Oracle, self).__init__(config, weights, arrays, noise, fixes)

    def vae_losses(self, stream):
        """Return the terms of one stream's VAE loss."""
        config, streams = self.config, {name: self.vae(name) for name in STREAMS}
        decoded, mu, s, _ = streams[stream]
        z = [streams[name][3] for name in STREAMS]
        data = self.arrays[stream]
        if stream == "continuous":
            reconstruction = np.mean(np.square(data - decoded))
        else:
            p = np.clip(decoded, 1e-7, 1.0 - 1e-7)
            # Keras adds its epsilon inside the logarithms as well.
            reconstruction = -np.mean(
                data * np.log(p + 1e-7) + (1.0 - data) * np.log(1.0 - p + 1e-7)
            )
        spread = np.exp(2.0 * s) if "kl of sigma squared" in self.fixes else np.exp(s)
        logarithm = 2.0 * s if "kl of sigma squared" in self.fixes else s
        kl = np.mean(np.sum(0.5 * (spread + np.square(mu) - logarithm - 1.0), axis=(1, 2)))
        if stream == "discrete" and "full discrete kl" not in self.fixes:
            kl = config["discrete_kl"] * kl
        pair = [streams[name][1] for name in STREAMS] if "matching on mu" in self.fixes else z
        terms = {
            "reconstruction": reconstruction,
            "kl": kl,
            "matching": np.mean(np.square(pair[0] - pair[1])),
        }
        terms["contrastive"] = self.contrastive(*[value.reshape(self.batch, -1) for value in z])
        if config["conditional"]:
            terms["semantic"] = self.semantic(z)
        total = sum(config["vae_weights"][name] * value for name, value in terms.items())
        if "l2 added" in self.fixes:
            total += 0.001 * sum(
                0.5 * np.sum(np.square(value))
                for name, value in self.weights.items()
                if name.startswith("vae/")
            )
        return dict(terms, total=total)

    def contrastive(self, a, b):
        """Return NT-Xent without normalisation at temperature 1."""
        if "normalised contrastive" in self.fixes:
            a, b = [value / np.linalg.norm(value, axis=1, keepdims=True) for value in (a, b)]
        mask = 1e9 * np.eye(self.batch)

        def half(one, other):
            logits = np.concatenate([one.dot(other.T), one.dot(one.T) - mask], axis=1)
            top = logits.max(axis=1, keepdims=True)
            logsumexp = top[:, 0] + np.log(np.sum(np.exp(logits - top), axis=1))
            return np.mean(logsumexp - logits[np.arange(self.batch), np.arange(self.batch)])

        return half(a, b) + half(b, a)

    def semantic(self, z):
        """Return the cross-entropy of the classes, from the latents without the label's channel."""
        flat = np.concatenate([value[:, :, :-1] for value in z], axis=2).reshape(self.batch, -1)
        logits = self(
            "vae/shared/semantic/logits", np.maximum(self("vae/shared/semantic/hidden", flat), 0.0)
        )
        if "linear semantic logits" not in self.fixes:
            logits = np.tanh(logits)
        logits = logits - logits.max(axis=1, keepdims=True)
        logarithms = logits - np.log(np.sum(np.exp(logits), axis=1, keepdims=True))
        return -np.mean(logarithms[np.arange(self.batch), self.arrays["label"][:, 0].astype(int)])

    def discriminator_losses(self, stream):
        """Return the terms of one discriminator's loss."""
        fake = self.discriminate(stream, "fake", self.generated(stream))[0]
        real = self.discriminate(stream, "real", self.arrays[stream])[0]
        label = self.noise.get("label/fake", self.config["discrete_fake_label"])
        if "soft discrete fake label" in self.fixes and stream == "discrete":
            label = 0.2
        terms = {"real": binary(real, self.noise["label/real"]), "fake": binary(fake, label)}
        return dict(terms, total=terms["real"] + terms["fake"])

    def generator_losses(self, stream):
        """Return the terms of one generator's loss."""
        weights, made = self.config["generator_weights"], self.generated(stream)
        logit, outputs = self.discriminate(stream, "fake", made)
        if stream == "continuous" and "continuous moments of the data" not in self.fixes:
            fake, real = outputs, self.discriminate(stream, "real", self.arrays[stream])[1]
        else:
            fake, real = made, self.arrays[stream]
        freedom = int("sample variance in the matching" in self.fixes)
        roots = [np.sqrt(value.var(axis=0, ddof=freedom) + 1e-6) for value in (fake, real)]
        spread = np.mean(np.abs(roots[0] - roots[1]))
        centres = [value.mean(axis=0) for value in (fake, real)]
        if stream == "continuous" and "mean of the roots" not in self.fixes:
            centres = [np.sqrt(np.abs(value)) for value in centres]
        terms = {
            "adversarial": binary(logit, 1.0),
            "feature_variance": spread,
            "feature_mean": np.mean(np.abs(centres[0] - centres[1])),
        }
        matching = terms["feature_variance"] + terms["feature_mean"]
        return dict(
            terms,
            total=weights["adversarial"] * terms["adversarial"]
            + weights["feature_matching"] * matching,
        )

    def losses(self, phase):
        """Return the terms of a phase, `total` last."""
        network, stream = phase.split("/")[-2:]
        if network in ("pretrain", "vae"):
            return self.vae_losses(stream)
        return (
            self.generator_losses if network.startswith("generator") else self.discriminator_losses
        )(stream)
