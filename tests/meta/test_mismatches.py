"""The gate of settings: every planted mismatch of real ports is caught, and honest pairs are not
refused."""

from __future__ import annotations

import itertools
import logging
import os

import pytest

from backends.contract import Setting
from harness import plan
from harness.execution import runner
from harness.speed.settings import REFUSED, differences, refusal
from tests.meta import mismatches

LOG = logging.getLogger(__name__)
THREADS = 2
BACKENDS = {"torch": "torch", "tf2": "tf2", "tf1-compat": "tf1"}


@pytest.fixture(scope="module")
def told(laboratory, tmp_path_factory):
    """Return a function from a build and a folder of ports to what a fresh worker reads back
    after timed work; honest ones are kept."""
    stand, kept = laboratory.stand, {}
    folder = tmp_path_factory.mktemp("mismatches")
    interpreters = {**stand.interpreters, "tf1-compat": stand.interpreters["tf2"]}
    run_context = runner.RunContext(
        folder, stand.staging, interpreters, stand.environment, stand.workloads, stand.limits
    )
    files = runner.inputs(run_context, "linear", "tiny", 0, 1)

    def tell(build, ports=None, again=0):
        if (build, again) in kept and ports is None:
            return kept[build, again]
        opening = plan.Opening(
            BACKENDS[build],
            "linear",
            "tiny",
            "variable",
            () if ports is None else (str(ports),),
            Setting(threads=THREADS),
        )
        with run_context.worker(build, folder / "worker.log") as worker:
            runner.open_port(worker, run_context, opening, files)
            for action in ("train", "generate"):
                worker.request("load", tape=str(files.tape), action=action, seed=0)
                worker.request("prepare", warmup_s=0.0, sample_s=0.0)
                worker.request("block", samples=2)
            effective = worker.request("effective")["effective"]
        if ports is None:
            kept[build, again] = effective
        return effective

    return tell


def test_there_are_enough_and_all_have_names_of_their_own():
    """At least 12 were asked for."""
    names = [one.name for one in mismatches.ALL]
    assert len(names) == len(set(names)) >= 12


@pytest.mark.parametrize("mismatch", mismatches.ALL, ids=lambda one: one.name)
def test_a_planted_mismatch_is_caught(mismatch, told, tmp_path):
    """By the setting that was changed, refused or labelled as the table says; a refusal names
    both values and what to do."""
    if mismatch.setting == "cores":
        assert len(os.sched_getaffinity(0)) > 1, "a machine of one core cannot show it"
    found = {
        one.name: one
        for one in differences(told(mismatch.build), told(mismatch.build, mismatch.write(tmp_path)))
    }
    LOG.info(f"{mismatch.name}: {'; '.join(map(str, found.values()))}")
    assert mismatch.setting in found
    assert mismatch.kind == found[mismatch.setting].rule.kind
    why = refusal(found.values())
    assert (mismatch.kind == REFUSED) == bool(why)
    assert not why or str(found[mismatch.setting]) in why


@pytest.mark.parametrize("build", BACKENDS)
def test_a_build_does_not_differ_from_itself(build, told):
    """Two fresh processes of the shipped port; priority is given by whoever runs the test, and
    may be changed while it runs."""
    assert [] == [
        str(one) for one in differences(told(build), told(build, again=1)) if one.name != "nice"
    ]


@pytest.mark.parametrize(("a", "b"), list(itertools.combinations(BACKENDS, 2)))
def test_honest_pairs_are_compared_and_what_differs_by_nature_is_labelled(a, b, told):
    """Graph against eager, and the frameworks' own ways with denormals."""
    found = differences(told(a), told(b))
    LOG.info(f"{a} : {b}: {'; '.join(map(str, found))}")
    assert refusal(found) == ""
    assert ("execution" in {one.name for one in found}) == ("torch" in (a, b))
