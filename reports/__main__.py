"""``python -m reports``: from results files to a page, or to a Markdown table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from reports.load import ResultsError, newest, read, shown
from reports.markdown import table
from reports.page import write


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(
        prog="python -m reports", description="Write one offline HTML page from results files."
    )
    found.add_argument(
        "--results",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="results files (default: the newest of results/*/*.jsonl)",
    )
    found.add_argument(
        "--out",
        type=Path,
        default=Path("reports/html"),
        metavar="FOLDER",
        help="where the page goes (default: reports/html)",
    )
    found.add_argument("--markdown", action="store_true", help="print the headline table in Markdown and write no page")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 0 when all went well, 2 with one sentence on stderr when it did not."""
    chosen = parser().parse_args(arguments)
    try:
        results = read(*(chosen.results or [newest()]))
        for note in results.told:
            print(note, file=sys.stderr)
        print(table(results) if chosen.markdown else _where(write(results, chosen.out)))
    except ResultsError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(
            f"Cannot write the page under {shown(chosen.out)} ({error.strerror}): choose another --out.",
            file=sys.stderr,
        )
        return 2
    return 0


def _where(path: Path) -> str:
    """The path as the caller may use it: relative below the current folder, else as given."""
    inside = path.resolve().is_relative_to(Path.cwd())
    return path.resolve().relative_to(Path.cwd()).as_posix() if inside else str(path)


if __name__ == "__main__":
    sys.exit(main())
