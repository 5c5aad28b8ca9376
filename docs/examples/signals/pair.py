"""A TensorFlow 1 classifier of signals and its port to PyTorch."""

from backends import pair


@pair.side("tf1")
def original():
    from signals.model import build

    feeds = {"x": "x:0", "lengths": "lengths:0", "y": "y:0"}
    training = {"keep_prob:0": (0.8, 1.0), "is_training:0": (True, False)}
    return pair.tf1(build, feeds, "logits", "loss", "train", training)


@pair.side("torch")
def port():
    from signals.net import Net, make_optimizer, train_step

    net = Net()
    optimizer, scheduler = make_optimizer(net)
    return pair.torch(
        net,
        optimizer,
        step=lambda batch: train_step(net, optimizer, scheduler, batch),
        forward=lambda batch: net(batch["x"], batch["lengths"]),
    )


@pair.data
def data():
    from signals.data import load

    x, lengths, y = load()
    return pair.arrays(x=x, lengths=lengths, y=y, batch=16)
