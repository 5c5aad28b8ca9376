"""`zoo_schedule`: two regressors whose learning rate changes on its way: at a given step, and where
the loss no longer falls.

Both change after the second update, so the update stage knows nothing of it. An update stands for
an epoch.
"""

from harness.workloads.linear import Linear
from harness.workloads.spec import Optimizer, Parameter, Update

PHASES = ("stepped", "plateau")


class ZooSchedule(Linear):
    """Two regressors of the diabetes table under schedules of the learning rate."""

    name = "zoo_schedule"
    backends = ("tf2", "torch")
    presets = ("tiny",)

    def hyperparameters(self, preset):
        """Return the sizes, the rates, and when they change; no loss is expected to fall by
        `min_delta`."""
        return {
            "batch": 16,
            "features": 10,
            "rate": 2.0**-4,
            "factor": 2.0**-2,
            "momentum": 1.0 - 2.0**-2,
            "updates_at_first": 4,
            "patience": 3,
            "min_delta": 4.0,
        }

    def parameters(self, hyper):
        """Return a kernel and a bias for each phase."""
        return tuple(
            item
            for phase in PHASES
            for item in (
                Parameter(f"{phase}/kernel", (hyper["features"], 1), "glorot_uniform"),
                Parameter(f"{phase}/bias", (1,)),
            )
        )

    def optimizers(self, hyper):
        """Return one for each phase; how its rate changes, its name says."""
        return {phase: Optimizer("sgd", learning_rate=hyper["rate"]) for phase in PHASES}

    def updates(self, hyper):
        """Return a phase for each schedule."""
        return tuple(Update(phase, phase, (f"{phase}/kernel", f"{phase}/bias")) for phase in PHASES)

    def forward(self, hyper):
        """Return that there is no difference between training and inference."""
        return {"phase": "stepped", "modes": ["inference"]}


WORKLOAD = ZooSchedule()
