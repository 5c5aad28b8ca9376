"""`harness bisect` over real releases of NumPy: a port whose result NumPy 2 changed (NEP 50) is
traced to 2.0.0; what is known is kept."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

HOSTILE = Path(__file__).parent / "hostile"
#: Releases are downloaded.
INSTALL_S = 1800.0
WORDS = (
    "bisect",
    "--from",
    "numpy==1.26.4",
    "--to",
    "2.0.1",
    "--workload",
    "hostile",
    "--stage",
    "forward",
    "--confirm",
    "0",
)


def ports(*folders: str) -> list[object]:
    return ["--ports", *(HOSTILE / folder for folder in folders), HOSTILE]


def environments(harness) -> set[str]:
    """Return the releases whose environments lie in the cache."""
    folders = Path(harness.environ["XDG_CACHE_HOME"]).glob("parity-harness/releases/*")
    return {folder.name.split("_on_")[0] for folder in folders}


def document(harness) -> dict[str, object]:
    """Return what is kept of the only bisection."""
    (path,) = harness.folder.glob("reports/bisect/*/bisect.json")
    return dict(json.loads(path.read_text()))


def test_the_release_is_found_and_kept(harness) -> None:
    """2.0.0 is the first release that computes a float32 number times a Python one in float32;
    the same command asks nothing again."""
    done = harness.start(*WORDS, *ports("promotes")).done(INSTALL_S)
    assert done.code == 0, done.out + done.err
    assert (
        "numpy 2.0.0 (FAIL) is the first release that changed; the last before is 1.26.4 (PASS)."
        in done.out
    )
    kept = document(harness)
    assert ["1.26.4", "2.0.0", "2.0.1"] == [one["version"] for one in kept["releases"]]
    assert ["PASS", "FAIL", "FAIL"] == [
        kept["tried"][number]["judged"]["state"] for number in "012"
    ]
    assert ["1.26.4", "2.0.0", "2.0.1"] == [
        kept["tried"][number]["versions"]["numpy"] for number in "012"
    ]
    # Each report says what the worker itself found installed, on both sides.
    for version in ("2.0.0", "2.0.1"):
        (path,) = harness.folder.glob(f"reports/bisect/*/{version}/report.json")
        builds = json.loads(path.read_text())["builds"]
        assert {"numpy": "1.26.4", "numpy#2": version} == {
            row["build"]: row["versions"]["numpy"] for row in builds
        }
    again = harness.run(*WORDS, *ports("promotes"))
    assert (0, done.out) == (again.code, again.out)
    assert (
        "going on with" in again.err
        and "installing" not in again.err
        and "asking pip" not in again.err
    )
    assert {"numpy_1.26.4", "numpy_2.0.0", "numpy_2.0.1"} == environments(harness)
    assert "numpy_2.0.0" in harness.run("clean").out


def test_an_honest_port_did_not_change(harness) -> None:
    """The planted fault is what made the difference: the port without it agrees at both ends.
    Ends that agree end the search."""
    done = harness.start(*WORDS, *ports()).done(INSTALL_S)
    assert done.code == 0, done.out + done.err
    assert "Nothing changed: numpy 1.26.4 (PASS) and 2.0.1 (PASS) agree" in done.out
    assert {"0", "2"} == document(harness)["tried"].keys()


def test_an_end_that_fails_everywhere_cannot_be_judged(harness) -> None:
    """A port that cannot be imported is no verdict: exit 4, with the job's reason. The same
    command tries it again."""
    done = harness.start(*WORDS, *ports("bad_import")).done(INSTALL_S)
    assert done.code == 4, done.out + done.err
    assert "numpy 1.26.4 is an end of the search and cannot be judged" in done.out
    again = harness.run(*WORDS, *ports("bad_import"))
    assert (4, done.out) == (again.code, again.out)
    assert "going on with" in again.err and "first check of numpy: hostile" in again.err


def test_killed_and_gone_on_with_and_nothing_left(harness) -> None:
    """kill -9 after the first verdict: the same command asks no list again and judges only the
    rest. --discard has left no environment."""
    harness.environ["XDG_CACHE_HOME"] = str(
        harness.folder / "cache"
    )  # of its own: others need their environments
    words = (*WORDS, "--discard", *ports("promotes"))
    running = harness.start(*words)
    running.says("numpy 1.26.4: PASS", INSTALL_S)
    running.kill(signal.SIGKILL)
    running.done()
    harness.wait_until(lambda: not harness.processes(), "end of all workers, and of pip", INSTALL_S)
    assert {"0"} == document(harness)["tried"].keys() and "numpy_1.26.4" in environments(harness)
    (report,) = harness.folder.glob("reports/bisect/*/1.26.4/report.json")
    written = report.stat().st_mtime_ns
    done = harness.start(*words).done(INSTALL_S)
    assert done.code == 0, done.out + done.err
    assert (
        "numpy 2.0.0 (FAIL) is the first release that changed; the last before is 1.26.4 (PASS)."
        in done.out
    )
    assert (
        "going on with" in done.err
        and "asking pip" not in done.err
        and "numpy 1.26.4:" not in done.err
    )
    assert written == report.stat().st_mtime_ns
    assert set() == environments(harness)
    again = harness.run(*words)
    assert (0, done.out) == (again.code, again.out) and "installing" not in again.err


def test_a_file_of_a_newer_harness_stays(harness) -> None:
    """Exit 4 and what to do, before anything is listed or installed; the file is as it was."""
    words = (*WORDS, *ports("bad_import"))
    harness.start(*words).done(INSTALL_S)
    (path,) = harness.folder.glob("reports/bisect/*/bisect.json")
    path.write_text('{"schema": 99}')
    done = harness.run(*words)
    assert 4 == done.code and "schema 99" in done.err and "Traceback" not in done.err
    assert "asking pip" not in done.err and '{"schema": 99}' == path.read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--from", "numpy", "--to", "2.0.1"), "give one exact release"),
        (
            ("--from", "nunpy==1.26.4", "--to", "2.0.1"),
            "unknown package 'nunpy'. Did you mean 'numpy'?",
        ),
        (("--from", "numpy==2.0.1", "--to", "1.26.4"), "the first has to be the older one"),
        (("--from", "numpy==1.26.4", "--to", "torch==2.4.0"), "two packages"),
        (("--from", "numpy==2.0.0rc1", "--to", "2.0.1"), "Add --pre"),
        (
            ("--from", "tensorflow-cpu==1.15.5", "--to", "2.16.1"),
            "no build runs all of these releases",
        ),
    ],
)
def test_what_does_not_fit_is_said_before_anything_is_installed(
    harness, words: tuple[str, ...], said: str
) -> None:
    """Exit 2 with what is allowed."""
    done = harness.run("bisect", *words, "--workload", "linear")
    assert done.code == 2
    assert said in " ".join(done.err.split())
