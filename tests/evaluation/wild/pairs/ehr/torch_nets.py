"""EHR-M-GAN in PyTorch."""

import torch
from torch import nn
from torch.nn import functional

from ehr import sizes
from ehr.sizes import STREAMS

bce = functional.binary_cross_entropy_with_logits


class TfAdam(torch.optim.Adam):
    """Adam with TensorFlow's epsilon: beside the root of v, before the bias is corrected."""

    def step(self, closure=None):
        for group in self.param_groups:
            done = max([int(state["step"]) for state in self.state.values()], default=0)
            group["eps"] = sizes.EPSILON / (1 - group["betas"][1] ** (done + 1)) ** 0.5
        return super().step(closure)


def dropped(x):
    """Drop out as the original does: in validation and generation too."""
    return functional.dropout(x, sizes.DROP, training=True)


def lstm(kind, inputs, units, **options):
    """TensorFlow has one bias where torch has two, and a forget gate that begins open."""
    made = kind(inputs, units, **options)
    for name, bias in made.named_parameters():
        if "bias" in name:
            nn.init.zeros_(bias)
        if "bias_hh" in name:
            bias.requires_grad_(False)
        elif "bias_ih" in name:
            bias.data[units : 2 * units] = 1.0
    return made


def cell(inputs, units):
    return lstm(nn.LSTMCell, inputs, units)


class Shared(nn.Module):
    """What both VAEs have in common."""

    def __init__(self):
        super().__init__()
        self.encoder3 = cell(sizes.ENCODER, sizes.ENCODER)
        self.mu = nn.Linear(sizes.ENCODER, sizes.LATENT)
        self.sigma = nn.Linear(sizes.ENCODER, sizes.LATENT)
        self.decoder1 = cell(sizes.LATENT, sizes.DECODER)


class Vae(nn.Module):
    """The VAE of one stream; what it decodes at one hour enters its encoder at the next."""

    def __init__(self, channels, shared):
        super().__init__()
        self.encoder1 = cell(2 * channels, sizes.ENCODER)
        self.encoder2 = cell(sizes.ENCODER, sizes.ENCODER)
        self.shared = shared
        self.decoder2 = cell(sizes.DECODER, sizes.DECODER)
        self.decoder3 = cell(sizes.DECODER, sizes.DECODER)
        self.output = nn.Linear(sizes.DECODER, channels)

    def own(self):
        shared = {id(parameter) for parameter in self.shared.parameters()}
        return [item for item in self.parameters() if id(item) not in shared]

    def forward(self, x):
        noise = torch.randn(len(x), sizes.LATENT)
        encoder = [self.encoder1, self.encoder2, self.shared.encoder3]
        states, decoding = start(x, 3, sizes.ENCODER), start(x, 3, sizes.DECODER)
        before, hours = torch.zeros_like(x[:, 0]), []
        for now in x.unbind(1):
            seen = torch.cat([now, now - torch.sigmoid(before)], 1)
            h, states = climb(encoder, seen, states)
            mu, s = self.shared.mu(h), self.shared.sigma(h)
            z = mu + torch.exp(s) * noise
            before, decoding = self.decode_hour(z, decoding)
            hours.append((before, mu, s, z))
        return [torch.stack(series, 1) for series in zip(*hours)]

    def decode_hour(self, z, states):
        h, states = climb([self.shared.decoder1, self.decoder2, self.decoder3], z, states)
        return torch.sigmoid(self.output(h)), states

    def decode(self, z):
        states, hours = start(z, 3, sizes.DECODER), []
        for now in z.unbind(1):
            made, states = self.decode_hour(now, states)
            hours.append(made)
        return torch.stack(hours, 1)


def start(x, layers, units):
    return [(x.new_zeros(len(x), units), x.new_zeros(len(x), units)) for _ in range(layers)]


