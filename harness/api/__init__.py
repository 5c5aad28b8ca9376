"""The Python API: comparisons and their reports, by the same engine as the command's.

Prints nothing, ends nothing, and leaves no handler of signals behind. What goes wrong is raised as
one of `harness.errors`, with the words that the command has for it.
"""

from harness.api.comparison import compare, load
from harness.api.run_report import RunReport as Report

__all__ = ["Report", "compare", "load"]
