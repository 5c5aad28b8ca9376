"""ResNet50 as keras.applications has it: biases in its convolutions, a stride in the first of a
block, batch norms of 1.001e-5."""

from torch import nn
from torch.nn import functional


def normed(channels):
    return nn.BatchNorm2d(channels, eps=1.001e-5, momentum=0.01)


class Block(nn.Module):
    """1x1, 3x3, 1x1 beside a shortcut."""

    def __init__(self, given, width, stride=1, shortcut=False):
        super().__init__()
        self.project = shortcut
        if shortcut:
            self.conv0, self.bn0 = nn.Conv2d(given, 4 * width, 1, stride), normed(4 * width)
        self.conv1, self.bn1 = nn.Conv2d(given, width, 1, stride), normed(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, padding=1), normed(width)
        self.conv3, self.bn3 = nn.Conv2d(width, 4 * width, 1), normed(4 * width)
        self.relu = nn.ReLU()

    def forward(self, x):
        beside = self.bn0(self.conv0(x)) if self.project else x
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        return self.relu(beside + self.bn3(self.conv3(x)))


class Net(nn.Module):
    """Images [batch, 64, 64, 3] to the chances of 1000 classes."""

    def __init__(self):
        super().__init__()
        self.conv, self.bn, self.relu = nn.Conv2d(3, 64, 7, 2, 3), normed(64), nn.ReLU()
        self.pool = nn.MaxPool2d(3, 2, 1)
        blocks, given = [], 64
        for width, count, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
            for index in range(count):
                blocks.append(Block(given, width, stride if index == 0 else 1, index == 0))
                given = 4 * width
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(given, 1000)

    def logits(self, x):
        x = self.pool(self.relu(self.bn(self.conv(x.permute(0, 3, 1, 2)))))
        return self.head(self.blocks(x).mean((2, 3)))

    def forward(self, x):
        return self.logits(x).softmax(-1)


def train_step(net, optimizer, batch):
    """Keras takes the loss from the logits behind a softmax, too."""
    optimizer.zero_grad()
    loss = functional.cross_entropy(net.logits(batch["x"]), batch["y"])
    loss.backward()
    optimizer.step()
    return loss