def climb(cells, x, states):
    """Run one hour of cells on top of each other; the states are not dropped."""
    after = []
    for step, state in zip(cells, states):
        h, c = step(x, state)
        after.append((h, c))
        x = dropped(h)
    return x, after


def hidden(states):
    return [h for h, _ in states]


class Bilateral(nn.Module):
    """A cell that also sees the state of its fellow in the other stream."""

    def __init__(self, inputs, units):
        super().__init__()
        self.W = nn.Linear(inputs, 4 * units, bias=False)
        self.U = nn.Linear(units, 4 * units, bias=False)
        self.V = nn.Linear(units, 4 * units, bias=False)
        for part in (self.W, self.U, self.V):
            nn.init.normal_(part.weight, std=0.125)

    def forward(self, x, h, c, other):
        gates = self.W(x) + self.U(h) + self.V(other)
        i, f, o, candidate = gates.chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(candidate)
        return torch.sigmoid(o) * torch.tanh(c), c


class Generator(nn.Module):
    """Half of the coupled generators: one stream's."""

    def __init__(self, inputs):
        super().__init__()
        widths = [inputs, sizes.GENERATOR, sizes.GENERATOR]
        self.cells = nn.ModuleList([Bilateral(width, sizes.GENERATOR) for width in widths])
        self.output = nn.Linear(sizes.GENERATOR, sizes.LATENT)


class Critic(nn.Module):
    """Three LSTMs that begin at trained states."""

    def __init__(self, channels):
        super().__init__()
        units, widths = sizes.CRITIC, [channels, sizes.CRITIC, sizes.CRITIC]
        self.layers = nn.ModuleList(
            [lstm(nn.LSTM, width, units, batch_first=True) for width in widths]
        )
        self.h = nn.ParameterList([nn.Parameter(0.02 * torch.randn(1, units)) for _ in widths])
        self.c = nn.ParameterList([nn.Parameter(0.02 * torch.randn(1, units)) for _ in widths])
        self.logit = nn.Linear(sizes.HOURS * units, 1)

    def forward(self, x):
        for layer, h, c in zip(self.layers, self.h, self.c):
            state = tuple(item.expand(1, len(x), -1).contiguous() for item in (h, c))
            x = dropped(layer(x, state)[0])
        return self.logit(x.flatten(1)), x


