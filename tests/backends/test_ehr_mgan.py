"""EHR-M-GAN on every framework against the NumPy oracle, and every oddity of the specification
shown to be kept."""

from __future__ import annotations

import numpy as np
import pytest

from backends.contract import Setting, Unsupported
from backends.recording.variations import MANTISSA_BITS, round_to

VARIANTS = ("ehr_mgan", "ehr_mgan_conditional")
pytestmark = [pytest.mark.workloads(*VARIANTS)]
#: What a fix moves at least, relative to the largest value that shows it; the ports agree with the
#: oracle a million times better.
VISIBLE, AGREEING = 1e-8, 1e-12
ONLY_CONDITIONAL = ("linear semantic logits",)


def oracle(kit, phase, fixes=()):
    """Return the oracle on the first batch of a phase."""
    return kit.oracle(kit.lockstep().batch(0, phase), fixes)


def made(kit, fixes=()):
    """Return what the oracle generates for one batch of the tape."""
    return kit.oracle(kit.lockstep().generation(kit.config["batch"]), fixes).generate()


@pytest.fixture
def opened(kit):
    """A port in float64 with the losses of every phase, its activations and what it generates."""
    return observe(kit)


_SEEN = {}


def observe(kit):
    """Return what a port computes on the first batch; computed once a session, for the ports
    take seconds to build."""
    if kit.workload not in _SEEN:
        port, source = kit.port(), kit.lockstep()
        losses = {
            phase: port.losses(phase, source.batch(0, phase)) for phase in kit.config["phases"]
        }
        forward = port.forward(source.batch(0, "forward"), True)
        _SEEN[kit.workload] = losses, forward, port.generate(kit.lockstep(), kit.config["batch"])
    return _SEEN[kit.workload]


def test_losses_of_every_phase_are_the_oracle_s(kit, opened):
    """Twelve phases, every term, by name and in order."""
    for phase, terms in opened[0].items():
        expected = oracle(kit, phase).losses(phase)
        assert list(terms) == list(expected), phase
        for name, value in expected.items():
            kit.close(terms[name], value, AGREEING, "%s %s" % (phase, name))


def test_activations_are_the_oracle_s(kit, opened):
    """Every layer of every network, by name and in order."""
    expected = oracle(kit, "forward").forward()
    assert list(opened[1]) == list(expected)
    for name, value in expected.items():
        kit.close(opened[1][name], value, AGREEING, name)


def test_generated_series_are_the_oracle_s(kit, opened):
    """In the channels' own units, interventions 0 or 1."""
    kit.close(opened[2], made(kit), AGREEING)
    channels = kit.config["channels"]["continuous"]
    assert set(np.unique(opened[2][:, :, channels:])) <= {0.0, 1.0}
    low = np.array(kit.config["minimum"])
    assert (opened[2][:, :, :channels] >= low).all()
    assert (opened[2][:, :, :channels] <= low + kit.config["range"]).all()


@pytest.mark.workloads("ehr_mgan")
def test_an_intervention_of_one_half_is_rounded_to_zero(kit):
    """Half to even: with the last layer's weights at zero every decoded probability is 0.5
    exactly, and no intervention is given."""
    port, channels = kit.port(), kit.config["channels"]["continuous"]
    silenced = {
        name: np.zeros_like(value)
        for name, value in kit.weights.items()
        if name.startswith("vae/discrete/output/")
    }
    assert len(silenced) == 2
    port.load_parameters(dict(kit.weights, **silenced))
    decoded = port.forward(kit.lockstep().batch(0, "forward"), True)["generated/discrete/decoded"]
    assert set(np.unique(decoded)) == {0.5}
    assert set(np.unique(port.generate(kit.lockstep(), kit.config["batch"])[:, :, channels:])) == {
        0.0
    }


def decoding(port, backend, values):
    """Make what the decoder gives for discrete series `values`, one a channel; the rest of
    `generate` stays as it is."""
    values = np.array(values)
    if backend == "tf1":  # the graph gives decoded series, continuous and discrete
        run = port._run
        port._run = lambda *given: [
            0.0 * series + (values if place else 0.0) for place, series in enumerate(run(*given))
        ]
        return
    decode = port.networks.decode

    def changed(stream, *given):
        found = decode(stream, *given)
        if stream == "continuous":
            return found
        if backend == "tf2":  # the series of all layers, the decoded one last
            return [*found[:-1], 0.0 * found[-1] + values]
        return 0.0 * found + found.new_tensor(values)

    port.networks.decode = changed


@pytest.mark.workloads("ehr_mgan")
def test_halves_are_rounded_to_even(kit, backend):
    """0.5, 1.5 and 2.5 become 0, 2 and 2; away from zero it were 1, 2 and 3, towards zero 0, 1
    and 2."""
    setting = Setting(device=kit.device, precision="fp64", threads=2)
    port = kit.port_class()(kit.config, setting)  # one of its own, for it cannot be used again
    port.load_parameters(kit.weights)
    decoding(port, backend, [0.5, 1.5, 2.5])
    found = port.generate(kit.lockstep(), kit.config["batch"])[
        :, :, kit.config["channels"]["continuous"] :
    ]
    np.testing.assert_array_equal(found, np.broadcast_to([0.0, 2.0, 2.0], found.shape))


