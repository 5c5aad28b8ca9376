"""`cnn` on torch's own Adam, which adds epsilon after the bias correction."""

from backends.torch.cnn import Port as Shipped


class Port(Shipped):
    """The planted fault."""

    def __init__(self, config, setting):
        optimizer = {**config["optimizers"]["adam"], "epsilon_place": "corrected"}
        super().__init__({**config, "optimizers": {"adam": optimizer}}, setting)
