"""The zoo: plant every bug of the catalogue, judge it as `harness compare` would, and print what
was caught.

    python -m tests.evaluation.zoo                  every mutant, every honest comparison, every
    peer (`tox run -e zoo`) python -m tests.evaluation.zoo --only losses    the mutants of one
    module python -m tests.evaluation.zoo --write-docs     also write the tables into docs/zoo.md
    python -m tests.evaluation.zoo --measure        write harness/fidelity/honest_spread.py, from
    honest comparisons on other tapes

Exit status 1 if fewer than 95 % of the mutants are caught, fewer than 90 % at the expected stage,
or an honest port does not pass.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from harness.evaluation.stage_rows import stage_rows
from tests.evaluation.laboratory import Laboratory, opened
from tests.evaluation.zoo import catalogue, honest, measuring, tables
from tests.evaluation.zoo.census import Finding, examine
from tests.evaluation.zoo.peers import Peers, gather

CAUGHT, AT_STAGE, COMPARISONS = 0.95, 0.90, 200


def main(words: Sequence[str]) -> int:
    """Run what was asked for; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation.zoo")
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        metavar="MODULE",
        help="modules of zoo/mutants; no honest comparisons",
    )
    parser.add_argument(
        "--write-docs", action="store_true", help="write the tables into docs/zoo.md"
    )
    parser.add_argument(
        "--measure", action="store_true", help="write harness/fidelity/honest_spread.py"
    )
    asked = parser.parse_args(words)
    if asked.only and (asked.write_docs or asked.measure):
        parser.error("--only shows a part; --write-docs and --measure need the whole")
    if asked.measure and asked.write_docs:
        parser.error(
            "false alarms are counted on tapes that no threshold has seen: first --measure, then"
            " --write-docs"
        )
    started = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="zoo-") as folder,
        opened(Path(folder) / "run", honest.BUILDS) as laboratory,
    ):
        peers = Peers(Path(folder) / "peers", laboratory.stand.interpreters["torch"])
        if asked.measure:
            found = measuring.measure(_honest(laboratory, Path(folder), peers, honest.MEASURED))
            measuring.TARGET.write_text(measuring.text(found), encoding="utf-8")
            print(f"\n{measuring.text(found)}\n{time.monotonic() - started:.0f} s.")
            return 0
        findings = _mutants(laboratory, asked.only, Path(folder), peers)
        comparisons = [] if asked.only else _honest(laboratory, Path(folder), peers, honest.UNSEEN)
        said = peers.answers()
    _show(findings, comparisons)
    mutants = {item.mutant.name for item in findings}
    names = [name for name in said if name not in mutants]
    print("\n" + tables.peers(said, findings, names))
    if comparisons:
        found = measuring.measure(comparisons)
        print("\n" + tables.floors(found))
        if asked.write_docs:
            tables.write(
                {
                    "SUMMARY": tables.summary(findings, comparisons),
                    "BUGS": tables.bugs(findings),
                    "SURVIVORS": tables.survivors(findings),
                    "ABSENT": tables.absent(),
                    "HONEST": tables.honest(comparisons),
                    "FLOORS": tables.floors(found),
                    "PEERS": tables.peers(said, findings, names),
                }
            )
    print(f"\n{tables.summary(findings, comparisons)} {time.monotonic() - started:.0f} s.")
    return 0 if good(findings, comparisons, whole=not asked.only) else 1


def good(
    findings: Sequence[Finding], comparisons: Sequence[honest.Comparison], whole: bool
) -> bool:
    """Whether the claims hold: nearly all caught, at their stages, and every honest port found
    to be the same."""
    count = len(findings)
    caught = (
        sum(item.killed for item in findings) >= CAUGHT * count
        and sum(item.at_stage for item in findings) >= AT_STAGE * count
    )
    quiet = not any(one.alarms or one.open for one in comparisons) and (
        len(comparisons) >= COMPARISONS or not whole
    )
    return count > 0 and caught and quiet and not (whole and not all(catalogue.left_out().values()))


def _mutants(
    laboratory: Laboratory, only: Sequence[str], folder: Path, peers: Peers
) -> list[Finding]:
    chosen = catalogue.planted(only)
    found = []
    for item in examine(laboratory, chosen, folder / "planted", peers):
        found.append(item)
        mark = (
            "ok"
            if item.in_place
            else "place"
            if item.at_stage
            else "stage"
            if item.killed
            else "MISSED"
        )
        place = f"{item.verdict} {item.stage} {item.place}"
        print(
            f"[{len(found)}/{len(chosen)}] {item.mutant.bug:2d} {item.mutant.name}: {mark} {place}",
            flush=True,
        )
    return found


def _honest(
    laboratory: Laboratory, folder: Path, peers: Peers, first: int
) -> list[honest.Comparison]:
    purpose_built = sorted(path.stem for path in (Path(__file__).parent / "workloads").glob("*.py"))
    found: list[honest.Comparison] = []
    for one in honest.everything(laboratory, purpose_built, folder / "planted", first):
        found.append(one)
        alarms = (
            f" FALSE ALARM {one.alarms[0].reason}"
            if one.alarms
            else f" NOT DECIDED {one.open[0].reason}"
            if one.open
            else ""
        )
        what = f"{one.kind} {one.workload} {one.preset} {one.precision} seed {one.seed}"
        print(f"honest [{len(found)}] {what} {one.a} : {one.b}{alarms}", flush=True)
    for workload in ("linear", "cnn", *purpose_built):
        name, sides = f"honest-{workload}", [laboratory.side("tf2"), laboratory.side("torch")]
        planned = laboratory.plan(workload, sides, precisions=("fp64", "fp32"), seeds=(first,))
        evidences = laboratory.evidences(planned.jobs)
        pair = next(pair for pair in planned.pairs if pair.precision == "fp32")
        alarm = any(row.verdict == "FAIL" for row in stage_rows(planned, evidences))
        peers.ask(
            name,
            gather(
                *(
                    evidences[job.name].evidence
                    for job in (pair.a, pair.b, pair.base_a)
                    if job is not None
                )
            ),
            alarm,
        )
    return found


def _show(findings: Sequence[Finding], comparisons: Sequence[honest.Comparison]) -> None:
    print("\n" + tables.bugs(findings) + "\n\nNot as expected:\n" + tables.survivors(findings))
    if comparisons:
        print("\nNot planted:\n" + tables.absent() + "\n\n" + tables.honest(comparisons))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