def test_an_oddity_that_is_put_right_is_another_model(kit, opened, fix):
    """Wherever the fixed oracle differs from the true one, the port is on the true one's side."""
    if fix in ONLY_CONDITIONAL and not kit.config["conditional"]:
        return
    shown = 0.0
    for phase, terms in opened[0].items():
        truth, fixed = oracle(kit, phase).losses(phase), oracle(kit, phase, (fix,)).losses(phase)
        for name, value in terms.items():
            scale = abs(truth[name])
            gap = abs(truth[name] - fixed[name]) / scale
            if gap > VISIBLE:
                assert abs(value - truth[name]) / scale < 1e-3 * gap, (phase, name)
                shown = max(shown, gap)
    if not shown:  # too small for the losses: look at the activations
        truth, fixed = oracle(kit, "forward").forward(), oracle(kit, "forward", (fix,)).forward()
        for name, value in opened[1].items():
            scale = np.abs(truth[name]).max()
            gap = np.abs(truth[name] - fixed[name]).max() / scale
            if gap > VISIBLE:
                assert np.abs(value - truth[name]).max() / scale < 1e-3 * gap, name
                shown = max(shown, gap)
    assert shown > VISIBLE, "the oracle's fix shows nowhere: the test has no power"


def test_both_optimizers_hold_the_shared_variables(kit):
    """The shared variables have moments of their own in either stream's optimizer, and new ones
    in joint training."""
    names = {update["optimizer"]: update["parameters"] for update in kit.config["updates"]}
    holders = [name for name, parameters in names.items() if "vae/shared/mu/kernel" in parameters]
    assert sorted(holders) == [
        "joint/vae/continuous",
        "joint/vae/discrete",
        "pretrain/continuous",
        "pretrain/discrete",
    ]
    port, source = kit.port(), kit.lockstep()
    port.train_step("pretrain/continuous", source.batch(0, "pretrain/continuous"))
    state = port.optimizer_state()
    for holder in holders:
        moved = np.abs(state["%s/vae/shared/mu/kernel/m" % holder]).max() > 0
        assert moved == (holder == "pretrain/continuous"), holder


def test_a_phase_moves_what_it_owns_and_nothing_else(kit):
    """Weights and slots outside the phase's own stay as they are, bit by bit."""
    port, source = kit.port(), kit.lockstep()
    before, slots = port.parameters(), port.optimizer_state()
    for update in kit.config["updates"]:
        port.train_step(update["phase"], source.batch(0, update["phase"]))
        after, now = port.parameters(), port.optimizer_state()
        moved = {name for name, value in after.items() if not np.array_equal(value, before[name])}
        assert moved == set(update["parameters"]), update["phase"]
        changed = {name for name, value in now.items() if not np.array_equal(value, slots[name])}
        own = update["optimizer"] + "/"
        assert changed <= {name for name in now if name.startswith(own)}, update["phase"]
        assert own + "step" in changed
        before, slots = after, now


def test_generation_makes_whole_batches(kit):
    """floor(N / B) B rows, as in the original; fewer than one batch is refused."""
    port, batch = kit.port(), kit.config["batch"]
    assert len(port.generate(kit.lockstep(), 2 * batch + 5)) == 2 * batch
    with pytest.raises(ValueError, match=str(batch)):
        port.generate(kit.lockstep(), batch - 1)


def test_native_generation_repeats_with_the_seed(kit):
    """Another seed gives other patients; the same seed the same ones."""
    port, batch = kit.port("fp32"), kit.config["batch"]
    first, again, other = [port.generate(kit.native(seed), 2 * batch) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0
    assert np.abs(first[:batch] - first[batch:]).max() > 0


@pytest.mark.workloads("ehr_mgan")
def test_native_draws_follow_the_declared_distributions(kit):
    """The losses of native phases scatter around those of the tape, and differ from one step to
    the next."""
    port = kit.port("fp32")
    phase = "joint/discriminator/continuous"
    batch = kit.lockstep().batch(0, phase)
    tape = port.losses(phase, batch)["total"]
    batch.noise = None
    native = [port.train_step(phase, batch)["total"] for _ in range(5)]
    assert len(set(native)) == 5
    assert abs(np.mean(native) - tape) < 0.2 * tape


@pytest.mark.workloads("ehr_mgan")
def test_native_pretraining_learns(kit):
    """The reconstruction of the vital signs gets better, with the framework's own draws."""
    port, phase = kit.port("fp32"), "pretrain/continuous"
    batch = kit.lockstep().batch(0, phase)
    batch.noise = None
    values = [port.train_step(phase, batch)["reconstruction"] for _ in range(80)]
    assert np.isfinite(values).all()
    assert np.mean(values[-20:]) < np.mean(values[:20])


@pytest.mark.workloads("ehr_mgan")
def test_the_paper_s_model_has_its_number_of_parameters(kit):
    """C = 7 and D = 3: 20,614,256, of which the VAEs hold 1,150,012."""
    port = kit.port_class()(
        kit.frozen("paper"), Setting(device=kit.device, precision="fp32", threads=2)
    )
    sizes = {name: value.size for name, value in port.parameters().items()}
    assert sum(sizes.values()) == 20614256
    assert sum(size for name, size in sizes.items() if name.startswith("vae/")) == 1150012


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_a_kernels_gradient_is_one_product_in_the_low_dtype(kit, precision):
    """However a port sums it up over hours and streams: else it overflows at another loss scale on
    every backend, and other updates are skipped. A value of that dtype is the same once more
    rounded to it; the loss scale is a power of two.
    """
    bits = MANTISSA_BITS[precision]
    try:
        port = kit.port(precision)
        for phase in kit.kinds():
            for name, value in port.gradients(phase, kit.lockstep().batch(0, phase)).items():
                if name.rsplit("/", 1)[-1] in ("kernel", "W", "U", "V"):
                    np.testing.assert_array_equal(
                        value,
                        round_to(value.astype(np.float64), bits),
                        err_msg="%s %s" % (phase, name),
                    )
    except Unsupported as reason:
        assert len(str(reason)) > 10
