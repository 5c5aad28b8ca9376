"""EHR-M-GAN's losses and activations in plain NumPy, written from the specification and sharing no
code with any port.

What the ports must agree with, in float64. `fixes` names oddities of the specification to be "put
right": each gives another model, which the ports must *not* agree with.
"""

from __future__ import annotations

import numpy as np

STREAMS = ("continuous", "discrete")
LAYERS = 3
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


def sigmoid(x):
    """Return the logistic function without overflow."""
    return np.where(
        x >= 0, 1.0 / (1.0 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1.0 + np.exp(-np.abs(x)))
    )


class Oracle(object):
    """The model with given weights on one batch."""

    def __init__(self, config, weights, arrays, noise, fixes=()):
        unknown = set(fixes) - set(FIXES)
        assert not unknown, unknown
        self.config, self.weights, self.arrays, self.noise, self.fixes = (
            config,
            weights,
            arrays,
            noise,
            set(fixes),
        )
        self.batch = len(next(iter(noise.values())))
        self.record = {}

    def __call__(self, name, x):
        """Return x times the kernel plus the bias of a dense layer."""
        return x.dot(self.weights[name + "/kernel"]) + self.weights[name + "/bias"]

    def lstm(self, name, x, state):
        """Return the output and the new (c, h) of TF1's LSTMCell: gates i, j, f, o, 1 added to
        the forget gate."""
        c, h = state
        i, j, f, o = np.split(self(name, np.concatenate([x, h], axis=1)), 4, axis=1)
        forget = 0.0 if "no forget bias in the lstm" in self.fixes else 1.0
        c = sigmoid(f + forget) * c + sigmoid(i) * np.tanh(j)
        h = sigmoid(o) * np.tanh(c)
        return h, (c, h)

    def zero(self, units):
        return np.zeros((self.batch, units)), np.zeros((self.batch, units))

    def dropped(self, site, hour, value, state):
        """Return the output and the state after dropout of the output alone."""
        out = value * self.noise[site][:, hour] / self.config["keep"]
        if "dropout of the state" in self.fixes:
            state = (state[0], out)
        return out, state

    def stack(self, names, sites, x, states, hour):
        """Run one hour through LSTM layers with dropout; return the outputs of all layers and
        the new states."""
        outputs = []
        for index, (name, site) in enumerate(zip(names, sites)):
            x, states[index] = self.lstm(name, x, states[index])
            x, states[index] = self.dropped(site, hour, x, states[index])
            outputs.append(x)
        return outputs

    def encoder_names(self, stream):
        return [
            "vae/%s/encoder/layer1" % stream,
            "vae/%s/encoder/layer2" % stream,
            "vae/shared/encoder/layer3",
        ]

    def decoder_names(self, stream):
        return [
            "vae/shared/decoder/layer1",
            "vae/%s/decoder/layer2" % stream,
            "vae/%s/decoder/layer3" % stream,
        ]

    def label(self):
        return [self.arrays["label"].astype(float)] if self.config["conditional"] else []

    def vae(self, stream):
        """Return decoded, mu, s, z of one stream, each [batch, hours, ...]."""
        config, data = self.config, self.arrays[stream]
        encoder = [self.zero(config["encoder_units"]) for _ in range(LAYERS)]
        decoder = [self.zero(config["decoder_units"]) for _ in range(LAYERS)]
        e = self.noise["e/" + stream]
        previous = np.zeros((self.batch, data.shape[2]))
        names = ["encoder/layer%d" % layer for layer in (1, 2, 3)] + ["mu", "log_sigma", "z"]
        names += ["decoder/layer%d" % layer for layer in (1, 2, 3)] + ["decoded"]
        series = {name: [] for name in names}
        for hour in range(config["hours"]):
            x = data[:, hour]
            hat = x - (
                previous
                if "single sigmoid of the previous output" in self.fixes and hour
                else sigmoid(previous)
            )
            given = np.concatenate([x] + self.label() + [hat], axis=1)
            if "linked encoder and decoder" in self.fixes:
                encoder = [(c, h + decoder[0][1].mean()) for c, h in encoder]
            sites = ["encoder/%s/layer%d" % (stream, layer) for layer in (1, 2, 3)]
            outputs = self.stack(self.encoder_names(stream), sites, given, encoder, hour)
            mu, s = self("vae/shared/mu", outputs[-1]), self("vae/shared/sigma", outputs[-1])
            now = np.roll(e, hour, axis=0) if "e redrawn every hour" in self.fixes else e
            z = np.concatenate([mu + np.exp(s) * now] + self.label(), axis=1)
            sites = ["decoder/%s/layer%d" % (stream, layer) for layer in (1, 2, 3)]
            decoded = self.stack(self.decoder_names(stream), sites, z, decoder, hour)
            previous = sigmoid(self("vae/%s/output" % stream, decoded[-1]))
            for name, value in zip(names, outputs + [mu, s, z] + decoded + [previous]):
                series[name].append(value)
        found = {name: np.stack(values, axis=1) for name, values in series.items()}
        self.record.update({"%s/%s" % (stream, name): found[name] for name in names})
        return found["decoded"], found["mu"], found["log_sigma"], found["z"]

    def bilateral(self, name, x, state, other):
        """Return the new (c, h): other is the same layer's h in the other stream, one hour ago."""
        c, h = state
        weights = [self.weights["%s/%s" % (name, matrix)] for matrix in "WUV"]
        i, f, o, candidate = np.split(
            x.dot(weights[0]) + h.dot(weights[1]) + other.dot(weights[2]), 4, axis=1
        )
        if "forget bias in the bilateral cell" in self.fixes:
            f = f + 1.0
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(candidate)
        return c, sigmoid(o) * np.tanh(c)

    def latents(self):
        """Return the generated latents by stream, [batch, hours, latent]."""
        units = self.config["generator_units"]
        states = {stream: [self.zero(units) for _ in range(LAYERS)] for stream in STREAMS}
        outputs = {stream: [[] for _ in range(LAYERS)] for stream in STREAMS}
        for hour in range(self.config["hours"]):
            before = {stream: list(states[stream]) for stream in STREAMS}
            for stream, other in (("discrete", "continuous"), ("continuous", "discrete")):
                theirs = states if "new state handed over" in self.fixes else before
                x = np.concatenate(
                    [self.noise["generator/" + stream][:, hour]] + self.label(), axis=1
                )
                for layer in range(LAYERS):
                    name = "generator/%s/layer%d" % (stream, layer + 1)
                    new = self.bilateral(name, x, before[stream][layer], theirs[other][layer][1])
                    states[stream][layer], x = new, new[1]
                    outputs[stream][layer].append(x)
        found = {}
        for layer in range(LAYERS):
            for stream in reversed(STREAMS):
                self.record["generator/%s/layer%d" % (stream, layer + 1)] = np.stack(
                    outputs[stream][layer], axis=1
                )
        for stream in reversed(STREAMS):
            top = np.stack(outputs[stream][-1], axis=1)
            found[stream] = sigmoid(self("generator/%s/output" % stream, top))
            self.record["generator/%s/latent" % stream] = found[stream]
        return found

    def decode(self, stream, latent):
        """Return the decoded series of generated latents; the decoder starts from zero states."""
        states = [self.zero(self.config["decoder_units"]) for _ in range(LAYERS)]
        series = [[] for _ in range(LAYERS + 1)]
        for hour in range(self.config["hours"]):
            z = np.concatenate([latent[:, hour]] + self.label(), axis=1)
            outputs = self.stack(
                self.decoder_names(stream),
                ["generated/%s/layer%d" % (stream, layer) for layer in (1, 2, 3)],
                z,
                states,
                hour,
            )
            for values, value in zip(
                series, outputs + [sigmoid(self("vae/%s/output" % stream, outputs[-1]))]
            ):
                values.append(value)
        for index, values in enumerate(series):
            name = "layer%d" % (index + 1) if index < LAYERS else "decoded"
            self.record["generated/%s/%s" % (stream, name)] = np.stack(values, axis=1)
        return np.stack(series[-1], axis=1)

    def generated(self, stream):
        if "no dropout in generation" in self.fixes:
            full = {
                site: np.full(value.shape, self.config["keep"])
                for site, value in self.noise.items()
                if "generated/" in site
            }
            self.noise = dict(self.noise, **full)
        return self.decode(stream, self.latents()[stream])

    def discriminate(self, stream, side, series):
        """Return the logit [batch, 1] and the dropped outputs of the last layer [batch, hours,
        units]."""
        x = [series[:, hour] for hour in range(self.config["hours"])]
        for layer in range(1, LAYERS + 1):
            name = "discriminator/%s/layer%d" % (stream, layer)
            state = tuple(
                np.repeat(self.weights["%s/initial_%s" % (name, part)], self.batch, axis=0)
                for part in "ch"
            )
            if "zero initial states" in self.fixes:
                state = self.zero(self.config["discriminator_units"])
            out = []
            for hour, value in enumerate(x):
                h, state = self.lstm(name, value, state)
                h, state = self.dropped("%s/%s/layer%d" % (side, stream, layer), hour, h, state)
                out.append(h)
            x = out
            self.record["discriminator/%s/%s/layer%d" % (stream, side, layer)] = np.stack(x, axis=1)
        outputs = np.stack(x, axis=1)
        logit = self("discriminator/%s/logit" % stream, outputs.reshape(self.batch, -1))
        self.record["discriminator/%s/%s/logit" % (stream, side)] = logit
        return logit, outputs

    # -- losses ------------------------------------------------------------------------------------

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

    def forward(self):
        """Return every activation of the forward stage in order, on the noise of the
        pseudo-phase `forward`."""
        for stream in STREAMS:
            self.vae(stream)
        latents = self.latents()
        made = {stream: self.decode(stream, latents[stream]) for stream in STREAMS}
        for stream in STREAMS:
            self.discriminate(stream, "real", self.arrays[stream])
            self.discriminate(stream, "fake", made[stream])
        return self.record

    def generate(self):
        """Return what `generate` promises for one batch, on the noise of the pseudo-phase
        `generate`."""
        minimum, scale = [np.array(self.config[name]) for name in ("minimum", "range")]
        return np.concatenate(
            [self.generated("continuous") * scale + minimum, np.rint(self.generated("discrete"))],
            axis=2,
        )


def binary(logit, label):
    """Return the mean binary cross-entropy of logits."""
    return np.mean(np.maximum(logit, 0.0) - logit * label + np.log1p(np.exp(-np.abs(logit))))
