"""TF1 is run as its users run it, unless the prepared callable is asked for by name."""

from __future__ import annotations

import numpy as np
import pytest

from backends.contract import Unsupported

pytestmark = [pytest.mark.workloads("linear")]


@pytest.mark.backends("tf1")
def test_a_step_is_a_run_of_the_session(kit):
    """The callable trains the same model, and says what it is; nothing but its name leads to it."""
    plain, prepared = kit.port("fp32"), kit.port("fp32", execution="callable")
    histories = [port.train(kit.native(), 3) for port in (plain, prepared)]
    assert histories[0] == histories[1]
    assert [True] * len(plain.phases._built) == [
        built.step is None for built in plain.phases._built.values()
    ]
    assert any(built.step is not None for built in prepared.phases._built.values())
    assert ("graph", "callable") == (
        plain.effective()["execution"],
        prepared.effective()["execution"],
    )
    found = [port.parameters() for port in (plain, prepared)]
    assert all(np.array_equal(value, found[1][name]) for name, value in found[0].items())


@pytest.mark.backends("tf2", "torch")
def test_others_have_none(kit):
    """And say so."""
    with pytest.raises(Unsupported, match="callable"):
        kit.port("fp32", execution="callable")
