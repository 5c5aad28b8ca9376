"""Generators of torch's own that start from the whole of a key, however many keys there are.

torch cuts the seed of the CPU's Mersenne Twister to 32 bits: of the hundred thousands of draws of a
long training some would be the same as others. So its 624 words are made from the key instead, by a
hash of that length. The Philox of CUDA takes a seed of 64 bits as it is.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import torch

from backends.contract import Unsupported

#: Where the words lie in the bytes of a state, each in eight; before them the seed, and how many
#: are left.
HEADER, WORDS = 24, 624


class Seeding:
    """One generator on a device, seeded anew for each key.

    Raises:
        Unsupported: this torch keeps the state of its generator in another way.
    """

    def __init__(self, device: torch.device) -> None:
        self.generator = torch.Generator(device)
        self._cpu = device.type == "cpu"
        if self._cpu:
            self._state = self.generator.manual_seed(1).get_state()
            self._words = self._state.numpy()[HEADER : HEADER + 8 * WORDS].view(np.uint64)
            # Of the seed 1 the Mersenne Twister's initialisation makes these (Matsumoto and
            # Nishimura 1998, as revised in 2002).
            if len(self._words) != WORDS or self._words[:3].tolist() != [1, 1812433254, 3713160357]:
                raise Unsupported(
                    f"torch {torch.__version__} keeps the state of its generator in a layout that"
                    " is not known here"
                )

    def of(self, *key: Any) -> torch.Generator:
        """Return the generator at the start of what a key, plain values, stands for."""
        text = repr(key).encode("utf-8")
        if not self._cpu:
            seed = int.from_bytes(hashlib.sha256(text).digest()[:8], "little", signed=True)
            return self.generator.manual_seed(seed)
        self._words[:] = np.frombuffer(hashlib.shake_128(text).digest(4 * WORDS), "<u4")
        self.generator.set_state(self._state)
        return self.generator
