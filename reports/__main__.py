"""``python -m reports``: from results files to a page, or to a Markdown table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from reports import paper_markdown, peers
from reports.load import ResultsError, newest, newest_papers, newest_peers, read, shown
from reports.markdown import table
from reports.page import write
from reports.paper_page import section
from reports.papers import Papers
from reports.papers import read as read_papers
from reports.peers import markdown as peers_markdown

SECTIONS = (
    ("papers", "the papers' experiments", "the papers' claims"),
    ("peers", "the peers' bench", "targets and ratios of the peers' bench"),
)
"""Of the page, each from a file of its own: its flag, what its rows are, what its Markdown says."""


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
    for name, what, told in SECTIONS:
        found.add_argument(
            f"--{name}",
            metavar="PATH",
            help=f"results of {what} (default: the newest of results/*/{name}-*.jsonl; none: without)",
        )
        found.add_argument(
            f"--{name}-markdown", action="store_true", help=f"print {told} in Markdown and write no page"
        )
    found.add_argument("--markdown", action="store_true", help="print the headline table in Markdown and write no page")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 0 when all went well, 2 with one sentence on stderr when it did not."""
    chosen = parser().parse_args(arguments)
    try:
        if chosen.papers_markdown or chosen.peers_markdown:
            print(_markdown(chosen), end="")
            return 0
        results = read(*(chosen.results or [newest()]))
        for note in results.told:
            print(note, file=sys.stderr)
        if chosen.markdown:
            print(table(results))
        else:
            papers, beside = _papers(chosen.papers, newest_papers), _papers(chosen.peers, newest_peers)
            page = write(
                results,
                chosen.out,
                section(papers) if papers else None,
                peers.section(beside) if beside else None,
            )
            print(_where(page))
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


def _markdown(chosen: argparse.Namespace) -> str:
    """The page of claims, or the part of a page on the peers."""
    if chosen.papers_markdown:
        found = _papers(chosen.papers, newest_papers)
        if found is None:
            raise ResultsError("There are no results of the papers' experiments: run `make experiments` first.")
        return paper_markdown.page(section(found, drawn=False))
    found = _papers(chosen.peers, newest_peers)
    if found is None:
        raise ResultsError("There are no results of the peers' bench: run `make peers` first.")
    return peers_markdown.text(peers.section(found, drawn=False))


def _papers(named: str | None, newest_one: Callable[[], Path | None]) -> Papers | None:
    """The rows of the file that was named, else of the newest; None without one."""
    path = None if named == "none" else Path(named) if named else newest_one()
    if path is None:
        return None
    found = read_papers(path)
    for note in found.results.told:
        print(note, file=sys.stderr)
    return found


def _where(path: Path) -> str:
    """The path as the caller may use it: relative below the current folder, else as given."""
    inside = path.resolve().is_relative_to(Path.cwd())
    return path.resolve().relative_to(Path.cwd()).as_posix() if inside else str(path)


if __name__ == "__main__":
    sys.exit(main())
