"""The results in the repository give an answer for every situation, or say why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports import cells, read, samples
from reports.answer import markdown, part
from reports.answer.answer import Content
from reports.papers import Papers
from reports.papers import read as read_papers

ROOT = Path(__file__).parents[3] / "results"
GRIDS = sorted(ROOT.glob("[0-9a-f]*/*.jsonl"))
PAPERS = sorted(ROOT.glob("[0-9a-f]*/papers-quick.jsonl"))


@pytest.fixture(scope="module")
def published() -> Papers:
    return read_papers(PAPERS[-1])


@pytest.mark.parametrize("preset", ["quick", "standard"])
def test_every_situation_is_answered_or_says_why_not(preset: str, published: Papers) -> None:
    grid = [path for path in GRIDS if path.stem == preset][-1]
    results = read(grid)
    content: Content = part(cells(results), samples(results), published, (), results.run).content
    for situation in content.situations:
        answers = situation.answers
        assert {answer.case.runner for answer in answers} >= {"torch", "jax"}, situation.rule.name
        for answer in answers:
            assert answer.winners or answer.decision.why
            assert all(one.error <= situation.rule.most_error for one in answer.decision.winners)
            assert not any(one.random for one in answer.decision.winners)
    assert 3 <= len(content.sentences) <= 4 and "nan" not in markdown(content)
