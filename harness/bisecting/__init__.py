"""Finds the release of a framework at which a verdict changed: a search, the list of releases,
their environments, their verdicts.

`search` and `verdicts` are pure; `run` puts the parts together.
"""
