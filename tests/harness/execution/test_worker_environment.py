"""What a worker sees of the environment: what is on the list, what the user names, and no secret."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

from backends.measuring import host_environment
from harness.errors import UsageError
from harness.execution import worker_environment
from harness.execution.processes import Limits, WorkerProcess
from harness.execution.worker_environment import check_names, clean_environment, tool_environment
from tests.harness.execution.test_processes import HEAD

SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "a",
    "GITHUB_TOKEN": "b",
    "MLFLOW_TRACKING_PASSWORD": "c",
    "TF_API_KEY": "d",
    "TORCH_auth": "e",
    "XLA_SESSION_COOKIE": "f",
}
NEEDED = {
    "OMP_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "0",
    "LD_LIBRARY_PATH": "/opt/lib",
    "LC_ALL": "C.UTF-8",
    "TF_CPP_MIN_LOG_LEVEL": "1",
    "KERAS_BACKEND": "torch",
}
SHOW = """
for request in requests:
    send(id=request["id"], status="ok", result=dict(os.environ))
"""


def seen(folder: Path, environ: dict[str, str], *passed: str) -> dict[str, str]:
    """Return what a worker says its environment is."""
    (folder / "backends").mkdir(exist_ok=True)
    (folder / "backends/__init__.py").touch()
    (folder / "backends/worker.py").write_text(HEAD + SHOW)
    clean = clean_environment(environ, passed)
    with WorkerProcess(Path(sys.executable), folder, clean, folder / "log", Limits(20.0)) as worker:
        return worker.request("show")


def test_what_a_worker_sees(tmp_path: Path) -> None:
    """No secret, nothing unknown, and all that decides how fast it computes."""
    environ = {**os.environ, **SECRETS, **NEEDED, "MY_DATA": "/data"}
    shown = seen(tmp_path, environ)
    assert set() == {*SECRETS, "MY_DATA"} & {*shown}
    assert NEEDED == {name: shown[name] for name in NEEDED}
    named = seen(tmp_path, environ, "MY_DATA", "GITHUB_TOKEN", "NOT_SET")
    assert ("/data", "b") == (named["MY_DATA"], named["GITHUB_TOKEN"])
    assert "NOT_SET" not in named and "AWS_SECRET_ACCESS_KEY" not in named


def test_all_that_a_report_tells_of_passes() -> None:
    """A variable that changes speed or numbers must not be lost on the way."""
    environ = dict.fromkeys(host_environment.VARIABLES, "1")
    assert environ.items() <= clean_environment(environ).items()


@pytest.mark.parametrize(
    ("value", "passes"),
    [
        ("https://me:word@example.org/x", False),
        ("/opt;http://word@example.org", False),
        ("https://example.org/a@b", True),
        ("/some@where", True),
    ],
)
def test_addresses_with_credentials(value: str, passes: bool) -> None:
    """They are kept back under a name that passes, unless it is named."""
    environ = {"TORCH_HOME": value}
    assert passes == ("TORCH_HOME" in clean_environment(environ))
    assert value == clean_environment(environ, ("TORCH_HOME",))["TORCH_HOME"]


def test_tools_see_everything_but_our_packages() -> None:
    """pip and git need the user's settings and passwords."""
    given = dict.fromkeys(worker_environment.PRIVATE, "/ours")
    assert {**SECRETS, "PYTHONNOUSERSITE": "1"} == tool_environment({**given, **SECRETS})


def test_names() -> None:
    """Each once, in one order, however they are given."""
    assert ("A", "B_2", "_c") == check_names(("_c", "B_2", "A", "A"))
    for wrong in ("A=B", "", "2A", "A B", "PYTHONPATH"):
        with pytest.raises(UsageError, match="--pass-env") as caught:
            check_names((wrong,))
        assert wrong in str(caught.value) and caught.value.exit_code == 2


def test_the_page_lists_what_passes() -> None:
    """SECURITY.md has every name, and every reason."""
    page = (Path(__file__).parents[3] / "SECURITY.md").read_text(encoding="utf-8")
    for reason, names in worker_environment.PASSED.items():
        assert reason in page
        assert [] == [name for name in names if f"`{name}`" not in page]


def test_where_compiled_code_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder of a known name, unless the user has named another; compiled to be timed, in the
    worker's own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    name, own = "TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "worker")

    def kept(environ: dict[str, str], cold: bool) -> Path:
        return Path(worker_environment.environment(environ, own, cold)[name])

    assert kept({}, cold=False) == tmp_path / f"torchinductor_{os.getuid()}"
    assert kept({name: "/mine"}, cold=False) == Path("/mine")
    assert kept({name: "/mine"}, cold=True).is_relative_to(own)
