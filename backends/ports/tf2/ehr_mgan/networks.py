"""The networks of EHR-M-GAN on one batch: VAEs, generators, discriminators.

Series are time-major inside. Dropout with the tape's or the drawn masks is on everywhere, in
generation too, as in the original.
"""

from __future__ import annotations

import collections
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import tensorflow as tf

from backends.ports.tf2.ehr_mgan.lstm import Recurrence

STREAMS = ("continuous", "discrete")
LAYERS = (1, 2, 3)

Tensors = Dict[str, Any]


class Networks(tf.Module):
    """The model.

    Args:
        config: the workload's configuration.
        weights: variables by canonical name.
        recurrence: how layers are computed.
    """

    def __init__(self, config: Mapping[str, Any], weights: Tensors, recurrence: Recurrence) -> None:
        tf.Module.__init__(self, name="ehr_mgan")
        self.config, self.weights, self.recurrence = config, weights, recurrence
        self.batch, self.hours = config["batch"], config["hours"]

    def pair(self, name: str) -> Tuple[Any, Any]:
        """Return kernel and bias of a layer."""
        return self.weights[name + "/kernel"], self.weights[name + "/bias"]

    def dense(self, name: str, x: Any) -> Any:
        """Return x times the kernel plus the bias, for [rows, in]."""
        kernel, bias = self.pair(name)
        return self.recurrence.product(x, kernel) + bias

    def dense_series(self, name: str, x: Any) -> Any:
        """Return the same for all hours, [hours, batch, in]."""
        kernel, bias = self.pair(name)
        return self.recurrence.projection(x, kernel) + bias

    def mask(self, noise: Tensors, site: str) -> Any:
        """Return the factors of dropout at a site, time-major."""
        return transposed(noise[site]) * (1.0 / self.config["keep"])

    def labelled(self, series: Any, arrays: Tensors) -> Any:
        """Return a time-major series with the class of each stay beside it, where the model is
        conditional."""
        if not self.config["conditional"]:
            return series
        label = tf.cast(arrays["label"], self.recurrence.master)
        return tf.concat([series, tf.broadcast_to(label, [series.shape[0], self.batch, 1])], axis=2)

    def layers(
        self,
        names: Sequence[str],
        sites: Sequence[Any],
        x: Any,
        states: Optional[Sequence[Any]] = None,
    ) -> List[Any]:
        """Return the dropped outputs of LSTM layers on top of each other; they start at zero unless
        states are given."""
        outputs = []
        for index, name in enumerate(names):
            kernel, bias = self.pair(name)
            zero = tf.zeros([x.shape[1], bias.shape[0] // 4], self.recurrence.master)
            state = states[index] if states else (zero, zero)
            x = self.recurrence.layer(x, kernel, bias, state) * sites[index]
            outputs.append(x)
        return outputs

    # -- generators, decoding, discriminators ------------------------------------------------------

    def latents(self, arrays: Tensors, noise: Tensors) -> Tuple[List[List[Any]], List[Any]]:
        """Return for each stream the outputs of the generator's layers, and the latents [hours,
        batch, latent] in (0, 1)."""
        xs = [self.labelled(transposed(noise["generator/" + stream]), arrays) for stream in STREAMS]
        outputs = []
        for layer in LAYERS:
            weights = []
            for stream in STREAMS:
                name = f"generator/{stream}/layer{layer}/"
                weights.append([self.weights[name + matrix] for matrix in "WUV"])
            xs = self.recurrence.bilateral(xs, weights)
            outputs.append(xs)
        latents = [
            tf.sigmoid(self.dense_series(f"generator/{stream}/output", x))
            for stream, x in zip(STREAMS, xs)
        ]
        return [list(stream) for stream in zip(*outputs)], latents

    def decode(self, stream: str, latent: Any, arrays: Tensors, noise: Tensors) -> List[Any]:
        """Return the outputs of the decoder's layers and the decoded series; there is no feedback,
        so layer by layer."""
        names = [
            "vae/shared/decoder/layer1",
            f"vae/{stream}/decoder/layer2",
            f"vae/{stream}/decoder/layer3",
        ]
        masks = [self.mask(noise, f"generated/{stream}/layer{layer}") for layer in LAYERS]
        outputs = self.layers(names, masks, self.labelled(latent, arrays))
        return outputs + [tf.sigmoid(self.dense_series(f"vae/{stream}/output", outputs[-1]))]

    def discriminate(
        self, stream: str, series: Mapping[str, Any], noise: Tensors
    ) -> Dict[str, Tuple[List[Any], Any]]:
        """Return by side (real, fake) the outputs of the layers and the logit [batch, 1].

        All sides run as one batch: the weights are the same.
        """
        names = [f"discriminator/{stream}/layer{layer}" for layer in LAYERS]
        sides = list(series)
        masks = []
        for layer in LAYERS:
            own = [self.mask(noise, f"{side}/{stream}/layer{layer}") for side in sides]
            masks.append(tf.concat(own, axis=1))
        rows = len(sides) * self.batch
        states = [
            (self._initial(name, "c", rows), self._initial(name, "h", rows)) for name in names
        ]
        outputs = self.layers(names, masks, tf.concat(list(series.values()), axis=1), states)
        flat = tf.reshape(transposed(outputs[-1]), [rows, -1])
        logits = self.dense(f"discriminator/{stream}/logit", flat)
        layers = zip(*[tf.split(output, len(sides), axis=1) for output in outputs])
        by_side: Dict[str, Any] = collections.OrderedDict()
        for side, shown, logit in zip(sides, layers, tf.split(logits, len(sides), axis=0)):
            by_side[side] = list(shown), logit
        return by_side

    def _initial(self, name: str, part: str, rows: int) -> Any:
        """Return the trained initial c or h of a layer, once for each row."""
        return tf.repeat(self.weights[f"{name}/initial_{part}"], rows, axis=0)

    def generated(self, stream: str, arrays: Tensors, noise: Tensors) -> Any:
        """Return the decoded series of one stream's generated latents."""
        latent = self.latents(arrays, noise)[1][STREAMS.index(stream)]
        return self.decode(stream, latent, arrays, noise)[-1]


def transposed(series: Any) -> Any:
    """Return a batch-major series time-major, or the other way round."""
    return tf.transpose(series, [1, 0, 2])
