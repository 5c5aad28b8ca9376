"""Every draw of torch's native mode is a draw of its own: its whole key decides, not 32 bits of
it."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from backends.contract import Unsupported

pytestmark = [pytest.mark.backends("torch"), pytest.mark.workloads("linear")]
#: Two steps of a training with the seed 0 whose keys have hashes that begin with the same 32 bits.
ALIKE = (9657, 70712)


def test_draws_whose_hashes_begin_alike_are_different(kit):
    """A hash cut to torch's 32 bits makes them the same, which the test shows."""
    import torch

    from backends.torch.seeds import Seeding

    keys = [(0, "step", step, 0) for step in ALIKE]
    digests = [hashlib.sha256(repr(key).encode("utf-8")).digest() for key in keys]
    assert digests[0][:4] == digests[1][:4] and digests[0][:8] != digests[1][:8]
    cut = [
        torch.rand(
            9,
            generator=torch.Generator().manual_seed(
                int.from_bytes(digest[:8], "little", signed=True)
            ),
        )
        for digest in digests
    ]
    assert torch.equal(*cut)
    seeds = Seeding(torch.device("cpu"))
    assert not torch.equal(*[torch.rand(9, generator=seeds.of(*key)) for key in keys])


def test_seeds_that_differ_in_any_bit_draw_differently(kit):
    """Also above the 32nd; the same seed draws the same again, whatever was drawn before."""
    import torch

    from backends.torch.native import Noise
    from backends.torch.seeds import Seeding

    seeds = Seeding(torch.device("cpu"))
    drawn = {
        bit: torch.randn(5, generator=seeds.of(2**bit)) for bit in range(64)
    }  # normal draws leave one behind
    assert 64 == len({tuple(values.tolist()) for values in drawn.values()})
    assert all(
        torch.equal(values, torch.randn(5, generator=seeds.of(2**bit)))
        for bit, values in drawn.items()
    )
    noise = Noise(kit.config, torch.device("cpu"), torch.float32)
    orders = [noise.order(seed, 3, 1000).tolist() for seed in (5, 5 + 2**32, 5 + 2**63, 5)]
    assert orders[0] == orders[3] and 3 == len({tuple(order) for order in orders})


def test_the_state_is_a_good_generator(kit):
    """Uniform in both halves of the interval, with the moments of the distribution, from first
    draws and long ones."""
    import torch

    from backends.torch.seeds import Seeding

    seeds = Seeding(torch.device("cpu"))
    first = np.array([torch.rand(1, generator=seeds.of(number)).item() for number in range(4000)])
    long = torch.rand(400_000, generator=seeds.of("long")).numpy()
    for values in (first, long):
        error = 1.0 / np.sqrt(12.0 * len(values))
        assert abs(values.mean() - 0.5) < 4.0 * error
        assert abs(12.0 * values.var() - 1.0) < 4.0 * np.sqrt(0.8 / len(values))
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 4.0 / np.sqrt(len(first))


def test_a_state_in_another_layout_is_refused(kit, monkeypatch):
    """And not used as if it were known."""
    import torch

    from backends.torch import seeds

    monkeypatch.setattr(seeds, "HEADER", 16)
    with pytest.raises(Unsupported, match="layout"):
        seeds.Seeding(torch.device("cpu"))
