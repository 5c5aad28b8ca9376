"""`ehr_mgan` whose discrete stream, which comes first, hands its new state to the continuous one
in the same hour."""

import torch

from backends.ports.torch.ehr_mgan import Port as Shipped
from backends.ports.torch.ehr_mgan.networks import STREAMS, Networks, advance, sigmoids_first


class Handing(Networks):
    """The planted fault."""

    def bilateral(self, layer, x):
        """Return h of both streams at all hours."""
        w, u, v = (
            [
                sigmoids_first(self.weights[f"generator/{stream}/layer{layer}/{matrix}"])
                for stream in STREAMS
            ]
            for matrix in "WUV"
        )
        state = [list(self.zeros(len(x[0]), u[0].shape[1])) for _ in STREAMS]
        series = [[], []]
        for hour in range(x[0].shape[1]):
            for own, other in ((1, 0), (0, 1)):
                gates = (
                    x[own][:, hour] @ w[own].t()
                    + state[own][1] @ u[own].t()
                    + state[other][1] @ v[own].t()
                )
                h, c, _ = advance(gates, state[own][0])
                state[own] = [c, h]
                series[own].append(h)
        return [torch.stack(hours, dim=1) for hours in series]


class Port(Shipped):
    """EHR-M-GAN with those generators."""

    def __init__(self, config, setting):
        super().__init__(config, setting)
        self.networks = Handing(config, self.weights, self.low_dtype)
        self.vaes.networks = self.networks
