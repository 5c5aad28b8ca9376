"""Two stored runs: how the difference is drawn, and what the command answers."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import pytest
from rich.console import Console

from harness import cli
from harness.changes import figures
from harness.commands import diff
from harness.errors import UnknownName
from harness.records import files
from harness.report import terminal_diff
from harness.results.model import BuildRow
from tests.harness.commands.stored_runs import report, written

HOSTILE = "<script>alert('x')</script> [bold]b[/bold] \x1b[31mred\u202e"


def drawn(found: figures.Diff, width: int = 100) -> str:
    console = Console(width=width, force_terminal=False)
    with console.capture() as captured:
        console.print(terminal_diff.render(found))
    return captured.get()


def test_the_page_says_what_changed_and_obeys_no_text(tmp_path: Path) -> None:
    """Markup and control sequences of names are shown, not obeyed, at any width."""
    wrong = dataclasses.replace(report().stages[0], verdict="FAIL", worst=HOSTILE, reason=HOSTILE)
    found = diff.compare(
        written(tmp_path / "a", report()),
        written(tmp_path / "b", report(stages=(wrong,), title=HOSTILE)),
    )
    for width in (40, 80, 200):
        text = drawn(found, width)
        assert (
            "\x1b" not in text
            and "\u202e" not in text
            and "[bold]" in text.replace("\n", "")
            and "1 regression" in text
        )
        assert all(len(line) <= width for line in text.splitlines())
    assert "Verdicts" in text and "PASS" in text and "FAIL" in text


def test_long_lists_are_cut_and_said_to_be(tmp_path: Path) -> None:
    """A hundred differing settings do not fill the screen; the JSON has them."""
    builds = [
        BuildRow(
            "torch",
            "3.11",
            "Linux",
            {},
            "tox",
            {f"setting {number}": value for number in range(100)},
        )
        for value in (1, 2)
    ]
    found = diff.compare(
        *(written(tmp_path / str(place), report(builds=(row,))) for place, row in enumerate(builds))
    )
    assert "... and 80 more: --format json has all" in drawn(found)
    document = json.loads(diff.render(found, "json"))
    assert (
        100 == sum(one["section"] == "settings" for one in document["differences"])
        and 0 == document["exit_code"]
    )


def test_json_is_strict(tmp_path: Path) -> None:
    """NaN is written as the report's JSON writes it; the same bytes each time."""
    row = dataclasses.replace(report().stages[0], error=math.nan, verdict="FAIL")
    found = diff.compare(
        written(tmp_path / "a", report()), written(tmp_path / "b", report(stages=(row,)))
    )
    text = diff.render(found, "json")
    assert '"NaN"' in text and text == diff.render(found, "json")
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not strict JSON"))
    with pytest.raises(UnknownName):
        diff.render(found, "yaml")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("a", "a"), 0, "Nothing else differs"),
        (("a", "b"), 3, "1 regression"),
        (("a", "other"), 2, "cannot be compared"),
        (("a", "nowhere"), 2, "there is no report"),
        (("a", "b", "--format", "yaml"), 2, "unknown format 'yaml'"),
        (("a",), 2, "after"),
        (("a", "broken"), 4, "report.json"),
    ],
)
def test_what_the_command_answers(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    code: int,
    says: str,
) -> None:
    """0 without a lost verdict, 3 with one, 2 on wrong usage and where nothing can be compared."""
    written(tmp_path / "a", report())
    written(
        tmp_path / "b", report(stages=(dataclasses.replace(report().stages[0], verdict="FAIL"),))
    )
    written(
        tmp_path / "other",
        report(speed=(), stages=(dataclasses.replace(report().stages[0], seed=7),)),
    )
    files.write_text(tmp_path / "broken/report.json", '{"schema": 1}')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        cli.main(["diff", *words])
    out = capsys.readouterr()
    assert code == ended.value.code and says in " ".join((out.out + out.err).split())
