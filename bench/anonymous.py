"""No result names its machine or its owner: a search for those names in a document that is about to be written."""

from __future__ import annotations

import getpass
import platform
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any


def secrets() -> dict[str, tuple[str, ...]]:
    """What must not be written, by kind: names of this machine and its user, and folders that hold such names."""
    host = platform.node()
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user without an entry, as in some containers
        user = ""
    return {
        "host name": (host, host.partition(".")[0]),
        "user name": (user,),
        "home folder": (str(Path.home()),),
        "working folder": (str(Path.cwd()),),
    }


def leaks(document: Any, known: Mapping[str, Iterable[str]], public: Iterable[str] = ()) -> list[str]:
    """Where a document of JSON types holds a secret: ``user name at benchmarks.3.extra_info.reason``.

    A secret counts where it stands as a word or path of its own in a value, in whatever case; keys belong to the
    format. One that is also a word of the ``public`` texts, such as a machine that is called epyc after its processor,
    says nothing and is not looked for.
    """
    allowed = " ".join(public)
    sought = [
        (kind, pattern)
        for kind, names in known.items()
        for name in dict.fromkeys(names)
        if name not in ("", "/", ".") and not (pattern := _word(name)).search(allowed)
    ]
    found = [
        f"{kind} at {place or 'the top'}"
        for place, text in _texts(document, ())
        for kind, pattern in sought
        if pattern.search(text)
    ]
    return list(dict.fromkeys(found))


def _word(name: str) -> re.Pattern[str]:
    """The name with no letter or digit right before or after it."""
    return re.compile(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", re.IGNORECASE)


def _texts(value: Any, place: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Every value that is a text, with its place."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _texts(one, (*place, str(key)))
    elif isinstance(value, list | tuple):
        for index, one in enumerate(value):
            yield from _texts(one, (*place, str(index)))
    elif isinstance(value, str):
        yield ".".join(place), value
