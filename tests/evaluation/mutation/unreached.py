"""Code of the torch ports that runs in none of the judged circumstances, each with when it does;
a stale entry fails the run."""

from __future__ import annotations

from tests.evaluation.mutation.explained import Unreached

UNREACHED: tuple[Unreached, ...] = (
    Unreached(
        "ehr_mgan/__init__.py",
        "native generation draws its own noise: the stage `distribution` judges what comes of it",
        ('self.noise.draw("generate", source.seed, GENERATION, chunk)',),
    ),
)
