"""`ehr_mgan` that matches the means of the two streams' latents, not their samples."""

from torch.nn import functional

from backends.ports.torch.ehr_mgan import Port as Shipped
from backends.ports.torch.ehr_mgan import losses


class Port(Shipped):
    """The planted fault."""

    def loss_terms(self, phase, arrays, noise):
        """Return the terms with the other matching loss."""
        terms = super().loss_terms(phase, arrays, noise)
        if "matching" not in terms:
            return terms
        _, latent, _ = self.vaes.run(arrays, noise)
        del terms["total"]
        terms["matching"] = functional.mse_loss(*latent.chunk(2, -1)[0])
        return losses.weighted(terms, self.config["vae_weights"])
