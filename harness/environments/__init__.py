"""Builds and the interpreters that run them: found, installed, probed, staged."""
