"""The command ``gradratio``: those that measure are ``bench.commands``, and ``page`` is that of ``reports``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bench import commands

PAGE = "write one offline HTML page from results files, or a table of them in Markdown"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["page"]:
        from reports.__main__ import main as page  # which imports pandas and more

        return page(words[1:])
    return commands.main(words, prog="gradratio", beside={"page": PAGE})


if __name__ == "__main__":
    sys.exit(main())
