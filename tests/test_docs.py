"""The documentation against the code: commands parse, options and builds exist, links resolve,
the example runs."""

from __future__ import annotations

import ast
import configparser
import dataclasses
import io
import itertools
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cyclopts import App, MissingArgumentError
from rich.console import Console

from harness import cli, pytest_plugin
from harness.commands import options, resolution
from harness.environments import builds, provision

ROOT = Path(__file__).parents[1]
NAMED = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "reports/README.md")
PAGES = [*(ROOT / name for name in NAMED), *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLES = sorted((ROOT / "docs/examples").glob("*.py"))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FIRST, SECOND = "Compare TensorFlow 2 with PyTorch", "Run the tests:"
TIMEOUT_S = 600.0
#: Options of pytest's own that the pages name.
PYTESTS = {"--junit-xml"}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _commands(text: str) -> Iterator[list[str]]:
    """Yield the words of every shell command of a page: in console blocks, indented, or in a
    span of code."""
    lines = [
        line
        for kind, body in FENCE.findall(text)
        if kind == "console"
        for line in body.splitlines()
    ]
    outside = FENCE.sub("", text)
    lines += [line.strip() for line in outside.splitlines() if line.startswith("    ")]
    lines += SPAN.findall(outside)
    for line in lines:
        for command in line.split("&&"):
            if re.match(r"\s*(\.venv/bin/)?(harness|tox|pytest)( |$)", command):
                yield shlex.split(command)


def _page(path: Path) -> str:
    """Return a page, or what an example says of itself."""
    return (
        _text(path)
        if path.suffix == ".md"
        else str(ast.get_docstring(ast.parse(_text(path)), clean=False))
    )


def _harness_commands() -> list[tuple[str, list[str]]]:
    found = [
        (path.name, words[1:])
        for path in [*PAGES, *EXAMPLES]
        for words in _commands(_page(path))
        if words[0].endswith("harness")
    ]
    return [(name, words) for name, words in found if words and words[0].islower()]


def _known_options(app: App) -> set[str]:
    """Return every option of every command, with its dashes."""
    found = set()
    for name in app:
        if name.startswith("-"):
            continue
        found |= _known_options(app[name])
        if app[name].default_command is not None:
            found |= {
                word
                for argument in app[name].assemble_argument_collection()
                for word in argument.names
            }
    return found


def _two_commands() -> list[str]:
    text = _text(ROOT / "README.md")
    return [FENCE.search(text, text.index(title))[2].strip() for title in (FIRST, SECOND)]


def _tox() -> configparser.ConfigParser:
    config = configparser.ConfigParser(interpolation=None)
    config.read_string(_text(ROOT / "tox.ini"))
    return config


def test_the_two_commands_are_one_line_each_and_are_what_ci_runs():
    """README begins with a comparison and with the tests; .ci/run does the same."""
    first, second = _two_commands()
    assert all(
        command.startswith("python3 -m venv .venv && .venv/bin/pip install -q ")
        for command in (first, second)
    )
    assert "\n" not in first + second
    compare, tests = first.rpartition(" && ")[2], second.rpartition(" && ")[2]
    assert (".venv/bin/harness compare --backends tf2 torch", ".venv/bin/tox run") == (
        compare,
        tests,
    )
    ci = _text(ROOT / ".ci/run")
    assert compare in ci and tests in ci


def test_the_second_command_runs_the_tests():
    """Plain `tox run` has the tests in its list, the linter, and both builds that the first
    command compares."""
    assert {"lint", "type", "tests", "tf2-cpu", "torch-cpu"} <= set(
        _tox()["tox"]["env_list"].split()
    )


@pytest.mark.parametrize(
    ("page", "words"),
    _harness_commands(),
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_every_harness_command_is_understood(page: str, words: list[str]):
    """The command line takes each documented command; names of builds and workloads in it exist."""
    try:
        command, bound, _ = cli.app.parse_args(words, exit_on_error=False, print_error=False)
    except MissingArgumentError:
        assert 1 == len(words)  # the name alone speaks of a command, and it is the name of one
        return
    assert callable(command)
    chosen = bound.arguments.get("chosen")
    own = chosen is not None and (chosen.ports or any("@" in name for name in chosen.backends))
    own = own or bound.arguments.get("pair") is not None  # what it says is known once it is read
    if chosen is not None and not own and "BUILD=PATH" not in chosen.python:
        assert resolution.resolve(chosen).sides


def test_every_option_named_exists():
    """What README and docs write as `--option` is an option of some command, or of
    pytest."""
    known = _known_options(cli.app) | {"--help", "--version", pytest_plugin.REPORTS, *PYTESTS}
    for path in PAGES:
        spans = [
            span
            for span in SPAN.findall(FENCE.sub("", _text(path)))
            if "tox " not in span and "pip " not in span
        ]
        met = {option for span in spans for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", span)}
        assert set() == met - known, path.name


def test_every_option_has_a_help_text():
    """--help explains each option that `compare` takes."""
    page = io.StringIO()
    cli.app.help_print(["compare"], console=Console(file=page, width=1000))
    for field in dataclasses.fields(options.Options):
        option = "--" + field.name.replace("_", "-")
        (line,) = (line for line in page.getvalue().splitlines() if f" {option} " in line)
        explained = re.sub(r"\[default: .*\]", "", line.partition(f" {option} ")[2])
        assert len(explained.split()) >= 4, line


def test_every_tox_environment_named_exists():
    """`tox run -e NAME` and `-m LABEL` in the documentation are in tox.ini."""
    config = _tox()
    labels = {line.split("=")[0].strip() for line in config["tox"]["labels"].strip().splitlines()}
    found = [
        words for path in PAGES for words in _commands(_text(path)) if words[0].endswith("tox")
    ]
    assert len(found) > 5
    for words in found:
        for flag, name in itertools.pairwise(words):
            assert flag != "-e" or f"testenv:{name}" in config, words
            assert flag != "-m" or name in labels, words


def test_sizes_are_those_of_the_table_of_builds():
    """The table of disk space says what `harness --dry-run` says."""
    rows = re.findall(
        r"^\| `([\w-]+)` \|.*\| (\d+) MiB \| (\d+) s \|$",
        _text(ROOT / "docs/start.md"),
        re.MULTILINE,
    )
    assert len(rows) >= 4
    for name, size, seconds in rows:
        cost = builds.cost(name)
        assert cost is not None
        assert (int(size), float(seconds)) == (cost.disk_bytes >> 20, cost.install_s)


def broken_links(page: Path, text: str) -> list[str]:
    """Return the links of a page to files or headings that do not exist."""
    found = []
    for target in LINK.findall(FENCE.sub("", text)):
        name, _, anchor = target.partition("#")
        if "://" in name:
            continue
        path = (page.parent / name) if name else page
        headings = (
            {_anchor(line) for line in _text(path).splitlines() if line.startswith("#")}
            if anchor and path.is_file()
            else set()
        )
        if not path.exists() or (anchor and anchor not in headings):
            found.append(target)
    return found


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lstrip("#").strip().lower()).replace(" ", "-")


def test_the_patient_is_drawn_as_its_caption_says():
    """The commands of the example train the model of the page's picture: build, preset, data and
    number of steps."""
    (train,) = (
        words
        for name, words in _harness_commands()
        if name == "plot_patient.py" and words[0] == "train"
    )
    given = dict(itertools.pairwise(train))
    caption = " ".join(
        _text(ROOT / "docs/ehr_mgan.md").partition("](images/patient.png)")[2].split()[:60]
    )
    assert (
        f"a `{given['--preset']}` model generated on {given['--build']} after {given['--steps']}"
        " steps" in caption
    )
    assert f"`--data {given['--data']}`" in caption


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_resolve(page: Path):
    """Every link to a file of the repository leads somewhere."""
    assert [] == broken_links(page, _text(page))


def test_a_broken_link_is_found():
    """The checker sees a missing file and a missing heading."""
    text = "[a](docs/nowhere.md) [b](#nothing) [c](README.md) [d](https://example.org/x)"
    assert ["docs/nowhere.md", "#nothing"] == broken_links(ROOT / "README.md", text)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_named_in_code_exist(page: Path):
    """A path of the source tree that is written as code is there; made-up names hold a
    placeholder."""
    spans = SPAN.findall(FENCE.sub("", _text(page)))
    named = [
        span
        for span in spans
        if re.fullmatch(r"(harness|backends|tests|docs|reference_outputs|\.ci)/[\w./-]*", span)
    ]
    assert [] == [name for name in named if not (ROOT / name).exists()]


def test_the_example_ports_are_judged_as_the_page_says(tmp_path: Path):
    """The files of docs/ports.md run: the pair passes, and the wrapped loop with PyTorch's own
    Adam fails in training alone."""
    blocks = re.findall(
        r"^`([\w/]+\.py)`\n\n```python\n(.*?)^```$",
        _text(ROOT / "docs/ports.md"),
        re.MULTILINE | re.DOTALL,
    )
    assert [
        "mine/digits.py",
        "mine/tf2/digits.py",
        "mine/torch/digits.py",
        "bare/torch/digits.py",
    ] == [name for name, _ in blocks]
    for name, source in blocks:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(source, encoding="utf-8")
    pythons = []
    for name in ("tf2", "torch"):
        build = provision.locate(name, "cpu", overrides={}, environ=os.environ, progress=print)
        pythons.append(f"{name}={build.path}")
    for sides, code in ((("tf2", "torch"), 0), (("tf2", "torch@bare"), 1)):
        argv = [
            sys.executable,
            "-m",
            "harness.cli",
            "compare",
            "--ports",
            "mine",
            "--workloads",
            "digits",
            "--backends",
            *sides,
        ]
        argv += ["--python", *pythons, "--precision", "fp64", "--no-speed", "--json", "result.json"]
        done = subprocess.run(
            argv,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert code == done.returncode, done.stdout + done.stderr
    stages = json.loads(_text(tmp_path / "result.json"))["stages"]
    assert ["trajectory"] == [row["stage"] for row in stages if row["verdict"] == "FAIL"]
