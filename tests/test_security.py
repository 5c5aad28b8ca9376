"""Every sentence of SECURITY.md has a test (`security_claims`), and its lists are the program's."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from harness import cli
from harness.environments.builds import BUILDS
from harness.environments.probe import pins
from harness.execution import worker_environment
from harness.workloads.ehr_mgan import folder, pickles
from tests import security_claims
from tests.evaluation.hostile import __main__ as hostile
from tests.import_rules import called
from tests.security_claims import Entries, faults, sentences

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
LIST = ROOT / "tests/data/security.toml"
SPAN = re.compile(r"`([^`]+)`")

SMALL = """
# Security

Read this. It is no claim.

## What is run

Ports are run. They are
no data.

- **Nights**: a matrix. It is TOML.

| what | how |
|---|---|
| records | JSON. And `.npz` |
"""
HELD: Entries = {
    "What is run": {
        "Ports are run.": ["a.py::test_one"],
        "They are…": ["a.py::test_one", "a.py::test_two"],
        "Nights: a matrix.": {"says": "definition", "why": "a word"},
        "It is TOML.": ["a.py::test_two"],
        "records: JSON.": ["a.py::test_two"],
        "And `.npz`": ["a.py::test_two"],
    }
}


def names(path: str) -> set[str] | None:
    """Return the tests of the only file that there is."""
    return {"test_one", "test_two"} if path == "a.py" else None


def sentence(beginning: str) -> str:
    """Return the page's only sentence that begins so."""
    (text,) = [text for _, text in sentences(PAGE) if text.startswith(beginning)]
    return text


def test_every_sentence_has_its_tests():
    """And no entry is of a sentence, or names a test, that has gone."""
    entries = tomllib.loads(LIST.read_text(encoding="utf-8"))
    assert [] == faults(PAGE, entries, security_claims.tests_of)


def test_a_page_is_split_into_its_sentences():
    """Paragraphs, items and rows, from the first heading that counts."""
    assert [
        "Ports are run.",
        "They are no data.",
        "Nights: a matrix.",
        "It is TOML.",
        "records: JSON.",
        "And `.npz`",
    ] == [text for heading, text in sentences(SMALL) if heading == "What is run"]
    assert [] == faults(SMALL, HELD, names)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("It is TOML.", "It is TOML. It is signed.", ["nothing holds: It is signed."]),
        ("no data.", "no data.\n\n## Limits\n\nNone.", ["Limits: nothing holds: None."]),
        ("And `.npz` |", "And `.npz` |\n| models | code |", ["nothing holds: models: code"]),
        ("Ports are run.", "", ["0 sentences are: Ports are run."]),
        ("a matrix.", "two.", ["0 sentences are: Nights", "nothing holds: Nights: two."]),
        ("no data.", "no data. They are code.", ["2 sentences are: They are…"]),
    ],
)
def test_a_sentence_that_nothing_holds_is_seen(old: str, new: str, said: list[str]):
    """Planted: sentences that are new, gone, altered, and two that one entry could mean."""
    assert old in SMALL
    wrong = faults(SMALL.replace(old, new), HELD, names)
    assert [text for text in said if not any(text in fault for fault in wrong)] == []


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (["a.py::test_gone"], "tests/a.py has no test test_gone"),
        (["a.py"], "has no test"),
        (["b.py::test_one"], "no file tests/b.py"),
        ([], "names no test"),
        ({}, "says None"),
        ({"says": "limit"}, "needs its reason"),
        ({"says": "limit", "why": " "}, "needs its reason"),
        ({"says": "true", "why": "so"}, "says 'true'"),
        ({"says": "limit", "why": "so", "tests": ["a.py::test_one"]}, "and nothing else"),
    ],
)
def test_an_entry_that_holds_nothing_is_seen(entry: object, said: str):
    """Planted: tests that have gone, and reasons that are none."""
    under = {**HELD["What is run"], "It is TOML.": entry}
    (fault, *more) = faults(SMALL, {"What is run": under}, names)
    assert "It is TOML." in fault and any(said in text for text in (fault, *more))


