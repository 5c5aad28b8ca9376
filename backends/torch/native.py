"""Native randomness: every draw is a function of the source's seed, the step and the site alone.

Nothing of a generator's state outlives a draw: one generator is seeded anew for each with what the
draw is for (`seeding`). So training stopped at a step goes on with the very draws that it would
have made, and the order in which phases or sites draw does not matter.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Tuple

import torch

from backends import schedule
from backends.torch.seeds import Seeding

#: What a draw is for, beside its number: a training step, a chunk of generated rows, the order of
#: an epoch's rows.
STEP, GENERATION, EPOCH = "step", "generation", "epoch"


class Noise:
    """Draws what `config["noise"]` declares, on the device and in the stored dtype."""

    def __init__(self, config: Mapping[str, Any], device: torch.device, dtype: torch.dtype) -> None:
        self.config, self.device, self.dtype = config, device, dtype
        self._seeding = Seeding(device)
        self._sites: Dict[str, List[Tuple[int, Dict[str, Any]]]] = {}
        for index, site in enumerate(config["noise"]):
            for phase in site["phases"]:
                self._sites.setdefault(phase, []).append((index, site))

    def draw(self, phase: str, seed: int, kind: str, number: int) -> Dict[str, torch.Tensor]:
        """Return every site of a phase: number `number` of its `kind`. An entry of several phases
        is the same in all of them."""
        return {
            site["site"]: self._draw(site, self._seeding.of(seed, kind, number, index))
            for index, site in self._sites.get(phase, ())
        }

    def order(self, seed: int, epoch: int, rows: int) -> torch.Tensor:
        """Return the permutation of the rows that an epoch goes through."""
        return torch.randperm(
            rows, generator=self._seeding.of(seed, EPOCH, epoch, 0), device=self.device
        )

    def _draw(self, site: Mapping[str, Any], generator: torch.Generator) -> torch.Tensor:
        empty = torch.empty(site["shape"], dtype=self.dtype, device=self.device)
        if site["kind"] == "keep_mask":
            # bernoulli_ takes three times as long on CPUs.
            return empty.uniform_(generator=generator).lt_(site["keep"])
        if site["kind"] == "uniform":
            return empty.uniform_(site["low"], site["high"], generator=generator)
        if site["kind"] == "normal":
            return empty.normal_(generator=generator)
        name, kind = site["site"], site["kind"]
        raise ValueError(f"noise {name}: kind '{kind}' is not one of keep_mask, uniform, normal")


class Rows:
    """A source's training rows on the device, gathered into batches in an order drawn anew each
    epoch; partial batches are dropped."""

    def __init__(
        self, rows: Mapping[str, torch.Tensor], noise: Noise, seed: int, batch: int
    ) -> None:
        self.rows, self.noise, self.seed, self.batch_size = rows, noise, seed, batch
        self.total = len(next(iter(rows.values())))
        if self.total < batch:
            raise ValueError(f"{self.total} training rows are fewer than one batch of {batch}")
        self._epoch, self._order = -1, torch.empty(0)

    def batch(self, step: int) -> Dict[str, torch.Tensor]:
        """Return the batch of a step, counted from 0."""
        batches = self.total // self.batch_size
        epoch, index = schedule.epoch_at(self.noise.config, step, batches)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, self.noise.order(self.seed, epoch, self.total)
        chosen = self._order[index * self.batch_size : (index + 1) * self.batch_size]
        return {name: value.index_select(0, chosen) for name, value in self.rows.items()}
