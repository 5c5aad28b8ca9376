"""Real stored things, made once by the harness itself: every hostile case begins with a copy."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import shutil
from pathlib import Path

from harness import cli
from harness.models import training
from harness.records import checksums, references, runs
from harness.workloads.linear import WORKLOAD
from tests.harness.history import sample

ROOT = Path(__file__).parents[3]
FORMATS = ROOT / "tests/data/formats"
PORT = ROOT / "backends/ports/numpy/linear.py"
#: What the faulty port adds to its prediction, and before which line.
FAULT, BEFORE = "        prediction += 1e-3\n", "        seen["
DATE = "2026-11-21"
MATRIX = """[night]
budget_s = 500
[[matrix]]
name = "small"
workloads = ["linear"]
builds = ["numpy", "numpy@{faulty}"]
precisions = ["fp64"]
judge = ["fidelity"]
threads = 1
steps = 2
"""


@dataclasses.dataclass(frozen=True)
class Stock:
    """Where everything lies: folders of runs, each with one run; a night, a model, a reference, a
    bisection, a history, and frozen files of every day.

    Attributes:
        original: of a copy, where the faulty port lies: a comparison with another is another one.
    """

    root: Path
    original: Path | None = None

    @property
    def faulty(self) -> Path:
        """A folder with a port of `linear` that is wrong by a thousandth; copies use the first."""
        return self.original or self.root / "faulty"

    def run(self, reports: str) -> Path:
        """Return the one run in a folder of runs: `pass` or `fail`."""
        (run,) = (path.parent for path in (self.root / reports).glob(f"*/{runs.RUN_FILE}"))
        return run

    def compare(self, second: str, reports: Path) -> list[str]:
        """Return the words of the comparison of the honest port with a second side."""
        words = ["compare", "--backends", "numpy", second, "--workloads", "linear"]
        words += ["--preset", "tiny", "--no-speed", "--precision", "fp64", "--threads", "1"]
        return [*words, "--steps", "2", "--keep", "--reports", str(reports)]


def quiet(words: list[str]) -> int:
    """Run a command without its output; return its exit code."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            cli.main(words)
        except SystemExit as ended:
            return int(ended.code or 0)


def make(root: Path) -> Stock:
    """Make all of it.

    Raises:
        AssertionError: the harness does not end as it has to.
    """
    stock = Stock(root)
    port = stock.faulty / "numpy/linear.py"
    port.parent.mkdir(parents=True)
    honest = PORT.read_text(encoding="utf-8")
    port.write_text(honest.replace(BEFORE, FAULT + BEFORE), encoding="utf-8")
    assert 0 == quiet(stock.compare("numpy", root / "pass"))
    assert 1 == quiet(stock.compare(f"numpy@{stock.faulty}", root / "fail"))
    for reports in ("pass", "fail"):
        run = stock.run(reports)
        noted = runs.read(run)
        runs.Run(run, noted.key, noted.command, noted.created).mark(finished=False)
    config = root / "night/nightly.toml"
    config.parent.mkdir()
    config.write_text(MATRIX.format(faulty=stock.faulty), encoding="utf-8")
    assert 1 == quiet(nightly(root))
    _history(stock)
    _model(root / "model")
    shutil.copytree(FORMATS, root / "formats")
    shutil.copytree(FORMATS / "2026-11-29-12h/bisection", root / "bisection")
    (root / "reference").mkdir()
    for suffix in (".json", ".npz"):
        shipped = references.shipped() / "linear-tiny-fp64-seed0"
        shutil.copy(shipped.with_suffix(suffix), root / "reference")
    return stock


def _history(stock: Stock) -> None:
    """Make a history with rows in every table: of the two runs, and of two with timings."""
    timed = [stock.root / "timed" / str(number) for number in range(2)]
    for number, folder in enumerate(timed):
        sample.write(folder, sample.report(number))
    runs_ = [str(stock.run("pass")), str(stock.run("fail")), *map(str, timed)]
    history = ["--history", str(stock.root / "history/history.sqlite")]
    assert 0 == quiet(["history", "add", *runs_, *history])


def nightly(root: Path) -> list[str]:
    """Return the words of the night in a folder."""
    words = ["nightly", "--config", str(root / "night/nightly.toml"), "--date", DATE]
    return [*words, "--reports", str(root / "night/reports")]


def _model(folder: Path) -> None:
    """Make a kept model whose checkpoint no build could read: nobody may get so far."""
    checkpoint = folder / training.CHECKPOINTS / "checkpoint-000003"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_bytes(bytes(range(256)) * 4)
    config = training.fingerprint(WORKLOAD, "tiny")
    model = training.Model(
        "linear", "tiny", "", "numpy", "fp64", seed=0, step=3, config=config, threads=1
    )
    files = checksums.checksums_below(checkpoint.parent)
    dataclasses.replace(model, files=files).write(folder)
    (folder / training.LOSSES).write_text("step,loss,value\n1,total,1.0\n", encoding="utf-8")


def parsed(path: Path) -> object:
    """Return what a JSON file holds; None where it is none."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 24:
            found: object = json.loads(path.read_bytes())
            return found
    return None
