"""The workload `ehr_mgan` as plain objects: TensorFlow 1, Keras, PyTorch."""

from backends import pair


@pair.side("tf1")
def graph():
    from ehr.tf1_graph import TERMS, build

    feeds = {"continuous": "continuous:0", "discrete": "discrete:0"}
    train = {phase: phase + "/update" for phase in TERMS}
    return pair.tf1(build, feeds, "shown", TERMS, train)


@pair.side("tf2")
def keras():
    from ehr.keras_nets import EhrMGan

    gan = EhrMGan()
    return pair.keras(gan.models, gan.optimizers, gan.steps, gan.forward)


@pair.side("torch")
def module():
    from ehr.torch_nets import EhrMGan, TfAdam

    gan = EhrMGan(TfAdam)
    return pair.torch(gan.models, gan.optimizers, gan.steps, gan.forward)


@pair.data
def data():
    from ehr.data import load

    return pair.arrays(batch=12, **load())
