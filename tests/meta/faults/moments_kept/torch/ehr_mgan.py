"""`ehr_mgan` whose joint training goes on with the moments and the step count of pre-training."""

from backends.ports.torch.ehr_mgan import Port as Shipped


class Port(Shipped):
    """The planted fault."""

    def _update(self, phase, arrays, noise):
        """Hand the state over at the first joint update of a VAE."""
        joint = self.updaters[self.updates_of(phase)]
        if phase.startswith("joint/vae/") and not joint.attempts:
            before = self.updaters["pretrain/" + phase.rsplit("/", 1)[-1]]
            slots = {
                name: {slot: value.clone() for slot, value in held.items()}
                for name, held in before.slots().items()
            }
            joint.load(before.counts(), slots)
        return super()._update(phase, arrays, noise)

    def updates_of(self, phase):
        """Return the name of a phase's optimizer."""
        return next(
            update["optimizer"] for update in self.config["updates"] if update["phase"] == phase
        )
