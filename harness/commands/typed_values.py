"""Values that the parser of command lines takes for others than they are, whether they are typed or
come from the file of a project: 1.5 for the whole number 2, and no value at all for several."""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError

if TYPE_CHECKING:
    from cyclopts import App
    from cyclopts.argument import Argument, ArgumentCollection

#: Where a token is from that somebody typed.
TYPED = "cli"


def check(_app: App, _commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """Refuse them; called by the application once all arguments have their tokens.

    Args:
        arguments: of any command; those that were given have tokens.

    Raises:
        UsageError: a whole number is wanted, and it is none; or at least one value is, and there is
            none.
    """
    for item in arguments:
        whole, several = _wanted(item)
        for token in item.tokens:
            where = "" if token.source == TYPED else f"{token.source}: "
            if whole and "." in token.value:
                raise UsageError(f"{where}{item.name} {token.value}: give a whole number.")
            if several and token.implicit_value in ((), []):
                default = " ".join(map(str, item.field_info.default))
                raise UsageError(
                    f"{where}{item.name}: nothing is named. Name at least one, or leave it out for"
                    f" {default}."
                )


def _wanted(item: Argument) -> tuple[bool, bool]:
    """Return whether a whole number is wanted, and whether at least one value of several."""
    hints = {item.hint, *typing.get_args(item.hint)}
    default: Any = item.field_info.default
    return int in hints and not hints & {float, str}, isinstance(default, tuple) and bool(default)
