"""`ehr_mgan`: a GAN of intensive-care stays, continuous vital signs and binary interventions over
the same hours.

EHR-M-GAN (Li et al. 2023, npj Digital Medicine 6:98; TensorFlow 1 source at
github.com/jli0117/ehrMGAN). Two recurrent VAEs share their latent space; two coupled LSTM
generators learn to draw from it; two recurrent discriminators judge the decoded series. Eight Adam
optimizers, two schedules. `docs/ehr_mgan.md` has the picture; what each term computes, and which of
its oddities are kept on purpose, is said where the ports compute it.

The presets `tiny` and `small` have Adam's hyper-parameters replaced by dyadic neighbours, which
float32 holds exactly; `paper` has the original's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.errors import UsageError
from harness.workloads.ehr_mgan import original, sources, synthetic
from harness.workloads.ehr_mgan.cohort import Cohort
from harness.workloads.ehr_mgan.layout import STREAMS, noise, parameters
from harness.workloads.spec import (
    FORWARD,
    Arrays,
    HeldOut,
    Noise,
    Optimizer,
    Parameter,
    Sampling,
    Segment,
    Update,
    Workload,
)

#: A batch of 8 would now and then drop a feature in all its rows: a mean of exactly 0, whose root
#: has no gradient.
SIZES: dict[str, dict[str, Any]] = {
    "tiny": {
        "batch": 12,
        "latent": 5,
        "encoder_units": 8,
        "decoder_units": 9,
        "generator_units": 10,
        "discriminator_units": 11,
    },
    "small": {
        "batch": 32,
        "latent": 16,
        "encoder_units": 32,
        "decoder_units": 32,
        "generator_units": 64,
        "discriminator_units": 48,
    },
    "paper": {
        "batch": 256,
        "latent": 25,
        "encoder_units": 128,
        "decoder_units": 128,
        "generator_units": 512,
        "discriminator_units": 256,
    },
}
#: A cohort of fewer rows has too few batches in an epoch, and too few rows held out, to say
#: anything.
ROWS_PER_BATCH = 10
#: The original counts epochs (500 of pre-training); a step here is one batch, and these stand for
#: no cohort in particular.
PRETRAINING_STEPS = {"tiny": 4, "small": 200, "paper": 5000}
#: Steps and generated rows of each seed of the distribution stage; `paper` is the original's 500 +
#: 800 epochs of ten batches.
DISTRIBUTION = {
    "tiny": Sampling(64, 240),
    "small": Sampling(400, 640),
    "paper": Sampling(13000, 2560),
}
TRAJECTORY_STEPS = {"tiny": 24, "small": 202, "paper": 5001}


class EhrMGan(Workload):
    """The GAN on one cohort.

    Args:
        data: where the cohort comes from, as `--data` names it; `synthetic_icu`, if not given.
        conditional: whether the class of a stay is given to the encoders, the decoders and the
            generators.
    """

    backends = ("tf1", "tf2", "torch")
    port = "ehr_mgan"
    default = False
    sources = tuple(sources.NAMED)

    def __init__(self, data: str | None = None, *, conditional: bool = False) -> None:
        source, self.cohort = sources.find(data or synthetic.NAME)
        self.source = source if data else ""
        self.conditional = conditional
        self.name = "ehr_mgan_conditional" if conditional else "ehr_mgan"

    @property
    def what(self) -> str:
        label = ", given their class" if self.conditional else ""
        return (
            f"EHR-M-GAN: vital signs and interventions of intensive-care stays{label}. Takes"
            " --data."
        )

    def with_data(self, data: str) -> EhrMGan:
        return type(self)(data, conditional=self.conditional)

    def hyperparameters(self, preset: str) -> dict[str, Any]:
        cohort = self.cohort(preset)
        self._check_rows(cohort, preset)
        _, hours, continuous = cohort.continuous.shape
        discrete = cohort.discrete.shape[2]
        for stream, channels in (("continuous", continuous), ("discrete", discrete)):
            if channels < 2:  # the original draws floor(channels / 2) numbers of noise: none
                raise UsageError(
                    f"{self.name}: the cohort has {channels} {stream} channel; the generator's"
                    " noise has half as many numbers as there are channels, rounded down, so it"
                    " needs 2 or more. Add a channel."
                )
        dyadic = preset != "paper"
        return {
            **SIZES[preset],
            "hours": hours,
            "channels": {"continuous": continuous, "discrete": discrete},
            "noise_size": {"continuous": continuous // 2, "discrete": discrete // 2},
            "conditional": self.conditional,
            "data": cohort.name,
            "data_digest": cohort.digest,
            "minimum": cohort.minimum.tolist(),
            "range": cohort.range.tolist(),
            "keep": 0.8,
            "vae_weights": {
                "reconstruction": 1.0,
                "kl": 0.5,
                "matching": 0.125 if dyadic else 0.1,
                "contrastive": 0.125 if dyadic else 0.1,
                "semantic": 1.0,
            },
            "discrete_kl": 0.1,
            "generator_weights": {"adversarial": 1.0, "feature_matching": 20.0},
            "rounds": {"discriminator": 1, "generator": 3, "vae": 1},
            "discrete_fake_label": 0.1,
            "pretraining_steps": PRETRAINING_STEPS[preset],
        }

    def _check_rows(self, cohort: Cohort, preset: str) -> None:
        rows, batch = len(cohort.continuous), SIZES[preset]["batch"]
        if rows < ROWS_PER_BATCH * batch:
            able = [name for name in SIZES if ROWS_PER_BATCH * SIZES[name]["batch"] <= rows]
            advice = "Give more rows"
            if able:
                advice = f"Choose --preset {' or '.join(able)}, or give more rows"
            raise UsageError(
                f"{self.name}: the cohort {cohort.name} has {rows} rows; preset {preset} takes"
                f" batches of {batch} and needs {ROWS_PER_BATCH} times as many,"
                f" {ROWS_PER_BATCH * batch}. {advice}."
            )

    def parameters(self, hyper: Mapping[str, Any]) -> tuple[Parameter, ...]:
        return parameters(hyper)

    def optimizers(self, hyper: Mapping[str, Any]) -> dict[str, Optimizer]:
        """Return eight: pre-training and joint training have their own pair for the VAEs, so the
        moments start again."""
        dyadic = self._dyadic(hyper)
        fast, slow = (2.0**-11, 2.0**-13) if dyadic else (5e-4, 1e-4)
        beta1, beta2, epsilon = (0.875, 1.0 - 2.0**-10, 2.0**-27) if dyadic else (0.9, 0.999, 1e-8)
        rates = {
            "pretrain": fast,
            "joint/vae": slow,
            "joint/generator": slow,
            "joint/discriminator": slow,
        }
        return {
            f"{kind}/{stream}": Optimizer("adam", rate, beta1, beta2, epsilon)
            for kind, rate in rates.items()
            for stream in STREAMS
        }

    @staticmethod
    def _dyadic(hyper: Mapping[str, Any]) -> bool:
        return bool(hyper["vae_weights"]["matching"] == 0.125)

    def updates(self, hyper: Mapping[str, Any]) -> tuple[Update, ...]:
        """Return the pre-training phases, then the ten of a joint step: discriminators, three
        rounds of generators, VAEs."""
        names = [item.name for item in parameters(hyper)]

        def update(phase: str, optimizer: str, *prefixes: str) -> Update:
            own = tuple(name for name in names if name.startswith(prefixes))
            return Update(phase, optimizer, own)

        def vae(prefix: str, stream: str) -> Update:
            # The shared variables belong to both streams' optimizers.
            name = f"{prefix}/{stream}"
            return update(name, name, f"vae/{stream}/", "vae/shared/")

        updates = [vae("pretrain", stream) for stream in STREAMS]
        for network in ("discriminator", "generator"):
            for number in range(hyper["rounds"][network]):
                ordinal = f" {number + 1}" if hyper["rounds"][network] > 1 else ""
                updates += [
                    update(
                        f"joint/{network}{ordinal}/{stream}",
                        f"joint/{network}/{stream}",
                        f"{network}/{stream}/",
                    )
                    for stream in reversed(STREAMS)
                ]
        updates += [
            vae("joint/vae", stream)
            for stream in reversed(STREAMS)
            for _ in range(hyper["rounds"]["vae"])
        ]
        return tuple(updates)

    def schedule(self, hyper: Mapping[str, Any]) -> tuple[Segment, ...]:
        phases = [update.phase for update in self.updates(hyper)]
        pretraining = tuple(name for name in phases if name.startswith("pretrain/"))
        joint = tuple(name for name in phases if name.startswith("joint/"))
        return (
            Segment("pretrain", hyper["pretraining_steps"], pretraining),
            Segment("joint", None, joint),
        )

    def noise(self, hyper: Mapping[str, Any]) -> tuple[Noise, ...]:
        return noise(hyper, [update.phase for update in self.updates(hyper)])

    def forward(self, hyper: Mapping[str, Any]) -> dict[str, Any]:
        """Dropout is on in training, validation and generation alike: there is one mode."""
        return {"phase": FORWARD, "modes": ["training"]}

    def namings(self, hyper: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        return {"original": original.naming(hyper)}

    def trajectory_steps(self, preset: str) -> int:
        return TRAJECTORY_STEPS[preset]

    def distribution(self, preset: str) -> Sampling:
        return DISTRIBUTION[preset]

    def held_out(self, hyper: Mapping[str, Any]) -> HeldOut:
        """Return the rows of the cohort in the units that `generate` gives."""
        return self.cohort(hyper["preset"]).held_out()

    def data(self, hyper: Mapping[str, Any]) -> Arrays:
        """Return `continuous` [rows, hours, channels] in [0, 1] and `discrete` 0/1, float64; with
        labels `label` [rows, 1]."""
        return self.cohort(hyper["preset"]).arrays(self.conditional)


WORKLOAD = EhrMGan()
CONDITIONAL = EhrMGan(conditional=True)
