"""The hostile cases: which file is altered how, who reads it then, and what may come of it."""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from harness.bisecting import record as bisections
from harness.errors import CorruptRecord
from harness.records import checksums, runs, store
from tests.evaluation.hostile import histories, mutations
from tests.evaluation.hostile.calls import Ended, call, command
from tests.evaluation.hostile.mutations import Mutation
from tests.evaluation.hostile.stock import Stock, nightly, parsed
from tests.harness.records import frozen

Reading = Callable[[Stock, Path], Ended]
FORMATS = ("terminal", "markdown", "json", "html", "junit", "csv")


@dataclasses.dataclass(frozen=True)
class Reader:
    """Who reads an altered file.

    Attributes:
        read: calls it; gets a copy of the stored things, and the altered file.
        codes: exit codes that may come of an altered file.
        unread: exit codes after which the alteration has to be none: what is read has the same
            content as before.
        passing: exit codes that no altered file may give, whatever is in it.
        new: whether a file that is missing is taken for work that has not begun.
    """

    name: str
    read: Reading
    codes: frozenset[int]
    unread: frozenset[int] = frozenset()
    passing: frozenset[int] = frozenset()
    new: bool = False


@dataclasses.dataclass(frozen=True)
class Case:
    """One alteration and one reading. `part`: of the stock, which is copied; `file`: below it."""

    part: str
    file: str
    mutation: str
    mutate: Mutation
    reader: Reader
    seed: int

    @property
    def kind(self) -> str:
        """The kind that it is counted under."""
        return self.mutation.partition(": ")[0]


def _ends(words: Callable[[Stock, Path], list[str]]) -> Reading:
    return lambda stock, path: command(words(stock, path))


def _reported(form: str) -> Reader:
    return Reader(
        f"report --format {form}",
        _ends(lambda _, path: ["report", str(path.parent), "--format", form]),
        frozenset({0, 2, 4}),
        unread=frozenset({0}),
    )


def _diff(stock: Stock, path: Path) -> list[str]:
    run = path.parent if path.name == "report.json" else path.parents[2]
    return ["diff", str(run), str(stock.run("pass"))]


def _add(stock: Stock, path: Path) -> list[str]:
    run = next(folder for folder in path.parents if (folder / runs.RUN_FILE).exists())
    return ["history", "add", str(run), "--history", str(stock.root / "new.sqlite")]


def _resume(stock: Stock, _: Path) -> list[str]:
    reports = stock.root / "fail"
    return [*stock.compare(f"numpy@{stock.faulty}", reports), "--resume"]


def _added_and_shown(stock: Stock, path: Path) -> Ended:
    """Add a run to a new history, and show that."""
    added = command(_add(stock, path))
    history = ["--history", str(stock.root / "new.sqlite")]
    if added.code:
        return added
    for words in (["history", *history], ["history", "series", *history]):
        ended = command(words)
        if ended.code not in (0, 2) or ended.crashed or ended.controls:
            return ended
    return added


REPORTS = [
    *map(_reported, FORMATS),
    Reader("diff", _ends(_diff), frozenset({0, 2, 3, 4}), unread=frozenset({0, 3})),
    Reader("history add", _added_and_shown, frozenset({0, 2, 4}), unread=frozenset({0})),
]
RESUME = Reader("compare --resume", _ends(_resume), frozenset({1, 4}), passing=frozenset({0}))
#: Of arrays that have the right sums and cannot be what was recorded: a row may be undecided.
FORGED = dataclasses.replace(RESUME, codes=frozenset({1, 4, 6}))
CLEAN = Reader(
    "clean",
    _ends(lambda stock, _: ["clean", "--reports", str(stock.root / "fail")]),
    frozenset({0}),
)
EVIDENCE = [
    Reader("history add", _added_and_shown, frozenset({0, 4})),
    Reader("diff", _ends(_diff), frozenset({0, 2, 3, 4})),
]
VERIFY = Reader(
    "reference verify",
    _ends(lambda stock, _: ["reference", "verify", "--folder", str(stock.root / "reference")]),
    frozenset({0, 1, 4}),
    unread=frozenset({0}),
)


def _generate(stock: Stock, _: Path) -> list[str]:
    return ["generate", str(stock.root / "model"), "--out", str(stock.root / "made.npz")]


def _train(stock: Stock, _: Path) -> list[str]:
    words = ["train", "linear", "--build", "numpy", "--steps", "3", "--precision", "fp64"]
    return [*words, "--out", str(stock.root / "model"), "--resume"]


#: The build of that model cannot train: a reader that gets as far as its worker ends without
#: naming the file.
MODELS = [
    Reader("generate", _ends(_generate), frozenset({2, 4})),
    Reader("train --resume", _ends(_train), frozenset({2, 4}), new=True),
]
NIGHT = Reader(
    "nightly", _ends(lambda stock, _: nightly(stock.root)), frozenset({1, 4}), frozenset({0})
)


def _frozen(_: Stock, path: Path) -> Ended:
    """Read a frozen file as its kind is read."""
    named = {kind.file: kind for kind in frozen.KINDS.values()}
    kind = named.get(path.name, frozen.KINDS["reference"])
    if kind.file == bisections.FILE:
        key = "c32a87e68b0e20ce"
        return call(lambda: bisections.read(path.parent, key) and None)
    if path.suffix == ".npz":
        return call(lambda: kind.read(path.parent) and None)

    def read() -> None:
        try:
            kind.read(path.parent)
        except FileNotFoundError as error:
            raise CorruptRecord(str(error)) from error
        except ValueError as error:
            if "unpack" not in str(error):  # of the test's own look for the one reference
                raise
            raise CorruptRecord(str(path)) from error

    return call(read)


