"""`cnn` whose loss object answers in float32 inside a float64 model, as Keras 3's does unless it
is told the dtype."""

from torch.nn import functional

from backends.ports.torch.cnn import Port as Shipped


class Port(Shipped):
    """The planted fault."""

    def loss_terms(self, phase, arrays, noise):
        """Return the loss terms, the cross-entropy computed in float32."""
        terms = super().loss_terms(phase, arrays, noise)
        logits = self.activations(arrays, noise)["logits"]
        cross_entropy = functional.cross_entropy(logits.float(), arrays["y"]).to(logits.dtype)
        return {
            "cross_entropy": cross_entropy,
            "l2": terms["l2"],
            "total": cross_entropy + terms["l2"],
        }
