"""The plugin of pytest: a fixture that compares models, and markers by build.

    def test_port(harness):
        harness.compare("pair.py", until="update").assert_pass()

Every run of pytest loads it where the harness is installed. So nothing of the engine is imported
before a test asks for the fixture, and pytest's own modules are all that it needs until then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness.pytest_plugin.fixture import HarnessFixture

FIXTURE = "harness"
REPORTS = "--harness-reports"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that says where reports are kept.

    Args:
        parser: pytest's.
    """
    parser.getgroup("harness", "comparisons of models").addoption(
        REPORTS,
        metavar="DIR",
        help="Keep the reports of comparisons below this folder, one folder a test; else they lie"
        " in pytest's temporary folders, which it clears after three runs.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register a marker for each build.

    Args:
        config: pytest's.
    """
    from harness.environments.builds import BUILDS

    config.addinivalue_line("markers", "builds(*names): compares these builds; marks with each")
    for name in BUILDS:
        config.addinivalue_line("markers", f"{name}: compares the build {name} of parity-harness")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests that use the fixture with the builds of the pairs that they name, before `-m`
    selects.

    Args:
        config: pytest's. items: all tests.
    """
    using = [item for item in items if _uses(item)]
    if using:
        from harness.pytest_plugin import build_markers

        build_markers.mark(config, using)


def _uses(item: pytest.Item) -> bool:
    """Whether a test uses this fixture, and no other that a project has under its name."""
    known = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    for fixture in reversed(known.get(FIXTURE, ())):
        if fixture.func.__module__ == __name__:
            return True
        if FIXTURE not in fixture.argnames:
            return False  # it takes the name; one that asks for it is made of that before it
    return False


@pytest.fixture(name=FIXTURE)
def compares(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> HarnessFixture:
    """Compares two models or builds: `harness.compare("pair.py", until="update").assert_pass()`."""
    from harness.pytest_plugin.fixture import HarnessFixture

    named = request.config.getoption(REPORTS)
    kept = None if named is None else request.config.invocation_params.dir / named
    return HarnessFixture(request.node, tmp_path_factory, kept)
