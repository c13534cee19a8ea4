"""The answer: every situation decided for each runner, with what stands beside."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

import pandas as pd

from bench.rows import RunRow
from reports.answer import notes
from reports.answer.candidate import BYTES, Candidate, Case
from reports.answer.common_time import clock
from reports.answer.memory_order import lines, order
from reports.answer.paper_cases import same_machine
from reports.answer.rule import MOST_NAMED, Decision, Rule, decide
from reports.answer.sentences import sentences
from reports.answer.situations import HOW, RULES, Measured
from reports.labels import place
from reports.papers import Papers
from reports.sweeps import Line

LINKS = {
    "results": (("results", "results"), ("figure-ratios", "figure")),
    "layers": (("results", "results"), ("precision", "precision")),
    "papers": (("papers", "papers"), ("figure-papers-work-precision", "figure")),
    "memory/depth": (("memory", "memory"), ("figure-peak-by-depth", "figure")),
    "memory/K": (("memory", "memory"), ("figure-peak-by-k", "figure")),
}
"""Ids of the page, with their words, by what a case was measured in."""

NO_CELL = "no cell fits"
OTHERS = "no cell fits, and the papers’ experiments ran on another machine or with other versions"


@dataclass(frozen=True)
class Answer:
    """One situation on one runner. memory: how the peak of each winner grows; told: why, and what else was measured;
    links: (id, words)."""

    decision: Decision
    memory: tuple[str, ...]
    told: tuple[str, ...]
    links: tuple[tuple[str, str], ...]

    @property
    def case(self) -> Case:
        """The case that stands for the situation."""
        return self.decision.case

    @property
    def winners(self) -> tuple[Candidate, ...]:
        """The winners that are shown."""
        return self.decision.winners[:MOST_NAMED]

    @property
    def further(self) -> int:
        """How many winners are not shown."""
        return len(self.decision.winners) - len(self.winners)


@dataclass(frozen=True)
class Situation:
    """A rule with an answer for each runner; where no cell fits it there is none, and ``why`` says so."""

    rule: Rule
    answers: tuple[Answer, ...]
    why: str = NO_CELL


@dataclass(frozen=True)
class Content:
    """All that the template and the Markdown need."""

    situations: tuple[Situation, ...]
    sentences: tuple[str, ...]
    how: str = HOW
    """What all rules share."""


def build(
    frame: pd.DataFrame, samples: pd.DataFrame, papers: Papers | None, evidence: Container[str], run: RunRow
) -> Content:
    """Decide every situation; see ``reports.answer.part``."""
    same = papers is None or same_machine(papers, run)
    measured = Measured(frame, clock(samples), papers if same else None)
    swept = lines(frame)
    found = tuple(
        Situation(rule, _answers(rule, measured, swept, evidence), OTHERS if rule.papers and not same else NO_CELL)
        for rule in RULES
    )
    decided = [(one.rule, {answer.case.runner: answer.decision for answer in one.answers}) for one in found]
    return Content(found, tuple(sentences(frame, swept, decided)))


def _answers(rule: Rule, measured: Measured, swept: list[Line], evidence: Container[str]) -> tuple[Answer, ...]:
    """For each runner the hardest case, with what the others say."""
    of: dict[str, list[Decision]] = {}
    for case in rule.cases(measured):
        of.setdefault(case.runner, []).append(decide(case, rule.most_error))
    found = []
    for runner in sorted(of, key=place):
        hardest = max(of[runner], key=lambda one: one.case.hardness)
        others = [one for one in of[runner] if one is not hardest]
        found.append(_answer(rule, hardest, others, swept, evidence))
    return tuple(found)


def _answer(
    rule: Rule, decision: Decision, others: list[Decision], swept: list[Line], evidence: Container[str]
) -> Answer:
    case = decision.case
    runner = str(case.candidates[0].row["runner"]) if case.candidates else ""
    words = {name: order(swept, name, runner, case.problem) for name in case.methods}
    told = (
        notes.reason(decision),
        notes.dominated(decision),
        notes.paired(decision),
        notes.following(decision, rule.most_error),
        notes.not_compared(decision),
        notes.at_one_length(decision, rule.most_error),
        notes.growths(case, words) if case.unit == BYTES else "",
        notes.acceptable(decision, rule.most_error),
        notes.random(decision),
        notes.elsewhere(decision, others),
        notes.unfit(case),
        notes.lost(case),
    )
    memory = tuple(words[one.label] for one in decision.winners[:MOST_NAMED])
    links = tuple(link for link in LINKS[case.source] if link[0] in evidence)
    return Answer(decision, memory, tuple(filter(None, told)), links)
