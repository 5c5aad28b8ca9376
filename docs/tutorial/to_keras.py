"""The TensorFlow 1 program and its port to Keras."""

from backends import pair


@pair.side("tf1")
def original():
    from leaves.original import build

    training = {"training:0": (True, False)}
    return pair.tf1(build, {"x": "x:0", "y": "y:0"}, "logits", "loss", "train", training)


@pair.side("tf2")
def port():
    from leaves.keras_port import build

    return pair.keras(build())


@pair.data
def data():
    from leaves.data import load

    x, y = load()
    return pair.arrays(x=x, y=y, batch=16)
