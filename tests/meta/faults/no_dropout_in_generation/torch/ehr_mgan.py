"""`ehr_mgan` that drops nothing while it generates, as any other model would."""

import torch

from backends.torch.ehr_mgan import Port as Shipped


class Port(Shipped):
    """The planted fault."""

    def _series(self, arrays, noise):
        """Return the series made with every unit kept and none scaled up."""
        kept = {site: torch.full_like(value, self.config["keep"]) for site, value in noise.items() if site.startswith("generated/")}
        return super()._series(arrays, {**noise, **kept})
