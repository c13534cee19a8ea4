"""The file that rows are added to, looked at before any work."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from bench.rows import read


def require_target(path: Any) -> None:
    """Make the folder of a file of results; ``ValueError`` in one sentence where rows cannot be added to that file."""
    if not isinstance(path, str | os.PathLike):
        raise ValueError(f"save_to must be the path of a file, not {path!r}.")
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise ValueError(f"save_to names the folder {target}: give the path of a file in it.")
        read(target)
        writable = os.access(target if target.exists() else target.parent, os.W_OK)
    except OSError as error:
        raise ValueError(f"No file can be made at save_to={str(target)!r}: {error.strerror or error}.") from None
    except ValueError as error:
        if "save_to" in str(error):
            raise
        raise ValueError(f"save_to names a file that holds no results, and stays as it is: {target}.") from None
    if not writable:
        raise ValueError(f"save_to={str(target)!r} cannot be written to: give a path in a folder of your own.")
