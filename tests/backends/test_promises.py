"""What a port breaks of its contract is told with file, line, method and what is wanted; what
can be judged all the same is a remark."""

from __future__ import annotations

import functools
import textwrap

import numpy as np
import pytest

from backends.contract import BrokenPort, Setting
from backends.diagnosis import faults, promises
from backends.protocol import loading
from backends.source import TapeSource
from backends.worker import classify

CONFIG = {
    "workload": "line",
    "batch": 4,
    "phases": ["train"],
    "forward": {"phase": "train", "modes": ["training"]},
    "parameters": [
        {"name": "w", "shape": [2, 1], "trainable": True},
        {"name": "b", "shape": [1], "trainable": True},
    ],
    "updates": [{"phase": "train", "optimizer": "sgd", "parameters": ["w", "b"]}],
    "schedule": [{"name": "train", "steps": None, "phases": ["train"]}],
    "optimizers": {"sgd": {"kind": "sgd", "learning_rate": 0.125}},
}
#: An honest port; each test plants one mistake.
HONEST = textwrap.dedent("""
    import numpy as np
    from backends import contract


    class Port(contract.Port):
        def __init__(self, config, setting):
            super().__init__(config, setting)

        def load_parameters(self, values):
            self.w, self.b = np.array(values["w"]), np.array(values["b"])

        def parameters(self):
            return {"w": self.w.copy(), "b": self.b.copy()}

        def train(self, source, steps):
            losses = []
            for _ in range(steps):
                batch = source.batch(source.cursor, "train").arrays
                source.cursor += 1
                error = batch["x"] @ self.w + self.b - batch["y"]
                losses.append(float((error * error).mean()))
                self.w -= 0.125 * batch["x"].T @ error
            return {"total": losses}

        def generate(self, source, count):
            return source.evaluation_rows(count)["x"] @ self.w + self.b

        def forward(self, batch, training):
            return {"out": batch.arrays["x"] @ self.w + self.b}

        def losses(self, phase, batch):
            return {"total": 1.0}

        def gradients(self, phase, batch):
            return {"w": np.zeros((2, 1)), "b": np.zeros(1)}

        def train_step(self, phase, batch):
            return {"total": 1.0}
""").lstrip()


@pytest.fixture
def written(tmp_path):
    """Return what writes a port with something replaced, and gives its path."""

    def write(old="", new=""):
        path = tmp_path / "mine" / "numpy" / "line.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        assert old in HONEST
        path.write_text(HONEST.replace(old, new) if old else HONEST)
        return str(path)

    return write


@pytest.fixture
def source():
    """Return a tape of two steps."""
    generator = np.random.RandomState(0)
    data = {
        "x": generator.normal(size=(8, 2)),
        "y": generator.normal(size=(8, 1)),
        "eval_x": generator.normal(size=(3, 2)),
    }
    return TapeSource(data, {"batches": np.arange(8).reshape(2, 4)}, 4)


def trial(path):
    """Build a port, load its parameters and return what tries it."""
    port = loading.load(path)(CONFIG, Setting(precision="fp64"))
    promises.check_built(port, path)
    port.load_parameters({"w": np.ones((2, 1)), "b": np.zeros(1)})
    return promises.Trial(port, CONFIG, path)


def everything(tried, source):
    """Call every method once."""
    batch = source.batch(0, "train")
    tried.parameters()
    tried.train(source)
    tried.generate(source, 4)
    tried.forward(batch, True)
    tried.losses("train", batch)
    tried.gradients("train", batch)
    tried.train_step("train", batch)


