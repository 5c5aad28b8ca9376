"""A TensorFlow 1 program and its port, as a stranger meets them: from the text of `docs/pairs.md`
alone. Real builds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.page_of_pairs import BRIEF, Example

SIGNALS = Example("An example in TensorFlow 1", "signals")
#: What is wrong in the port, and what is right.
MENDED = {
    "norm": ("momentum=0.9)\n        self.rnn", "momentum=0.1)\n        self.rnn"),
    "dropout": ("nn.Dropout(keep_prob)", "nn.Dropout(1 - keep_prob)"),
    "forget": (
        "        self.rnn.bias_hh_l0.requires",
        "        nn.init.ones_(self.rnn.bias_ih_l0.data[16:32])\n"
        "        self.rnn.bias_hh_l0.requires",
    ),
}
#: How the check names each: where, what, on both sides, and the stage.
READ_BACK = {
    "norm": ["norm", "keep", "0.9", "0.1", "update"],
    "dropout": ["rnn/while/dropout", "rate", "0.2", "0.8", "forward"],
    "forget": ["rnn/lstm_cell", "bias", "zeros,", "forget", "gate", "1", "zeros"],
}


@pytest.fixture
def signals(harness) -> Path:
    """The example, its pair file as it stands in the text."""
    return SIGNALS.lay_out(harness.folder)


def mend(pair: Path, *mistakes: str) -> None:
    """Put right what is wrong in the port."""
    path = pair.parent / "signals/net.py"
    text = path.read_text(encoding="utf-8")
    for mistake in mistakes:
        wrong, right = MENDED[mistake]
        assert 1 == text.count(wrong)
        text = text.replace(wrong, right)
    path.write_text(text, encoding="utf-8")


def read_back(harness, pair: Path) -> list[str]:
    """Return the mistakes that `check` names."""
    checked = harness.run("check", pair)
    assert 0 == checked.code, checked.err
    rows = [line.split() for line in checked.out.splitlines()]
    return [mistake for mistake, row in READ_BACK.items() if row in rows]


def stages(harness) -> dict[str, dict[str, object]]:
    """Return the rows of the only report by their stages."""
    return {row["stage"]: row for row in harness.report()["stages"]}


def test_the_text_shows_the_example_as_it_is():
    """The pair file whole, and of the models the lines that it speaks of; what the check prints of
    the three mistakes."""
    assert [] == SIGNALS.misquoted()
    rows = [line.split() for line in SIGNALS.block("`harness check pair.py`").splitlines()]
    assert all(row in rows for row in READ_BACK.values())


def test_the_text_leads_to_all_three_mistakes(harness, signals: Path):
    """The check names each at its layer and stage. The proof names the LSTM, whose dropout is
    wrong, with the layer behind that dropout, in training alone; and of the update, the statistics
    that depart also where the gradients are right."""
    assert [*READ_BACK] == read_back(harness, signals)
    compared = harness.run("compare", signals, *BRIEF)
    assert 1 == compared.code, compared.err
    rows = stages(harness)
    assert "PASS" == rows["weights"]["verdict"]
    assert ("FAIL", "training/rnn/lstm_cell") == (
        rows["forward"]["verdict"],
        rows["forward"]["worst"],
    )
    assert ["training/rnn/lstm_cell", "training/logits"] == rows["forward"]["wrong_layers"]
    assert "the first update of torch departs" in rows["update"]["reason"]
    said = "step 1/train/parameter/norm/moving_mean first: what a step keeps of running statistics"
    assert said in rows["update"]["reason"]


def test_statistics_that_move_too_fast_are_named_by_the_update(harness, signals: Path):
    """With everything else put right, every stage before it passes, and of an update nothing but
    the statistics departs."""
    mend(signals, "dropout", "forget")
    assert 1 == harness.run("compare", signals, *BRIEF).code
    rows = stages(harness)
    failed = [stage for stage, row in rows.items() if "PASS" != row["verdict"]]
    assert (["update"], "step 1/train/parameter/norm/moving_mean") == (
        failed,
        rows["update"]["worst"],
    )


def test_the_mended_port_passes(harness, signals: Path):
    """Torch's own layers, its own clipping and its own schedule, at every stage; the check names
    none of the three any more."""
    mend(signals, *MENDED)
    assert [] == read_back(harness, signals)
    compared = harness.run("compare", signals, *BRIEF)
    assert 0 == compared.code, compared.out + compared.err
    rows = stages(harness)
    assert ["weights", "forward", "loss", "gradients", "update"] == [*rows]
    assert {"PASS"} == {row["verdict"] for row in rows.values()}
