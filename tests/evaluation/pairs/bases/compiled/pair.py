"""A Keras net that XLA compiles and its port to PyTorch, which `torch.compile` does."""

from backends import pair


@pair.side("tf2")
def original():
    from compiled.original import build

    return pair.keras(build())


@pair.side("torch")
def port():
    from compiled.port import Trainer

    trainer = Trainer()
    return pair.torch(trainer.net, trainer.optimizer, step=trainer.step)


@pair.data
def data():
    from compiled.points import load

    return pair.arrays(batch=16, **load())
