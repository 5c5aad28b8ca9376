"""EHR-M-GAN as a TensorFlow 1 graph."""

import tensorflow.compat.v1 as tf

from ehr import sizes
from ehr.sizes import STREAMS


def named(phase, *terms):
    """Return the keys of a phase's losses among what `build` returns."""
    return {term: phase + "/" + term for term in terms}


#: By phase, the terms of its loss.
TERMS = {}
for _kind, _terms in (
    ("vae", ("rebuilt", "kl", "matching", "contrastive", "total")),
    ("critic", ("real", "fake", "total")),
    ("generator", ("fooled", "features", "total")),
):
    for _stream in STREAMS:
        TERMS[_kind + "_" + _stream] = named(_kind + "_" + _stream, *_terms)


def cell(units):
    """An LSTM with a dropped output: in validation and generation too."""
    made = tf.nn.rnn_cell.LSTMCell(units)
    return tf.nn.rnn_cell.DropoutWrapper(made, output_keep_prob=1.0 - sizes.DROP)


def dense(x, units, scope):
    with tf.variable_scope(scope, reuse=tf.AUTO_REUSE):
        return tf.layers.dense(x, units, name="linear")


def start(units, count=3):
    zeros = tf.zeros([sizes.BATCH, units])
    return [tf.nn.rnn_cell.LSTMStateTuple(zeros, zeros) for _ in range(count)]


def climb(cells, x, states, scopes):
    """Run one hour of cells on top of each other; the states are not dropped."""
    after = []
    for step, state, scope in zip(cells, states, scopes):
        with tf.variable_scope(scope, reuse=tf.AUTO_REUSE):
            x, next_state = step(x, state)
        after.append(next_state)
    return x, after


class Vae:
    """The VAE of one stream; what it decodes at one hour enters its encoder at the next."""

    def __init__(self, stream):
        own, shared = "vae_" + stream, "vae_shared"
        self.encoder = [own + "/encoder1", own + "/encoder2", shared + "/encoder3"]
        self.decoder = [shared + "/decoder1", own + "/decoder2", own + "/decoder3"]
        self.output, self.channels = own + "/output", sizes.CHANNELS[stream]
        self.latent = shared
        self.encoder_cells = [cell(sizes.ENCODER) for _ in range(3)]
        self.decoder_cells = [cell(sizes.DECODER) for _ in range(3)]

    def run(self, x):
        noise = tf.random_normal([sizes.BATCH, sizes.LATENT])
        states, decoding = start(sizes.ENCODER), start(sizes.DECODER)
        before, hours = tf.zeros([sizes.BATCH, self.channels]), []
        for now in tf.unstack(x, axis=1):
            seen = tf.concat([now, now - tf.sigmoid(before)], 1)
            h, states = climb(self.encoder_cells, seen, states, self.encoder)
            mu = dense(h, sizes.LATENT, self.latent + "/mu")
            s = dense(h, sizes.LATENT, self.latent + "/sigma")
            z = mu + tf.exp(s) * noise
            before, decoding = self.decode_hour(z, decoding)
            hours.append((before, mu, s, z))
        return [tf.stack(series, 1) for series in zip(*hours)]

    def decode_hour(self, z, states):
        h, states = climb(self.decoder_cells, z, states, self.decoder)
        return tf.sigmoid(dense(h, self.channels, self.output)), states

    def decode(self, z):
        states, hours = start(sizes.DECODER), []
        for now in tf.unstack(z, axis=1):
            made, states = self.decode_hour(now, states)
            hours.append(made)
        return tf.stack(hours, 1)


def hidden(states):
    return [h for h, _ in states]


def bilateral(x, h, c, other, scope):
    """One hour of a cell that also sees the state of its fellow in the other stream."""
    units, normal = sizes.GENERATOR, tf.random_normal_initializer(stddev=0.125)
    with tf.variable_scope(scope, reuse=tf.AUTO_REUSE):
        w, u, v = (
            tf.get_variable(name, [rows, 4 * units], initializer=normal)
            for name, rows in (("W", x.shape[1]), ("U", units), ("V", units))
        )
    gates = tf.matmul(x, w) + tf.matmul(h, u) + tf.matmul(other, v)
    i, f, o, candidate = tf.split(gates, 4, axis=1)
    c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(candidate)
    return tf.sigmoid(o) * tf.tanh(c), c


def latents():
    """Run the coupled generators: each cell reads the other stream's state of an hour ago."""
    noise = {
        name: tf.random_uniform([sizes.BATCH, sizes.HOURS, size])
        for name, size in sizes.NOISE.items()
    }
    zeros = tf.zeros([sizes.BATCH, sizes.GENERATOR])
    states = {name: [(zeros, zeros)] * 3 for name in STREAMS}
    made = {name: [] for name in STREAMS}
    for hour in range(sizes.HOURS):
        before = {name: hidden(states[name]) for name in STREAMS}
        for name, other in zip(STREAMS, reversed(STREAMS)):
            x, after = noise[name][:, hour], []
            for index in range(3):
                scope = f"generator_{name}/cells_{index}"
                h, c = states[name][index]
                x, c = bilateral(x, h, c, before[other][index], scope)
                after.append((x, c))
            states[name] = after
            made[name].append(tf.sigmoid(dense(x, sizes.LATENT, f"generator_{name}/output")))
    return {name: tf.stack(made[name], 1) for name in STREAMS}


