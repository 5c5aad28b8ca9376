"""The notebook of the documentation, run cell by cell in a kernel on the CPU builds: what it shows
is what its text says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs/notebooks/quickstart.ipynb"
TIMEOUT_S = 1200


def read() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return what each cell of code gives, by its name: texts and HTML one after another."""
    folder = tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("IPYTHONDIR", str(folder / "ipython"))
        notebook = read()
        resources = {"metadata": {"path": str(folder)}}
        nbclient.NotebookClient(notebook, timeout=TIMEOUT_S, resources=resources).execute()
    shown = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            shown[str(cell.id)] = "\n".join(_texts(output) for output in cell.outputs)
    return shown


def _texts(output: Any) -> str:
    data = output.get("data", {})
    return "\n".join([output.get("text", ""), data.get("text/html", data.get("text/plain", ""))])


def test_it_is_valid_and_stored_without_outputs():
    """What it shows is made when it is run; a stored output would be of another day."""
    notebook = read()
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert "%pip install" in code[0].source and "is None" in code[0].source


def test_the_honest_port_passes(executed: dict[str, str]):
    """Verdict and table in the report's own cell, every stage in the table of pandas; the line of
    progress is gone."""
    assert "✓ PASS" in executed["compare"] and "tf2 : torch" in executed["compare"]
    assert "done," not in executed["compare"] and "report.html" in executed["compare"]
    for stage in ("weights", "forward", "loss", "gradients", "update"):
        assert f"<td>{stage}</td>" in executed["pandas"]
    assert 5 == executed["pandas"].count("<td>PASS</td>")


def test_the_planted_mistake_is_found(executed: dict[str, str]):
    """Its layer, its attribute, and no layer before it."""
    assert "✗ FAIL" in executed["mistake"]
    assert "not the same: norm: epsilon is 0.001 in tf2, 1e-05 in torch" in executed["mistake"]
    verdicts = re.findall(r"<td>([\w/]+)</td>\s*<td>(PASS|FAIL)</td>", executed["why"])
    failed = {tensor for tensor, verdict in verdicts if verdict == "FAIL"}
    assert {"training/norm", "training/classes"} <= failed
    assert ("training/hidden", "PASS") in verdicts
    assert "forward training/norm" in executed["raise"]
    assert "harness compare" in executed["raise"]


def test_nothing_is_printed_that_the_notebook_did_not_ask_for(executed: dict[str, str]):
    """No warning, no line of a framework's log."""
    assert "" == executed["install"].strip()
    assert "Warning" not in "".join(executed.values())
