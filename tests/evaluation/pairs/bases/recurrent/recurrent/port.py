"""The port, in PyTorch."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.LSTM(5, 6, batch_first=True, bidirectional=True)
        self.summary = nn.GRU(12, 8, batch_first=True)
        self.dropout = nn.Dropout(0.25)
        self.gate = nn.Linear(8, 6)
        self.value = nn.Linear(6, 1)
        # Keras has one bias where torch has two.
        for bias in (self.encoder.bias_hh_l0, self.encoder.bias_hh_l0_reverse):
            bias.requires_grad_(False).zero_()

    def forward(self, x):
        lengths = (x != 0).any(2).sum(1).cpu()
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        states, _ = self.encoder(packed)
        _, last = self.summary(states)
        gate = torch.sigmoid(self.gate(self.dropout(last[0])))
        return self.value(gate)


def make_optimizer(net):
    trained = [item for item in net.parameters() if item.requires_grad]
    return torch.optim.SGD(trained, 0.0625, momentum=0.5)


def train_step(net, optimizer, batch):
    optimizer.zero_grad()
    error = nn.functional.huber_loss(net(batch["x"]), batch["y"], delta=0.5)
    loss = error + 2**-5 * (net.gate.weight**2).sum()
    loss.backward()
    for parameter in net.parameters():
        if parameter.grad is not None:
            norm = parameter.grad.norm()
            parameter.grad.mul_(0.25 / torch.clamp(norm, min=0.25))
    optimizer.step()
    return {"loss": loss}
