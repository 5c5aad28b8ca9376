"""What the site needs beside the pages: a reference of commands made from their `--help`, the names
that the package exports, and links to files outside `docs/`, which lead to the repository."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cyclopts import App
from rich.console import Console

import harness
from harness import cli

DOCS = Path(__file__).parent
ROOT = DOCS.parent
SOURCE = "https://github.com/parity-harness/parity-harness"
COMMANDS = "reference/commands.md"
LINK = re.compile(r"(\]\()([^)\s#]+)((?:#[^)\s]*)?\))")
FENCE = re.compile(r"^(```.*?^```$)", re.MULTILINE | re.DOTALL)
#: Columns of a help text: as wide as a page shows without scrolling.
WIDTH = 80
# Under this name a warning fails a build with --strict.
LOG = logging.getLogger("mkdocs.plugins.hooks")


def on_files(files: Any, config: Any) -> Any:
    """Add the generated page."""
    from mkdocs.structure.files import File

    files.append(File.generated(config, COMMANDS, content=commands_page()))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Return a page's text with links that the site can follow."""
    path = page.file.src_uri
    parts = FENCE.split(markdown.replace("<!-- exported -->", exported()))
    return "".join(
        text if FENCE.fullmatch(text) else linked(text, (DOCS / path).parent) for text in parts
    )


def linked(text: str, folder: Path) -> str:
    """Return Markdown in which a link that leaves `docs/`, or names a folder in it, leads to the
    repository.

    Args:
        text: without blocks of code. folder: what the links are relative to.
    """

    def target(found: re.Match[str]) -> str:
        before, name, after = found.groups()
        if "://" in name or name.startswith("mailto:"):
            return found[0]
        path = (folder / name).resolve()
        if path.is_relative_to(DOCS) and not path.is_dir():
            return found[0]
        if not path.exists():
            LOG.warning("%s: a link to %s, which is not there", folder, name)
        kind = "tree" if path.is_dir() else "blob"
        return f"{before}{SOURCE}/{kind}/main/{path.relative_to(ROOT).as_posix()}{after}"

    return LINK.sub(target, text)


def exported() -> str:
    """Return a block for each public name of the package `harness`."""
    names = [name for name in getattr(harness, "__all__", ()) if not name.startswith("_")]
    return "\n".join(f"::: harness.{name}\n" for name in names)


def commands_page() -> str:
    """Return the reference of commands: what `--help` says of each."""
    text = ["# Commands and options\n\nGenerated from `harness COMMAND --help`.\n"]
    for words in [(), *sorted(commands(cli.app))]:
        page = io.StringIO()
        cli.app.help_print(list(words), console=Console(file=page, width=WIDTH))
        lines = "\n".join(line.rstrip() for line in page.getvalue().strip().splitlines())
        text.append(f"## {' '.join(('harness', *words))}\n\n```text\n{lines}\n```\n")
    return "\n".join(text)


def commands(app: App, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of every command below an application."""
    for name in app:
        if not name.startswith("-"):
            yield (*before, name)
            yield from commands(app[name], (*before, name))
