"""A Keras classifier of sequences and its port to PyTorch."""

from backends import pair


@pair.side("tf2")
def original():
    from reviews.model import build

    return pair.keras(build())


@pair.side("torch")
def port():
    from reviews.net import Net, make_optimizer, train_step

    net = Net()
    optimizer, scheduler = make_optimizer(net)
    return pair.torch(
        net, optimizer, step=lambda batch: train_step(net, optimizer, scheduler, batch)
    )


@pair.data
def data():
    from reviews.data import load

    x, y = load()
    return pair.arrays(x=x, y=y, batch=16)
