"""JUnit: well-formed whatever the names, and counted right."""

from __future__ import annotations

import dataclasses
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.report.format import one_line
from harness.report.junit import render


def test_each_stage_and_each_job_is_a_case(full):
    """FAIL is a failure, INCONCLUSIVE an error, INFO and unsupported skipped."""
    suites = {suite.get("name"): suite for suite in ElementTree.fromstring(render(full).encode())}
    counts = {
        name: [int(suite.get(key)) for key in ("tests", "failures", "errors", "skipped")]
        for name, suite in suites.items()
    }
    assert counts == {"fidelity": [16, 3, 2, 1], "speed": [5, 0, 0, 0], "jobs": [4, 0, 2, 1]}
    said = suites["speed"].find("properties/property")
    assert said.get("value") == one_line(f"{full.fidelity}: {full.headline}")
    failure = suites["fidelity"].find("testcase/failure")
    assert failure.get("message") == "FAIL: loss/l2: beyond the threshold"
    assert [case.get("time") for case in suites["jobs"].iter("testcase")] == [
        "3.200",
        "2.000",
        "3.000",
        None,
    ]
    assert "again: harness compare" in failure.text
    assert (
        len(
            {
                (case.get("classname"), case.get("name"))
                for case in suites["fidelity"].iter("testcase")
            }
        )
        == 16
    )


def test_seeds_are_cases_of_their_own(seeded, full):
    """No two have the same name; a single seed is not named."""
    suites = ElementTree.fromstring(render(seeded).encode())
    names = [
        (suite.get("name"), case.get("classname"), case.get("name"))
        for suite in suites
        for case in suite.iter("testcase")
    ]
    assert len(names) == len(set(names)) == 15
    assert ("fidelity", "fidelity.cnn.tf1-compat : tf2.10", "loss fp64 seed 1") in names
    assert ("speed", "speed.cnn.tf1-compat : torch", "train fp32 seed 0 small") in names
    assert "seed" not in render(full)


def test_a_verdict_that_is_not_known_is_an_error(sample):
    """Never a passing case."""
    report = dataclasses.replace(sample.EMPTY, stages=(sample.stage("forward", "MAYBE"),))
    assert 'errors="1"' in render(report)


@given(st.text())
def test_any_name_gives_a_document_that_parses(sample, text):
    """Also with characters that XML forbids."""
    row = sample.stage("forward", "FAIL", workload=text, reason=text, worst=text)
    report = dataclasses.replace(sample.EMPTY, title=text, stages=(row,))
    ElementTree.fromstring(render(report).encode())


def test_what_is_refused_is_an_error(sample):
    """But a single phase decides nothing."""
    rows = tuple(
        sample.speed(action, "REFUSED", reason="xla: a on, b off")
        for action in ("train", "joint/generator")
    )
    (suite,) = [
        one
        for one in ElementTree.fromstring(render(dataclasses.replace(sample.EMPTY, speed=rows)))
        if one.get("name") == "speed"
    ]
    assert ["1", "1", "0"] == [suite.get(name) for name in ("errors", "skipped", "failures")]
    assert "REFUSED: xla: a on, b off" == suite.find("testcase/error").get("message")


@pytest.mark.parametrize(("code", "expected"), [(0, 0), (3, 1), (5, 1)])
def test_a_run_that_ends_badly_is_never_green(sample, code, expected):
    """A slow-down under --fail-if-slower fails no row: the run itself does, with its headline."""
    slower = sample.speed("train", "SLOWER", material=True)
    report = dataclasses.replace(
        sample.EMPTY,
        speed=(slower,),
        exit_code=code,
        headline="Speed only.",
        command="harness compare",
    )
    failures = ElementTree.fromstring(render(report)).findall(
        "testsuite[@name='run']/testcase/failure"
    )
    assert expected == len(failures)
    for failure in failures:
        assert "Speed only." == failure.get("message")
        assert (
            f"exit code {code}\ntorch is 1.23× slower than tf1-compat in training of cnn [1.20,"
            " 1.27] (fp32)" in failure.text
        )


def test_what_is_red_already_gets_no_case_of_its_own(full):
    """Its rows say why."""
    assert 'name="run"' not in render(full)


def test_an_empty_report_and_drawing_twice(empty, full):
    """Three empty suites and the run, which measured nothing; the same bytes."""
    assert render(empty).count("<testsuite ") == 4
    assert render(dataclasses.replace(empty, exit_code=0)).count("<testsuite ") == 3
    assert render(full) == render(full)
