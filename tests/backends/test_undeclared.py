"""State that nobody declared: a look leaves no trace, weights that are loaded begin anew, and
what moved is named."""

from __future__ import annotations

import collections
import contextlib

import numpy as np
import pytest

from backends.recording.undeclared_state import Memory, Place, Undeclared


def state(owner):
    """Return the undeclared state of a plain object."""
    return Undeclared(
        lambda: [Place(name, vars(owner), name, True) for name in vars(owner)], Memory()
    )


class Owner:
    """Something with attributes."""

    def __init__(self, **attributes):
        vars(self).update(attributes)


def write(owner):
    owner.value += 1.0


def rebind(owner):
    owner.value = owner.value + 1.0


def renew(owner):
    owner.late = np.ones(2)


def append(owner):
    owner.history.append(np.ones(1))


def within(owner):
    owner.pair["h"][0][...] = 5.0


def count(owner):
    owner.calls += 1


def scrub(owner):
    owner.value = None


@pytest.mark.parametrize(
    ("deed", "name"),
    [
        (write, "value"),
        (rebind, "value"),
        (renew, "late"),
        (append, "history"),
        (within, "pair"),
        (count, "calls"),
        (scrub, "value"),
    ],
)
def test_what_a_look_moves_is_put_back_and_named(deed, name):
    """In place, by another array, by an attribute that was not there, inside of a container, by
    a number."""
    value, inner = np.zeros(3), np.zeros(2)
    owner = Owner(
        value=value, history=collections.deque(), pair={"h": (inner, None)}, calls=0, other=object()
    )
    followed = state(owner)
    followed.begin()
    with followed.undisturbed():
        deed(owner)
    assert owner.value is value and owner.pair["h"][0] is inner and not hasattr(owner, "late")
    assert ([0, 0, 0], [0, 0], 0, 0) == (
        value.tolist(),
        inner.tolist(),
        len(owner.history),
        owner.calls,
    )
    assert [name] == followed.names()
    with followed.generating(False):
        deed(owner)
    assert value.tolist() == [0, 0, 0] and owner.value is value and not owner.calls


def test_a_cache_may_stay():
    """An object that takes the place of nothing is no state that can be followed; an array that
    is gone comes back."""
    value, cache = np.zeros(2), object()
    owner = Owner(cache=None, value=value)
    followed = state(owner)
    with followed.undisturbed():
        owner.cache, owner.value = cache, object()
    assert owner.cache is cache and owner.value is value and ["value"] == followed.names()


def test_what_training_moves_is_named_and_reset():
    """The initial state is what there was when it was first asked for."""
    owner = Owner(value=np.zeros(3), still=np.full(2, np.nan))
    followed = state(owner)
    followed.reset()
    assert [] == followed.names()
    owner.value += 2.0
    assert ["value"] == followed.names()
    with followed.undisturbed():
        owner.value += 1.0
    assert [2, 2, 2] == owner.value.tolist()
    followed.reset()
    assert ([0, 0, 0], ["value"]) == (owner.value.tolist(), followed.names())


def test_generating_is_left_alone_where_it_moves_nothing():
    """It is timed: after one run that has moved nothing, no copy is made but on a tape."""
    owner = Owner(value=np.zeros(3))
    followed = state(owner)
    with followed.generating(False):
        pass
    with followed.generating(False):
        owner.value += 1.0
    assert [1, 1, 1] == owner.value.tolist()
    with followed.generating(True):
        owner.value += 1.0
    assert [1, 1, 1] == owner.value.tolist()


def test_a_look_that_fails_leaves_no_trace_either():
    """The state is put back on the way out."""
    owner = Owner(value=np.zeros(3))
    with contextlib.suppress(ZeroDivisionError), state(owner).undisturbed():
        owner.value += 1.0
        raise ZeroDivisionError
    assert [0, 0, 0] == owner.value.tolist()
