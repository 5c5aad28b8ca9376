"""The loop over the hours of both VAEs, with its derivative written out.

What an hour decodes is fed to the encoder of the next, so there is no layer to run ahead. Both
streams advance together: all tensors have the streams as their first axis, and the layers that the
streams share have one kernel for both. The derivative keeps to what the loop needs, the way back
through the states; every kernel's gradient is one product over all hours when the loop is done.
Autograd would take one for each hour, and several times as long.
"""

from __future__ import annotations

from typing import Any, Callable, List, NamedTuple, Sequence, Tuple

import torch
from torch import Tensor

from backends.ports.torch.ehr_mgan.networks import advance

sigmoid_backward, tanh_backward = torch.ops.aten.sigmoid_backward, torch.ops.aten.tanh_backward

#: The cells of an hour from below: three of the encoder, then, after the latent is sampled, three
#: of the decoder.
CELLS, ENCODERS = 6, 3
#: Indices of the kernels of the two dense layers, behind those of the cells: mean and logarithm of
#: sigma, and the output.
LATENT, OUTPUT = 6, 7

State = Tuple[List[Tensor], List[Tensor], Tensor]


class Constants(NamedTuple):
    """What the loop reads and does not differentiate by.

    Attributes:
        x: data [2, hours, batch, channels], the stream of fewer channels padded.
        e: [2, batch, latent], one draw for all hours.
        keeps: for each cell [2, hours, batch, units], 0 or 1 / keep.
    """

    x: Tensor
    e: Tensor
    keeps: Sequence[Tensor]

    def zero_state(self) -> State:
        """Return the state before the first hour; also its gradient after the last."""
        zeros = [torch.zeros_like(keep[:, 0]) for keep in self.keeps]
        return zeros, zeros, torch.zeros_like(self.x[:, 0])

    def hourly_keeps(self) -> List[Sequence[Tensor]]:
        """Return the masks of all cells, hour by hour."""
        return list(zip(*(keep.unbind(1) for keep in self.keeps)))


