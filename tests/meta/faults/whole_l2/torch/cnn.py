"""`cnn` whose penalty is s sum(w^2): the half of TF1's l2 is missing."""

from backends.torch.cnn import Port as Shipped


class Port(Shipped):
    """The planted fault."""

    def terms(self, output, arrays):
        """Return the loss terms with twice the penalty."""
        found = super().terms(output, arrays)
        l2 = 2.0 * found["l2"]
        return {"cross_entropy": found["cross_entropy"], "l2": l2, "total": found["cross_entropy"] + l2}
