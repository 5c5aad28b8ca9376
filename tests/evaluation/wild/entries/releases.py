"""One library, an older release and the newest."""

from __future__ import annotations

from collections.abc import Sequence

from backends.contract import Stage
from harness.results.verdicts import Fidelity
from tests.evaluation.wild.entry import QUICK, Entry

#: float32 holds 1/4, by which Keras 2 then moves statistics.
EXACT = (
    (
        "    net.compile",
        "    for layer in net.layers:\n        layer.momentum = 0.75\n    net.compile",
    ),
)

ENTRIES: Sequence[Entry] = (
    Entry(
        "keras",
        "keras_releases",
        verdict=Fidelity.FAIL,
        stage=Stage.UPDATE,
        shows=("keras2-batch-norm-float32",),
    ),
    Entry(
        "keras-exact",
        "keras_releases",
        EXACT,
        verdict=Fidelity.INCONCLUSIVE,
        stage=Stage.TRAJECTORY,
        what="statistics that keep three quarters, which float32 holds",
        reason="none in W to U; what the model gives after 20 steps on batches of four is"
        " undecided",
    ),
    Entry(
        "keras-exact-wide",
        "keras_releases",
        (*EXACT, ("arrays(4", "arrays(16")),
        what="statistics that keep three quarters, and batches of 16",
        accepts=("keras2-batch-norm-float32",),
        also=QUICK,
    ),
    Entry("torch", "torch_releases"),
    Entry(
        "torch-adamw",
        "torch_releases",
        (("SGD(net.parameters(), 0.01, momentum=0.9)", "AdamW(net.parameters(), 1e-3)"),),
        verdict=Fidelity.INCONCLUSIVE,
        stage=Stage.UPDATE,
        what="with AdamW",
        reason="the gradient of a key's bias is 0 mathematically; AdamW divides what rounding"
        " leaves of it by its own size: nothing can be said of that step",
    ),
)
