"""Foreign folders: links, devices, FIFOs, sockets and folders where the harness would write or
delete. Nothing outside is created, changed or deleted, and devices stay devices."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from harness.models import training
from tests.evaluation.hostile import mutations
from tests.evaluation.hostile.calls import Ended, command
from tests.evaluation.hostile.stock import Stock, nightly

#: What a place outside is, by its path: kind, time of the last change, content.
State = dict[str, tuple[int, int, str]]


@dataclasses.dataclass(frozen=True)
class Foreign:
    """One foreign folder and one command.

    Attributes:
        prepare: puts something foreign into a copy of the stock; gets the folder outside, too.
        words: of the command.
        codes: exit codes that may come of it.
    """

    name: str
    parts: tuple[str, ...]
    prepare: Callable[[Stock, Path], None]
    words: Callable[[Stock, Path], list[str]]
    codes: frozenset[int] = frozenset({2, 4})


@dataclasses.dataclass(frozen=True)
class Touched:
    """What came of a foreign folder."""

    name: str
    faults: tuple[str, ...]
    ended: Ended


def state(folder: Path) -> State:
    """Return what lies below a folder, without following links."""
    found = {}
    for path in sorted([folder, *folder.rglob("*")]):
        about = path.lstat()
        regular = stat.S_ISREG(about.st_mode)
        content = hashlib.sha256(path.read_bytes()).hexdigest() if regular else ""
        found[str(path)] = (stat.S_IFMT(about.st_mode), about.st_mtime_ns, content)
    return found


def outside(folder: Path) -> Path:
    """Make a folder that is somebody else's, with files, a folder and a FIFO."""
    (folder / "jobs/one").mkdir(parents=True)
    (folder / "tapes").mkdir()
    for name in ("precious.txt", "jobs/one/manifest.json", "tapes/data.npz", "report.json"):
        (folder / name).write_text("somebody's\n", encoding="utf-8")
    os.mkfifo(folder / "fifo")
    return folder


def _resume(stock: Stock, _: Path) -> list[str]:
    return [*stock.compare(f"numpy@{stock.faulty}", stock.root / "fail"), "--resume"]


def _clean(stock: Stock, _: Path) -> list[str]:
    return ["clean", "--runs", "--reports", str(stock.root / "fail")]


def _generate(stock: Stock, _: Path) -> list[str]:
    return ["generate", str(stock.root / "model"), "--out", str(stock.root / "made.npz")]


def _train(stock: Stock, _: Path) -> list[str]:
    words = ["train", "linear", "--build", "numpy", "--steps", "4", "--precision", "fp64"]
    return [*words, "--out", str(stock.root / "model"), "--resume"]


def _link(place: str, target: str) -> Callable[[Stock, Path], None]:
    """Return what puts a link in the place of what lies at a path of the failing run."""

    def prepare(stock: Stock, foreign: Path) -> None:
        run = stock.run("fail")
        path = sorted(run.glob(place))[0] if "*" in place else run / place
        replaced(path, Path(target.format(out=foreign, self=path.name)))

    return prepare


def replaced(path: Path, target: Path) -> None:
    """Put a link in the place of a file or a folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    path.symlink_to(target)


def _moved(stock: Stock, foreign: Path) -> None:
    """Put the run's folder outside, and a link to it in its place."""
    run = stock.run("fail")
    shutil.copytree(run, foreign / "run", symlinks=True)
    replaced(run, foreign / "run")


def _model(place: str, target: str) -> Callable[[Stock, Path], None]:
    def prepare(stock: Stock, foreign: Path) -> None:
        source = stock.root / "model" / place
        if source.is_dir():
            shutil.copytree(source, foreign / "copy")
        else:
            shutil.copy(source, foreign / "copy")
        replaced(source, Path(target.format(out=foreign, self=source.name)))

    return prepare


def _nothing(_: Stock, __: Path) -> None:
    """Leave the stock as it is."""


def _made(kind: str) -> Callable[[Stock, Path], None]:
    """Return what makes something that is no file, outside."""

    def prepare(_: Stock, foreign: Path) -> None:
        path = foreign / "target"
        path.write_text("", encoding="utf-8")
        mutations.PLACES[kind](path, None)  # type: ignore[arg-type]

    return prepare


def _device(_: Stock, foreign: Path) -> None:
    """Make devices of the names of the system's, outside. The system's own are in danger where the
    harness is wrong and runs as root, who may make some; nobody else can replace them."""
    for name, number in NODES.items():
        path = foreign / name
        try:
            os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, number))
        except OSError:
            if os.geteuid() == 0:
                os.mkfifo(path)
            else:
                path.symlink_to(f"/dev/{name}")


