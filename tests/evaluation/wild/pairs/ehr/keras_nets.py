"""EHR-M-GAN in Keras."""

import keras
import tensorflow as tf
from keras import layers

from ehr import sizes
from ehr.sizes import STREAMS


def dropped(x):
    """Drop out as the original does: in validation and generation too."""
    return tf.nn.dropout(x, sizes.DROP)


def bce(logit, label):
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(label, logit))


class Shared(keras.Model):
    """What both VAEs have in common."""

    def __init__(self):
        super().__init__(name="shared")
        self.encoder3 = layers.LSTMCell(sizes.ENCODER, name="encoder3")
        self.mu = layers.Dense(sizes.LATENT, name="mu")
        self.sigma = layers.Dense(sizes.LATENT, name="sigma")
        self.decoder1 = layers.LSTMCell(sizes.DECODER, name="decoder1")


class Vae(keras.Model):
    """The VAE of one stream; what it decodes at one hour enters its encoder at the next."""

    def __init__(self, channels, shared):
        super().__init__()
        self.encoder1 = layers.LSTMCell(sizes.ENCODER, name="encoder1")
        self.encoder2 = layers.LSTMCell(sizes.ENCODER, name="encoder2")
        self.shared = shared
        self.decoder2 = layers.LSTMCell(sizes.DECODER, name="decoder2")
        self.decoder3 = layers.LSTMCell(sizes.DECODER, name="decoder3")
        self.logits = layers.Dense(channels, name="logits")

    def call(self, x):
        noise = tf.random.normal([x.shape[0], sizes.LATENT], dtype=x.dtype)
        encoder = [self.encoder1, self.encoder2, self.shared.encoder3]
        states, decoding = start(x, 3, sizes.ENCODER), start(x, 3, sizes.DECODER)
        before, hours = tf.zeros_like(x[:, 0]), []
        for now in tf.unstack(x, axis=1):
            seen = tf.concat([now, now - tf.sigmoid(before)], 1)
            h, states = climb(encoder, seen, states)
            mu, s = self.shared.mu(h), self.shared.sigma(h)
            z = mu + tf.exp(s) * noise
            before, decoding = self.decode_hour(z, decoding)
            hours.append((before, mu, s, z))
        return [tf.stack(series, 1) for series in zip(*hours)]

    def decode_hour(self, z, states):
        h, states = climb([self.shared.decoder1, self.decoder2, self.decoder3], z, states)
        return tf.sigmoid(self.logits(h)), states

    def decode(self, z):
        states, hours = start(z, 3, sizes.DECODER), []
        for now in tf.unstack(z, axis=1):
            made, states = self.decode_hour(now, states)
            hours.append(made)
        return tf.stack(hours, 1)


def start(x, count, units):
    zeros = tf.zeros([x.shape[0], units], x.dtype)
    return [[zeros, zeros] for _ in range(count)]


def climb(cells, x, states):
    """Run one hour of cells on top of each other; the states are not dropped."""
    after = []
    for cell, state in zip(cells, states):
        h, next_state = cell(x, state)
        after.append(next_state)
        x = dropped(h)
    return x, after


def hidden(states):
    return [h for h, _ in states]


