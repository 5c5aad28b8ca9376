"""Pools of independently seeded models: one of the honest torch port of `ehr_mgan`, one of each
faulty port.

Models train natively, as the distribution stage trains them (`sampling.run_sample`), and are kept:
a second run takes them from the cache. The cache is named after everything that decides what a
model becomes, so a port that changes trains again.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

from harness.execution import runner, samples
from harness.fidelity.summaries import Draw
from harness.workloads.ehr_mgan import WORKLOAD as SPECIFICATION
from tests.evaluation.laboratory import Laboratory, opened
from tests.evaluation.zoo.mutant import ROOT, Mutant, plant

BUILD, WORKLOAD, PRESET = "torch", SPECIFICATION.name, "tiny"
HONEST = "honest"
#: Of `backends`, what decides what a model becomes.
CODE = ("*.py", "protocol/*.py", "recording/*.py", "torch/*.py", "ports/torch/**/*.py")

TERMS = '        network, stream = phase.split("/")[-2:]\n'
#: A mask of `keep` everywhere: scaled by 1 / keep, nothing is dropped.
DROPPED = (
    '{site: torch.full_like(value, self.config["keep"]) if "/layer" in site else value for site,'
    " value in noise.items()}"
)
WEIGHTED = 'losses.weighted(terms, self.config["vae_weights"])'
HALVED = (
    'losses.weighted(terms, dict(self.config["vae_weights"], kl=0.5 *'
    ' self.config["vae_weights"]["kl"]))'
)
LATENT_NOISE = 'torch.stack([noise["e/" + stream] for stream in STREAMS])'
GENERATOR_NOISE = 'self.labelled(noise["generator/" + stream], arrays)'


@dataclasses.dataclass(frozen=True)
class Fault:
    """A faulty port; `what` is said in the table."""

    what: str
    mutant: Mutant


def _mutant(name: str, old: str, new: str, file: str = "__init__.py") -> Mutant:
    return Mutant(0, name, WORKLOAD, ((old, new),), "distribution", "", file=file)


FAULTS = (
    Fault(
        "dropout left off in training",
        _mutant("no_dropout_in_training", TERMS, TERMS + f"        noise = {DROPPED}\n"),
    ),
    Fault("the KL weight halved", _mutant("kl_weight_halved", WEIGHTED, HALVED)),
    Fault(
        "the VAEs' latent noise missing (z is its mean)",
        _mutant("no_latent_noise", LATENT_NOISE, f"torch.zeros_like({LATENT_NOISE})", "vae.py"),
    ),
    Fault(
        "the generators' noise missing, in training and in generation",
        _mutant(
            "no_generator_noise",
            GENERATOR_NOISE,
            GENERATOR_NOISE.replace("noise[", "0.0 * noise["),
            "networks.py",
        ),
    ),
)
MUTANTS = [fault.mutant for fault in FAULTS]


@dataclasses.dataclass(frozen=True)
class Pools:
    """Draws by the name of their port, `HONEST` or a mutant's, and the names of the channels."""

    draws: dict[str, list[Draw]]
    channels: tuple[str, ...]


def train(cache: Path, honest: int, faulty: int, say: Callable[[str], None]) -> Pools:
    """Return pools of so many seeds; what the cache has is not trained again.

    Raises:
        RuntimeError: a model could not be trained.
    """
    with opened(cache / _digest(), (BUILD,)) as laboratory:
        pools = {}
        for name, folder, seeds in _ports(laboratory.stand.run / "planted", honest, faulty):
            planned = laboratory.plan(
                WORKLOAD,
                [laboratory.side(BUILD, folder)],
                stages=("distribution",),
                models=seeds,
                precisions=("fp32",),
            )
            records = runner.run_jobs(
                laboratory.stand,
                planned.samples,
                lambda job, record: (
                    say(f"{job.name} {record.duration_s:.1f} s") if record else None
                ),
                samples.run_sample,
            )
            failed = [
                f"{key}: {record.status}: {record.reason}"
                for key, record in records.items()
                if not record.ok
            ]
            if failed:
                raise RuntimeError("models could not be trained: " + "; ".join(failed))
            pools[name] = [samples.draw(records[job.name]) for job in planned.samples]
        return Pools(pools, _channels(laboratory))


def _ports(folder: Path, honest: int, faulty: int) -> Sequence[tuple[str, Path | None, int]]:
    """Return name, folder (None: the shipped ones) and seeds of each port; a fault that changes
    has another folder, and trains again."""
    planted = [
        (item.name, plant(item, folder / sha256(repr(item).encode()).hexdigest()[:8]), faulty)
        for item in MUTANTS
    ]
    return [(HONEST, None, honest), *planted]


def _channels(laboratory: Laboratory) -> tuple[str, ...]:
    workload = laboratory.stand.workloads[WORKLOAD]
    real = workload.held_out(workload.config(PRESET))
    assert real is not None
    return tuple(real.channels)


def _digest() -> str:
    """Return a name for what decides what an honest model becomes: the ports' code, the
    specification with its data."""
    found = sha256()
    for path in sorted(path for pattern in CODE for path in (ROOT / "backends").glob(pattern)):
        found.update(path.read_bytes())
    size = SPECIFICATION.distribution(PRESET)
    found.update(
        json.dumps([SPECIFICATION.config(PRESET), size.steps, size.rows], sort_keys=True).encode()
    )
    return found.hexdigest()[:16]
