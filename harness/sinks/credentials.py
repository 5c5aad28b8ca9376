"""Addresses without the names, passwords and tokens in them: what reports, logs and messages show.

Pure. What is shown still tells the place: the scheme, the host and the path stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Schemes whose rest is a path, in which @ means nothing.
LOCAL = ("file", "sqlite")
#: What stands between a scheme and a host.
USERINFO = re.compile(r"(?<![\w+.-])([A-Za-z][\w+.-]*://)[^\s/?#'\"]*@")
OPTION = "--mlflow"


def shown(uri: str) -> str:
    """Return an address without its query and without all before the last @, escaped or not."""
    scheme, mark, rest = uri.partition("://")
    if not mark or scheme.partition("+")[0].lower() in LOCAL:
        return uri
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"


def hidden(text: str, uri: str = "") -> str:
    """Return a message without the credentials of the addresses in it.

    Args:
        uri: an address that it may quote.
    """
    if uri and shown(uri) != uri:
        text = text.replace(uri.rstrip("/"), shown(uri).rstrip("/"))
    return USERINFO.sub(r"\1", text)


def without(words: Iterable[str]) -> list[str]:
    """Return the words of a command as they may be kept."""
    kept: list[str] = []
    for word in words:
        name, mark, value = word.partition("=")
        if kept and kept[-1] == OPTION:
            kept.append(shown(word))
        elif mark and name == OPTION:
            kept.append(f"{name}={shown(value)}")
        else:
            kept.append(hidden(word))
    return kept
