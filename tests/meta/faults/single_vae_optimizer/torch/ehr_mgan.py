"""`ehr_mgan` with one optimizer for both VAEs: what they share has one pair of moments."""

from backends.torch.ehr_mgan import Port as Shipped


def hand(giver, taker, weights):
    """Copy the moments of some weights from one optimizer to another."""
    for weight in weights:
        if weight in giver.state:
            taker.state[weight] = {slot: value.clone() for slot, value in giver.state[weight].items()}


class Port(Shipped):
    """The planted fault."""

    def _update(self, phase, arrays, noise):
        """Take the shared moments from the other stream's optimizer before the update, and give them back after it."""
        stream = phase.rsplit("/", 1)[-1]
        other = {"continuous": "discrete", "discrete": "continuous"}[stream]
        prefix = phase[: -len(stream)]
        if prefix not in ("pretrain/", "joint/vae/"):
            return super()._update(phase, arrays, noise)
        mine, theirs = self.optimizers[prefix + stream], self.optimizers[prefix + other]
        shared = [weight for name, weight in self.trainable.items() if name.startswith("vae/shared/")]
        hand(theirs, mine, shared)
        return super()._update(phase, arrays, noise)
