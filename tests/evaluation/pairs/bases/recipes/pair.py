"""A Keras word model trained by all the tricks of a long run and its port to PyTorch."""

from backends import pair


@pair.side("tf2")
def original():
    from recipes.original import Trainer

    trainer = Trainer()
    return pair.keras(trainer.net, trainer.optimizers, step=trainer.step)


@pair.side("torch")
def port():
    from recipes.port import Trainer

    trainer = Trainer()
    return pair.torch(trainer.net, trainer.optimizer, step=trainer.step)


@pair.data
def data():
    from recipes.words import load

    return pair.arrays(batch=16, **load())
