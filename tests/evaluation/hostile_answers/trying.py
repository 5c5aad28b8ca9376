"""A real command in which one line that a worker answers is another one, and what came of it."""

from __future__ import annotations

import collections
import dataclasses
import json
import random
import shutil
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

from backends.contract import STATUSES
from harness.execution import answers as protocol
from tests.evaluation.hostile.calls import Ended, command
from tests.evaluation.hostile_answers.answers import ENVELOPE, Mutation
from tests.evaluation.round_sizes import RoundSizes, in_effect

#: What is counted.
FAULTS = (
    "traceback",
    "hang",
    "false PASS",
    "exit code",
    "control characters",
    "no verb named",
    "other jobs taken down",
)
FAULTY = "faulty"


#: How a line begins that is no answer.
TELLING = b'{"doing"'
#: How it is said of all answers to a job.
TOGETHER = "the worker's answers: "
#: What is asked before any round to see how long one will take, and what a step costs beside its
#: time: it may fail; the rounds tell, and the cost is missing.
TRIAL = {"open", "load", "step", "spend"}
#: Ones of a few milliseconds: what they measure is looked at by nobody.
SHORT = RoundSizes(warmup_s=0.01, measure_s=0.02, probe_s=0.03)


@dataclasses.dataclass(frozen=True)
class Scenario:
    """A command whose workers are listened to.

    Attributes:
        words: of the command line, without its folder.
        option: which names the folder.
        code: its exit code when nothing is altered.
        weight: how many of a hundred cases are of it.
    """

    words: tuple[str, ...]
    option: str
    code: int
    weight: int


_LINEAR = ("--preset", "tiny", "--precision", "fp64", "--threads", "1", "--limit", "8")
_SIDES = ("compare", "--workloads", "linear", "--backends", "numpy", "numpy")
SCENARIOS = {
    "fidelity": Scenario(
        (*_SIDES, f"numpy@{FAULTY}", *_LINEAR, "--no-speed", "--steps", "2"), "--reports", 1, 60
    ),
    "rounds": Scenario((*_SIDES, *_LINEAR, "--no-fidelity", "--budget", "1"), "--reports", 0, 30),
    "training": Scenario(
        ("train", "linear", "--build", "torch", *_LINEAR, "--steps", "2"), "--out", 0, 10
    ),
}


@dataclasses.dataclass(frozen=True)
class Case:
    """One altered line: the `number`-th, from 0, that answers a verb in a scenario."""

    scenario: str
    verb: str
    number: int
    name: str
    mutate: Mutation
    seed: int

    @property
    def kind(self) -> str:
        """The kind that it is counted under."""
        return self.name.partition(": ")[0]


@dataclasses.dataclass(frozen=True)
class Finding:
    """What came of a case. `altered`: whether there was such a line. `reason`: of the job that did
    not end well."""

    case: Case
    altered: bool
    faults: tuple[str, ...]
    reason: str
    ended: Ended


class Pipe:
    """What lies between workers and the harness: alters one of all answers. Lines in which a worker
    tells what it is doing pass.

    Attributes:
        met: how many answers there were to each verb. altered: whether one was another than it had
            been.
    """

    def __init__(self, case: Case | None) -> None:
        self.case, self.met, self.altered = case, collections.Counter[str](), False
        self._lock, self._parse = threading.Lock(), protocol.parse

    def parse(self, line: bytes, verb: str) -> dict[str, Any]:
        """Return a line's object, as `answers.parse`."""
        if line.startswith(TELLING):
            return self._parse(line, verb)
        with self._lock:
            number, self.met[verb] = self.met[verb], self.met[verb] + 1
        case = self.case
        if case is not None and (case.verb, case.number) == (verb, number):
            before, line = line, case.mutate(line, random.Random(case.seed))
            self.altered = before != line
        return self._parse(line, verb)


