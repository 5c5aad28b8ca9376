"""The environment of a process that the harness starts: without what would lead it to the harness's
own packages.

A worker runs code that the user did not write, so it gets what is on a list, no secret, and what
the user names; and a temporary folder of its own, for a process that is ended leaves what it has
written.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.errors import UsageError


def environment(env: Mapping[str, str], folder: str, cold: bool) -> dict[str, str]:
    """Return `env` with a temporary folder of the worker's own, for AutoGraph leaves files when a
    process is ended; what inductor has compiled stays for the next one, or every process would
    compile anew, but a cold one's."""
    if cold:
        return {**env, "TMPDIR": folder, "TORCHINDUCTOR_CACHE_DIR": str(Path(folder) / "inductor")}
    return {
        "TORCHINDUCTOR_CACHE_DIR": str(
            Path(tempfile.gettempdir()) / f"torchinductor_{os.getuid()}"
        ),
        **env,
        "TMPDIR": folder,
    }


# What must not reach a foreign interpreter: it would find the orchestrator's packages, or not find
# its own.
PRIVATE = (
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONSAFEPATH",
    "PYTHONWARNINGS",
    "VIRTUAL_ENV",
    "__PYVENV_LAUNCHER__",
)


#: What reaches a worker unasked, with the reason. A star stands for any end of a name.
PASSED = {
    "where programs, libraries and people's own files are": (
        *("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_*"),
        *("XDG_CACHE_HOME", "PYENV_*"),
    ),
    "how text and time are written": ("LANG", "LANGUAGE", "LC_*", "TZ", "TZDIR"),
    "how Python runs": (
        *("PYTHONHASHSEED", "PYTHONMALLOC", "PYTHONDEVMODE", "PYTHONUTF8", "PYTHONIOENCODING"),
        *("PYTHONUNBUFFERED", "PYTHONFAULTHANDLER", "PYTHONDONTWRITEBYTECODE"),
        *("PYTHONPYCACHEPREFIX", "PYTHONNOUSERSITE", "PYTHONOPTIMIZE"),
    ),
    "how memory is given out, and what is loaded first": (
        *("MALLOC_*", "GLIBC_TUNABLES", "LD_PRELOAD", "TCMALLOC_*"),
    ),
    "threads and kernels of libraries that compute": (
        *("OMP_*", "GOMP_*", "KMP_*", "MKL_*", "OPENBLAS_*", "BLIS_*", "VECLIB_*", "NUMEXPR_*"),
        *("ATEN_*", "NPY_*", "ONEDNN_*", "DNNL_*", "TBB_*"),
    ),
    "accelerators": (
        *("CUDA_*", "NVIDIA_*", "CUDNN_*", "CUBLAS_*", "NCCL_*", "ROCR_*", "ROCM_*", "HIP_*"),
        *("HSA_*", "MIOPEN_*", "TPU_*", "PJRT_*", "LIBTPU_*"),
    ),
    "frameworks": (
        *("TF_*", "TF2_*", "XLA_*", "AUTOGRAPH_*", "ABSL_*", "TORCH*", "PYTORCH_*", "C10_*"),
        *("TRITON_*", "KERAS_*", "JAX_*"),
    ),
    "the compiler that a framework calls": (
        *("CC", "CXX", "CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "LIBRARY_PATH"),
    ),
    "whom to trust when something is downloaded": ("SSL_CERT_FILE", "SSL_CERT_DIR"),
}
_EXACT = {name for names in PASSED.values() for name in names if not name.endswith("*")}
_BEGINNINGS = tuple(name[:-1] for names in PASSED.values() for name in names if name.endswith("*"))
#: Another program's, whose names begin as a framework's: Terraform's variables hold anything.
TERRAFORM = ("TF_VAR_", "TF_CLI_")
#: A name on the list that holds one of these is taken for a secret all the same.
SUSPECT_PARTS = "TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|KEY|CRED|AUTH|COOKIE|SESSION"
#: And one that has one of these for a word of its own, for they are parts of other words too.
SUSPECT_WORDS = "PASS|PWD|PAT|DSN|JWT"
_SUSPECT = re.compile(f"{SUSPECT_PARTS}|(?<![A-Z0-9])(?:{SUSPECT_WORDS})S?(?![A-Z])", re.IGNORECASE)
#: An address that says who asks.
CREDENTIALS = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#\s]*@", re.IGNORECASE)
#: Tokens whose issuers have given them a form that can be known, keys in PEM, and `me:word@host`.
TOKENS = re.compile(
    r"(?<![A-Za-z0-9])(?:gh[a-z]_[A-Za-z0-9]{16}|github_pat_\w{16}|glpat-[\w-]{16}"
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}|nvapi-[\w-]{16}|hf_[A-Za-z0-9]{16}|xox[a-z]-[\w-]{10}"
    r"|AIza[\w-]{30}|eyJ[\w-]{8,}\.[\w-]+)"
    r"|(?<![\w./-])sk-(?=[A-Za-z_-]*[0-9])[\w-]{16}"
    r"|-----BEGIN [A-Z]"
    r"|(?:^|[\s,;=\"'])[^\s,;=\"'/:@]+:[^\s/@]+@[\w\[]"
)
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def clean_environment(
    environ: Mapping[str, str], passed: Sequence[str] = (), **more: str
) -> dict[str, str]:
    """Return what a worker sees of `environ`, plus `more`.

    Args:
        environ: the harness's own.
        passed: names of further variables that the user lets it see.
    """
    kept = {
        name: value for name, value in environ.items() if name in passed or _passes(name, value)
    }
    return tool_environment(kept, **more)


def _passes(name: str, value: str) -> bool:
    """Whether a variable is on the list, and looks like no secret.

    Those that are on it by their whole name hold paths and languages, which may look like a token
    and are none.
    """
    if CREDENTIALS.search(value):
        return False
    if name in _EXACT:
        return True
    listed = name.startswith(_BEGINNINGS) and not name.startswith(TERRAFORM)
    return listed and not _SUSPECT.search(name) and not TOKENS.search(value)


def tool_environment(environ: Mapping[str, str], **more: str) -> dict[str, str]:
    """Return `environ` without the variables that would lead a foreign interpreter to our packages,
    plus `more`: for tools that are no ports, as pip and git, which need the user's settings.

    Args:
        environ: the harness's own.
    """
    kept = {name: value for name, value in environ.items() if name not in PRIVATE}
    return {**kept, "PYTHONNOUSERSITE": "1", **more}


def check_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of variables that a worker is to see, each once and sorted.

    Args:
        names: as the user gave them.

    Raises:
        UsageError: one is no name, or of a variable that no worker may see.
    """
    for name in names:
        if not NAME.fullmatch(name):
            raise UsageError(
                f"--pass-env '{name}': must be the name of a variable, letters, digits and _; its"
                " value is taken from the environment. Set it there, and give its name alone."
            )
        if name in PRIVATE:
            raise UsageError(
                f"--pass-env {name}: would lead a build to packages of another interpreter, and"
                f" reaches none. Any other variable can be named, but {', '.join(PRIVATE)}."
            )
    return tuple(sorted(set(names)))
