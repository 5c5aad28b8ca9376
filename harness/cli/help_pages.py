"""How a command's page is drawn: a sentence of a docstring flows with the width of the terminal,
wherever its line ended in the source."""

from __future__ import annotations

from cyclopts.help import DefaultFormatter, HelpPanel
from rich.console import Console, ConsoleOptions
from rich.text import Text


class FlowingPages(DefaultFormatter):
    """Draws the panels of a page as cyclopts does, without the line breaks of the source."""

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        for entry in panel.entries:
            text = getattr(entry.description, "primary_renderable", None)
            if isinstance(text, Text):
                entry.description.primary_renderable = Text(" ".join(text.plain.split()))
        super().__call__(console, options, panel)