FROZEN = Reader("the kind's own reader", _frozen, frozenset({0, 2, 4}))
#: One that is not there is begun; a link in its folder is refused before it is looked for.
BISECTION = Reader("bisect", _frozen, frozenset({0, 4}), frozenset({0}), new=True)


@dataclasses.dataclass(frozen=True)
class Group:
    """Files that are read alike. `weight`: how many of a thousand cases are of them."""

    part: str
    pattern: str
    readers: Sequence[Reader]
    mutations: Sequence[tuple[str, Mutation]]
    weight: int


def _all(*tables: dict[str, Mutation]) -> list[tuple[str, Mutation]]:
    return [item for table in tables for item in table.items()]


_SEALED = _all(mutations.JSON, mutations.SEALED, mutations.BYTES, mutations.PLACES)
_ARRAYS = _all(mutations.ARRAYS, mutations.BYTES, mutations.PLACES)


def _resealed(mutate: Mutation) -> Mutation:
    """Return the mutation of an array file after which its manifest has the new checksum."""

    def both(path: Path, chance: random.Random) -> None:
        mutate(path, chance)
        manifest = path.parent / store.MANIFEST
        document = store.read_json(manifest, "record", store.SCHEMA)
        document["result"]["files"][path.name] = checksums.checksum(path)
        store.write_sealed(manifest, document)

    return both


#: What a writer could have left, were it wrong: the judge gets it, and has to refuse it by itself.
_BROKEN = ("shape of 10**12", "text dtype", "dates", "object dtype", "missing member", "one array")
_WITH_SUMS = [
    (f"with its checksum: {name}", _resealed(mutations.ARRAYS[name]))
    for name in (*_BROKEN, "extra member", "other length", "no numbers", "complex")
]


def _histories() -> list[Group]:
    """Return the histories: bits and bytes of the file, what lies in its place or beside it, and
    single columns of single rows."""
    read = [
        Reader(name, reading, frozenset({0, 2, 4})) for name, reading in histories.READERS.items()
    ]
    file = _all(mutations.BYTES, mutations.PLACES, histories.BESIDE)
    flipped = [("flipped bit", mutations.flipped)]
    columns = _all(histories.COLUMNS)
    name = "history.sqlite"
    return [
        Group("history", name, read, file, 20),
        Group("history", name, read, flipped, 30),
        Group("history", name, read, columns, 110),
    ]


def groups() -> list[Group]:
    """Return all files and their readers."""
    return [
        Group("fail", "*/report.json", REPORTS, _SEALED, 200),
        Group("fail", "*/run.json", [CLEAN, CLEAN, CLEAN, RESUME], _SEALED, 60),
        Group("fail", "*/jobs/*/manifest.json", EVIDENCE, _SEALED, 110),
        Group("fail", "*/jobs/*/manifest.json", [RESUME], _SEALED, 30),
        Group("fail", "*/jobs/*/*.npz", [RESUME], _ARRAYS, 20),
        Group("fail", "*/jobs/*/*.npz", [FORGED], _WITH_SUMS, 25),
        Group("reference", "*.json", [VERIFY], _SEALED, 110),
        Group("reference", "*.npz", [VERIFY], _ARRAYS, 50),
        Group("model", "model.json", MODELS, _SEALED, 80),
        Group("model", "checkpoints/*", MODELS, _all(mutations.BYTES, mutations.PLACES), 20),
        Group("night", "reports/nightly/*/night.json", [NIGHT], _SEALED, 40),
        Group("night", "reports/nightly/*/cells/*/report.json", [NIGHT], _SEALED, 20),
        Group("bisection", "bisect.json", [BISECTION], _SEALED, 30),
        Group("formats", "*/*/*.json", [FROZEN], _SEALED, 180),
        Group("formats", "*/reference/*.npz", [FROZEN], _ARRAYS, 15),
        *_histories(),
    ]


def cases(stock: Stock, count: int, seed: int, slow: float = 1.0, only: str = "") -> Iterator[Case]:
    """Yield so many cases, more or less, the same for the same seed.

    Args:
        stock: what there is. count: of cases. seed: of all choices.
        slow: the share that is taken of those in which a run or a night goes on, a second each.
        only: a part of the stock; if given, all cases are of it.
    """
    chance = random.Random(seed)
    every = [group for group in groups() if only in ("", group.part)]
    total = sum(group.weight for group in every)
    for group in every:
        files = sorted(
            path.relative_to(stock.root / group.part).as_posix()
            for path in (stock.root / group.part).glob(group.pattern)
        )
        table = list(group.mutations)
        chance.shuffle(table)
        share = slow if {*group.readers} & {RESUME, FORGED, NIGHT} else 1.0
        wanted = max(1, round(share * count * group.weight / total))
        readers = itertools.cycle(group.readers)
        for (name, mutate), _ in zip(itertools.cycle(table), range(wanted), strict=False):
            yield Case(
                group.part,
                chance.choice(files),
                name,
                mutate,
                next(readers),
                chance.randrange(1 << 30),
            )


def same(before: object, path: Path) -> bool:
    """Whether a file that was altered still means what it did."""
    return before is not None and before == parsed(path)