class EhrMGan:
    """The networks, their optimizers, and a step for each."""

    def __init__(self, adam):
        shared = Shared()
        self.vae = {name: Vae(size, shared) for name, size in sizes.CHANNELS.items()}
        self.generator = {name: Generator(size) for name, size in sizes.NOISE.items()}
        self.critic = {name: Critic(size) for name, size in sizes.CHANNELS.items()}
        self.models, self.optimizers, self.steps = {}, {}, {}
        rates = {"vae": sizes.VAE_RATE, "critic": sizes.GAN_RATE, "generator": sizes.GAN_RATE}
        for kind, rate in rates.items():
            for stream in STREAMS:
                name = kind + "_" + stream
                self.models[name] = model = getattr(self, kind)[stream]
                trained = [item for item in model.parameters() if item.requires_grad]
                self.optimizers[name] = adam(
                    trained, rate, betas=(sizes.BETA1, sizes.BETA2), eps=sizes.EPSILON
                )
                self.steps[name] = self.step(kind, stream)

    def step(self, kind, stream):
        optimizer = self.optimizers[kind + "_" + stream]
        losses = getattr(self, kind + "_losses")

        def run(batch):
            optimizer.zero_grad()
            terms = losses(stream, batch)
            terms["total"].backward()
            optimizer.step()
            return terms

        return run

    # -- what is computed --------------------------------------------------------------------------

    def latents(self, rows):
        """Run the coupled generators: each cell reads the other stream's state of an hour ago."""
        noise = {name: torch.rand(rows, sizes.HOURS, size) for name, size in sizes.NOISE.items()}
        states = {name: start(noise[name], 3, sizes.GENERATOR) for name in STREAMS}
        made = {name: [] for name in STREAMS}
        for hour in range(sizes.HOURS):
            before = {name: hidden(states[name]) for name in STREAMS}
            for name, other in zip(STREAMS, reversed(STREAMS)):
                x, after = noise[name][:, hour], []
                for index, step in enumerate(self.generator[name].cells):
                    x, c = step(x, *states[name][index], before[other][index])
                    after.append((x, c))
                states[name] = after
                made[name].append(torch.sigmoid(self.generator[name].output(x)))
        return {name: torch.stack(made[name], 1) for name in STREAMS}

    def generated(self, stream, batch):
        return self.vae[stream].decode(self.latents(len(batch[stream]))[stream])

    def forward(self, batch):
        """Return all that one looks at: rebuilt and made series, and what the critics say."""
        shown = [self.vae[name](batch[name])[0] for name in STREAMS]
        latents = self.latents(len(shown[0]))
        made = {name: self.vae[name].decode(latents[name]) for name in STREAMS}
        shown += made.values()
        for name in STREAMS:
            shown += [self.critic[name](x)[0] for x in (batch[name], made[name])]
        return torch.cat([item.flatten(1) for item in shown], 1)

    # -- losses ------------------------------------------------------------------------------------

    def vae_losses(self, stream, batch):
        runs = {name: self.vae[name](batch[name]) for name in STREAMS}
        decoded, mu, s, z = runs[stream]
        other = runs[STREAMS[1 - STREAMS.index(stream)]][3]
        # Sigma itself stands where a variance belongs, as in the original.
        kl = 0.5 * torch.sum(torch.exp(s) + mu**2 - s - 1.0) / len(mu)
        if stream == "continuous":
            rebuilt = functional.mse_loss(decoded, batch[stream])
        else:
            p, x = decoded.clamp(sizes.CLIP, 1.0 - sizes.CLIP), batch[stream]
            rebuilt = -torch.mean(
                x * torch.log(p + sizes.CLIP) + (1.0 - x) * torch.log(1.0 - p + sizes.CLIP)
            )
            kl = sizes.DISCRETE_KL * kl
        matching = functional.mse_loss(z, other)
        flat = [value.flatten(1) for value in (z, other)]
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
        with torch.no_grad():
            made = self.generated(stream, batch)
        real, fake = (self.critic[stream](x)[0] for x in (batch[stream], made))
        bounds = sizes.LABELS[stream]
        terms = {"real": bce(real, torch.empty_like(real).uniform_(*bounds["real"]))}
        if bounds["fake"]:
            label = torch.empty_like(fake).uniform_(*bounds["fake"])
        else:
            label = torch.full_like(fake, sizes.DISCRETE_FAKE)
        terms["fake"] = bce(fake, label)
        return dict(terms, total=terms["real"] + terms["fake"])

    def generator_losses(self, stream, batch):
        made, real = self.generated(stream, batch), batch[stream]
        fake = made
        if stream == "continuous":
            real = self.critic[stream](real)[1].detach()
            logit, fake = self.critic[stream](made)
        else:
            logit = self.critic[stream](made)[0]
        fooled = bce(logit, torch.ones_like(logit))
        means = [value.mean(0) for value in (fake, real)]
        spreads = [torch.sqrt(value.var(0, unbiased=False) + sizes.SMALL) for value in (fake, real)]
        if stream == "continuous":
            means = [torch.sqrt(value.abs()) for value in means]
        features = sum(torch.mean(torch.abs(a - b)) for a, b in (means, spreads))
        total = fooled + sizes.FEATURES * features
        return {"fooled": fooled, "features": features, "total": total}


def contrastive(own, other):
    mask = 1e9 * torch.eye(len(own))
    logits = torch.cat([own @ other.t(), own @ own.t() - mask], 1)
    return functional.cross_entropy(logits, torch.arange(len(own)))
