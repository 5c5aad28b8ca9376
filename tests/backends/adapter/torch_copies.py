"""The ways in which a training step keeps an average of the weights, for the tests of the adapter
for `nn.Module`s: each is a function of a net that returns what is kept, and what updates it."""

from __future__ import annotations

import copy

from linear_step import errors

KEPT = 0.75


def averaging(torch, keep, seen=None):
    """A program that keeps an average: what `keep` returns is updated after each step."""

    def program(net):
        optimizer = torch.optim.SGD(net.parameters(), 0.125)
        kept, update = keep(net)

        def step(batch):
            optimizer.zero_grad()
            value = errors(torch, net, batch)
            value.backward()
            optimizer.step()
            with torch.no_grad():
                update(kept, net)
            return value

        return optimizer, step

    return program


def averaged(torch):
    swa = torch.optim.swa_utils

    def keep(net):
        made = swa.AveragedModel(net, multi_avg_fn=swa.get_ema_multi_avg_fn(KEPT))
        return made, lambda kept, now: kept.update_parameters(now)

    return keep


def mixed(pairs):
    for mean, value in pairs:
        mean.mul_(KEPT).add_(value, alpha=1 - KEPT)


def copied(net):
    return copy.deepcopy(net), lambda kept, now: mixed(zip(kept.parameters(), now.parameters()))


def named(net):
    kept = {name: value.detach().clone() for name, value in net.named_parameters()}
    return kept, lambda own, now: mixed((own[name], v) for name, v in now.named_parameters())


def listed(net):
    kept = [value.detach().clone() for value in net.parameters()]
    return kept, lambda own, now: mixed(zip(own, now.parameters()))


def replaced(net):
    kept = {name: value.detach().clone() for name, value in net.named_parameters()}

    def update(own, now):
        for name, value in now.named_parameters():
            own[name] = KEPT * own[name] + (1 - KEPT) * value.detach()

    return kept, update


def ways(torch):
    return {
        "averaged": averaged(torch),
        "copied": copied,
        "named": named,
        "listed": listed,
        "replaced": replaced,
    }
