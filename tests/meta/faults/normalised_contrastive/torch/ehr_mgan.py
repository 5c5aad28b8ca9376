"""`ehr_mgan` with SimCLR's NT-Xent: latents of length one."""

from unittest import mock

from backends.ports.torch.ehr_mgan import Port as Shipped
from backends.ports.torch.ehr_mgan import losses

RAW = losses.contrastive


def normalised(logits):
    """Return the loss of cosines."""
    across, own_a, own_b = logits
    a, b = own_a.diag().sqrt(), own_b.diag().sqrt()
    return RAW([across / (a[:, None] * b), own_a / (a[:, None] * a), own_b / (b[:, None] * b)])


class Port(Shipped):
    """The planted fault."""

    def loss_terms(self, phase, arrays, noise):
        """Return the terms with the other contrastive loss."""
        with mock.patch.object(losses, "contrastive", normalised):
            return super().loss_terms(phase, arrays, noise)