class Critic:
    """Three LSTMs that begin at trained states."""

    def __init__(self, stream):
        self.scope = "critic_" + stream
        self.cells = [cell(sizes.CRITIC) for _ in range(3)]

    def run(self, x):
        shape, normal = [1, sizes.CRITIC], tf.random_normal_initializer(stddev=0.02)
        for index, step in enumerate(self.cells):
            with tf.variable_scope(f"{self.scope}/layers_{index}", reuse=tf.AUTO_REUSE):
                c, h = (
                    tf.tile(tf.get_variable(name, shape, initializer=normal), [sizes.BATCH, 1])
                    for name in "ch"
                )
                state = tf.nn.rnn_cell.LSTMStateTuple(c, h)
                x, _ = tf.nn.dynamic_rnn(step, x, initial_state=state)
        return dense(tf.reshape(x, [sizes.BATCH, -1]), 1, self.scope + "/logit"), x


def bce(logit, label):
    labels = tf.zeros_like(logit) + label
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logit))


def contrastive(own, other):
    across = tf.matmul(own, other, transpose_b=True)
    mask = 1e9 * tf.eye(sizes.BATCH)
    logits = tf.concat([across, tf.matmul(own, own, transpose_b=True) - mask], 1)
    labels = tf.range(sizes.BATCH)
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    )


def vae_loss(stream, runs, x):
    decoded, mu, s, z = runs[stream]
    other = runs[STREAMS[1 - STREAMS.index(stream)]][3]
    # Sigma itself stands where a variance belongs, as in the original.
    kl = 0.5 * tf.reduce_sum(tf.exp(s) + mu**2 - s - 1.0) / sizes.BATCH
    if stream == "continuous":
        rebuilt = tf.reduce_mean((decoded - x) ** 2)
    else:
        p = tf.clip_by_value(decoded, sizes.CLIP, 1.0 - sizes.CLIP)
        rebuilt = -tf.reduce_mean(
            x * tf.log(p + sizes.CLIP) + (1.0 - x) * tf.log(1.0 - p + sizes.CLIP)
        )
        kl = sizes.DISCRETE_KL * kl
    matching = tf.reduce_mean((z - other) ** 2)
    flat = [tf.reshape(value, [sizes.BATCH, -1]) for value in (z, other)]
    contrast = contrastive(*flat) + contrastive(*reversed(flat))
    total = rebuilt + sizes.KL * kl + sizes.MATCHING * matching + sizes.CONTRASTIVE * contrast
    return rebuilt, kl, matching, contrast, total


def critic_loss(stream, real, fake):
    bounds = sizes.LABELS[stream]
    on_real = bce(real, tf.random_uniform([sizes.BATCH, 1], *bounds["real"]))
    label = sizes.DISCRETE_FAKE
    if bounds["fake"]:
        label = tf.random_uniform([sizes.BATCH, 1], *bounds["fake"])
    on_fake = bce(fake, label)
    return on_real, on_fake, on_real + on_fake


def generator_loss(stream, logit, fake, real):
    (a, spread_a), (b, spread_b) = (tf.nn.moments(value, [0]) for value in (fake, real))
    if stream == "continuous":
        a, b = tf.sqrt(tf.abs(a)), tf.sqrt(tf.abs(b))
    spread = tf.sqrt(spread_a + sizes.SMALL) - tf.sqrt(spread_b + sizes.SMALL)
    features = tf.reduce_mean(tf.abs(a - b)) + tf.reduce_mean(tf.abs(spread))
    fooled = bce(logit, 1.0)
    return fooled, features, fooled + sizes.FEATURES * features


def update(loss, rate, *scopes):
    adam = tf.train.AdamOptimizer(rate, sizes.BETA1, sizes.BETA2, sizes.EPSILON)
    variables = []
    for scope in scopes:
        variables += tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope + "/")
    return adam.minimize(loss, var_list=variables)


def build():
    """Return what one looks at, and the losses and the update of each phase, by name."""
    shape = [sizes.BATCH, sizes.HOURS]
    data = {
        name: tf.placeholder(tf.float32, shape + [size], name)
        for name, size in sizes.CHANNELS.items()
    }
    vaes = {name: Vae(name) for name in STREAMS}
    runs = {name: vaes[name].run(data[name]) for name in STREAMS}
    drawn = latents()
    made = {name: vaes[name].decode(drawn[name]) for name in STREAMS}
    shown = [runs[name][0] for name in STREAMS] + [made[name] for name in STREAMS]
    losses = {}
    for name in STREAMS:
        critic = Critic(name)
        (on_real, real), (on_fake, fake) = critic.run(data[name]), critic.run(made[name])
        shown += [on_real, on_fake]
        losses["vae_" + name] = vae_loss(name, runs, data[name])
        losses["critic_" + name] = critic_loss(name, on_real, on_fake)
        if name == "discrete":
            real, fake = data[name], made[name]
        losses["generator_" + name] = generator_loss(name, on_fake, fake, real)
    parts = {"shown": tf.concat([tf.reshape(item, [sizes.BATCH, -1]) for item in shown], 1)}
    for phase, terms in losses.items():
        parts.update(zip(TERMS[phase].values(), terms))
        is_vae = phase.startswith("vae")
        scopes = [phase, "vae_shared"] if is_vae else [phase]
        rate = sizes.VAE_RATE if is_vae else sizes.GAN_RATE
        parts[phase + "/update"] = update(terms[-1], rate, *scopes)
    return parts
