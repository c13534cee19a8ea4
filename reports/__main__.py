"""``gradratio page``, which is ``python -m reports``: from results files to a page, or to a Markdown table."""

from __future__ import annotations

import argparse
import gc
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.rows import told_path
from reports import answer, paper_markdown
from reports.frame import cells, samples
from reports.gather import experiments, gather, grid_results, peers_bench
from reports.load import ResultsError
from reports.markdown import table
from reports.page import write
from reports.paper_page import section
from reports.parts import Sources
from reports.peers import markdown as peers_markdown
from reports.peers import section as peers_section

SECTIONS = (
    ("papers", "the papers' experiments", "the papers' claims"),
    ("peers", "the peers' bench", "targets and ratios of the peers' bench"),
)
"""Of the page, each from a file of its own: its flag, what its rows are, what its Markdown says."""


class _Renamed(argparse.Action):
    """A flag under the name that it had, which goes on and says the new one."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        print(f"{option_string} is --{self.dest} now.", file=sys.stderr)
        setattr(namespace, self.dest, values)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(
        prog="gradratio page", description="Write one offline HTML page from results files."
    )
    shown_first = found.add_mutually_exclusive_group()
    shown_first.add_argument(
        "--results",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="results files (default: the newest complete one of results/*/*.jsonl)",
    )
    shown_first.add_argument(
        "--beside",
        nargs=2,
        type=Path,
        metavar=("A", "B"),
        help="the page of results B, with a part that sets it beside A: two commits, or two machines",
    )
    shown_first.add_argument(
        "--compare", nargs=2, type=Path, dest="beside", action=_Renamed, help=argparse.SUPPRESS, metavar=("A", "B")
    )
    found.add_argument(
        "--own",
        nargs="+",
        type=Path,
        default=[],
        metavar="PATH",
        help="rows of models of your own (gradratio.compare(...).save(PATH)), as a part of the page",
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
            help=f"results of {what} (default: the newest complete one of results/*/{name}-*.jsonl; none: without)",
        )
        found.add_argument(
            f"--{name}-markdown", action="store_true", help=f"print {told} in Markdown and write no page"
        )
    found.add_argument("--markdown", action="store_true", help="print the headline table in Markdown and write no page")
    found.add_argument("--answer-markdown", action="store_true", help="print the answer in Markdown and write no page")
    found.add_argument("--open", action="store_true", help="open the page in the browser")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 0 when all went well, 2 with one sentence on stderr when it did not, 130 where Ctrl-C stopped it."""
    chosen = parser().parse_args(arguments)
    try:
        text = _markdown(chosen)
        if text is not None:
            print(text, end="" if text.endswith("\n") else "\n")
            return 0
        page = write(_sources(chosen), chosen.out)
    except ResultsError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(
            f"Cannot write the page under {told_path(chosen.out)} ({error.strerror}): choose another --out.",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        print("\nstopped: the page is not written; the rows are kept, and the same command draws it.", file=sys.stderr)
        return 130
    print(_where(page))
    if chosen.open and not webbrowser.open(page.resolve().as_uri()):
        print("No browser was found: open the page by its path.", file=sys.stderr)
    return 0


def _sources(chosen: argparse.Namespace) -> Sources:
    """What the page is made from. No garbage is looked for in it, here or later: rows hold no cycle and stay until the
    end, and a look through a million of them takes seconds each time."""
    gc.disable()
    try:
        return gather(chosen)
    finally:
        gc.freeze()
        gc.enable()


def _markdown(chosen: argparse.Namespace) -> str | None:
    """What is to be printed instead of a page; None for a page."""
    if chosen.papers_markdown:
        papers = experiments(chosen)
        if papers is None:
            raise ResultsError("There are no results of the papers' experiments: run `make experiments` first.")
        return paper_markdown.page(section(papers, drawn=False))
    if chosen.peers_markdown:
        beside = peers_bench(chosen)
        if beside is None:
            raise ResultsError("There are no results of the peers' bench: run `make peers` first.")
        return peers_markdown.text(peers_section(beside, drawn=False))
    if chosen.answer_markdown:
        found = grid_results(chosen)
        return answer.markdown(answer.part(cells(found), samples(found), experiments(chosen), (), found.run))
    if chosen.markdown:
        return table(grid_results(chosen))
    return None


def _where(path: Path) -> str:
    """The path as the caller may use it: relative below the current folder, else as given."""
    inside = path.resolve().is_relative_to(Path.cwd())
    return path.resolve().relative_to(Path.cwd()).as_posix() if inside else str(path)


if __name__ == "__main__":
    sys.exit(main())
