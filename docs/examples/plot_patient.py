"""Plot a generated patient beside a real one of the same cohort.

    harness train ehr_mgan --build torch --preset small --data daphnet --steps 900 --out model
    harness generate model --rows 64 --out generated.npz
    python docs/examples/plot_patient.py model generated.npz patient.png

Needs matplotlib (`pip install matplotlib`). The real patient is a held-out one,
which training never saw; the generated one is the first that was made, not the best.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib import pyplot as plt

from harness.models.options import Where, of
from harness.workloads.ehr_mgan import EhrMGan


def main(model: str, generated: str, picture: str) -> None:
    """Draw one column a patient, one row a channel."""
    workload, made = of(Path(model), Where())
    assert isinstance(workload, EhrMGan)
    cohort = workload.cohort(made.preset)
    real = cohort.continuous[cohort.training_rows] * cohort.range + cohort.minimum
    on = cohort.discrete[cohort.training_rows]
    with np.load(generated, allow_pickle=False) as archive:
        sample = archive["samples"][0]
    count = len(cohort.channels)
    patients = [
        ("real (held out)", real, on),
        (f"generated on {made.build}", sample[:, :count], sample[:, count:]),
    ]
    figure, axes = plt.subplots(
        count + 1,
        2,
        figsize=(9, 1.1 * count + 2),
        sharex=True,
        sharey="row",
        layout="constrained",
        gridspec_kw={"height_ratios": [1] * count + [0.4 * len(cohort.interventions)]},
    )
    for column, (title, series, interventions) in enumerate(patients):
        hours = np.arange(len(series))
        axes[0][column].set_title(title)
        for row, name in enumerate(cohort.channels):
            axes[row][column].plot(
                hours, series[:, row], color="C0" if column == 0 else "C1", linewidth=1.5
            )
            if column == 0:
                axes[row][column].set_ylabel(
                    name.replace("_", "\n"), rotation=0, ha="right", va="center", fontsize=8
                )
            axes[row][column].tick_params(labelsize=7)
        axes[count][column].pcolormesh(
            np.append(hours, len(hours)),
            np.arange(len(cohort.interventions) + 1),
            interventions.T,
            cmap="Greys",
            vmin=0,
            vmax=1.4,
        )
        axes[count][column].set_yticks(
            np.arange(len(cohort.interventions)) + 0.5, cohort.interventions, fontsize=8
        )
        axes[count][column].set_xlabel("step")
    figure.savefig(picture, dpi=110)


if __name__ == "__main__":
    main(*sys.argv[1:])
