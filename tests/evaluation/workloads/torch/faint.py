"""`faint` on torch."""

from torch.nn import functional

from backends.ports.torch.linear import Port as Linear


class Port(Linear):
    """Linear regression with a faint bias."""

    def output(self, arrays, noise, record):
        """Return the predictions."""
        prediction = functional.linear(
            arrays["x"], self.model.weight, self.config["gain"] * self.model.bias
        )
        if record is not None:
            record["prediction"] = prediction
        return prediction
