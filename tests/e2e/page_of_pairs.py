"""The text of `docs/pairs.md`, as a stranger reads it: its blocks of code, and the examples that it
speaks of."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/pairs.md").read_text(encoding="utf-8")
#: Everything but the trajectory, which takes the longest and says no more here.
BRIEF = ("--no-speed", "--precision", "fp64", "--stages", "W", "F", "L", "G", "U", "--threads", 1)


class Example:
    """One example of the page.

    Attributes:
        folder: where its files lie. section: the text, from its heading to the next one.
    """

    def __init__(self, heading: str, name: str) -> None:
        self.folder = ROOT / "docs/examples" / name
        self.section = re.split(r"^## ", TEXT[TEXT.index(f"\n## {heading}\n") + 4 :], flags=re.M)[0]

    def block(self, after: str) -> str:
        """Return the first block of code behind some words of the text."""
        behind = self.section[self.section.index(after) :]
        block = re.search(r"```\w+\n(.*?)```", behind, re.DOTALL)
        assert block is not None
        return block.group(1)

    def lay_out(self, folder: Path) -> Path:
        """Copy the package that the example is about; return the pair file beside it, as it stands
        in the text."""
        package = self.folder.name
        shutil.copytree(self.folder / package, folder / package)
        path = folder / "pair.py"
        path.write_text(self.block("`pair.py`"), encoding="utf-8")
        return path

    def misquoted(self) -> list[str]:
        """Return the lines that the text shows of both models, and that are not there; the pair
        file where it is not there whole."""
        lines = []
        for name, after in (("model.py", "The original:"), ("net.py", "and the port:")):
            code = (self.folder / self.folder.name / name).read_text(encoding="utf-8")
            plain = " ".join(code.split())
            shown = [line.strip() for line in self.block(after).splitlines() if line != "..."]
            lines += [line for line in shown if line not in plain]
        file = (self.folder / "pair.py").read_text(encoding="utf-8")
        return lines if file == self.block("`pair.py`") else ["pair.py", *lines]
