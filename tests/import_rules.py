"""The rules of who may import and do what.

`violations` reads one module's text, so a rule is tested on bad source that never has to exist as
a file: `tests/test_imports.py` does so, and holds the whole tree to the rules.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.import_exceptions import (
    DATABASE_EXCEPTIONS,
    FILE_EXCEPTIONS,
    FORMAT_EXCEPTIONS,
    JSON_EXCEPTIONS,
    PICKLE_EXCEPTIONS,
)
from tests.pure_modules import PURE, PURE_FOLDERS, PURE_HARNESS, PURE_IMPORTS

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
#: What the harness imports of `backends`, beside `contract` whatever is behind that.
SHARED = ("backends.survey", "backends.adapter.pieces")
#: The contract's files: they import each other and the standard library alone.
CONTRACT = ("activations.py", "contract.py", "declarations.py")
#: What further files that the harness or a user's pair file imports may import beside the standard
#: library: they run in every interpreter, the harness's own among them.
FRUGAL: dict[str, tuple[str, ...]] = {
    "backends/adapter/__init__.py": (),
    "backends/adapter/pieces.py": ("numpy", "backends.survey"),
    "backends/pair.py": (),
    "backends/survey.py": (),
}
#: What may import a framework: each backend its own, and the ports.
BACKENDS = {"numpy", "tf1", "tf2", "torch"}
PORTS = "backends/ports/"
#: Who starts processes: the module that everybody asks; how it holds a worker so that nothing of it
#: is left; and the program between the two, which starts one worker and nothing else.
STARTING = {f"harness/execution/{name}.py" for name in ("processes", "kept_process", "keeper")}
#: A program of its own, never imported for what it does: it hands its environment on.
KEEPER = "harness/execution/keeper.py"
#: What a call from Python takes from outside, as `cli` takes it for a command; it prints nothing.
API = "harness/api/comparison.py"
STARTERS = {"subprocess", "multiprocessing", "pty", "concurrent.futures.process", "asyncio"}
OS_STARTERS = ("os.fork", "os.exec", "os.spawn", "os.system", "os.popen", "os.posix_spawn")
PICKLERS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
DATABASES = {"sqlalchemy", "sqlite3"}
#: What speaks to other machines; `from urllib import request` reads as the package's own name.
NETWORK = {
    "aiohttp",
    "ftplib",
    "http",
    "httpx",
    "imaplib",
    "mlflow",
    "poplib",
    "requests",
    "smtplib",
    "socket",
    "socketserver",
    "ssl",
    "telnetlib",
    "urllib3",
    "xmlrpc",
}
NETWORK_PARTS = {"urllib", "urllib.request", "torch.hub", "torch.distributed", "keras.datasets"}
NETWORKING = "harness/sinks/mlflow.py"
LATE_IMPORTS = ("importlib.import_module", "import_module", "__import__")
EXITS = {"sys.exit", "os._exit", "os.abort", "exit", "quit"}
#: The modules that know how files are read and written.
STORES = tuple(f"harness/records/{name}.py" for name in ("archives", "files", "store"))
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
PICKLE_LOADERS = {"pickle.load", "pickle.loads", "pickle.Unpickler"}
MODEL_LOADERS = ("saved_model.load", "load_model", "jit.load", "model_from_json", "hub.load")
#: Modules that open what others ask them to.
HANDS = ("store.", "files.")
OPENERS = (".open", ".read_text", ".read_bytes", ".write_text", ".write_bytes")


def violations(path: str, source: str) -> list[str]:
    """Return the broken rules of a module, each with its line; `path` is relative to the
    repository."""
    tree = ast.parse(source)
    found = [*_imports(path, tree), *_network(path, tree), *_programs(tree)]
    if path.startswith("harness/"):
        found += _deeds(path, tree)
    return [f"{path}:{line}: {text}" for line, text in found]


def _imports(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    for line, name in imported(path, tree):
        top = name.split(".")[0]
        if path.startswith("backends/"):
            yield from ((line, text) for text in _of_backends(path, name, top))
            continue
        if top in FRAMEWORKS:
            yield line, f"the orchestrator imports {name}"
        if top == "backends" and name != "backends" and not _shared(name):
            known = ", ".join(("backends.contract", *SHARED))
            yield line, f"the orchestrator imports {name}; only {known} are shared"
        if top in PICKLERS and path not in PICKLE_EXCEPTIONS:
            yield line, f"{name} can run code that a file holds"
        if name in STARTERS and path not in STARTING - {KEEPER}:
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


def _of_backends(path: str, name: str, top: str) -> Iterator[str]:
    """Yield what is wrong with one import of a module of `backends`."""
    standard = top in sys.stdlib_module_names
    own = path.split("/")[1]
    if top == "harness":
        yield f"a backend imports {name}"
    if (
        own not in BACKENDS
        and not path.startswith(PORTS)
        and not (standard or top in ("numpy", "backends"))
    ):
        yield f"a file that all backends share imports {name}"
    if own in CONTRACT and not standard and name.removeprefix("backends.") + ".py" not in CONTRACT:
        yield f"the contract imports {name}"
    if path in FRUGAL and not standard and name not in FRUGAL[path]:
        yield f"a file that the harness shares imports {name}"


def _network(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    for line, name in imported(path, tree):
        connects = name.split(".")[0] in NETWORK or name in NETWORK_PARTS
        if connects and path != NETWORKING:
            yield line, f"{name} uses the network; only harness.sinks.mlflow may"


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


def _shared(name: str) -> bool:
    return name.startswith("backends.contract") or name in SHARED


def _may_import(name: str, top: str) -> bool:
    if top in ("harness", "backends"):
        return _shared(name) or any(
            name == known or name.startswith(known + ".") for known in PURE_HARNESS
        )
    return top in PURE_IMPORTS


def called(node: ast.Call) -> str:
    """Return what is called, as written; "" for a call of something that has no name."""
    return ast.unparse(node.func) if isinstance(node.func, (ast.Name, ast.Attribute)) else ""


def _deeds(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield what a module does that only another one may."""
    cli = path.startswith("harness/cli/")
    store = path in STORES
    processes = path == "harness/execution/processes.py"
    starting = path in STARTING
    for node in ast.walk(tree):
        name = called(node) if isinstance(node, ast.Call) else ""
        if (
            isinstance(node, ast.Attribute)
            and ast.unparse(node) in ("os.environ", "os.environb")
            and not (cli or path in (KEEPER, API))
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
        if not starting and name.startswith(OS_STARTERS):
            yield node.lineno, f"only harness.execution.processes starts processes ({name})"
        if not store and name.replace("numpy.", "np.") in FORMATS - FORMAT_EXCEPTIONS.get(
            path, set()
        ):
            yield node.lineno, f"only harness.records.store knows file formats ({name})"
        opens = name == "open" or (name.endswith(OPENERS) and not name.startswith(HANDS))
        if opens and not (store or processes or path in FILE_EXCEPTIONS):
            yield node.lineno, f"opens a file ({name})"
        if opens and _pure(path):
            yield node.lineno, f"a pure module opens a file ({name})"


def _programs(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the calls that load what may be a program: with Python's own unpickler or by NumPy, or
    as a framework's model."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name, options = called(node), {item.arg: ast.unparse(item.value) for item in node.keywords}
        if (
            options.get("allow_pickle", "False") != "False"
            or name in PICKLE_LOADERS
            or name.endswith(MODEL_LOADERS)
            or (name == "torch.load" and options.get("weights_only") != "True")
        ):
            yield node.lineno, f"{name} can run code that a file holds"