def test_tests_are_read_from_their_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Functions of a module alone, and what is no test is none."""
    text = "def test_a(): pass\ndef helper():\n    def test_b(): pass\n# def test_c(): pass\n"
    (tmp_path / "test_x.py").write_text(text, encoding="utf-8")
    monkeypatch.setattr(security_claims, "TESTS", tmp_path)
    assert {"test_a"} == security_claims.tests_of("test_x.py")
    assert security_claims.tests_of("test_y.py") is None


# -- its lists and numbers are the program's ------------------------------------------------------


def test_the_table_of_variables_is_the_programs():
    """Each row has its reason and its names, and there is no other."""
    rows = dict(
        text.split(": ", 1)
        for heading, text in sentences(PAGE)
        if heading == "Processes" and re.fullmatch(r"[^`.]+: (`[^`]+`(, )?)+", text)
    )
    assert worker_environment.PASSED == {
        reason: tuple(SPAN.findall(spans)) for reason, spans in rows.items()
    }


def test_words_of_secrets_are_the_programs():
    """All of them, and no other."""
    said = re.findall(r"\b[A-Z]{3,}\b", sentence("Of these, what looks like a secret"))
    words = f"{worker_environment.SUSPECT_PARTS}|{worker_environment.SUSPECT_WORDS}"
    assert words.split("|") == said


def test_tokens_that_are_named_are_kept_back():
    """Each form, with an end that its issuer could have given it."""
    _, _, forms = sentence("So are values that hold").partition("known form")
    for form in SPAN.findall(forms):
        value = f"{form} A" if "BEGIN" in form else f"{form}{'A1B2C3D4' * 4}.x"
        assert {} == _listed({"TORCH_X": value}), form
    assert {"TORCH_X": "x"} == _listed({"TORCH_X": "x"})


def _listed(environ: dict[str, str]) -> dict[str, str]:
    clean = worker_environment.clean_environment(environ)
    return {name: value for name, value in clean.items() if name in environ}


def test_variables_that_nobody_gets_are_the_programs():
    """In its order."""
    assert list(worker_environment.PRIVATE) == SPAN.findall(sentence("`PYTHONPATH`,"))


def _commands(option: str) -> set[str]:
    """Return which commands take an option."""
    taken = set()
    for name in (word for word in cli.app if not word.startswith("-")):
        groups = [name, *(f"{name} {word}" for word in cli.app[name] if not word.startswith("-"))]
        for path in groups:
            app = cli.app
            for word in path.split():
                app = app[word]
            if app.default_command is not None and any(
                option in argument.names for argument in app.assemble_argument_collection()
            ):
                taken.add(path)
    return taken


def test_who_runs_ports_of_ones_own_takes_further_variables():
    """`list` starts no worker; a night has its folders in its matrix; `check` and `map` run pair
    files."""
    others = {"nightly", "check", "map"}
    assert (_commands("--ports") - {"list"}) | others == _commands("--pass-env")
    assert {"compare", "run", "train", "bisect"} < _commands("--pass-env")


def test_two_commands_send():
    """Nobody else takes an address."""
    assert {"compare", "send"} == _commands("--mlflow") == _commands("--tensorboard")


def test_the_hostile_files_are_as_many_as_is_said():
    """What `tox run -e hostile` alters without an option."""
    (said,) = re.findall(r"in ([\d,]+) ways", sentence("`tox run -e hostile`"))
    assert int(said.replace(",", "")) <= hostile.COUNT


def test_versions_are_those_of_the_builds():
    """The shipped PyTorch and the oldest, and old TensorFlows that are run on old Pythons."""
    shipped, oldest = re.findall(r"\d+\.\d+", sentence("The shipped build has"))
    torch = BUILDS["torch"]
    (pin,) = [item for item in _pins("torch/requirements/torch-cpu.txt") if item.name == "torch"]
    assert str(pin.specifier).startswith(f"=={shipped}.") and torch.accepts.startswith(
        f">={oldest},"
    )
    old = sentence("TensorFlow 1.15,")
    assert ["1.15", "2.4", "2.10", "3.7"] == re.findall(r"\d+\.\d+", old)
    assert "==1.15.*" == BUILDS["tf1"].fits and ("3.7",) == BUILDS["tf1"].pythons
    assert BUILDS["tf2"].accepts.startswith(">=2.4,") and "==2.10.*" == BUILDS["tf2.10"].fits


def _pins(name: str) -> list[Requirement]:
    return pins(ROOT / "backends" / name)


def test_frameworks_are_pinned_and_what_they_need_is_not():
    """One exact release of the framework in every file; no hash, and no list of all that comes with
    it."""
    files = sorted((ROOT / "backends").glob("*/requirements/*.txt"))
    assert files
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert "--hash" not in text and "--require-hashes" not in text
        framework, *others = pins(path)
        exact = [item for item in framework.specifier if item.operator == "=="]
        assert framework.name.startswith(("tensorflow", "torch")) and len(exact) == 1, path
        assert len(others) <= 2, path


def test_limits_of_a_cohort_are_the_programs():
    """In GiB for its pickles, in MiB for its scale."""
    (largest,) = re.findall(r"files above (\d+) GiB", sentence("a cohort for EHR-M-GAN"))
    (scale,) = re.findall(r"up to (\d+) MiB", sentence("Its `.npz` without pickles"))
    assert (int(largest) << 30, int(scale) << 20) == (pickles.MAX_BYTES, folder.MAX_NORM_BYTES)


#: Who has something started, and by which function of `processes` or `kept_process`.
STARTS = {
    "harness/cli/completion.py": {"a shell"},  # the name of one, whose script is printed
    "harness/environments/checkout.py": {"capture"},  # git
    "harness/environments/import_probe.py": {"capture"},  # interpreters, for `harness doctor`
    "harness/environments/installation.py": {"run_logged"},  # tox
    "harness/environments/probe.py": {"capture"},  # interpreters
    "harness/environments/releases.py": {"capture"},  # pip
    "harness/execution/processes.py": {"start", "start_group"},
    "harness/execution/kept_process.py": {"KeptProcess", "start_group"},
    "harness/execution/runner.py": {"WorkerProcess"},
}


def starts(source: str) -> set[str]:
    """Return by which functions a module has processes started; "a shell" for one."""
    named = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = called(node).removeprefix("processes.").removeprefix("kept_process.")
            named |= {name} & set().union(*STARTS.values())
            named |= {"a shell" for item in node.keywords if item.arg == "shell"}
    return named


def test_who_starts_processes():
    """The modules that start what the page lists, and no other; none asks for a shell."""
    seen = {
        path.relative_to(ROOT).as_posix(): starts(path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "harness").rglob("*.py"))
    }
    assert STARTS == {path: named for path, named in seen.items() if named}
    assert {"a shell"} == starts("subprocess.run('git describe', shell=True)")
    assert {"capture"} == starts("processes.capture(['nvidia-smi'])")
