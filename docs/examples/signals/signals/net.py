"""The port, with three mistakes."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class Net(nn.Module):
    def __init__(self, keep_prob=0.8):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8, eps=1e-3, momentum=0.9)
        self.rnn = nn.LSTM(24, 16, batch_first=True)
        self.dropout = nn.Dropout(keep_prob)
        self.logits = nn.Linear(16, 4)
        self.start()

    def start(self):
        """Begin as TensorFlow's layers do. It has one bias in an LSTM, where torch has two."""
        for name, value in self.named_parameters():
            if value.ndim > 1:
                nn.init.xavier_uniform_(value)
            elif "bias" in name:
                nn.init.zeros_(value)
        self.rnn.bias_hh_l0.requires_grad_(False)

    def forward(self, x, lengths):
        maps = torch.relu(self.norm(self.conv(x[:, None])))
        maps = nn.functional.max_pool2d(maps, (1, 2))
        maps = maps.permute(0, 2, 3, 1).flatten(2)
        packed = pack_padded_sequence(maps, lengths.cpu(), True, enforce_sorted=False)
        outputs, _ = pad_packed_sequence(self.rnn(packed)[0], True, total_length=x.shape[1])
        return self.logits(self.dropout(outputs).sum(1) / lengths[:, None])


def make_optimizer(net):
    trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(trained, 0.1, momentum=0.9)
    return optimizer, torch.optim.lr_scheduler.StepLR(optimizer, 16, 0.9)


def train_step(net, optimizer, scheduler, batch):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(net(batch["x"], batch["lengths"]), batch["y"])
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 5.0)
    optimizer.step()
    scheduler.step()
    return loss
