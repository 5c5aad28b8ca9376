"""A Keras net in mixed float16 with its scaled loss and its port to PyTorch."""

from backends import pair


@pair.side("tf2")
def original():
    from scaled.original import build

    return pair.keras(build())


@pair.side("torch")
def port():
    from scaled.port import Trainer

    trainer = Trainer()
    return pair.torch(trainer.net, trainer.optimizer, step=trainer.step)


@pair.data
def data():
    from scaled.points import load

    return pair.arrays(batch=16, **load())
