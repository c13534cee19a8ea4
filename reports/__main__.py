"""``python -m reports``: from results files to a page, or to a Markdown table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from reports import paper_markdown
from reports.load import ResultsError, newest, newest_papers, read, shown
from reports.markdown import table
from reports.page import write
from reports.paper_page import Section, section
from reports.papers import read as read_papers


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
    found.add_argument(
        "--papers",
        metavar="PATH",
        help="results of the papers' experiments (default: the newest of results/*/papers-*.jsonl; none: without)",
    )
    found.add_argument(
        "--papers-markdown", action="store_true", help="print the papers' claims in Markdown and write no page"
    )
    found.add_argument("--markdown", action="store_true", help="print the headline table in Markdown and write no page")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 0 when all went well, 2 with one sentence on stderr when it did not."""
    chosen = parser().parse_args(arguments)
    try:
        if chosen.papers_markdown:
            papers = _papers(chosen.papers, drawn=False)
            if papers is None:
                raise ResultsError("There are no results of the papers' experiments: run `make experiments` first.")
            print(paper_markdown.page(papers), end="")
            return 0
        results = read(*(chosen.results or [newest()]))
        for note in results.told:
            print(note, file=sys.stderr)
        if chosen.markdown:
            print(table(results))
        else:
            print(_where(write(results, chosen.out, _papers(chosen.papers))))
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


def _papers(named: str | None, *, drawn: bool = True) -> Section | None:
    """The section on the papers' experiments, of the file that was named, else of the newest; None without one."""
    path = None if named == "none" else Path(named) if named else newest_papers()
    if path is None:
        return None
    found = section(read_papers(path), drawn=drawn)
    for note in found.papers.results.told:
        print(note, file=sys.stderr)
    return found


def _where(path: Path) -> str:
    """The path as the caller may use it: relative below the current folder, else as given."""
    inside = path.resolve().is_relative_to(Path.cwd())
    return path.resolve().relative_to(Path.cwd()).as_posix() if inside else str(path)


if __name__ == "__main__":
    sys.exit(main())
