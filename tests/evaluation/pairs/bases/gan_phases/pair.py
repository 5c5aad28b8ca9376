"""A small GAN, its two updates as two phases."""

from backends import pair


@pair.side("tf2")
def original():
    from gan.original import Gan

    gan = Gan()
    steps = {"critic": gan.train_critic, "maker": gan.train_maker}
    return pair.keras(gan.models, gan.optimizers, step=steps, forward=gan.forward)


@pair.side("torch")
def port():
    from gan.port import Gan

    gan = Gan()
    steps = {"critic": gan.train_critic, "maker": gan.train_maker}
    return pair.torch(gan.models, gan.optimizers, step=steps, forward=gan.forward)


@pair.data
def data():
    from gan.points import load

    return pair.arrays(batch=16, **load())
