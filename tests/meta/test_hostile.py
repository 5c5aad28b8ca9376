"""What is stored may be altered in any way: it is noticed, told with the file's name, and takes
nothing else down.

`tox run -e hostile` alters in 2,500 ways; this is the part that every change has to pass, and the
program itself on planted faults.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.cli import console
from harness.models import training
from harness.records import archives, references, store, tape
from harness.report import json_format, renderers
from tests.evaluation.hostile import cases, census, folders, mutations, names
from tests.evaluation.hostile import stock as stocks
from tests.evaluation.hostile.calls import Ended, call, command
from tests.evaluation.hostile.stock import Stock

#: How many alterations; of those in which a run goes on, a quarter.
COUNT, SEED, SLOW = 260, 20261129, 0.25
CHANCE = random.Random(SEED)
#: Of all foreign folders, every so manieth.
STRIDE = 8
#: So many alterations show a planted fault.
MOST = 4


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    """The stored things, once; tests work on copies."""
    return stocks.make(tmp_path_factory.mktemp("hostile") / "stock")


@pytest.fixture
def stock(made: Stock, tmp_path: Path) -> Stock:
    """A copy of the runs, the model and the reference."""
    for part in ("pass", "fail", "model", "reference"):
        shutil.copytree(made.root / part, tmp_path / part)
    return Stock(tmp_path, original=made.faulty)


def resumed(stock: Stock) -> Ended:
    """Go on with the run that fails."""
    return command(
        [*stock.compare(f"numpy@{stock.faulty}", stock.root / "fail"), "--resume"],
    )


def jobs(stock: Stock) -> list[Path]:
    """Return the folders of the lockstep jobs of the run that fails, one a side."""
    found = sorted((stock.run("fail") / "jobs").glob("*/trajectory.npz"))
    assert 2 == len(found)
    return [path.parent for path in found]


def test_hostile_files(made: Stock, tmp_path: Path) -> None:
    """A few hundred alterations of everything that is stored."""
    findings = census.examine(made, cases.cases(made, COUNT, SEED, SLOW), tmp_path)
    bad = [(item.case, item.faults, item.ended) for item in findings if item.faults]
    assert [] == bad


def test_foreign_folders(made: Stock, tmp_path: Path) -> None:
    """Links, devices, FIFOs, sockets and folders where something would be written or deleted."""
    chosen = list(folders.catalogue())[::STRIDE]
    bad = [item for item in folders.examine(made, tmp_path, chosen) if item.faults]
    assert [] == bad


# -- cases with a right answer of their own -------------------------------------------------------


@pytest.mark.parametrize("order", [1, -1])
def test_one_side_copied_over_the_other(stock: Stock, order: int) -> None:
    """A record of another job is none of this one's: it runs again, and the verdict is the same."""
    source, target = jobs(stock)[::order]
    mutations.copied(source, target)
    assert 1 == resumed(stock).code
    sides = [store.read_manifest(folder).job["side"] for folder in jobs(stock)]
    assert 2 == len(set(sides))


@pytest.mark.parametrize("sealed", [False, True])
def test_checksums_deleted_and_the_other_arrays_copied(stock: Stock, sealed: bool) -> None:
    """Arrays without a checksum are no evidence, whoever has sealed that."""
    source, target = jobs(stock)
    manifest = target / store.MANIFEST
    document = json.loads(manifest.read_text(encoding="utf-8"))
    for name in document["result"]["files"]:
        shutil.copy(source / name, target / name)
    document["result"]["files"] = {}
    (store.write_sealed if sealed else store.write_json)(manifest, document)
    assert 1 == resumed(stock).code


