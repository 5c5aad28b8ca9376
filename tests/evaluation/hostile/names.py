"""Names with line breaks in them that forge a verdict: no line of the output may begin with it."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from harness.models import training
from harness.records import store
from tests.evaluation.hostile.calls import Ended, command
from tests.evaluation.hostile.stock import Stock

FORGED = "✓ PASS  Same function: all agree"
#: What ends a line, somewhere: `str.splitlines`.
BREAKS = ("\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029")
_BREAK = re.compile(f"[{''.join(BREAKS)}]")

Prepare = Callable[[Stock, str], list[str]]


@dataclasses.dataclass(frozen=True)
class Named:
    """What came of a name: the faults, empty where all is well, and what was printed."""

    name: str
    faults: tuple[str, ...]
    ended: Ended


def forged_name(end: str) -> str:
    """Return a name of three lines, the second one a forged verdict."""
    return f"x: added (aaaa){end}{FORGED}{end}y"


def _run(stock: Stock, forged: str) -> Path:
    return shutil.copytree(stock.run("pass"), stock.root / forged)


def _history(stock: Stock, forged: str) -> list[str]:
    return ["--history", str(stock.root / f"{forged}.sqlite")]


def _in_a_run_folder(*words: str) -> Prepare:
    return lambda stock, forged: [*words, str(_run(stock, forged))]


def _differs(stock: Stock, forged: str) -> list[str]:
    run = str(_run(stock, forged))
    return ["diff", run, run]


def _added(stock: Stock, forged: str) -> list[str]:
    return ["history", "add", str(_run(stock, forged)), *_history(stock, forged)]


def _cleaned(stock: Stock, forged: str) -> list[str]:
    shutil.copytree(stock.run("pass"), stock.root / "reports" / forged)
    return ["clean", "--runs", "--reports", str(stock.root / "reports")]


def _written(stock: Stock, forged: str) -> list[str]:
    out = str(stock.root / forged)
    return ["report", str(stock.run("pass")), "--format", "json", "--out", out]


def _compared(stock: Stock, forged: str) -> list[str]:
    ports = shutil.copytree(stock.faulty, stock.root / forged)
    return stock.compare(f"numpy@{ports}", stock.root / "reports")


def _model(stock: Stock, forged: str) -> list[str]:
    path = stock.root / "model" / training.MODEL_FILE
    document = json.loads(path.read_bytes())
    document["workload"] = forged
    document[store.SEAL] = store.seal(store.decode(document))
    path.write_text(json.dumps(document), encoding="utf-8")
    return ["generate", str(stock.root / "model")]


CASES: dict[str, Prepare] = {
    "a run's folder: history add": _added,
    "a run's folder: report": _in_a_run_folder("report", "--format", "markdown"),
    "a run's folder: diff": _differs,
    "a run's folder: clean": _cleaned,
    "no run": lambda stock, forged: ["report", str(stock.root / forged)],
    "--out": _written,
    "a history that is none": lambda stock, forged: ["history", *_history(stock, forged)],
    "a port's folder": _compared,
    "a port's folder that is none": lambda _, forged: ["compare", "--backends", f"numpy@{forged}"],
    "--ports": lambda _, forged: ["list", "--ports", forged],
    "--workloads": lambda _, forged: ["compare", "--workloads", forged],
    "--python": lambda _, forged: ["compare", "--python", f"torch={forged}"],
    "--format": lambda stock, forged: ["report", str(stock.run("pass")), "--format", forged],
    "--data": lambda _, forged: ["train", "ehr_mgan", "--data", forged],
    "--config": lambda _, forged: ["nightly", "--config", forged],
    "an option": lambda _, forged: ["list", f"--{forged}"],
    "a command": lambda _, forged: [forged],
    "a model's workload": _model,
}


def examine(stock: Stock, scratch: Path, breaks: tuple[str, ...] = BREAKS[:1]) -> Iterator[Named]:
    """Yield what came of each name; each has a copy of the stock."""
    for end in breaks:
        for what, prepare in CASES.items():
            copy = dataclasses.replace(stock, root=scratch / "stock", original=stock.faulty)
            for part in ("pass", "model"):
                shutil.copytree(stock.root / part, copy.root / part)
            ended = command(prepare(copy, forged_name(end)))
            yield Named(f"{what}, {end!a}", tuple(faults(ended)), ended)
            shutil.rmtree(scratch)


def faults(ended: Ended) -> Iterator[str]:
    """Yield what must not be: a line of what was printed that is the forged one, or a crash."""
    for line in _BREAK.split(ended.out) + _BREAK.split(ended.err):
        if line.strip().startswith(FORGED):
            yield "a forged line"
    if ended.crashed or ended.hung:
        yield "traceback or hang"