def test_an_honest_port_breaks_nothing(written, source):
    """And leaves no remark."""
    tried = trial(written())
    everything(tried, source)
    assert tried.remarks == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "class Port(contract.Port)",
            "class Model(contract.Port)",
            ["defines no class `Port`", "class Port(...)"],
        ),
        (
            "class Port(contract.Port)",
            "Port = 3\n\n\nclass Model(contract.Port)",
            ["`Port` is 3", "derived from"],
        ),
        ("class Port(contract.Port)", "class Port", ["derived from backends.contract.Port"]),
        (
            "def generate(",
            "def sample(",
            ["line 5", "lacks the required generate", "one array [count, ...]"],
        ),
        (
            "super().__init__(config, setting)",
            "pass",
            ["line 6, `__init__`", "super().__init__(config, setting)"],
        ),
        (
            '        return {"total": losses}\n',
            "",
            ["line 15, `train` returned nothing", "one number a step"],
        ),
        (
            '{"total": losses}',
            '{"total": losses[0]}',
            ["`train` gave a float for the loss total after 1 step"],
        ),
        ('{"total": losses}', '{"total": losses * 2}', ["`train` gave a list of 2"]),
        (
            '{"total": losses}',
            '{"total": ["low"]}',
            ["`train` gave a str for the loss total, which is no number"],
        ),
        (
            '(count)["x"]',
            '(count + 2)["x"]',
            ["line 25, `generate` returned an array of shape (6, 1) for count = 4", "[count, ...]"],
        ),
        (
            'return source.evaluation_rows(count)["x"] @ self.w + self.b',
            "return [object()]",
            ["`generate`", "an array of object"],
        ),
        (
            '{"w": self.w.copy(), "b": self.b.copy()}',
            "[self.w, self.b]",
            ["line 12, `parameters` returned a list", "by its name"],
        ),
        (
            '{"out": batch.arrays["x"] @ self.w + self.b}',
            'batch.arrays["x"]',
            ["`forward` returned a ndarray", "by name"],
        ),
    ],
)
def test_what_cannot_be_run_says_where_and_what_is_wanted(written, source, old, new, told):
    """File, line, method, contract."""
    path = written(old, new)
    with pytest.raises(BrokenPort) as caught:
        everything(trial(path), source)
    assert path in str(caught.value)
    assert all(part in str(caught.value) for part in told), str(caught.value)
    assert classify(caught.value) == ("error", str(caught.value))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (', "b": self.b.copy()}', "}", "line 12, `parameters` lacks b"),
        (
            "self.b.copy()}",
            "self.b.copy().reshape(1, 1)}",
            "`parameters` gave b in the shape (1, 1), declared is (1,)",
        ),
        (
            "self.b.copy()}",
            'self.b.copy(), "c": self.b.copy()}',
            "`parameters` gave c, which the workload does not declare",
        ),
        (
            'return {"total": losses}',
            'return {"loss": losses}',
            "line 15, `train` gave the loss terms loss and no total",
        ),
        (
            "            source.cursor += 1\n",
            "",
            "`train` left source.cursor at 0 after 1 step that began at 0",
        ),
        (
            "losses.append(float((",
            "losses.append(float(np.nan * (",
            "`train` gave the loss total = nan at the first step",
        ),
        ("self.w -= 0.125", "self.w -= np.nan", "`train` left NaN or infinity in w after 1 step"),
        (
            'def losses(self, phase, batch):\n        return {"total"',
            'def losses(self, phase, batch):\n        return {"mean"',
            "`losses` gave the loss terms mean and no total",
        ),
        (
            'np.zeros((2, 1)), "b"',
            'np.zeros((1, 2)), "b"',
            "`gradients` gave w in the shape (1, 2), declared is (2, 1)",
        ),
    ],
)
def test_what_can_be_judged_is_a_remark(written, source, old, new, told):
    """The verdict is the judge's; the remark says where it comes from, and what the contract
    wants."""
    path = written(old, new)
    tried = trial(path)
    everything(tried, source)
    (remark,) = tried.remarks
    assert remark.startswith(path) and told in remark and "The contract: " in remark


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
    tried, told = (
        trial(
            written(
                "def train_step(self, phase, batch):\n", "def train_step(self, phase, batch):\n"
            )
        ),
        [],
    )
    forward = tried.port.forward
    tried.port.forward = functools.partial(forward)
    before = dict(vars(tried.port))
    with faults.watched(tried.port, told.append):
        tried.port.forward(source.batch(0, "train"), True)
    assert told == ["`forward` of the port"] and vars(tried.port) == before