def contract(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """Return x [2, batch, in] times a kernel [2, in, out], in the kernel's dtype, plus the bias."""
    if kernel.dtype == x.dtype:
        return torch.baddbmm(bias, x, kernel)
    return torch.bmm(x.to(kernel.dtype), kernel).to(x.dtype) + bias


def product(x: Tensor, kernel: Tensor) -> Tensor:
    """Return x times a kernel, in the kernel's dtype."""
    return torch.bmm(x.to(kernel.dtype), kernel).to(x.dtype)


def forth(
    x: Tensor,
    e: Tensor,
    keeps: Sequence[Tensor],
    state: State,
    kernels: Sequence[Tensor],
    biases: Sequence[Tensor],
) -> Tuple[State, List[Tensor], List[Any]]:
    """Return the state after one hour, the inputs of all contractions, and what else `back` needs.

    The state is c and h of every cell, and what the hour before has decoded.
    """
    before, h_before, previous = state
    doubled = torch.sigmoid(previous)  # of what is a sigmoid already, as in the original
    below, inputs, cells, c_after, h_after = x - doubled, [], [], [], []
    sigma = e
    for cell in range(CELLS):
        if cell == ENCODERS:
            inputs.append(below)
            mu, logarithm = contract(below, kernels[LATENT], biases[LATENT]).chunk(2, -1)
            sigma = torch.exp(logarithm)
            below = torch.addcmul(mu, sigma, e)
            latent = [mu, logarithm, below]
        inputs.append(torch.cat([below, h_before[cell]], -1))
        h, c, kept = advance(contract(inputs[-1], kernels[cell], biases[cell]), before[cell])
        below = h * keeps[cell]
        c_after.append(c)
        h_after.append(h)
        cells.append((before[cell], *kept))
    inputs.append(below)
    decoded = torch.sigmoid(contract(below, kernels[OUTPUT], biases[OUTPUT]))
    # In the order of the kernels.
    inputs = [*inputs[:ENCODERS], *inputs[ENCODERS + 1 : -1], inputs[ENCODERS], inputs[-1]]
    return (c_after, h_after, decoded), inputs, [cells, sigma, doubled, decoded, latent]


def retreat(dh: Tensor, dc: Tensor, cell: Sequence[Tensor]) -> Tuple[Tensor, Tensor]:
    """Return the gradients of the gates before their nonlinearities and of c before the hour: the
    derivative of `advance`."""
    c, opened, candidate, squashed = cell
    i, f, o = opened.chunk(3, -1)
    dc = dc + tanh_backward(dh * o, squashed)
    gates = sigmoid_backward(torch.cat([dc * candidate, dc * c, dh * squashed], -1), opened)
    return torch.cat([gates, tanh_backward(dc * i, candidate)], -1), dc * f


def back(
    arriving: Sequence[Tensor],
    e: Tensor,
    keeps: Sequence[Tensor],
    state: State,
    kernels: Sequence[Tensor],
    saved: List[Any],
) -> Tuple[State, List[Tensor]]:
    """Return the gradients of the state before one hour, and of the results of all contractions in
    the order of the kernels.

    Args:
        arriving: gradients of what the hour has decoded, of mu and the logarithm together, and of
            z.
        e, keeps: as in `forth`.
        state: gradients of the state after the hour.
        kernels: transposed, [2, out, in].
        saved: what `forth` left.
    """
    d_decoded, d_latent, d_z = arriving
    d_c, d_h, d_previous = state
    cells, sigma, doubled, decoded, _ = saved
    d_output = sigmoid_backward(d_decoded + d_previous, decoded)
    below = product(d_output, kernels[OUTPUT])
    gates: List[Tensor] = []
    c_before: List[Tensor] = []
    h_before: List[Tensor] = []
    for cell in reversed(range(CELLS)):
        units = keeps[cell].shape[-1]
        d_gates, dc = retreat(torch.addcmul(d_h[cell], below, keeps[cell]), d_c[cell], cells[cell])
        d_input = product(d_gates, kernels[cell])
        below = d_input[..., :-units]
        gates.insert(0, d_gates)
        c_before.insert(0, dc)
        h_before.insert(0, d_input[..., -units:])
        if cell == ENCODERS:
            dz = below + d_z
            d_latent = d_latent + torch.cat([dz, dz * sigma * e], -1)
            below = product(d_latent, kernels[LATENT])
    return (c_before, h_before, -sigmoid_backward(below, doubled)), [*gates, d_latent, d_output]


class Loop:
    """Both directions of an hour, compiled or not, and the dtype of contractions."""

    def __init__(
        self, low: torch.dtype, compiled: Callable[[Callable[..., Any]], Callable[..., Any]]
    ) -> None:
        self.low, self.forth, self.back = low, compiled(forth), compiled(back)

    def run(
        self, constants: Constants, kernels: Sequence[Tensor], biases: Sequence[Tensor]
    ) -> Tuple[List[List[Tensor]], List[List[Any]]]:
        """Run all hours; return, for each, the inputs of the contractions and what else `forth`
        returns.

        Args:
            constants: see `Constants`.
            kernels: for each contraction [2, in, out].
            biases: for each, as it is added; of the first cell [2, hours, batch, 4 units], its
                data's share included.
        """
        kernels = [kernel.to(self.low) for kernel in kernels]
        state = constants.zero_state()
        inputs: List[List[Tensor]] = []
        saved: List[List[Any]] = []
        hours = zip(constants.x.unbind(1), biases[0].unbind(1), constants.hourly_keeps())
        for x, first, keep in hours:
            state, entered, kept = self.forth(
                x, constants.e, keep, state, kernels, [first, *biases[1:]]
            )
            inputs.append(entered)
            saved.append(kept)
        return inputs, saved


class Hours(torch.autograd.Function):
    """The loop as one differentiable operation: decoded, mu and the logarithm of sigma together,
    and z, [2, hours, batch, ...]."""

    @staticmethod
    def forward(ctx: Any, loop: Loop, constants: Constants, *weights: Tensor) -> Tuple[Tensor, ...]:
        """Run the loop; `weights` are the kernels, then the biases."""
        kernels, biases = weights[: OUTPUT + 1], weights[OUTPUT + 1 :]
        inputs, saved = loop.run(constants, kernels, biases)
        ctx.loop, ctx.constants, ctx.inputs, ctx.saved = loop, constants, inputs, saved
        ctx.save_for_backward(*weights)
        decoded = torch.stack([hour[3] for hour in saved], 1)
        latent = torch.stack([torch.cat(hour[4][:2], -1) for hour in saved], 1)
        return decoded, latent, torch.stack([hour[4][2] for hour in saved], 1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tuple[Any, ...]:
        """Return the gradients of kernels and biases."""
        loop, constants, weights = ctx.loop, ctx.constants, ctx.saved_tensors
        kernels, biases = weights[: OUTPUT + 1], weights[OUTPUT + 1 :]
        turned = [kernel.to(loop.low).transpose(1, 2) for kernel in kernels]
        state = constants.zero_state()
        series: List[List[Tensor]] = []
        arriving = zip(*(part.unbind(1) for part in gradients))
        hours = list(zip(arriving, constants.hourly_keeps(), ctx.saved))
        for gradient, keep, saved in reversed(hours):
            state, results = loop.back(gradient, constants.e, keep, state, turned, saved)
            series.append(results)
        d_kernels, d_biases = [], []
        for contraction, bias in enumerate(biases):
            arrived = torch.stack([hour[contraction] for hour in reversed(series)], 1)
            entered = torch.stack([hour[contraction] for hour in ctx.inputs], 1)
            rows = entered.flatten(1, 2).transpose(1, 2)
            d_kernels.append(product(rows, arrived.flatten(1, 2).to(loop.low)))
            d_biases.append(
                arrived if bias.dim() == arrived.dim() else arrived.sum(1).sum_to_size(bias.shape)
            )
        return (None, None, *d_kernels, *d_biases)
