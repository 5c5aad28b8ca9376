"""`faint` with the sign of the bias's gradient flipped; its value, 2 b - b, is exact."""

from torch.nn import functional

from backends.ports.torch.linear import Port as Linear


class Port(Linear):
    """The planted fault."""

    def activations(self, arrays, noise):
        """Return the predictions, the same to the last bit."""
        seen = self.new_record()
        bias = self.model.bias
        seen["prediction"] = functional.linear(
            arrays["x"], self.model.weight, self.config["gain"] * (2.0 * bias.detach() - bias)
        )
        return seen
