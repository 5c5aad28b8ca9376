"""Where a port failed is told by its user's file, line and method, whatever lies between; and what
is at work while it is."""

from __future__ import annotations

import functools

import pytest
from line_port import everything, tape, trial, write  # `conftest.py` makes it known

from backends.contract import BrokenPort, Status, Unsupported
from backends.diagnosis import faults
from backends.protocol import loading
from backends.worker import classify


@pytest.fixture
def written(tmp_path):
    """Return what writes a port with something replaced, and gives its path."""
    return functools.partial(write, tmp_path)


@pytest.fixture
def source():
    return tape()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "self.b - batch",
            "self.c - batch",
            'line 20, in `train`: error = batch["x"] @ self.w + self.c - batch["y"])',
        ),
        (
            "import numpy as np\n",
            "import numpy as np\nimport a_framework\n",
            "line 2, at the top of the file: import a_framework)",
        ),
        ("losses = []", "losses = = []", "line 16: losses = = [])"),
    ],
)
def test_an_exception_names_the_line_of_the_users_file(written, source, old, new, told):
    """Whatever lies between that line and the worker."""
    path = written(old, new)
    with pytest.raises((AttributeError, ImportError, SyntaxError)) as caught:
        everything(trial(path), source)
    status, reason = classify(caught.value)
    assert status == "error" and "(%s, " % path in reason and told in reason, reason


def test_an_exception_of_a_helper_names_the_method_that_called_it(written, source, tmp_path):
    """The line is the helper's."""
    path = written(
        "losses = []",
        "import sys; sys.path.insert(0, %r); from a_helper import fails; losses = fails()"
        % str(tmp_path),
    )
    (tmp_path / "a_helper.py").write_text("def fails():\n    return {}[3]\n")
    with pytest.raises(KeyError) as caught:
        everything(trial(path), source)
    assert (
        "a_helper.py, line 2, in `fails`, called by `train`: return {}[3])"
        in classify(caught.value)[1]
    )


def test_newer_syntax_says_which_python_reads_it(written, monkeypatch):
    """In a build whose Python is old; elsewhere the message is the usual one."""
    path = written("losses = []", "losses = [")
    with pytest.raises(SyntaxError) as caught:
        loading.load(path)
    monkeypatch.setattr(faults, "USUAL_PYTHON", (2, 7))
    assert "Python" not in classify(caught.value)[1]
    monkeypatch.setattr(faults, "USUAL_PYTHON", (99, 0))
    assert "runs this port, and knows no newer syntax" in classify(caught.value)[1]


def test_what_is_at_work_is_told_once_for_each_call(written, source):
    """Of a call within a call nothing; afterwards the port is as it was."""
    step = "def train_step(self, phase, batch):\n"
    tried, told = trial(written(step, step + "        self.parameters()\n")), []
    before = dict(vars(tried.port))
    with faults.watched(tried.port, told.append):
        tried.train_step("train", source.batch(0, "train"))
        tried.parameters()
    assert told == ["`train_step` of the port", "`parameters` of the port"]
    assert vars(tried.port) == before


def test_what_an_instance_holds_is_told_too(written, source):
    """A method that is an attribute of the port itself, as a base class that wraps it makes it;
    it is that attribute again afterwards."""
    tried, told = trial(written()), []
    forward = tried.port.forward
    tried.port.forward = functools.partial(forward)
    before = dict(vars(tried.port))
    with faults.watched(tried.port, told.append):
        tried.port.forward(source.batch(0, "train"), True)
    assert told == ["`forward` of the port"] and vars(tried.port) == before


@pytest.mark.parametrize(
    ("kind", "status"), [(Unsupported, Status.UNSUPPORTED), (BrokenPort, Status.ERROR)]
)
def test_a_failure_without_a_word_has_a_reason(kind, status):
    """What fails without a reason is a broken answer, and `raise Unsupported` is none."""
    found, reason = classify(kind())
    assert (status, True) == (found, reason.startswith(f"{kind.__name__}, without a word"))