@pytest.mark.parametrize("what", ["data-*.npz", "tape-*.npz"])
@pytest.mark.parametrize("mutation", ["other numbers", "one array", "missing member"])
def test_altered_tapes_are_drawn_again(stock: Stock, what: str, mutation: str) -> None:
    """Whatever lies there: both sides compute on what was drawn."""
    run = stock.run("fail")
    (path,) = (run / "tapes").glob(what)
    before = tape.content_hash(archives.read_arrays(path))
    mutations.ARRAYS[mutation](path, CHANCE)
    shutil.rmtree(run / "jobs")
    assert 1 == resumed(stock).code
    assert before == tape.content_hash(archives.read_arrays(path))
    assert {before} & {
        value
        for folder in jobs(stock)
        for value in (
            store.read_record(folder).recorded.tape_hash,
            store.read_record(folder).recorded.data_hash,
        )
    }


def test_a_truncated_tape_is_drawn_again(stock: Stock) -> None:
    """As an interrupted copy leaves it."""
    run = stock.run("fail")
    (path,) = (run / "tapes").glob("tape-*.npz")
    path.write_bytes(path.read_bytes()[:100])
    shutil.rmtree(run / "jobs")
    assert 1 == resumed(stock).code
    assert archives.read_arrays(path)


def test_a_summary_above_rows_that_fail(stock: Stock) -> None:
    """The seal is broken; and where it is not, the rows decide, in every format, in the history
    too."""
    path = stock.run("fail") / "report.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["summary"] = {"fidelity": "PASS", "headline": "Same function.", "exit_code": 0}
    path.write_text(json.dumps(document), encoding="utf-8")
    ended = command(["report", str(path), "--format", "json"])
    assert 4 == ended.code and ended.names(path) and not ended.out
    document[store.SEAL] = store.seal(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    shown = json.loads(command(["report", str(path), "--format", "json"]).out)["summary"]
    assert ("FAIL", 1) == (shown["fidelity"], shown["exit_code"])
    assert "Same function." not in shown["headline"]
    history = ["--history", str(stock.root / "new.sqlite")]
    assert 0 == command(["history", "add", str(path.parent), *history]).code
    assert "FAIL" in command(["history", *history]).out


@pytest.mark.parametrize("words", [["report"], ["diff"], ["history", "add"]])
def test_a_verdict_that_was_edited(stock: Stock, words: list[str]) -> None:
    """Of a row: nothing is derived from it, and no reader takes it."""
    path = stock.run("fail") / "report.json"
    text = path.read_text(encoding="utf-8")
    assert '"verdict": "FAIL"' in text
    path.write_text(text.replace('"verdict": "FAIL"', '"verdict": "PASS"'), encoding="utf-8")
    other = {"diff": [str(stock.run("pass"))], "history": ["--history", str(stock.root / "new")]}
    ended = command([*words, str(path.parent), *other.get(words[0], [])])
    assert 4 == ended.code and ended.names(path) and "PASS" not in ended.out


def test_noise_of_a_reference(stock: Stock) -> None:
    """With noise a trillion times as large, anything would be within the floor."""
    (path,) = references.names(stock.root / "reference")
    _multiply_noise(path, CHANCE)
    ended = command(["reference", "verify", "--folder", str(path.parent)])
    assert 1 == ended.code and path.stem in ended.out


def test_what_is_written_is_a_device(made: Stock, tmp_path: Path) -> None:
    """It is told, and stays a device."""
    chosen = [item for item in folders.catalogue() if item.name.endswith((" full", " null"))]
    assert 6 == len(chosen)
    bad = [item for item in folders.examine(made, tmp_path, chosen) if item.faults]
    assert [] == bad


@pytest.mark.parametrize("form", cases.FORMATS)
def test_a_report_that_is_a_fifo(stock: Stock, form: str) -> None:
    """Nobody waits for what nobody writes."""
    path = stock.run("fail") / "report.json"
    mutations.fifo(path, CHANCE)
    ended = command(["report", str(path.parent), "--format", form])
    assert (4, False) == (ended.code, ended.hung) and ended.names(path)


def test_one_bit_of_a_checkpoint(stock: Stock) -> None:
    """A model that is not the one that was trained generates nothing."""
    (path,) = (stock.root / "model" / training.CHECKPOINTS).iterdir()
    mutations.flipped(path, CHANCE)
    out = stock.root / "made.npz"
    ended = command(["generate", str(stock.root / "model"), "--out", str(out)])
    assert 4 == ended.code and path.name in "".join(ended.err.split()) and not out.exists()


# -- planted faults: what the program is for ------------------------------------------------------


def chosen(made: Stock, reader: str, count: int = 4_000) -> Iterator[cases.Case]:
    """Yield cases of one reader in which a value is another number."""
    kinds = ("value: fraction", "value: number")
    every = (case for case in cases.cases(made, count, SEED) if case.reader.name == reader)
    yield from itertools.islice((case for case in every if case.mutation in kinds), MOST)


def faults(made: Stock, reader: str, folder: Path) -> set[str]:
    """Return the faults that are counted for a reader."""
    found: set[str] = set()
    for item in census.examine(made, chosen(made, reader), folder):
        found |= {*item.faults}
    return found


def test_a_seal_that_nobody_checks_is_counted(
    made: Stock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a false PASS: a reference with another number in it is verified."""
    (path,) = references.names(made.root / "reference")
    louder = cases.Case("reference", path.name, "louder", _multiply_noise, cases.VERIFY, SEED)
    (honest,) = census.examine(made, [louder], tmp_path / "honest")
    monkeypatch.setattr(store, "check_seal", lambda document, kind, where: None)
    (planted,) = census.examine(made, [louder], tmp_path / "planted")
    assert ((), ("false PASS",)) == (honest.faults, planted.faults)


def _multiply_noise(path: Path, _: random.Random) -> None:
    """Alter a reference so that anything would be within its floor."""
    document = store.read_json(path, "reference", references.SCHEMA)
    for moved in document["noise"].values():
        moved.update({name: value * 1e12 for name, value in moved.items()})
    store.write_json(path, document, indent=None)


def test_a_reader_without_a_guard_is_counted(
    made: Stock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a traceback: a report is taken as it is."""

    def unguarded(text: str, _: str = "") -> Any:
        document = json.loads(text)
        return document["stages"][0]["workload"].upper()

    monkeypatch.setattr(json_format, "from_json", unguarded)
    assert "traceback" in faults(made, "report --format html", tmp_path)


def test_a_hang_is_counted() -> None:
    """The watchdog wakes whoever waits for a FIFO."""

    def wait() -> None:
        while True:
            pass

    assert call(wait, limit_s=0.2).hung


def test_control_characters_and_files_are_looked_for() -> None:
    """Also across the lines that a terminal breaks."""
    assert Ended(4, "", "\x1b[31m").controls and not Ended(4, "a\n\tb", "").controls
    assert Ended(4, "", "error: /a/mani\nfest.json is").names(Path("/b/manifest.json"))
    assert not Ended(4, "", "error: something").names(Path("/b/manifest.json"))


def test_a_touched_place_is_seen(
    made: Stock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that follows a link changes what is not its own."""
    (item,) = (one for one in folders.catalogue() if one.name == "--out null")
    monkeypatch.setattr(
        renderers.files, "destination", lambda path: path.resolve() if path.is_symlink() else path
    )
    with contextlib.suppress(OSError):
        (touched,) = folders.examine(made, tmp_path, [item])
        assert "outside is not what it was" in touched.faults


def test_no_name_forges_a_line(made: Stock, tmp_path: Path) -> None:
    """Of a run, a port, a history, a workload, or what an option names."""
    bad = [item for item in names.examine(made, tmp_path / "names") if item.faults]
    assert not bad, bad


def test_a_forged_line_is_seen(
    made: Stock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where messages keep the lines of what they quote."""
    monkeypatch.setattr(console, "spelled", lambda message: message)
    seen = [item.name for item in names.examine(made, tmp_path / "names") if item.faults]
    assert {"a run's folder: history add, '\\n'", "--out, '\\n'", "no run, '\\n'"} <= set(seen)
