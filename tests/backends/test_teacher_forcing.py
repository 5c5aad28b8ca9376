"""Every port can be teacher-forced: each activation is computed from the teacher's values of those
before it, and what was read is told."""

from __future__ import annotations

import numpy as np
import pytest

from backends.contract import Unsupported
from backends.recording.teacher_forcing import (
    DATA,
    TEACHER,
    WEIGHT,
    ForcedRecord,
    fits,
    survey,
    walk,
)
from backends.source import Batch

#: What each activation of `cnn` is computed from, in both modes.
CNN = {
    "conv1": [],
    "pool1": ["conv1"],
    "conv2": ["pool1"],
    "pool2": ["conv2"],
    "flatten": ["pool2"],
    "dense1": ["flatten"],
    "dropout": ["dense1"],
    "batch_norm": ["dropout"],
    "logits": ["batch_norm"],
    "probabilities": ["logits"],
}


def given(kit):
    """Yield each mode with what `forward` is given."""
    batch = kit.lockstep().batch(0, kit.config["forward"]["phase"])
    for mode in kit.config["forward"]["modes"]:
        yield mode == "training", batch if mode == "training" else Batch(batch.arrays, None)


@pytest.mark.workloads("linear", "cnn")
def test_forced_by_itself_a_port_computes_what_it_does(kit):
    """The port's own values as the teacher's change nothing, and the state is left alone."""
    port = kit.port()
    before = port.parameters()
    for training, batch in given(kit):
        own = port.forward(batch, training)
        forced = port.forward_from(batch, training, own)
        assert list(own) == list(forced.values)
        for name, value in own.items():
            assert forced.values[name].dtype == value.dtype
            kit.close(forced.values[name], value, 1e-12, name)
        again = port.forward(batch, training)
        for name, value in own.items():
            np.testing.assert_array_equal(again[name], value, err_msg=name)
    for name, value in port.parameters().items():
        np.testing.assert_array_equal(value, before[name], err_msg=name)


@pytest.mark.workloads("cnn")
@pytest.mark.parametrize("precision", ["fp64", "bf16"])
def test_each_layer_is_computed_from_the_layer_before(kit, precision):
    """Told by the graph, by watching, and by the values: a teacher of its own for one activation
    changes the next one alone."""
    if not kit.multiplies(precision):
        return
    port = kit.port(precision)
    for training, batch in given(kit):
        own = port.forward(batch, training)
        forced = port.forward_from(batch, training, own)
        assert forced.read == CNN
        assert {name for name, others in forced.own.items() if others} == set()
        for changed in ("conv1", "pool2", "dropout"):
            other = port.forward_from(
                batch, training, dict(own, **{changed: own[changed] * 2.0 + 1.0})
            )
            moved = {
                name for name in own if not np.array_equal(other.values[name], forced.values[name])
            }
            assert moved == {name for name, read in CNN.items() if changed in read}, changed


@pytest.mark.workloads("cnn")
def test_what_does_not_fit_forces_nothing(kit):
    """A value of another shape, and a name that is not there: the next layer is computed from
    the port's own, and that is told."""
    port = kit.port()
    training, batch = next(given(kit))
    own = port.forward(batch, training)
    teacher = dict(own, pool1=own["pool1"][:, :-1], other=np.zeros(3))
    del teacher["dense1"]
    forced = port.forward_from(batch, training, teacher)
    assert (forced.read["conv2"], forced.read["pool2"], forced.read["dropout"]) == (
        ["conv1"],
        ["conv2"],
        ["flatten"],
    )
    assert (forced.own["conv2"], forced.own["pool2"], forced.own["dropout"]) == (
        ["pool1"],
        [],
        ["dense1"],
    )
    for name, value in own.items():
        kit.close(forced.values[name], value, 1e-12, name)


def deaf(kit):
    """Return the port with a record that it never reads, as a caller would copy it."""

    class Deaf(kit.port_class()):
        """Goes on with its own values."""

        def activations(self, *arguments):
            record, self.forced_record = self.forced_record, None
            found = super(Deaf, self).activations(*arguments)
            self.forced_record = record
            return found

    port = Deaf(kit.config, kit.port().setting)
    port.load_parameters(kit.weights)
    return port


@pytest.mark.workloads("cnn")
@pytest.mark.backends("torch")
def test_a_port_that_does_not_read_back_is_not_forced(kit):
    """It goes on with its own values: none of the teacher's was read, and every layer says on
    which ones of its own it rests."""
    port = deaf(kit)
    training, batch = next(given(kit))
    own = port.forward(batch, training)
    forced = port.forward_from(batch, training, {name: value + 1.0 for name, value in own.items()})
    assert set() == {name for names in forced.read.values() for name in names}
    names = list(own)
    for place, name in enumerate(names[1:], 1):
        assert names[place - 1] in forced.own[name], name
        kit.close(forced.values[name], own[name], 1e-12, name)


