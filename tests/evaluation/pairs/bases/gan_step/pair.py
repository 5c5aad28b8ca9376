"""A small GAN, both updates in one step that draws its own noise."""

from backends import pair


@pair.side("tf2")
def original():
    from gan_step.original import Gan

    gan = Gan()
    return pair.keras(gan.models, gan.optimizers, step=gan.train, forward=gan.forward)


@pair.side("torch")
def port():
    from gan_step.port import Gan

    gan = Gan()
    return pair.torch(gan.models, gan.optimizers, step=gan.train, forward=gan.forward)


@pair.data
def data():
    from gan_step.points import load

    return pair.arrays(batch=16, **load())
