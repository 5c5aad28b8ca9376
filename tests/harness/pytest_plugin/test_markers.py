"""Markers by build: where a test gets them, and that `-m` leaves out what needs a build."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import tomllib

pytest_plugins = ("pytester",)

ROOT = Path(__file__).parents[3]
PAIR = """
from backends import pair

@pair.side("{a}")
def one(): ...

@pair.side("{b}")
def other(): ...

@pair.data
def data(): ...
"""
TESTS = """
import pytest

NAMED = "in_tf210.py"

def test_constant(harness):
    harness.compare("in_tf1.py", until="update").assert_pass()

def test_nested(harness):
    for name in [name for name in ("in_tf1.py",)]:
        (lambda: harness.compare("in_tf1.py"))()

def test_global(harness):
    harness.compare(NAMED)

@pytest.mark.parametrize("path", ["in_tf1.py", "in_torch.py"])
def test_parameter(harness, path):
    harness.compare(path)

@pytest.mark.builds("tf2.10", "torch")
def test_by_hand(harness):
    harness.compare("linear", backends=["tf2.10", "torch"])

@pytest.mark.tf1
def test_by_name(): ...

def test_own_build(harness):
    harness.compare("in_mine.py")

def test_without(in_tf1="in_tf1.py"):
    assert in_tf1
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """Pairs of several builds, and tests that name them in every way."""
    for name, (a, b) in {
        "in_tf1": ("tf1", "torch"),
        "in_tf210": ("tf2.10", "torch"),
        "in_torch": ("torch", "torch"),
        "in_mine": ("torch24", "torch"),
    }.items():
        pytester.makepyfile(**{name: PAIR.format(a=a, b=b)})
    pytester.makepyfile(test_ports=TESTS)
    return pytester


def collected(run_tests, expression: str) -> set[str]:
    result = run_tests("--collect-only", "-q", "-m", expression)
    assert result.ret in (0, 5), result.stdout.str()
    return {line.partition("::test_")[2] for line in result.outlines if "::test_" in line}


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("tf1", {"constant", "nested", "parameter[in_tf1.py]", "by_name"}),
        ("tf2.10", {"global", "by_hand"}),
        ("torch24", {"own_build"}),
        ("tf2", set()),
        ("not torch", {"by_name", "without"}),
        (
            "not tf1",
            {"global", "parameter[in_torch.py]", "by_hand", "own_build", "without"},
        ),
    ],
)
def test_tests_are_selected_by_build(run_tests, project, expression: str, names: set[str]):
    """By the pairs that they name as a constant or a parameter, or by hand."""
    assert names == collected(run_tests, expression)


def test_a_project_that_never_uses_the_harness_is_left_alone(run_tests, pytester):
    """Names are everybody's: another fixture called `harness`, another marker called `builds`."""
    pytester.makeini("[pytest]\nmarkers =\n    builds: of another tool")
    pytester.makepyfile(in_tf1=PAIR.format(a="tf1", b="torch"))
    pytester.makepyfile(
        test_own="""
        import pytest

        @pytest.fixture
        def harness():
            return "in_tf1.py"

        def test_own(harness):
            "{long}.py"

        @pytest.mark.builds("_private", "two words")
        def test_builds(): ...

        @pytest.mark.parametrize("harness", ["in_tf1.py"])
        def test_given(harness): ...
        """.replace("{long}", "a" * 300)
    )
    run_tests().assert_outcomes(passed=3)
    assert {"own", "builds", "given[in_tf1.py]"} == collected(run_tests, "not tf1")


def test_texts_and_names_that_lead_nowhere_break_no_run(run_tests, pytester):
    """A docstring is no path, though it ends like one, and not every word is a marker; what is one
    beside them counts, also behind a fixture of the project's that is made of this one."""
    pytester.makepyfile(in_tf1=PAIR.format(a="tf1", b="_private"))
    pytester.makepyfile(
        test_own="""
        import pytest

        @pytest.fixture
        def harness(harness):
            return harness

        @pytest.mark.parametrize("path", ["in_tf1.py", "\\0.py", "{long}.py"], ids="abc")
        @pytest.mark.builds("_private", "two words", "torch")
        def test_own(harness, path):
            "{long}.py"
        """.replace("{long}", "a" * 300)
    )
    run_tests().assert_outcomes(passed=3)
    assert {"own[a]"} == collected(run_tests, "tf1 and torch")
    assert {"own[b]", "own[c]"} == collected(run_tests, "torch and not tf1")


def test_a_build_that_a_test_does_not_name_is_refused_where_it_was_selected_by(run_tests, project):
    """Nothing that was to be left out runs unseen; the message says how to mark the test."""
    project.makepyfile(
        test_ports="""
        def test_hidden(harness):
            harness.compare("_".join(["in", "tf1.p"]) + "y")
        """
    )
    result = run_tests("-m", "not tf1")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(['*Mark the test: @pytest.mark.builds("tf1").'])
    assert "Traceback" not in result.stdout.str()


def test_markers_and_the_option_are_listed(run_tests):
    """`--markers`, `--fixtures` and `--help` explain them; every build has one."""
    from harness.environments.builds import BUILDS

    markers = run_tests("--markers").stdout.str()
    for name in (*BUILDS, "builds(*names)"):
        assert f"@pytest.mark.{name}: compares" in markers
    assert "--harness-reports=DIR" in run_tests("--help").stdout.str()
    run_tests("--fixtures").stdout.fnmatch_lines(["harness -- *", "*Compares two models*"])


def test_the_distribution_has_the_plugin():
    """Under the name by which `-p no:harness` leaves it out."""
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert {"harness": "harness.pytest_plugin"} == content["project"]["entry-points"]["pytest11"]


def test_a_run_without_the_fixture_loads_nothing_of_the_engine(tmp_path: Path):
    """Whoever has the harness installed pays for it in no other test."""
    (tmp_path / "test_other.py").write_text(
        "import sys\n\ndef test_other():\n"
        "    assert not {'numpy', 'scipy', 'jinja2', 'harness.api'} & {*sys.modules}\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "harness.pytest_plugin", str(tmp_path)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
