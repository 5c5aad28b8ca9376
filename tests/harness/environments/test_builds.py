"""The table of builds agrees with tox.ini and with the requirement files."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from harness.environments import builds
from harness.environments.builds import BUILDS
from harness.environments.probe import pins
from harness.errors import UnknownName, UsageError

ROOT = Path(__file__).parents[3]
ENVIRONMENTS = [
    (build, device) for build in BUILDS.values() for device in build.devices if build.factor
]
IDS = [f"{build.name}-{device}" for build, device in ENVIRONMENTS]


def tox_ini() -> configparser.ConfigParser:
    """Return the project's tox.ini."""
    parser = configparser.ConfigParser(interpolation=None)
    assert parser.read(ROOT / "tox.ini")
    return parser


@pytest.mark.parametrize(("build", "device"), ENVIRONMENTS, ids=IDS)
def test_environment_is_in_tox_ini(build: builds.Build, device: str) -> None:
    """Every build has its environment, with the same Pythons and the same names for the tests."""
    parser = tox_ini()
    section = parser[f"testenv:{builds.environment(build, device)}"]
    pythons = section["base_python"].replace(
        "{[build]newest_python}", parser["build"]["newest_python"]
    )
    assert [f"python{minor}" for minor in build.pythons] == [
        name.strip() for name in pythons.split(",")
    ]
    assert f"--build {build.name} --device {device} " in section["commands"]


def test_tox_ini_has_no_other_build() -> None:
    """An environment in tox.ini that no build names would never be found."""
    named = {
        section.partition(":")[2]
        for section in tox_ini().sections()
        if section.endswith(("-cpu", "-gpu", "-tpu"))
    }
    assert {builds.environment(build, device) for build, device in ENVIRONMENTS} == named


@pytest.mark.parametrize(("build", "device"), ENVIRONMENTS, ids=IDS)
def test_pins(build: builds.Build, device: str) -> None:
    """The requirement file pins the framework exactly, to a version that the table says fits and
    is accepted."""
    found = pins(
        ROOT
        / "backends"
        / build.backend
        / "requirements"
        / f"{builds.environment(build, device)}.txt"
    )
    framework = next(pin for pin in found if pin.name in build.distributions)
    version = next(part.version for part in framework.specifier if part.operator == "==")
    assert version in SpecifierSet(build.fits)
    assert version in SpecifierSet(build.accepts)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("tf2", "tf2/requirements/tf2-oldest.txt"),
        ("tf2.10", "tf2/requirements/tf2-oldest.txt"),
        ("tf1-compat", "tf2/requirements/tf2-oldest.txt"),
        ("torch", "torch/requirements/torch-oldest.txt"),
        ("tf1", "tf1/requirements/tf1-cpu.txt"),
    ],
)
def test_the_oldest_release_that_is_accepted_is_tried(name: str, file: str) -> None:
    """What `accepts` begins with is what an environment of tox.ini pins: a claim that nothing
    runs is none."""
    build, path = BUILDS[name], ROOT / "backends" / file
    framework = next(pin for pin in pins(path) if pin.name in build.distributions)
    version = next(part.version for part in framework.specifier if part.operator == "==")
    oldest = build.accepts.split(",")[0].removeprefix(">=")
    assert version.startswith(f"{oldest}.")
    commands = tox_ini()[f"testenv:{path.stem}"]["commands"]
    assert (
        f"--build {name} " in commands or name == "tf2.10"
    )  # the same ports as tf2's, and the same release


@pytest.mark.parametrize(
    ("name", "twin"), [(build.name, build.twin) for build in BUILDS.values() if build.twin]
)
def test_twins_have_the_same_pins(name: str, twin: str) -> None:
    """One environment can serve two builds only if their pins are the same."""
    folder = ROOT / "backends"
    own, other = BUILDS[name], BUILDS[twin]
    for device in own.devices:
        files = [
            folder / item.backend / "requirements" / f"{item.factor}-{device}.txt"
            for item in (own, other)
        ]
        assert [str(pin) for pin in pins(files[0])] == [str(pin) for pin in pins(files[1])]
        assert builds.environments(own, device) == (
            f"{own.factor}-{device}",
            f"{other.factor}-{device}",
        )


def test_unknown_name() -> None:
    """A name that is almost right is corrected."""
    with pytest.raises(UnknownName, match=r"Did you mean 'tf2\.10'\?"):
        builds.resolve("tf2.1")


def test_no_such_environment() -> None:
    """A build without an environment for the device says which ones have one."""
    with pytest.raises(
        UsageError,
        match=(
            r"tf2\.10 has no environment for gpu; it has: cpu\. Builds for gpu: tf1, tf1-compat,"
            r" tf2, torch"
        ),
    ):
        builds.environment(BUILDS["tf2.10"], "gpu")


def test_numpy_needs_no_environment() -> None:
    """NumPy's build is the harness's own interpreter."""
    assert builds.environment(BUILDS["numpy"], "cpu") is None
    assert builds.environments(BUILDS["numpy"], "cpu") == ()


def test_costs() -> None:
    """Only environments that exist have a cost, and every CPU environment has one."""
    names = {builds.environment(build, "cpu") for build in BUILDS.values() if build.factor}
    assert names == set(builds.COSTS)
    assert builds.cost("tf2-tpu") is None


def test_plugin_looks_for_every_python() -> None:
    """tox's plugin makes each Python that a build may need findable."""
    text = (ROOT / "toxfile.py").read_text()
    for build in BUILDS.values():
        for minor in build.pythons:
            assert f'"{minor}"' in text
