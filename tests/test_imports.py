"""The rules of who may import and do what (`import_rules`): enforced over the whole tree, and shown
to catch a planted violation."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.import_exceptions import (
    FILE_EXCEPTIONS,
    FORMAT_EXCEPTIONS,
    JSON_EXCEPTIONS,
    PICKLE_EXCEPTIONS,
)
from tests.import_rules import FRAMEWORKS, OPENERS, ROOT, called, imported, violations


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
        ("harness/pairs/matches.py", "from backends.adapter import port"),
        ("harness/pairs/matches.py", "from backends.adapter.draws import Draws"),
        ("harness/pairs/matches.py", "import backends.adapter"),
        ("harness/pairs/matches.py", "from backends import pair"),
        ("harness/pairs/matches.py", "from backends.survey_of_mine import Survey"),
        ("harness/pairs/matches.py", "from pathlib import Path"),
        ("harness/pairs/decisions.py", "from harness.pairs import map_file"),
        ("harness/pairs/file.py", "import torch"),
        ("backends/survey.py", "import numpy as np"),
        ("backends/survey.py", "from backends.contract import Setting"),
        ("backends/pair.py", "import numpy as np"),
        ("backends/pair.py", "from backends import survey"),
        ("backends/adapter/pieces.py", "import torch"),
        ("backends/adapter/pieces.py", "from backends.adapter.draws import Draws"),
        ("backends/adapter/__init__.py", "from backends.adapter import pieces"),
        ("backends/adapter/port.py", "import keras"),
        ("harness/execution/runner.py", "import pickle"),
        ("harness/workloads/ehr_mgan/pickles.py", "import pickle\npickle.loads(b'')"),
        ("harness/workloads/ehr_mgan/pickles.py", "import pickle\npickle.Unpickler(file)"),
        (
            "harness/workloads/ehr_mgan/folder.py",
            "import numpy as np\nnp.load('x.npz', allow_pickle=True)",
        ),
        ("harness/workloads/ehr_mgan/folder.py", "import numpy as np\nnp.savez('x.npz')"),
        ("harness/report/html.py", "import urllib.request"),
        ("harness/workloads/cnn.py", "def f():\n    from urllib import request"),
        ("harness/sinks/delivery.py", "import mlflow.exceptions"),
        ("backends/ports/torch/cnn.py", "import torch.hub"),
        ("backends/worker.py", "import socket"),
        ("backends/torch/checkpoints.py", "import torch\ntorch.load('x')"),
        ("backends/torch/checkpoints.py", "import torch\ntorch.load('x', weights_only=False)"),
        ("backends/torch/checkpoints.py", "import torch\ntorch.jit.load('x')"),
        ("backends/tf2/checkpoints.py", "import tensorflow as tf\ntf.saved_model.load('x')"),
        ("backends/tf2/checkpoints.py", "import tensorflow as tf\ntf.keras.models.load_model('x')"),
        ("backends/source.py", "import pickle\npickle.load(file)"),
        ("backends/source.py", "import numpy as np\nnp.load('x', allow_pickle=True)"),
        ("harness/execution/runner.py", "import subprocess"),
        ("harness/execution/runner.py", "import os\nos.system('true')"),
        ("harness/execution/keeper.py", "import subprocess"),
        ("harness/execution/kept_process.py", "import os\nos.environ['A']"),
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
        ("harness/api/run_report.py", "import os\nos.environ['A']"),
        ("harness/api/comparison.py", "print('x')"),
        ("harness/api/comparison.py", "import sys\nsys.exit(0)"),
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
        ("harness/pairs/matches.py", "from backends.survey import Piece"),
        ("harness/pairs/inference.py", "from backends.adapter.pieces import apply"),
        ("harness/pairs/decisions.py", "from harness.pairs.matches import Matched"),
        ("harness/experiments/pair_survey.py", "from backends.adapter import pieces"),
        ("backends/adapter/pieces.py", "import numpy as np\nfrom backends.survey import Piece"),
        ("backends/torch/adapter.py", "import torch\nfrom backends.adapter.side import Side"),
        ("harness/sinks/mlflow.py", "import mlflow.exceptions"),
        ("harness/nightly/page.py", "import urllib.parse"),
        ("backends/torch/checkpoints.py", "import torch\ntorch.load('x', weights_only=True)"),
        ("backends/source.py", "import numpy as np\nnp.load('x', allow_pickle=False)"),
        ("harness/execution/processes.py", "import subprocess"),
        ("harness/execution/kept_process.py", "import subprocess"),
        ("harness/execution/keeper.py", "import os\nos.posix_spawnp('a', ['a'], os.environ)"),
        ("harness/fidelity/judge.py", "from harness.fidelity.measure import difference"),
        ("harness/api/comparison.py", "import os\ndict(os.environ)"),
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


@pytest.mark.parametrize(
    "name", ["environments/devices", "environments/interpreters", "execution/keeper"]
)
def test_what_runs_without_our_packages_needs_the_standard_library_alone(name: str):
    """toxfile.py runs in tox's own interpreter, which need not have what the harness depends on;
    a keeper is started without any packages."""
    path = f"harness/{name}.py"
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    tops = {imported_name.split(".")[0] for _, imported_name in imported(path, tree)}
    assert set() == tops - set(sys.stdlib_module_names)
