"""What a worker sees of the environment: what is on the list, what the user names, and no
secret."""

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


def listed(environ: dict[str, str]) -> dict[str, str]:
    """Return what of these variables a worker gets."""
    return {name: value for name, value in clean_environment(environ).items() if name in environ}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TF_VAR_db_pass", "word"),
        ("TF_VAR_region", "eu-1"),
        ("TF_VAR_github_pat", "ghp_" + "a1" * 18),
        ("TF_CLI_CONFIG_FILE", "/home/me/.terraformrc"),
        ("TF_CLI_ARGS_plan", "-var word=word"),
        ("TF_AK", "AKIAIOSFODNN7EXAMPLE"),
        ("TF_AK", "id=ASIAIOSFODNN7EXAMPLE"),
        *((f"KERAS_{word}", "word") for word in ("CREDS", "CRED", "CREDENTIALS", "cred_file")),
        *(
            (f"TORCH_{word}", "word")
            for word in ("PASS", "PWD", "DB_PASS", "pass_2", "PAT", "PATS")
        ),
        *((f"JAX_{word}", "word") for word in ("DSN", "SENTRY_DSN", "JWT", "JWT_2", "PWD1")),
        ("JAX_DB", "postgres:me:word@host/db"),
        ("JAX_PROXY", "me:word@proxy:80"),
        ("JAX_PROXY", "http=me:word@proxy:80"),
        ("JAX_PROXY", "me:word@[::1]:80"),
        ("NVIDIA_API", "nvapi-" + "aB3_" * 16),
        ("KERAS_A", "gho_" + "a1" * 18),
        ("KERAS_A", "github_pat_" + "a1" * 18),
        ("KERAS_A", "sk-" + "a1" * 24),
        ("KERAS_A", "sk-proj-" + "a1" * 24),
        ("KERAS_A", "hf_" + "aB" * 17),
        ("KERAS_A", "xoxb-123456789012-abcdef"),
        ("KERAS_A", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc"),
        ("KERAS_A", "-----BEGIN RSA PRIVATE KEY-----\nabc"),
    ],
)
def test_what_looks_like_a_secret_is_kept_back(name: str, value: str) -> None:
    """By its name or its value, under a beginning that passes; and passes where it is named."""
    assert {} == listed({name: value})
    assert value == clean_environment({name: value}, (name,))[name]


ORDINARY = {
    **dict.fromkeys(host_environment.VARIABLES, "1"),
    "PATH": "/opt/sk-learn-with-python-3.11/bin:/opt/homebrew/opt/python@3.11/bin:bin:node@18/bin",
    "LANGUAGE": "de:ca@valencia:sr@latin",
    "LC_ALL": "ca_ES.UTF-8@valencia",
    "LD_LIBRARY_PATH": "/opt/llvm@15/lib:/usr/lib",
    "DYLD_LIBRARY_PATH": "/opt/llvm@15/lib:/opt/homebrew/opt/libomp@2/lib",
    "LD_PRELOAD": "/usr/lib/libtcmalloc.so.4",
    "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0:glibc.malloc.arena_max=1",
    "MALLOC_CONF": "background_thread:true,metadata_thp:auto",
    "PYTHONHASHSEED": "0",
    "OMP_PLACES": "{0:4}:4:4",
    "GOMP_CPU_AFFINITY": "0-3 8:12",
    "KMP_AFFINITY": "granularity=fine,compact,1,0",
    "CUDA_VISIBLE_DEVICES": "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6,MIG-1",
    "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
    "CUDA_HOME": "/usr/local/cuda",
    "CUDA_CACHE_PATH": "/home/me/.nv",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    "NVIDIA_REQUIRE_CUDA": "cuda>=12.2 brand=tesla,driver>=470,driver<471",
    "NVIDIA_VISIBLE_DEVICES": "all",
    "NVIDIA_DRIVER_CAPABILITIES": "compute,utility",
    "NCCL_SOCKET_IFNAME": "^lo,docker0",
    "NCCL_DEBUG": "INFO",
    "HIP_VISIBLE_DEVICES": "0",
    "HSA_OVERRIDE_GFX_VERSION": "10.3.0",
    "MIOPEN_USER_DB_PATH": "/home/me/.miopen",
    "TPU_NAME": "node-1",
    "TPU_WORKER_HOSTNAMES": "10.0.0.1,10.0.0.2",
    "PJRT_DEVICE": "TPU",
    "LIBTPU_INIT_ARGS": "--xla_tpu_enable_async=true",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "TF_CPP_VMODULE": "bridge=2,executor=1",
    "TF_CONFIG": '{"cluster": {"worker": ["host1:2222", "h2:2222"]}, "task": {"index": 0}}',
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_USE_LEGACY_KERAS": "1",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "TF_GPU_ALLOCATOR": "cuda_malloc_async",
    "TF_DETERMINISTIC_OPS": "1",
    "TF_XLA_FLAGS": "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit",
    "TF_DISABLE_MKL": "1",
    "TF_CUDA_PATHS": "/usr/local/cuda,/usr/lib",
    "TF2_BEHAVIOR": "1",
    "XLA_FLAGS": "--xla_gpu_cuda_data_dir=/usr/local/cuda --xla_dump_to=/tmp/me@host",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    "AUTOGRAPH_VERBOSITY": "3",
    "TORCH_HOME": "/data/hf_models/torch",
    "TORCH_LOGS": "+dynamo,inductor:40",
    "TORCH_COMPILE_DEBUG": "1",
    "TORCHINDUCTOR_CACHE_DIR": "/tmp/eyJ/sk-1",
    "TORCHINDUCTOR_MAX_AUTOTUNE": "1",
    "TORCHDYNAMO_DISABLE": "1",
    "PYTORCH_CUDA_ALLOC_CONF": "max_split_size_mb:128,expandable_segments:True",
    "PYTORCH_ENABLE_MPS_FALLBACK": "1",
    "PYTORCH_API_USAGE_STDERR": "1",
    "TRITON_CACHE_DIR": "/home/me/.triton",
    "TRITON_PTXAS_PATH": "/usr/local/cuda/bin/ptxas",
    "KERAS_BACKEND": "torch",
    "KERAS_HOME": "/home/me/.keras",
    "JAX_PLATFORMS": "cpu",
    "JAX_ENABLE_X64": "1",
    "JAX_COORDINATOR_ADDRESS": "10.0.0.1:1234",
    "NPY_BYPASS_CHECKS": "1",
    "MKL_PATCH_LEVEL": "1",
    "TBB_COMPASS": "1",
}


def test_what_frameworks_need_passes() -> None:
    """Paths, flags, devices, addresses without a password, as their makers' pages have them."""
    assert ORDINARY == listed(ORDINARY)


def test_a_secret_that_looks_like_none_passes() -> None:
    """That is the limit."""
    assert listed({"TF_MINE": "correct horse"})


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