@pytest.mark.workloads("cnn")
@pytest.mark.backends("tf2")
def test_the_graph_of_a_port_that_does_not_read_back_is_cut(kit):
    """It is teacher-forced all the same, as one that reads back is."""
    port, listening = deaf(kit), kit.port()
    for training, batch in given(kit):
        own = port.forward(batch, training)
        teacher = {name: 1.5 * value + 1.0 for name, value in own.items()}
        forced, expected = (
            port.forward_from(batch, training, teacher),
            listening.forward_from(batch, training, teacher),
        )
        assert (CNN, expected.own) == (forced.read, forced.own)
        for name, value in expected.values.items():
            kit.close(forced.values[name], value, 1e-12, name)
    np.testing.assert_array_equal(
        port.parameters()["batch_norm/moving_mean"], kit.weights["batch_norm/moving_mean"]
    )


@pytest.mark.workloads("ehr_mgan")
@pytest.mark.backends("tf1", "tf2")
def test_the_generators_of_ehr_mgan_are_forced_as_they_are(kit):
    """Feeding reaches what is behind the exchanged axes: a layer follows from the teacher's layer
    below, and the loop of the VAEs, which computes all of its layers at once, says so."""
    port = kit.port()
    training, batch = next(given(kit))
    own = port.forward(batch, training)
    forced = port.forward_from(batch, training, own)
    for name, value in own.items():
        kit.close(forced.values[name], value, 1e-12, name)
    for stream in ("continuous", "discrete"):
        for upper, lower in (("layer2", "layer1"), ("layer3", "layer2"), ("latent", "layer3")):
            assert (
                "generator/%s/%s" % (stream, lower)
                in forced.read["generator/%s/%s" % (stream, upper)]
            )
        assert [] == forced.own["generator/%s/latent" % stream]
        assert ["generator/%s/latent" % stream] == forced.read["generated/%s/layer1" % stream]
    assert "continuous/encoder/layer1" in forced.own["continuous/decoder/layer1"]
    name = "generator/discrete/layer3"
    other = port.forward_from(batch, training, dict(own, **{name: own[name] + 0.5}))
    moved = {key for key in own if not np.array_equal(other.values[key], forced.values[key])}
    assert {"generator/discrete/latent"} == moved


def test_a_forced_record_keeps_what_is_set_and_answers_with_the_teachers():
    """Reading, iterating and unpacking all go to the teacher; what was set stays in order."""
    asked = []
    record = ForcedRecord(lambda name, own: (asked.append((name, own)), -own)[1])
    record["b"] = 1
    record.update(a=2)
    assert (-1, -2, {"b": -1, "a": -2}) == (record["b"], record.get("a"), dict(record))
    assert [("b", 1), ("a", 2)] == asked[:2]
    assert {"b": 1, "a": 2} == record.kept and ["b", "a"] == list(record.kept)
    with pytest.raises(KeyError):
        record["c"]
    record["c"] = 3
    record["c"] = 4  # nobody has read it yet
    with pytest.raises(Unsupported, match="the activation a is read and then set again"):
        record["a"] = 5
    del record["b"]
    assert (2, ["a", "c"]) == (len(record), list(record))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [([2, 3], True), ([None, 3], True), ([2, 4], False), ([2], False), ([2, 3, 1], False)],
)
def test_only_a_value_of_the_same_shape_fits(shape, expected):
    """An axis of any length takes any; a name that the teacher lacks fits nowhere."""
    assert expected == fits({"a": np.zeros((2, 3))}, "a", shape)
    assert not fits({}, "a", shape)


def test_a_survey_tells_forced_from_unforced():
    """A copy for the record, a loop for two layers, a shared mask: what is in common counts
    where an activation takes shape in it."""
    data, weight = (DATA, "x"), (WEIGHT, "w")
    inputs = {
        "first": [data, weight, "mask"],
        "shown": ["first"],
        "copied": ["first", weight],
        "forced": [(TEACHER, "shown"), "mask"],
        "mask": [data],
        "loop": [(TEACHER, "forced"), weight, "loop"],
        "one": ["loop"],
        "two": ["loop", weight],
        "plain": [data],
    }
    order = ["shown", "copied", "forced", "one", "two", "plain"]
    read, own, rooted = survey(
        {name: walk(name, lambda node: inputs[node]) for name in order},
        {name: name for name in order},
    )
    assert {
        "shown": [],
        "copied": [],
        "forced": ["shown"],
        "one": ["forced"],
        "two": ["forced"],
        "plain": [],
    } == read
    assert {
        "shown": [],
        "copied": ["shown"],
        "forced": [],
        "one": [],
        "two": ["one"],
        "plain": [],
    } == own
    assert ["shown", "plain"] == rooted
