"""Packed sequences, shown as everything else is: padded with zeros, so that what a layer returns
can be laid beside what a layer of another framework returns, and packed again behind that.

A packed sequence knows its lengths, and not how long the batch was that it was made of: that is
noted when it is packed.
"""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

import torch
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

#: The function that packs, as torch calls it.
PACKS = "_pack_padded_sequence"


class Lengths:
    """How many steps the batches had that sequences were packed of."""

    def __init__(self) -> None:
        #: By the identity of the sizes of batches, which a layer hands on as they are; held, so
        #: that no other tensor takes the identity over.
        self._steps: Dict[int, Tuple[torch.Tensor, int]] = {}

    def note(self, args: Tuple[Any, ...], result: Any) -> None:
        """Note one call of the function that packs.

        Args:
            args: a batch, its lengths, and whether the batch comes first. result: data and sizes.
        """
        batch, _, batch_first = args
        self._steps[id(result[1])] = (result[1], batch.shape[1 if batch_first else 0])

    def padded(self, output: Any, batch_first: bool) -> Any:
        """Return what a layer has returned with its packed sequences padded.

        Args:
            output: as returned. batch_first: [batch, time, ...], else [time, batch, ...].
        """
        if isinstance(output, PackedSequence):
            steps = self._steps.get(id(output.batch_sizes), (None, None))[1]
            return pad_packed_sequence(output, batch_first, total_length=steps)[0]
        if isinstance(output, (tuple, list)) and any(
            isinstance(part, PackedSequence) for part in output
        ):
            return _like(output, [self.padded(part, batch_first) for part in output])
        return output


def _like(output: Any, parts: List[Any]) -> Any:
    """Return parts as what held them: a tuple, a named one, or a list."""
    return output._make(parts) if hasattr(output, "_make") else type(output)(parts)


def packed(answer: Any, output: Any, batch_first: bool) -> Any:
    """Return an answer in the place of an output, packed where that was.

    Args:
        answer: as `Lengths.padded` has it. output: what the layer returned. batch_first: as there.
    """
    if isinstance(output, PackedSequence):
        rows = answer if batch_first else answer.transpose(0, 1)
        if output.sorted_indices is not None:
            rows = rows[output.sorted_indices]
        # Step by step, of each as many rows as are that long: what packing is.
        parts = [rows[:size, step] for step, size in enumerate(output.batch_sizes.tolist())]
        return output._replace(data=torch.cat(parts))
    if isinstance(output, (tuple, list)):
        return _like(output, [packed(a, own, batch_first) for a, own in zip(answer, output)])
    return answer
