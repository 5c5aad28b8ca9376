"""A Keras classifier of small images and its port to PyTorch."""

from backends import pair


@pair.side("tf2")
def original():
    from classifier.original import build

    return pair.keras(build())


@pair.side("torch")
def port():
    from classifier.port import Trainer

    trainer = Trainer()
    return pair.torch(trainer.net, trainer.optimizer, step=trainer.step)


@pair.data
def data():
    from classifier.images import load

    x, y = load()
    return pair.arrays(x=x, y=y, batch=16)
