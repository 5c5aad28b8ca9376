"""Releases as pip tells them: parsed from its own answer, filtered, and laid out on a Python
that has both ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from packaging.version import Version

from harness.environments import releases
from harness.environments.builds import BUILDS
from harness.errors import BuildError, UsageError

#: What pip 23.2 prints, with releases of all kinds.
ANSWER = (
    "Looking in indexes: https://pypi.org/simple\nERROR: Could not find a version that satisfies"
    " the requirement tensorflow-cpu<0.0.0.dev0 (from versions: not-a-version, 2.14.0rc1, 2.14.0,"
    " 2.14.0+cpu, 2.15.0, 2.15.0.post1, 2.16.1, 2.16.2, 2.19.1, 2.20.0, 2.21.0)\nERROR: No matching"
    " distribution found for tensorflow-cpu<0.0.0.dev0\n"
)
WANTED = releases.span("tensorflow-cpu==2.10.1", "2.21.0", pre=False)


def versions(*texts: str) -> list[Version]:
    return [Version(text) for text in texts]


def test_pips_answer_is_read() -> None:
    """Oldest first; a post-release counts, a pre-release only if asked for, a local version
    once."""
    final = versions(
        "2.14.0", "2.15.0", "2.15.0.post1", "2.16.1", "2.16.2", "2.19.1", "2.20.0", "2.21.0"
    )
    assert final == releases.parse(ANSWER, pre=False)
    assert sorted([*final, Version("2.14.0rc1")]) == releases.parse(ANSWER, pre=True)
    assert [] == releases.parse(
        "ERROR: Could not find a version that satisfies the requirement x<0 (from versions: none)",
        pre=False,
    )


def test_one_python_serves_all_where_there_is_one() -> None:
    """The first preferred Python that has both ends; those after it are not asked about."""
    known = {
        "3.11": versions("2.12.0", "2.21.0"),
        "3.10": versions("2.9.0", "2.10.1", "2.12.0", "2.21.0", "2.22.0"),
    }
    asked: list[str] = []

    def ask(minor: str) -> list[Version]:
        asked.append(minor)
        return known[minor]

    found = releases.series(WANTED, ["3.11", "3.10", "3.9"], ask)
    assert [("2.10.1", "3.10"), ("2.12.0", "3.10"), ("2.21.0", "3.10")] == [
        (one.version, one.minor) for one in found
    ]
    assert ["3.11", "3.10"] == asked


def test_releases_without_a_python_in_common_have_each_its_own() -> None:
    """A span that no Python covers is still one series; each release runs on the first Python
    that has it."""
    known = {"3.13": versions("2.20.0", "2.21.0"), "3.9": versions("2.10.1", "2.20.0")}
    found = releases.series(WANTED, ["3.13", "3.9"], known.__getitem__)
    assert [("2.10.1", "3.9"), ("2.20.0", "3.13"), ("2.21.0", "3.13")] == [
        (one.version, one.minor) for one in found
    ]


def test_an_end_that_no_index_has() -> None:
    """The message names what there is between the two."""
    with pytest.raises(
        UsageError,
        match=(
            r"--from tensorflow-cpu==2.10.1: pip finds no wheel .* Python 3.11.*the two: 2.12.0,"
            r" 2.21.0"
        ),
    ):
        releases.series(WANTED, ["3.11"], lambda _: versions("2.12.0", "2.21.0"))


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("tensorflow==" + "9" * 5000, "2.21.0", "no version"),
        ("tensorflow==2.1.0", "9" * 5000, "no version"),
        ("tensorflow", "2.21.0", "one exact release"),
        ("tensorflow>=2.10", "2.21.0", "one exact release"),
        ("tensorflow==2.10.*", "2.21.0", "one exact release"),
        ("tensorflow==2.10.1,!=2.11", "2.21.0", "one exact release"),
        ("tensorflow[and-cuda]==2.10.1", "2.21.0", "one exact release"),
        ("tensorflow=2.10.1", "2.21.0", "PACKAGE==VERSION"),
        ("-r==1", "2.21.0", "PACKAGE==VERSION"),
        ("tensorflow==2.10.1", "newest", "no version"),
        ("tensorflow==2.10.1", "torch==2.4.0", "two packages"),
        ("tensorflow==2.10.1", "2.10.1", "the older one"),
        ("tensorflow==2.10.1", "2.11.0rc1", "--pre"),
    ],
)
def test_what_is_no_span(first: str, last: str, said: str) -> None:
    """Two exact releases of one package, the older first."""
    with pytest.raises(UsageError, match=said):
        releases.span(first, last, pre=False)


def test_a_span_is_named_in_either_way() -> None:
    """`--to` may leave out the package; names are compared as pip compares them."""
    short = releases.span("TensorFlow_CPU==2.10.1", "2.21", pre=False)
    assert short == releases.span("tensorflow-cpu==2.10.1", "tensorflow.cpu==2.21.0", pre=False)
    assert releases.span("numpy==2.0.0rc1", "2.0.0", pre=True).pre


def test_the_builds_own_python_comes_first() -> None:
    """Interpreters that run, the preferred first; this one's comes before others."""
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    found = list(releases.pythons(BUILDS["numpy"], os.environ))
    assert (
        own == found[0] or own not in found
    )  # where the tests run in the only interpreter, it is a virtual environment's
    minors = list(releases.pythons(BUILDS["tf2.10"], os.environ))
    assert "3.10" not in minors or minors[0] == "3.10"


@pytest.mark.parametrize(
    "broken",
    [
        {"PIP_TIMEOUT": "no number"},
        {
            "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
            "PIP_RETRIES": "1",
            "PIP_FIND_LINKS": "",
            "PIP_CONFIG_FILE": os.devnull,
        },
    ],
)
def test_an_index_that_does_not_answer_says_so(broken: dict[str, str]) -> None:
    """A setting that pip does not take, or an index that cannot be reached, is no empty list of
    releases."""
    with pytest.raises(BuildError, match="pip could not list the releases of numpy"):
        releases.listed(
            releases.span("numpy==1.26.4", "2.0.0", pre=False), "3.11", {**os.environ, **broken}
        )


def test_the_users_own_index_is_asked(tmp_path: Path) -> None:
    """pip's settings pass: wheels in a folder named by find-links are listed, without any index."""
    for version in ("1.0", "1.1", "2.0rc1"):
        (tmp_path / f"parity_example-{version}-py3-none-any.whl").touch()
    (tmp_path / "parity_example-1.2.tar.gz").touch()  # would have to be compiled
    environ = {
        **os.environ,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path),
        "PIP_CONFIG_FILE": os.devnull,
    }
    environ.pop("PIP_EXTRA_INDEX_URL", None)
    wanted = releases.span("parity-example==1.0", "1.1", pre=False)
    assert versions("1.0", "1.1") == releases.listed(wanted, "3.11", environ)
    assert [] == releases.listed(
        releases.span("parity-absent==1.0", "1.1", pre=False), "3.11", environ
    )


def test_pip_is_not_to_look_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the user's whole environment, but for what leads to our packages."""
    seen: dict[str, str] = {}

    def capture(argv: object, *, env: dict[str, str], **_: object) -> tuple[int, str]:
        seen.update(env)
        return 1, "(from versions: 1.0)"

    monkeypatch.setattr(releases, "capture", capture)
    environ = {"GITHUB_TOKEN": "t", "PYTHONPATH": "/ours"}
    releases.listed(releases.span("numpy==1.26.4", "2.0.0", pre=False), "3.11", environ)
    assert seen == {
        "GITHUB_TOKEN": "t",
        "PYTHONNOUSERSITE": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
