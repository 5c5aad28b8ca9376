"""A side is sent the weights that it does not have, and no two large arrays are held at a time."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backends.survey import Piece
from harness.errors import CorruptRecord
from harness.experiments.pair_walks import Place, Weight
from harness.pairs import agreement
from harness.pairs.taps import TapPair
from harness.records import archives

LARGE = 1 << 17
LAYERS = 40


class Worker:
    """A worker whose layers return the weights that it has, a row each; it tells what it is sent.

    A `source` of its pieces is one of its parameters."""

    def __init__(self) -> None:
        self.own: dict[str, NDArray[Any]] = {}
        self.sent: list[list[str]] = []

    def request(self, _verb: Any, **asked: Any) -> None:
        values = archives.read_arrays(Path(asked["values"]))
        assert list(values) == [part["name"] for part in asked["parts"]]
        self.sent.append(list(values))
        for part in asked["parts"]:
            self.own.update(dict.fromkeys(part["sources"], values[part["name"]]))
        shown = {f"0/{name}": value for name, value in self.own.items()}
        archives.write_arrays(Path(asked["out"]), shown)


class Counted(Mapping[str, NDArray[Any]]):
    """Arrays that are made when they are asked for, and noted."""

    def __init__(self, names: list[str], sizes: Mapping[str, int] | None = None) -> None:
        self.names, self.sizes = names, sizes or {}
        self.read: list[str] = []

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self.names:
            raise KeyError(name)
        self.read.append(name)
        return np.full(self.sizes.get(name, 4), float(self.names.index(name)))

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def weight(name: str, source: str, *own: str, size: int = 4, times: float = 1.0) -> Weight:
    """The piece `name`, of these parameters of the side, with the values of another's `source`."""
    return Weight(Piece(name, name, "kernel", (size,), True, own or (name,)), source, (), times)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(None, Worker(), tmp_path)


INPUTS = (Path("data.npz"), [[0]], [])


def walked(place: Place, weights: list[Weight], start: Mapping[str, Any]) -> dict[str, float]:
    """What the layers of a side returned, one number each."""
    walk = place.walk(weights, start, INPUTS)
    return {name.removeprefix("0/"): float(value[0]) for name, value in walk.items()}


def test_only_what_changed_is_sent(place: Place):
    """Two layers change places, and change back."""
    start = Counted(["a", "b", "c"])
    straight = [weight(name, name) for name in "abc"]
    crossed = [weight("a", "b"), weight("b", "a"), weight("c", "c")]
    for chosen in (straight, straight, crossed, straight):
        wanted = {item.piece.name: float("abc".index(item.source)) for item in chosen}
        assert wanted == walked(place, chosen, start)
    moved = [weight("a", "a"), weight("b", "b", times=1.25), weight("c", "c")]
    assert {"a": 0.0, "b": 1.25, "c": 2.0} == walked(place, moved, start)
    assert [["a", "b", "c"], [], ["a", "b"], ["a", "b"], ["b"]] == place.worker.sent


def test_of_two_values_for_one_parameter_the_later_counts(place: Place):
    """Also where the earlier alone has changed, and where a piece in between ties them together."""
    start = Counted(["a", "b", "c", "d"])
    first = [weight("x", "a", "w"), weight("y", "b", "w", "v"), weight("z", "c", "v")]
    second = [weight("x", "d", "w"), *first[1:]]
    for chosen in (first, second):
        assert {"w": 1.0, "v": 2.0} == walked(place, chosen, start)
    assert [["x", "y", "z"]] * 2 == place.worker.sent


def test_what_does_not_fit_is_left_out(place: Place):
    """And comes once it does."""
    start = Counted(["a", "b"])
    assert {"a": 0.0} == walked(place, [weight("a", "a"), weight("b", "b", size=3)], start)
    both = {"a": 0.0, "b": 1.0}
    assert both == walked(place, [weight("a", "a"), weight("b", "b")], start)


def test_no_two_large_arrays_are_held(tmp_path: Path):
    """Sent, read back and compared: forty of a megabyte, of which few are there at a time. A walk
    that is held in memory is seen."""

    class Large(Worker):
        def request(self, _verb: Any, **asked: Any) -> None:
            Path(asked["values"]).rename(asked["out"])

    names = [f"0/{index}" for index in range(LAYERS)]
    taps = [TapPair(str(index), str(index), str(index)) for index in range(LAYERS)]
    chosen = [weight(name, name, size=LARGE) for name in names]
    place = Place(None, Large(), tmp_path)
    tracemalloc.start()
    walk = place.walk(chosen, Counted(names, dict.fromkeys(names, LARGE)), INPUTS)
    assert all(agreement.agrees(tap, walk, walk, runs=1) for tap in taps)
    peak = tracemalloc.get_traced_memory()[1]
    held = dict(walk)
    whole = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert LAYERS == len(held) and whole > LAYERS * LARGE * 8
    assert peak < 10 * LARGE * 8


def test_a_walk_takes_no_room_once_nobody_holds_it(place: Place):
    """Its file has no name; a walk that was damaged is found when it is read."""
    start = Counted(["a", "b"])
    walk = place.walk([weight("a", "a"), weight("b", "b")], start, INPUTS)
    assert {"held.npz"} == {path.name for path in place.folder.iterdir()}
    assert ["0/a", "0/b"] == list(walk) and 2 == len(walk)
    assert "0/a" in walk and "0/c" not in walk and walk.get("0/c") is None

    class Spoiling(Worker):
        def request(self, verb: Any, **asked: Any) -> None:
            Worker.request(self, verb, **asked)
            path = Path(asked["out"])
            content = path.read_bytes()
            path.write_bytes(content.replace(np.float64(1.0).tobytes(), np.float64(3.0).tobytes()))

    spoilt = Place(None, Spoiling(), place.folder).walk([weight("b", "b")], start, INPUTS)
    with pytest.raises(CorruptRecord, match=r"walk\.npz cannot be read"):
        spoilt["0/b"]


def test_nothing_behind_the_first_departure_is_read():
    """Until somebody asks for it."""
    names = [f"{number}/{layer}" for layer in "abc" for number in range(agreement.INPUTS)]
    a = Counted(names, dict.fromkeys(names[4:], 5))
    b = {name: a[name] + 0.5 * (not name.endswith("a")) for name in names}
    a.read.clear()
    taps = [TapPair(layer, layer, layer) for layer in "abc"]
    beside = agreement.Beside(taps, a, b)
    assert (1, "b") == (beside.first_open(), beside.parting())
    assert not {"0/c", "1/c"} & {*a.read}
    assert frozenset("a") == beside.agreed() and {"0/c"} <= {*a.read}
    assert taps == beside.taps()
