"""The Keras model and its port to PyTorch."""

from backends import pair


@pair.side("tf2")
def original():
    from leaves.keras_port import build

    return pair.keras(build())


@pair.side("torch")
def port():
    from leaves.torch_port import Net, make_optimizer, train_step

    net = Net()
    optimizer = make_optimizer(net)
    return pair.torch(net, optimizer, step=lambda batch: train_step(net, optimizer, batch))


@pair.data
def data():
    from leaves.data import load

    x, y = load()
    return pair.arrays(x=x, y=y, batch=16)
