"""Where a model came from, on its way to `model.json` and back."""

from __future__ import annotations

import pytest

from harness.errors import CorruptRecord
from harness.models.origin import Converted
from harness.records.decoder import decode


@pytest.mark.parametrize(
    ("origin", "plain"),
    [
        (Converted(), {}),
        (Converted("tf1"), {"from": "tf1", "step_origin": {}, "proof": None}),
        (
            Converted("tf1", {"sgd": "counted"}, 0.5, "--names mine.json"),
            {
                "from": "tf1",
                "step_origin": {"sgd": "counted"},
                "proof": 0.5,
                "names": "--names mine.json",
            },
        ),
    ],
)
def test_what_is_written_is_read_again(origin: Converted, plain: dict[str, object]) -> None:
    """A model that was trained says nothing, and one without names has none."""
    assert plain == origin.plain()
    assert origin == decode(Converted, plain, "model.json")


def test_what_does_not_belong_there_is_named() -> None:
    """With the field and the value."""
    with pytest.raises(CorruptRecord, match=r"model\.json: from is 3, and has to be str"):
        decode(Converted, {"from": 3}, "model.json")