def run(
    scenario: Scenario, folder: Path, case: Case | None, sizes: RoundSizes = SHORT
) -> tuple[Ended, Pipe]:
    """Run a command with a line altered, or without.

    Args:
        scenario: the command. folder: for what it writes; the faulty port lies beside it.
        case: None for an honest run. sizes: of rounds.
    """
    ports = f"numpy@{folder.parent / FAULTY}"
    words = [ports if word == f"numpy@{FAULTY}" else word for word in scenario.words]
    pipe = Pipe(case)
    with mock.patch.object(protocol, "parse", pipe.parse), in_effect(sizes):
        return command([*words, scenario.option, str(folder)]), pipe


def attempt(folder: Path, case: Case) -> Finding:
    """Run one case in a new folder beside the faulty port, and look at everything."""
    ended, pipe = run(SCENARIOS[case.scenario], folder, case)
    paths = list(folder.glob("*/report.json"))
    report = json.loads(paths[0].read_text(encoding="utf-8")) if paths else {}
    texts = [path.read_text(encoding="utf-8") for path in folder.glob("*/report.*")]
    shutil.rmtree(folder, ignore_errors=True)
    bad = [job for job in report.get("jobs", ()) if job["status"] != "ok"]
    reason = "; ".join(job["reason"] for job in bad) or ended.err.strip()
    faults = [*_ended_wrongly(ended, texts)]
    if pipe.altered and not faults:
        faults += _passes(case, ended, report)
        faults += _reported_wrongly(case, ended, report, bad)
    return Finding(case, pipe.altered, tuple(faults), reason, ended)


def _ended_wrongly(ended: Ended, texts: list[str]) -> Iterator[str]:
    if ended.hung:
        yield "hang"
    if ended.crashed:
        yield "traceback"
    if ended.controls or any(_steers(char) for text in texts for char in text):
        yield "control characters"


def _passes(case: Case, ended: Ended, report: Mapping[str, Any]) -> Iterator[str]:
    """An answer that is none never ends well; one with another number in it may, where nothing is
    judged."""
    judged = SCENARIOS[case.scenario].code == 1
    none = case.name in ENVELOPE and not (case.scenario == "rounds" and case.verb in TRIAL)
    agrees = report.get("summary", {}).get("fidelity") == "PASS"
    if agrees or (ended.code == 0 and (judged or none)):
        yield "false PASS"


def _reported_wrongly(
    case: Case, ended: Ended, report: Mapping[str, Any], bad: list[Mapping[str, Any]]
) -> Iterator[str]:
    verb = f"'{case.verb}'"
    if case.scenario == "training":
        if ended.code not in (0, 4):
            yield "exit code"
        if ended.code and verb not in ended.err and not case.name.startswith("status: of a"):
            yield "no verb named"
        return
    if not report or ended.code != report["summary"]["exit_code"]:
        yield "exit code"
    if any(job["status"] not in STATUSES for job in bad):
        yield "exit code"
    # a failure that the worker told of has the worker's reason; what several answers make together
    # is checked once more
    mute = [job for job in bad if verb not in job["reason"] and TOGETHER not in job["reason"]]
    if mute and not case.name.startswith("status: of a"):
        yield "no verb named"
    if case.scenario == "fidelity" and taken_down(report, {job["build"] for job in bad}):
        yield "other jobs taken down"


def taken_down(report: Mapping[str, Any], altered: set[str]) -> bool:
    """Whether pairs without the altered side are not judged as they are without it."""
    verdicts: dict[tuple[str, str], set[str]] = {}
    for row in report.get("stages", ()):
        if not altered & {row["a"], row["b"]}:
            verdicts.setdefault((row["a"], row["b"]), set()).add(row["verdict"])
    whole = all(
        seen == {"PASS"} or (FAULTY in pair[1] and "FAIL" in seen)
        for pair, seen in verdicts.items()
    )
    return len(altered) > 1 or not whole or not verdicts


def _steers(char: str) -> bool:
    return char not in "\n\t" and (ord(char) < 32 or 127 <= ord(char) < 160)
