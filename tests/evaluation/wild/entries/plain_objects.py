"""The workloads of the harness as plain objects, three sides each."""

from __future__ import annotations

from collections.abc import Sequence

from backends.contract import Stage
from harness.results.verdicts import Fidelity
from tests.evaluation.wild.entry import QUICK, Entry

UNBIASED = "bn-unbiased-variance"
#: Batch norms as each library gives them, or with what the pair says of them.
HARNESS_NORM = "BatchNorm(128, epsilon=2.0**-10, momentum=0.75)"
AS_IT_COMES = (
    ("momentum=0.75, epsilon=2.0**-10, training", "training"),
    ("momentum=0.75, epsilon=2.0**-10", ""),
    (HARNESS_NORM, "nn.BatchNorm1d(128)"),
)
MOMENTUM = (
    ("momentum=0.75, epsilon=2.0**-10", "epsilon=2.0**-10"),
    (HARNESS_NORM, "nn.BatchNorm1d(128, 2.0**-10)"),
)
VARIANCE = ((HARNESS_NORM, "nn.BatchNorm1d(128, 2.0**-10, 0.25)"),)

ENTRIES: Sequence[Entry] = (
    Entry("linear", "linear"),
    Entry("cnn", "cnn"),
    Entry(
        "cnn-epsilon",
        "cnn",
        AS_IT_COMES,
        verdict=Fidelity.FAIL,
        stage=Stage.FORWARD,
        what="batch norms as they come",
        shows=("bn-epsilon", "bn-momentum", UNBIASED),
        also=QUICK,
        brief=True,
    ),
    Entry(
        "cnn-momentum",
        "cnn",
        MOMENTUM,
        verdict=Fidelity.FAIL,
        stage=Stage.UPDATE,
        what="batch norms as they come, of one ε",
        shows=("bn-momentum", UNBIASED),
        accepts=("bn-epsilon",),
        also=QUICK,
        brief=True,
    ),
    Entry(
        "cnn-variance",
        "cnn",
        VARIANCE,
        verdict=Fidelity.FAIL,
        stage=Stage.UPDATE,
        what="torch's own batch norm, of one ε and momentum",
        shows=(UNBIASED,),
        accepts=("bn-epsilon", "bn-momentum"),
        also=QUICK,
        brief=True,
    ),
    Entry(
        "cnn-exact",
        "cnn",
        VARIANCE,
        what="torch's own batch norm, of one ε and momentum, its variance accepted",
        accepts=("bn-epsilon", "bn-momentum", UNBIASED),
        also=(*QUICK, "--accept", UNBIASED),
    ),
    Entry("ehr_mgan", "ehr_mgan"),
)
