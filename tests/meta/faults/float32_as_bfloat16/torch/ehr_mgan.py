"""`ehr_mgan` that runs float32 under the name of bfloat16."""

import dataclasses

from backends.ports.torch.ehr_mgan import Port as Shipped


class Port(Shipped):
    """The planted fault."""

    def __init__(self, config, setting):
        silent = "fp32" if setting.precision == "bf16" else setting.precision
        super().__init__(config, dataclasses.replace(setting, precision=silent))
