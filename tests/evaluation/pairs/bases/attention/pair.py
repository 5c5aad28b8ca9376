"""A Keras attention block and its port to nn.MultiheadAttention."""

from backends import pair


@pair.side("tf2")
def original():
    from attention.original import build

    return pair.keras(build())


@pair.side("torch")
def port():
    from attention.port import Block, make_optimizer, train_step

    net = Block()
    optimizer = make_optimizer(net)
    return pair.torch(net, optimizer, step=lambda batch: train_step(net, optimizer, batch))


@pair.data
def data():
    from attention.sentences import load

    x, y = load()
    return pair.arrays(x=x, y=y, batch=16)
