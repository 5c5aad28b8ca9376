"""The stand-in for a framework can be imported by its name: see `beside` of the folder above."""

from __future__ import annotations

import importlib.util
import os
import sys

NAME = "perceptron"
_spec = importlib.util.spec_from_file_location(
    NAME, os.path.join(os.path.dirname(os.path.abspath(__file__)), NAME + ".py")
)
sys.modules[NAME] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sys.modules[NAME])
