"""A Keras BiLSTM and GRU over sequences of unequal lengths and its port to PyTorch."""

from backends import pair


@pair.side("tf2")
def original():
    from recurrent.original import build

    return pair.keras(build())


@pair.side("torch")
def port():
    from recurrent.port import Net, make_optimizer, train_step

    net = Net()
    optimizer = make_optimizer(net)
    return pair.torch(net, optimizer, step=lambda batch: train_step(net, optimizer, batch))


@pair.data
def data():
    from recurrent.sequences import load

    x, y = load()
    return pair.arrays(x=x, y=y, batch=16)