class Bilateral(layers.Layer):
    """A cell that also sees the state of its fellow in the other stream."""

    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = units

    def build(self, shape):
        normal = keras.initializers.RandomNormal(stddev=0.125)
        for name, rows in (("W", shape[-1]), ("U", self.units), ("V", self.units)):
            matrix = self.add_weight(
                shape=(rows, 4 * self.units), initializer=normal, name="matrix_" + name.lower()
            )
            setattr(self, name, matrix)

    def call(self, x, h, c, other):
        gates = tf.matmul(x, self.W) + tf.matmul(h, self.U) + tf.matmul(other, self.V)
        i, f, o, candidate = tf.split(gates, 4, axis=1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(candidate)
        return tf.sigmoid(o) * tf.tanh(c), c


class Generator(keras.Model):
    """Half of the coupled generators: one stream's."""

    def __init__(self):
        super().__init__()
        self.cells = [Bilateral(sizes.GENERATOR, name=f"cells_{index}") for index in range(3)]
        self.latent = layers.Dense(sizes.LATENT, name="latent")


class Critic(keras.Model):
    """Three LSTMs that begin at trained states."""

    def __init__(self):
        super().__init__()
        units, normal = sizes.CRITIC, keras.initializers.RandomNormal(stddev=0.02)
        self.lstms = [
            layers.LSTM(units, return_sequences=True, name=f"layers_{index}") for index in range(3)
        ]
        self.h, self.c = [], []
        for index in range(3):
            self.h.append(self.add_weight(shape=(1, units), initializer=normal, name=f"h_{index}"))
            self.c.append(self.add_weight(shape=(1, units), initializer=normal, name=f"c_{index}"))
        self.logit = layers.Dense(1, name="logit")

    def call(self, x):
        for lstm, h, c in zip(self.lstms, self.h, self.c):
            state = [tf.tile(item, [x.shape[0], 1]) for item in (h, c)]
            x = dropped(lstm(x, initial_state=state))
        return self.logit(tf.reshape(x, [x.shape[0], -1])), x


class EhrMGan:
    """The networks, their optimizers, and a step for each."""

    def __init__(self):
        shared = Shared()
        self.vae = {name: Vae(size, shared) for name, size in sizes.CHANNELS.items()}
        self.generator = {name: Generator() for name in STREAMS}
        self.critic = {name: Critic() for name in STREAMS}
        self.models, self.optimizers, self.steps = {}, {}, {}
        self.forward(
            {
                name: tf.zeros([1, sizes.HOURS, size], keras.config.floatx())
                for name, size in sizes.CHANNELS.items()
            }
        )
        rates = {"vae": sizes.VAE_RATE, "critic": sizes.GAN_RATE, "generator": sizes.GAN_RATE}
        for kind, rate in rates.items():
            for stream in STREAMS:
                name = kind + "_" + stream
                self.models[name] = getattr(self, kind)[stream]
                self.optimizers[name] = keras.optimizers.Adam(
                    rate, sizes.BETA1, sizes.BETA2, sizes.EPSILON
                )
                self.steps[name] = self.step(kind, stream)

    def step(self, kind, stream):
        name = kind + "_" + stream
        losses = getattr(self, kind + "_losses")

        @tf.function
        def run(batch):
            with tf.GradientTape() as tape:
                terms = losses(stream, batch)
            weights = self.models[name].trainable_variables
            gradients = tape.gradient(terms["total"], weights)
            self.optimizers[name].apply_gradients(zip(gradients, weights))
            return terms

        return run

    # -- what is computed --------------------------------------------------------------------------

    def latents(self, rows):
        """Run the coupled generators: each cell reads the other stream's state of an hour ago."""
        noise = {
            name: tf.random.uniform([rows, sizes.HOURS, size], dtype=keras.config.floatx())
            for name, size in sizes.NOISE.items()
        }
        states = {name: start(noise[name], 3, sizes.GENERATOR) for name in STREAMS}
        made = {name: [] for name in STREAMS}
        for hour in range(sizes.HOURS):
            before = {name: hidden(states[name]) for name in STREAMS}
            for name, other in zip(STREAMS, reversed(STREAMS)):
                x, after = noise[name][:, hour], []
                for index, cell in enumerate(self.generator[name].cells):
                    x, c = cell(x, *states[name][index], before[other][index])
                    after.append((x, c))
                states[name] = after
                made[name].append(tf.sigmoid(self.generator[name].latent(x)))
        return {name: tf.stack(made[name], 1) for name in STREAMS}

    def generated(self, stream, batch):
        return self.vae[stream].decode(self.latents(batch[stream].shape[0])[stream])

    def forward(self, batch, training=False):
        """Return all that one looks at: rebuilt and made series, and what the critics say."""
        shown = [self.vae[name](batch[name])[0] for name in STREAMS]
        rows = shown[0].shape[0]
        latents = self.latents(rows)
        made = {name: self.vae[name].decode(latents[name]) for name in STREAMS}
        shown += made.values()
        for name in STREAMS:
            shown += [self.critic[name](x)[0] for x in (batch[name], made[name])]
        return tf.concat([tf.reshape(item, [rows, -1]) for item in shown], 1)

    # -- losses ------------------------------------------------------------------------------------

    def vae_losses(self, stream, batch):
        runs = {name: self.vae[name](batch[name]) for name in STREAMS}
        decoded, mu, s, z = runs[stream]
        other = runs[STREAMS[1 - STREAMS.index(stream)]][3]
        # Sigma itself stands where a variance belongs, as in the original.
        kl = 0.5 * tf.reduce_sum(tf.exp(s) + mu**2 - s - 1.0) / mu.shape[0]
        if stream == "continuous":
            rebuilt = tf.reduce_mean((decoded - batch[stream]) ** 2)
        else:
            p, x = tf.clip_by_value(decoded, sizes.CLIP, 1.0 - sizes.CLIP), batch[stream]
            rebuilt = -tf.reduce_mean(
                x * tf.math.log(p + sizes.CLIP) + (1.0 - x) * tf.math.log(1.0 - p + sizes.CLIP)
            )
            kl = sizes.DISCRETE_KL * kl
        matching = tf.reduce_mean((z - other) ** 2)
        flat = [tf.reshape(value, [value.shape[0], -1]) for value in (z, other)]
        contrast = contrastive(*flat) + contrastive(*reversed(flat))
        total = rebuilt + sizes.KL * kl + sizes.MATCHING * matching + sizes.CONTRASTIVE * contrast
        return {
            "rebuilt": rebuilt,
            "kl": kl,
            "matching": matching,
            "contrastive": contrast,
            "total": total,
        }

    def critic_losses(self, stream, batch):
        made = self.generated(stream, batch)
        real, fake = (self.critic[stream](x)[0] for x in (batch[stream], made))
        bounds = sizes.LABELS[stream]
        terms = {"real": bce(real, tf.random.uniform(real.shape, *bounds["real"], real.dtype))}
        if bounds["fake"]:
            label = tf.random.uniform(fake.shape, *bounds["fake"], fake.dtype)
        else:
            label = sizes.DISCRETE_FAKE * tf.ones_like(fake)
        terms["fake"] = bce(fake, label)
        return dict(terms, total=terms["real"] + terms["fake"])

    def generator_losses(self, stream, batch):
        made, real = self.generated(stream, batch), batch[stream]
        fake = made
        if stream == "continuous":
            real = self.critic[stream](real)[1]
            logit, fake = self.critic[stream](made)
        else:
            logit = self.critic[stream](made)[0]
        fooled = bce(logit, tf.ones_like(logit))
        (a, spread_a), (b, spread_b) = (tf.nn.moments(value, [0]) for value in (fake, real))
        if stream == "continuous":
            a, b = tf.sqrt(tf.abs(a)), tf.sqrt(tf.abs(b))
        spread = tf.sqrt(spread_a + sizes.SMALL) - tf.sqrt(spread_b + sizes.SMALL)
        features = tf.reduce_mean(tf.abs(a - b)) + tf.reduce_mean(tf.abs(spread))
        total = fooled + sizes.FEATURES * features
        return {"fooled": fooled, "features": features, "total": total}


def contrastive(own, other):
    mask = 1e9 * tf.eye(own.shape[0], dtype=own.dtype)
    across = tf.matmul(own, other, transpose_b=True)
    logits = tf.concat([across, tf.matmul(own, own, transpose_b=True) - mask], 1)
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(tf.range(own.shape[0]), logits)
    )
