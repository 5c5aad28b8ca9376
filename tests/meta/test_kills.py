"""Nothing is lost when a command is killed; and the program that counts would see it."""

from __future__ import annotations

import random
import shutil
import sys
from pathlib import Path

import pytest

from tests.evaluation.kills import __main__ as program
from tests.evaluation.kills import commands, leftovers, striking, trials
from tests.evaluation.kills.commands import Command

#: What a command does that is killed in its tenth of a second, by the fault that it has.
PLANTED = {
    "half-written": 'open("report.json", "w").write("{\\"a\\": "); time.sleep(60)',
    "temporary": 'open(".report.json.1.2.tmp", "w").close(); time.sleep(60)',
    "orphans": 'subprocess.Popen(["sleep", "60"], start_new_session=True); time.sleep(60)',
    "wrong ending": "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)",
}
HEAD = """
import os, pathlib, signal, subprocess, sys, time
again = pathlib.Path("begun").exists()
pathlib.Path("begun").touch()
"""
#: A command without a fault: it goes on where it stopped, and says so in the end.
HONEST = "time.sleep(0 if again else 60); open('report.json', 'w').write('{}')"


def stub(code: str) -> Command:
    """Return a command that is a short program; its verdict is its report."""
    return Command(
        "stub",
        (sys.executable, "-c", HEAD + code),
        lambda scratch: (scratch / "report.json").read_text(),
    )


def tried(tmp_path: Path, command: Command, strike: striking.Strike) -> trials.Tally:
    """Strike once at a command, and let it go on."""
    start, tally = tmp_path / "start", trials.Tally()
    start.mkdir()
    usual = trials.Usual(start, 0, "{}", 1.0)
    bench = trials.Bench(
        tmp_path / "bench",
        program.environment(tmp_path),
        most_strikes=1,
        patience=striking.Patience(asked_s=0.5, orphans_s=0.5),
        draw=lambda rng, usual_s: strike,
    )
    bench.folder.mkdir()
    bench.trial(command, usual, random.Random(0), tally)
    return tally


def found(tally: trials.Tally) -> set[str]:
    """Return which faults were seen."""
    return {name for name, lines in tally.faults.items() if lines}


@pytest.mark.parametrize("fault", ["", *PLANTED])
def test_a_planted_fault_is_seen(tmp_path: Path, fault: str) -> None:
    """Each by its own name, and none of a command without one."""
    code = f"""
if not again:
    {PLANTED.get(fault, "time.sleep(60)")}
{HONEST}
"""
    polite = fault == "wrong ending"
    strike = striking.Strike("terminate" if polite else "kill", 1.0)
    tally = tried(tmp_path, stub(code), strike)
    assert ({fault} if fault else set()) == found(tally)
    assert (f"| stub | 1 | {int(not polite)} | 0 | {int(polite)} |") in trials.table(
        {"stub": tally}
    )
    assert not list(striking.carrying(tmp_path))


def test_another_verdict_is_seen(tmp_path: Path) -> None:
    """And another exit code."""
    code = "time.sleep(0 if again else 60); open('report.json', 'w').write('[]')"
    tally = tried(tmp_path, stub(code), striking.Strike("kill", 1.0))
    assert {"wrong ending"} == found(tally) and not tally.clean()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `harness run` has left a finished job."""
    folder = tmp_path_factory.mktemp("recorded")
    command = next(one for one in commands.commands(()) if one.name == "run")
    done = striking.run(command.argv, folder, program.environment(folder), None)
    assert 0 == done.code, done.err
    return folder


@pytest.mark.parametrize(
    ("fault", "count"),
    [("", (0, 0, 0)), ("gone", (1, 0, 0)), ("changed", (0, 1, 1)), ("left behind", (1, 0, 0))],
)
def test_a_job_that_is_lost_or_repeated_is_seen(
    recorded: Path, tmp_path: Path, fault: str, count: tuple[int, int, int]
) -> None:
    """A manifest that is gone, is another, or lies in a run that nobody took over."""
    scratch = tmp_path / "scratch"
    shutil.copytree(recorded, scratch)
    before = leftovers.finished(scratch)
    assert 1 == len(before) and [] == leftovers.damaged(scratch)
    first, run = scratch / next(iter(before)), next(scratch.glob("reports/*"))
    if fault == "gone":
        first.unlink()
    elif fault == "changed":
        first.write_text(first.read_text().replace('"ok"', '"ok" '))
        (run / "run.json").write_text("{")
    elif fault == "left behind":
        shutil.copytree(first.parent, scratch / "reports/later/jobs" / first.parent.name)
        (scratch / "reports/later/jobs" / first.parent.name / "manifest.json").touch()
        (run / "run.json").write_text("{}")
        before = {first.relative_to(scratch): before[first.relative_to(scratch)]}
    seen = [leftovers.lost(scratch, before), leftovers.repeated(scratch, before)]
    damaged = leftovers.damaged(scratch) if fault == "changed" else []
    assert count == tuple(len(lines) for lines in (*seen, damaged))


def test_a_dozen_kills_lose_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Of a real command with real workers, at moments that a seed has drawn.

    Temporary files of a run's folder are seen and are another matter.
    """
    program.main(["--count", "12", "--seed", "4", "--only", "run", "--most-strikes", "6"])
    said = capsys.readouterr().out
    line = next(line for line in said.splitlines() if line.startswith("| run |"))
    cells = [int(cell) for cell in line.split("|")[3:-1]]
    strikes, faults = cells[:4], cells[5:10]
    assert 12 <= sum(strikes) and [0] * 5 == faults, said


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """With those that there are."""
    with pytest.raises(SystemExit):
        program.main(["--only", "lint"])
    assert "compare, speed, run" in capsys.readouterr().err
