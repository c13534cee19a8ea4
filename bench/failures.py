"""What a cell can raise that is a result of its own, and the status and the words that a failure gets in its row."""

from __future__ import annotations

import operator
import platform
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any


class Wrong(Exception):
    """The gradient is off its oracle."""


class Diverged(Exception):
    """The loss or gradient is no number."""


class NotApplicable(Exception):
    """This combination does not exist, for the reason given."""


class Unavailable(NotApplicable):
    """This machine lacks what the cell needs, such as a compiler or a GPU."""


GONE = (ImportError, AttributeError, KeyError, TypeError)
"""What the use of a name raises that a framework no longer has, or has in another form."""


def require_sight(
    framework: str, what: str, look: Callable[[], Any], known: Any, right: Callable[[Any, Any], bool] = operator.eq
) -> None:
    """Try an instrument that rests on a framework's private names or options: ``look()`` measures a case whose answer
    is ``known``. Raises ``Unavailable`` where a name is gone, and where what is found is not ``right``."""
    try:
        found = look()
        if right(found, known):
            return
        how = f"shows {found} {what} where {known} are known"
    except GONE as error:
        how = f"shows no {what} any more ({type(error).__name__}: {error})"
    version = import_module(framework).__version__
    raise Unavailable(f"{framework} {version} {how}, so they cannot be measured: use the versions of constraints.txt.")


UNAVAILABLE = "not available here: "
"""How the reason of a cell begins that this machine lacks something for."""

OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "RESOURCE_EXHAUSTED", "Unable to allocate")
"""How array libraries word it when they raise no ``MemoryError``."""


def failure(error: Exception) -> tuple[str, str]:
    """The status that an exception stands for, and its first line without the paths of this machine."""
    text = without_paths((str(error).strip().splitlines() or [""])[0])
    named = f"{type(error).__name__}: {text}"
    if isinstance(error, NotApplicable):
        return "n/a", UNAVAILABLE * isinstance(error, Unavailable) + text
    if isinstance(error, Wrong):
        return "wrong", text
    if isinstance(error, Diverged):
        return "diverged", text
    if isinstance(error, MemoryError) or any(words in str(error) for words in OUT_OF_MEMORY):
        return "oom", named
    return "failed", named


def without_paths(text: str) -> str:
    """The text with each absolute path cut down to its last name, since a result names no folders; the home folder,
    whose last name is its owner's, and the name of this machine go altogether."""
    text = text.replace(str(Path.home()), "~") if Path.home() != Path("/") else text
    text = re.sub(rf"\b{re.escape(platform.node())}\b", "host", text) if platform.node() else text
    text = re.sub(r"/(?:home|Users)/[^\s/'\"]+", "~", text)
    return re.sub(r"(?:file:/*)?~/(?:[^\s/'\"]+/)*|(?:file://)?(?<![\w./~])/(?:[^\s/'\"]+/)+", "", text)
