"""The hostile ports: the honest port of `linear` with one nasty thing in one place.

A row has a name, the place (`import`, or a method, whose honest `result` is at hand), the code,
what may come of it, and words of which the reason has one.
"""

from __future__ import annotations

import dataclasses
import textwrap

#: What may come of a port. `ends`: its job ends in another status than `ok`. `fails`: that, or a
#: verdict that is no agreement. `passes`: its numbers are honest, so agreement is right too.
#: `kills`: it ends, or kills
#: the harness, which says nothing more.
ENDS, FAILS, PASSES, KILLS = "ends", "fails", "passes", "kills"
FILE = "linear.py"


@dataclasses.dataclass(frozen=True)
class Hostile:
    """One port.

    Attributes:
        says: words of which the reason has one, where the port ends. spoils: what the honest sides
            have computed, so that they need not agree.
    """

    name: str
    place: str
    code: str
    may: str
    says: tuple[str, ...] = (FILE,)
    spoils: bool = False

    def source(self) -> str:
        """Return the text of the port's file."""
        imported = self.code if self.place == "import" else ""
        method = METHOD.format(name=self.place) + textwrap.indent(self.code, " " * 8)
        body = "" if self.place == "import" else f"{method}\n        return result\n"
        if self.place == "__init__":
            body = body.replace("return result", "return None")
        return f"{HEAD}\n{imported}\nclass Port(Honest):\n    calls = 0\n{body}"


METHOD = """
    def {name}(self, *args, **kwargs):
        result = super().{name}(*args, **kwargs)
        Port.calls += 1
"""
HEAD = '''"""The honest port but for one thing."""
import atexit, ctypes, faulthandler, hashlib, json, os, pathlib, resource
import signal, stat, subprocess, sys, threading, time
import numpy as np
from backends.ports.numpy.linear import Port as Honest
from backends.recording import recorder as recording

SCRATCH = pathlib.Path(__file__).parents[2]

def pipes():
    for number in range(3, 64):
        try:
            if stat.S_ISFIFO(os.fstat(number).st_mode):
                yield number
        except OSError:
            pass

def tell(line):
    for number in pipes():
        try:
            view = memoryview(line)
            while view:
                view = view[os.write(number, view):]
        except OSError:
            pass

def others(pattern):
    for _ in range(40):
        paths = SCRATCH.glob("reports/*/" + pattern)
        paths = [path for path in paths if "hostile" not in path.parent.name]
        if paths:
            return paths
        time.sleep(0.1)
    return []
'''
