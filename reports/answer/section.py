"""The answer as the first part of the page."""

from __future__ import annotations

from collections.abc import Container

import pandas as pd

from bench.rows import RunRow
from reports.answer.answer import Content, build
from reports.answer.table import table
from reports.papers import Papers
from reports.part import Part


def part(
    frame: pd.DataFrame, samples: pd.DataFrame, papers: Papers | None, evidence: Container[str], run: RunRow
) -> Part:
    """The answer computed from frames of ``reports.frame.cells`` and ``samples`` and, where those have no layer for a
    situation, from the papers' experiments.

    evidence: the ids that the page has, of its parts and of its figures; only they are linked to. run: the grid's run;
    the papers' cells count only where theirs names the same machine and versions.
    """
    content: Content = build(frame, samples, papers, evidence, run)
    title = "Which gradient method should I use?"
    return Part("answer", title, "answer.html.j2", content, tables={"answer": table(content)}, short="The answer")
