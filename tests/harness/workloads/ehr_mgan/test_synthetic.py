"""`synthetic_icu` is made up, but as an intensive-care unit is: ranges, correlations,
persistence, outcomes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from harness.workloads.ehr_mgan import synthetic
from harness.workloads.ehr_mgan.cohort import CLASSES
from harness.workloads.ehr_mgan.synthetic import INTERVENTIONS, STAYS, VITALS, synthetic_icu

#: Frozen: tapes and recorded references were made from them.
DIGESTS = {
    "tiny": "d3886550e07c2a59430b3e30882ad85d887bd8d372f54d9f7843391500a1098d",
    "small": "2222d7de5334386506964f6b5dc7e9d2be97a463909cecbdf66b38bbd4905242",
    "paper": "3cce87d4e363d1ec61eb4cf0f549b0ac73e241eeea78206f8a9a241bd3aeb82c",
}
#: Of each vital sign: where the middle half of all hours must lie, and the sign of its correlation
#: with the heart rate.
MIDDLE = {
    "heart_rate": (65, 105, 1),
    "systolic_pressure": (100, 140, -1),
    "respiratory_rate": (12, 24, 1),
    "oxygen_saturation": (94, 100, -1),
    "temperature": (36.3, 37.7, 1),
    "diastolic_pressure": (50, 80, -1),
    "mean_pressure": (65, 100, -1),
}


def units(preset: str) -> dict[str, np.ndarray]:
    """Every vital sign [stays, hours] in its own unit."""
    cohort = synthetic_icu(preset)
    values = cohort.continuous * cohort.range + cohort.minimum
    return {name: values[..., index] for index, name in enumerate(cohort.channels)}


@pytest.mark.parametrize("preset", STAYS)
def test_the_bits_are_frozen(preset):
    """The same on every platform and under every NumPy; every value is a whole number of 2^-16."""
    cohort = synthetic_icu(preset)
    assert DIGESTS[preset] == cohort.digest
    assert (cohort.continuous * 2.0**synthetic.BITS % 1.0 == 0.0).all()
    synthetic_icu.cache_clear()
    assert DIGESTS[preset] == synthetic_icu(preset).digest


@pytest.mark.parametrize(("preset", "channels"), [("tiny", 4), ("small", 7), ("paper", 7)])
def test_shapes_and_limits(preset, channels):
    """[stays, 24, channels] in [0, 1] with nothing missing, three interventions of 0 and 1, a
    class for each stay."""
    cohort = synthetic_icu(preset)
    assert ((STAYS[preset], 24, channels), (STAYS[preset], 24, 3)) == (
        cohort.continuous.shape,
        cohort.discrete.shape,
    )
    assert (
        np.isfinite(cohort.continuous).all()
        and 0.0 <= cohort.continuous.min() < cohort.continuous.max() <= 1.0
    )
    assert {0.0, 1.0} == {*np.unique(cohort.discrete)}
    assert (channels, channels, 3) == (
        len(cohort.channels),
        len(cohort.minimum),
        len(cohort.interventions),
    )


@pytest.mark.parametrize("preset", STAYS)
def test_vital_signs_lie_where_they_do_in_people(preset):
    """The middle half of all hours; and no sign is held at a limit but the saturation, which
    cannot pass 100 %."""
    for name, values in units(preset).items():
        low, high, _ = MIDDLE[name]
        assert low < np.percentile(values, 25) < np.percentile(values, 75) <= high, name
        vital = next(item for item in VITALS if item.name == name)
        held = ((values <= vital.low) | (values >= vital.high)).mean()
        assert held < (0.2 if name == "oxygen_saturation" else 0.01), name


@pytest.mark.parametrize("preset", STAYS)
def test_vital_signs_are_correlated_with_the_right_sign(preset):
    """A sicker patient's heart beats faster, the breath is faster, pressures and saturation are
    lower."""
    found = units(preset)
    for a, b in itertools.combinations(found, 2):
        correlation = np.corrcoef(found[a].ravel(), found[b].ravel())[0, 1]
        assert 0.3 < correlation * MIDDLE[a][2] * MIDDLE[b][2] < 0.96, (a, b, correlation)


@pytest.mark.parametrize("preset", ["small", "paper"])
def test_pressures_fit_each_other(preset):
    """In every hour: diastolic < mean < systolic, the mean about a third of the way up."""
    found = units(preset)
    diastolic, mean, systolic = (
        found[f"{name}_pressure"] for name in ("diastolic", "mean", "systolic")
    )
    assert (diastolic < mean).all() and (mean < systolic).all()
    assert abs(((mean - diastolic) / (systolic - diastolic)).mean() - 1 / 3) < 0.02


def test_an_hour_without_a_charted_value_has_the_last_one():
    """A thermometer is read now and then: its values repeat, those of a monitor hardly ever; a
    cuff's three repeat together."""
    found = units("small")
    repeated = {name: values[:, 1:] == values[:, :-1] for name, values in found.items()}
    assert 0.5 < repeated["temperature"].mean() < 0.7 and repeated["heart_rate"].mean() < 0.05
    cuff = repeated["systolic_pressure"]
    assert 0.05 < cuff.mean() < 0.12
    # Now and then two charted hours have the same systolic pressure by chance.
    assert (
        repeated["diastolic_pressure"][cuff].mean() > 0.98
        and repeated["mean_pressure"][cuff].mean() > 0.98
    )
    assert repeated["diastolic_pressure"][~cuff].mean() < 0.01


@pytest.mark.parametrize("preset", STAYS)
def test_interventions_persist_and_go_with_severity(preset):
    """On is likely to stay on, off to stay off; the heart beats faster where one is on."""
    cohort, heart = synthetic_icu(preset), units(preset)["heart_rate"]
    for index, (name, _, _) in enumerate(INTERVENTIONS):
        on = cohort.discrete[..., index] == 1.0
        assert 0.1 < on.mean() < 0.4, name
        stays_on, starts = on[:, 1:][on[:, :-1]].mean(), on[:, 1:][~on[:, :-1]].mean()
        assert stays_on > 0.75 and starts < 0.12, name
        assert heart[on].mean() > heart[~on].mean() + 10, name


@pytest.mark.parametrize("preset", STAYS)
def test_the_outcome_follows_severity_and_all_classes_occur(preset):
    """From 0, death in the unit, to 3, none of these: fewer interventions, a slower heart; also
    among the rows held out."""
    cohort, heart = synthetic_icu(preset), units(preset)["heart_rate"]
    for part in (cohort.label[: cohort.training_rows], cohort.label[cohort.training_rows :]):
        assert {*range(CLASSES)} == {*part.tolist()}
    by_class = [cohort.label == number for number in range(CLASSES)]
    hearts = [heart[rows, -6:].mean() for rows in by_class]
    treated = [cohort.discrete[rows, -6:].mean() for rows in by_class]
    assert hearts == sorted(hearts, reverse=True) and treated == sorted(treated, reverse=True)
    assert len(by_class[3].nonzero()[0]) > 0.6 * len(cohort.label)
