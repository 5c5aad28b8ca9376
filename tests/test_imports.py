"""The rules of who may import and do what: enforced over the whole tree, and shown to catch a
planted violation. `violations` reads one module's text, so a rule is tested on bad source that
never has to exist as a file.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FRAMEWORKS = {
    "jax",
    "keras",
    "flax",
    "mxnet",
    "paddle",
    "tensorflow",
    "tf_keras",
    "tf_slim",
    "torch",
    "torchaudio",
    "torchvision",
}
#: A pure module may import these of the standard library and of what is installed, and of the
#: harness what is pure itself.
PURE = {
    "bisecting/search",
    "bisecting/verdicts",
    "evaluation/outcome",
    "evaluation/pair_evidence",
    "evaluation/stage_rows",
    "nightly/matrix",
}
PURE_FOLDERS = {"changes", "fidelity", "plan", "results", "speed"}
PURE_IMPORTS = {
    "__future__",
    "collections",
    "dataclasses",
    "enum",
    "fnmatch",
    "functools",
    "hashlib",
    "itertools",
    "json",
    "math",
    "numpy",
    "re",
    "scipy",
    "shlex",
    "statistics",
    "typing",
}
PURE_HARNESS = {
    "harness.changes",
    "harness.errors",
    "harness.evaluation.pair_evidence",
    "harness.fidelity",
    "harness.plan",
    "harness.results",
    "harness.speed",
    "harness.workloads.spec",
}
CONTRACT = (
    "activations.py",
    "contract.py",
    "declarations.py",
)  # what the harness imports of `backends`: they import each other alone
#: What may import a framework: each backend its own, and the ports.
BACKENDS = {"numpy", "tf1", "tf2", "torch"}
PORTS = "backends/ports/"
STARTERS = {"subprocess", "multiprocessing", "pty", "concurrent.futures.process", "asyncio"}
OS_STARTERS = ("os.fork", "os.exec", "os.spawn", "os.system", "os.popen", "os.posix_spawn")
PICKLERS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
DATABASES = {"sqlalchemy", "sqlite3"}
#: Who may import one outside `harness.history`, and why.
DATABASE_EXCEPTIONS = {
    "harness/sinks/mlflow.py": "the errors of MLflow's own store; it asks it nothing"
}
LATE_IMPORTS = ("importlib.import_module", "import_module", "__import__")
EXITS = {"sys.exit", "os._exit", "os.abort", "exit", "quit"}
#: Array and archive formats, and JSON read from or written to a file.
FORMATS = {
    "json.dump",
    "json.load",
    "np.fromfile",
    "np.genfromtxt",
    "np.load",
    "np.loadtxt",
    "np.memmap",
    "np.save",
    "np.savetxt",
    "np.savez",
    "np.savez_compressed",
    "zipfile.ZipFile",
}
#: Formats of what users hand in, which are no records, and why each module may read them.
FORMAT_EXCEPTIONS = {
    "harness/workloads/ehr_mgan/daphnet.py": {
        "np.loadtxt"
    },  # a table that was checked by its SHA-256
    "harness/workloads/start_values.py": {"np.load"},  # of the user's own, without pickles
    "harness/workloads/ehr_mgan/folder.py": {
        "np.load",
        "zipfile.ZipFile",
    },  # the scale of a user's cohort, without pickles
}
#: Who may import `pickle`; nobody may load with it.
PICKLE_EXCEPTIONS = {
    "harness/workloads/ehr_mgan/pickles.py": "its unpickler looks up no name that a file holds"
}
PICKLE_LOADERS = {"pickle.load", "pickle.loads", "pickle.Unpickler"}
#: `json` in memory, outside `store`: why each may.
JSON_EXCEPTIONS = {
    "harness/history/insertion.py": "takes a report apart by its own JSON",
    "harness/history/restore.py": "puts a report together by its own JSON",
    "harness/models/foreign_names.py": "a file that the user writes",
    "harness/plan/jobs.py": "a job's identity is the hash of its JSON",
    "harness/environments/probe.py": "parses the line that a foreign interpreter printed",
    "harness/execution/processes.py": "the lines of the worker's protocol",
    "harness/report/benchmark_format.py": (
        "renders another program's format to text; `store` writes it"
    ),
    "harness/report/diff_json.py": "renders a difference to text; `cli` prints it",
    "harness/report/json_format.py": "renders the report to text; `store` writes it",
    "harness/report/provenance.py": "quotes values in a table",
    "harness/execution/answers.py": "speaks the workers' JSON lines",
    "harness/records/runs.py": "a run's key is the hash of its JSON",
}
#: Opening files outside `store` and `processes`: plain text and bytes that are no records, and why.
FILE_EXCEPTIONS = {
    "harness/history/export.py": "CSV for other programs",
    "harness/execution/logs.py": "workers' logs, plain text",
    "harness/environments/installation.py": "empties and quotes the log of an installation",
    "harness/environments/interpreters.py": "conda's list of environments",
    "harness/nightly/config.py": "the matrix, TOML that the user writes",
    "harness/models/foreign_names.py": (
        "the names of another program's variables, JSON that the user writes"
    ),
    "harness/execution/memory.py": "the kernel's marks of a process",
    "harness/models/training.py": "a model's losses as CSV, for other programs to read",
    "harness/environments/probe.py": "requirement files",
    "harness/report/rendering.py": "hands the text of a report.json to `json_format`",
    "harness/execution/machine.py": "the kernel's counters of processors, and CPU quotas",
    "harness/environments/staging.py": "hashes source files",
    "harness/workloads/ehr_mgan/daphnet.py": "the bytes of a recording, checked by their SHA-256",
    "harness/workloads/ehr_mgan/pickles.py": (
        "the bytes of a user's cohort, for an unpickler of its own"
    ),
}
OPENERS = (".open", ".read_text", ".read_bytes", ".write_text", ".write_bytes")


def violations(path: str, source: str) -> list[str]:
    """Return the broken rules of a module, each with its line; `path` is relative to the
    repository."""
    tree = ast.parse(source)
    found = list(_imports(path, tree))
    if path.startswith("harness/"):
        found += _deeds(path, tree)
    return [f"{path}:{line}: {text}" for line, text in found]


def _imports(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    for line, name in imported(path, tree):
        top = name.split(".")[0]
        if path.startswith("backends/"):
            if top == "harness":
                yield line, f"a backend imports {name}"
            own = path.split("/")[1]
            if (
                own not in BACKENDS
                and not path.startswith(PORTS)
                and not (top in sys.stdlib_module_names or top in ("numpy", "backends"))
            ):
                yield line, f"a file that all backends share imports {name}"
            if (
                own in CONTRACT
                and top not in sys.stdlib_module_names
                and name.removeprefix("backends.") + ".py" not in CONTRACT
            ):
                yield line, f"the contract imports {name}"
            continue
        if top in FRAMEWORKS:
            yield line, f"the orchestrator imports {name}"
        if top == "backends" and name != "backends" and not name.startswith("backends.contract"):
            yield line, f"the orchestrator imports {name}; only backends.contract is shared"
        if top in PICKLERS and path not in PICKLE_EXCEPTIONS:
            yield line, f"{name} can run code that a file holds"
        if name in STARTERS and path != "harness/execution/processes.py":
            yield line, f"{name} starts processes; only harness.execution.processes may"
        if (
            top in DATABASES
            and not path.startswith("harness/history/")
            and path not in DATABASE_EXCEPTIONS
        ):
            yield line, f"{name} speaks SQL; only harness.history may"
        if top == "json" and path != "harness/records/store.py" and path not in JSON_EXCEPTIONS:
            yield line, "json belongs to harness.records.store"
        if _pure(path) and not _may_import(name, top):
            yield line, f"a pure module imports {name}"


def imported(path: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield every imported name in full, also late imports and those by a constant string, but
    not those for types alone."""
    typed = (
        {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            for part in node.body
            for inner in ast.walk(part)
        }
        if path.startswith("backends/")
        else set()
    )
    for node in ast.walk(tree):
        if id(node) in typed:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, item.name) for item in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = ".".join(Path(path).parts[: -node.level]) + "." if node.level else ""
            base = package + (node.module or "")
            yield from (
                (node.lineno, f"{base.rstrip('.')}.{item.name}" if _is_package(base) else base)
                for item in node.names
            )
        elif (
            isinstance(node, ast.Call)
            and called(node) in LATE_IMPORTS
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield node.lineno, str(node.args[0].value)


def _is_package(name: str) -> bool:
    """Whether `from name import x` brings modules: for these, the full name is what counts."""
    return name.endswith(".") or (ROOT / name.replace(".", "/")).is_dir()


def _pure(path: str) -> bool:
    parts = Path(path).with_suffix("").parts
    return parts[0] == "harness" and (parts[1] in PURE_FOLDERS or "/".join(parts[1:]) in PURE)


def _may_import(name: str, top: str) -> bool:
    if top in ("harness", "backends"):
        return name.startswith("backends.contract") or any(
            name == known or name.startswith(known + ".") for known in PURE_HARNESS
        )
    return top in PURE_IMPORTS


def called(node: ast.Call) -> str:
    """Return what is called, as written; "" for a call of something that has no name."""
    return ast.unparse(node.func) if isinstance(node.func, (ast.Name, ast.Attribute)) else ""


def _deeds(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield what a module does that only another one may."""
    cli = path.startswith("harness/cli/")
    store, processes = (
        path == f"harness/{name}.py" for name in ("records/store", "execution/processes")
    )
    for node in ast.walk(tree):
        name = called(node) if isinstance(node, ast.Call) else ""
        if (
            isinstance(node, ast.Attribute)
            and ast.unparse(node) in ("os.environ", "os.environb")
            and not cli
        ):
            yield node.lineno, "only harness.cli reads the environment"
        if (
            isinstance(node, ast.Raise)
            and node.exc is not None
            and "SystemExit" in ast.unparse(node.exc)
        ):
            yield node.lineno, "only harness.cli exits, through sys.exit"
        if not name:
            continue
        if not cli and (
            name in ("print", "input", "Console") or name.startswith(("sys.stdout.", "sys.stderr."))
        ):
            yield node.lineno, f"only harness.cli prints ({name})"
        if not cli and name in EXITS:
            yield node.lineno, f"only harness.cli exits ({name})"
        if not cli and name in ("os.getenv", "os.putenv", "os.unsetenv"):
            yield node.lineno, f"only harness.cli reads the environment ({name})"
        if not processes and name.startswith(OS_STARTERS):
            yield node.lineno, f"only harness.execution.processes starts processes ({name})"
        if _unpickles(node):
            yield node.lineno, f"{name} can run code that a file holds"
        if not store and name.replace("numpy.", "np.") in FORMATS - FORMAT_EXCEPTIONS.get(
            path, set()
        ):
            yield node.lineno, f"only harness.records.store knows file formats ({name})"
        opens = name == "open" or (name.endswith(OPENERS) and not name.startswith("store."))
        if opens and not (store or processes or path in FILE_EXCEPTIONS):
            yield node.lineno, f"opens a file ({name})"
        if opens and _pure(path):
            yield node.lineno, f"a pure module opens a file ({name})"


def _unpickles(node: ast.AST) -> bool:
    """Whether a call loads a pickle with Python's own unpickler, or lets NumPy do so."""
    if not isinstance(node, ast.Call):
        return False
    allowed = any(
        item.arg == "allow_pickle" and ast.unparse(item.value) != "False" for item in node.keywords
    )
    return allowed or called(node) in PICKLE_LOADERS


def _sources() -> list[Path]:
    return sorted(
        path for folder in ("harness", "backends") for path in (ROOT / folder).rglob("*.py")
    )


@pytest.mark.parametrize("path", _sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_module_keeps_the_rules(path: Path):
    """Who imports what, who prints, who starts processes: no module breaks a rule."""
    assert [] == violations(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("backends/ports/torch/linear.py", "from harness.workloads import linear"),
        ("backends/protocol/session.py", "import torch"),
        ("backends/contract.py", "import numpy as np"),
        ("backends/activations.py", "from backends.source import Batch"),
        ("harness/execution/runner.py", "import torch"),
        ("harness/execution/runner.py", "def f():\n    from tensorflow import keras"),
        ("harness/execution/runner.py", "import importlib\nimportlib.import_module('torch.nn')"),
        ("harness/execution/runner.py", "from backends.worker import main"),
        ("harness/execution/runner.py", "from backends import contract, worker"),
        ("harness/execution/runner.py", "import pickle"),
        ("harness/workloads/ehr_mgan/pickles.py", "import pickle\npickle.loads(b'')"),
        ("harness/workloads/ehr_mgan/pickles.py", "import pickle\npickle.Unpickler(file)"),
        (
            "harness/workloads/ehr_mgan/folder.py",
            "import numpy as np\nnp.load('x.npz', allow_pickle=True)",
        ),
        ("harness/workloads/ehr_mgan/folder.py", "import numpy as np\nnp.savez('x.npz')"),
        ("harness/execution/runner.py", "import subprocess"),
        ("harness/execution/runner.py", "import os\nos.system('true')"),
        ("harness/execution/runner.py", "import numpy as np\nnp.load('x.npy')"),
        ("harness/execution/runner.py", "import numpy as np\nnp.savez_compressed('x', a=1)"),
        ("harness/environments/probe.py", "import json\njson.load(file)"),
        ("harness/execution/runner.py", "import json"),
        ("harness/cli/history.py", "from sqlalchemy import select"),
        ("harness/execution/runner.py", "path.write_text('x')"),
        ("harness/execution/runner.py", "open('x')"),
        ("harness/execution/runner.py", "print('x')"),
        ("harness/report/terminal.py", "import sys\nsys.stdout.write('x')"),
        ("harness/execution/runner.py", "import sys\nsys.exit(1)"),
        ("harness/execution/runner.py", "raise SystemExit(1)"),
        ("harness/execution/runner.py", "import os\nos.environ['A']"),
        ("harness/execution/runner.py", "import os\nos.getenv('A')"),
        ("harness/plan/draft.py", "from pathlib import Path"),
        ("harness/nightly/matrix.py", "import time"),
        ("harness/speed/estimate.py", "import time"),
        ("harness/speed/estimate.py", "import logging"),
        ("harness/fidelity/judge.py", "import os"),
        ("harness/fidelity/judge.py", "from harness import store"),
        ("harness/fidelity/judge.py", "from .. import store"),
        ("harness/evaluation/stage_rows.py", "from harness.records.store import Record"),
    ],
)
def test_a_planted_violation_is_found(path: str, source: str):
    """Each rule is broken once; the checker names the module and the line of the deed."""
    found = violations(path, source)
    assert found and found[0].startswith(f"{path}:{len(source.splitlines())}: ")


@pytest.mark.parametrize(
    ("path", "source"),
    [
        (
            "backends/contract.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import numpy as np",
        ),
        ("backends/ports/torch/linear.py", "import torch"),
        ("backends/contract.py", "from backends.activations import Record"),
        ("harness/plan/request.py", "from backends.contract import STAGES"),
        ("harness/environments/staging.py", "from backends import contract"),
        ("harness/execution/processes.py", "import subprocess"),
        ("harness/fidelity/judge.py", "from harness.fidelity.measure import difference"),
        ("harness/cli/console.py", "import os, sys\nprint(os.environ)\nsys.exit(0)"),
        ("harness/records/store.py", "import json, numpy as np\nnp.load('x')\njson.load(file)"),
    ],
)
def test_what_is_allowed_passes(path: str, source: str):
    """The owner of a deed may do it."""
    assert [] == violations(path, source)


@pytest.mark.parametrize(
    "path", sorted({*JSON_EXCEPTIONS, *FILE_EXCEPTIONS, *FORMAT_EXCEPTIONS, *PICKLE_EXCEPTIONS})
)
def test_no_exception_is_stale(path: str):
    """An exception that its module no longer needs has to go."""
    source = (ROOT / path).read_text(encoding="utf-8")
    tree = ast.parse(source)
    if path in JSON_EXCEPTIONS:
        assert "json" in {name for _, name in imported(path, tree)}
    if path in PICKLE_EXCEPTIONS:
        assert "pickle" in {name for _, name in imported(path, tree)}
    calls = {
        called(node).replace("numpy.", "np.")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    }
    assert set() == FORMAT_EXCEPTIONS.get(path, set()) - calls
    if path in FILE_EXCEPTIONS:
        assert any(
            called(node) == "open" or called(node).endswith(OPENERS)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
        )


def test_the_command_line_loads_no_framework(tmp_path: Path):
    """Frameworks that refuse to be imported do not keep the command line from starting."""
    for name in sorted(FRAMEWORKS):
        (tmp_path / f"{name}.py").write_text(
            f"raise SystemExit('{name} was imported')\n", encoding="utf-8"
        )
    source = (
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}]; import harness.cli,"
        " harness.commands.compare, harness.report.html"
    )
    done = subprocess.run(
        [sys.executable, "-c", source],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.parametrize("name", ["devices", "interpreters"])
def test_what_tox_imports_needs_the_standard_library_alone(name: str):
    """toxfile.py runs in tox's own interpreter, which need not have what the harness depends on."""
    path = f"harness/environments/{name}.py"
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    tops = {imported_name.split(".")[0] for _, imported_name in imported(path, tree)}
    assert set() == tops - set(sys.stdlib_module_names)