def _out(target: str) -> Callable[[Stock, Path], list[str]]:
    return lambda stock, foreign: [
        *("report", str(stock.run("fail")), "--format", "json"),
        *("--out", target.format(out=foreign)),
    ]


def _json(target: str) -> Callable[[Stock, Path], list[str]]:
    return lambda stock, foreign: [*_resume(stock, foreign), "--json", target.format(out=foreign)]


def _history(target: str) -> Callable[[Stock, Path], list[str]]:
    return lambda stock, foreign: [
        *("history", "add", str(stock.run("fail")), "--history", target.format(out=foreign)),
    ]


def _night(stock: Stock, foreign: Path) -> None:
    (night,) = (stock.root / "night/reports/nightly").glob("20*")
    shutil.copytree(night, foreign / "night")
    replaced(night, foreign / "night")


PLACES = {
    "jobs": "jobs",
    "a job": "jobs/*",
    "a job's manifest": "jobs/*/manifest.json",
    "a job's arrays": "jobs/*/forward.npz",
    "tapes": "tapes",
    "a tape": "tapes/tape*",
    ".lock": ".lock",
    "run.json": "run.json",
    "report.json": "report.json",
    "report.md": "report.md",
}
TARGETS = {
    "a folder": "{out}",
    "a file": "{out}/precious.txt",
    "nothing": "{out}/new",
    "itself": "{self}",
}
#: Devices that swallow everything, and that are always full, by their number.
NODES = {"null": 3, "full": 7}
NO_FILES = ("FIFO", "folder", "socket", "link to a device")


def catalogue() -> Iterator[Foreign]:
    """Yield all foreign folders."""
    for (place, path), (what, target) in _pairs():
        prepare = _link(path, target)
        codes = frozenset({0, 1, 2, 4})
        yield Foreign(f"{place} is a link to {what}: --resume", ("fail",), prepare, _resume, codes)
        yield Foreign(f"{place} is a link to {what}: clean", ("fail",), prepare, _clean, codes)
    any_code = frozenset({0, 1, 2, 4})
    yield Foreign("the run is a link: --resume", ("fail",), _moved, _resume, any_code)
    yield Foreign("the run is a link: clean", ("fail",), _moved, _clean, any_code)
    yield Foreign(
        "a night is a link", ("night",), _night, lambda stock, _: nightly(stock.root), any_code
    )
    for place in (training.CHECKPOINTS, training.MODEL_FILE, training.LOSSES):
        prepare = _model(place, "{out}/copy")
        yield Foreign(f"a model's {place} is a link: train", ("model",), prepare, _train)
        yield Foreign(f"a model's {place} is a link: generate", ("model",), prepare, _generate)
    for kind in NO_FILES:
        made = _made(kind)
        target = "{out}/target"
        yield Foreign(f"--out is a {kind}", ("fail",), made, _out(target))
        yield Foreign(f"--json is a {kind}", ("fail",), made, _json(target))
        yield Foreign(f"--history is a {kind}", ("fail",), made, _history(target))
    for name in NODES:
        yield Foreign(f"--out {name}", ("fail",), _device, _out(f"{{out}}/{name}"))
        yield Foreign(f"--json {name}", ("fail",), _device, _json(f"{{out}}/{name}"))
        yield Foreign(f"--history {name}", ("fail",), _device, _history(f"{{out}}/{name}"))


def _pairs() -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    for place in PLACES.items():
        for what in TARGETS.items():
            yield place, what


def examine(
    stock: Stock, scratch: Path, chosen: Iterable[Foreign] | None = None
) -> Iterator[Touched]:
    """Yield what came of each foreign folder, or of those that are given."""
    for number, foreign in enumerate(catalogue() if chosen is None else chosen):
        copy = dataclasses.replace(
            stock, root=scratch / str(number) / "stock", original=stock.faulty
        )
        for part in foreign.parts:
            shutil.copytree(stock.root / part, copy.root / part)
        other = outside(scratch / str(number) / "outside")
        foreign.prepare(copy, other)
        before = state(other)
        ended = command(foreign.words(copy, other))
        faults = []
        if state(other) != before:
            faults.append("outside is not what it was")
        if ended.crashed:
            faults.append("traceback")
        if ended.hung:
            faults.append("hang")
        elif ended.code not in foreign.codes:
            faults.append(f"exit code {ended.code}")
        yield Touched(foreign.name, tuple(faults), ended)
        shutil.rmtree(scratch / str(number))
