"""A TensorFlow 1 program with dynamic_rnn and its port to PyTorch."""

from backends import pair


@pair.side("tf1")
def original():
    from dynamic.original import build

    feeds = {"x": "x:0", "lengths": "lengths:0", "y": "y:0"}
    training = {"training:0": (True, False), "keep:0": (0.75, 1.0)}
    return pair.tf1(build, feeds, "logits", "loss", "train", training)


@pair.side("torch")
def port():
    from dynamic.port import Trainer

    trainer = Trainer()
    return pair.torch(trainer.net, trainer.optimizer, trainer.step, trainer.forward)


@pair.data
def data():
    from dynamic.sequences import load

    return pair.arrays(batch=16, **load())
