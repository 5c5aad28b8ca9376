"""EHR-M-GAN's networks in plain NumPy, written from the specification and sharing no code with any
port: the oracle (`ehr_mgan_oracle.py`) adds the losses, and says which `fixes` there are."""

from __future__ import annotations

import numpy as np

STREAMS = ("continuous", "discrete")
LAYERS = 3


def sigmoid(x):
    """Return the logistic function without overflow."""
    return np.where(
        x >= 0, 1.0 / (1.0 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1.0 + np.exp(-np.abs(x)))
    )


class Networks:
    """The model with given weights on one batch."""

    def __init__(self, config, weights, arrays, noise, fixes=()):
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
