"""The words of a failure, fit for a committed file."""

from __future__ import annotations

import platform
import re
from pathlib import Path


def without_paths(text: str) -> str:
    """The text with each absolute path cut down to its last name, since a result names no folders; the home folder,
    whose last name is its owner's, and the name of this machine go altogether."""
    text = text.replace(str(Path.home()), "~") if Path.home() != Path("/") else text
    text = re.sub(rf"\b{re.escape(platform.node())}\b", "host", text) if platform.node() else text
    text = re.sub(r"/(?:home|Users)/[^\s/'\"]+", "~", text)
    return re.sub(r"(?:file:/*)?~/(?:[^\s/'\"]+/)*|(?:file://)?(?<![\w./~])/(?:[^\s/'\"]+/)+", "", text)
