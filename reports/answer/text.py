"""The answer in Markdown, for a README."""

from __future__ import annotations

from reports import tables
from reports.answer.answer import Answer, Content, Situation
from reports.numbers import DASH, sig
from reports.part import Part
from reports.tables import escape

NAMES = ("situation", "framework", "method", "cost", "memory", "gradient error", "measured on")


def markdown(found: Part | Content) -> str:
    """A table, a line a situation and framework, and under it the sentences on what holds in all."""
    content = found.content if isinstance(found, Part) else found
    rows = [row for situation in content.situations for row in _rows(situation)]
    lines = tables.markdown(NAMES, rows, left=range(len(NAMES)))
    return "\n".join([*lines, "", escape(" ".join(content.sentences))]).rstrip()


def _rows(situation: Situation) -> list[list[str]]:
    title = escape(situation.rule.title)
    if not situation.answers:
        return [[title, "", _undecided(situation, None), DASH, DASH, DASH, DASH]]
    return [[title, escape(answer.case.runner), *_cells(situation, answer)] for answer in situation.answers]


def _cells(situation: Situation, answer: Answer) -> list[str]:
    """The cells as Markdown. Costs are numbers of ours, whose brackets start no link: they stay as they are."""
    case = answer.case
    if not answer.winners:
        return [_undecided(situation, answer), DASH, DASH, DASH, escape(case.place)]
    units = list(map(case.unit_of, answer.winners))
    shared = len(set(units)) == 1  # said once
    costs = "; ".join(
        case.amount(one.cost) + ("" if shared else f" {unit}") for one, unit in zip(answer.winners, units, strict=True)
    ) + (f" {units[0]}" if shared else "")
    memory = "; ".join(one or "not measured" for one in dict.fromkeys(answer.memory))
    errors = "; ".join(sig(one.error) for one in answer.winners)
    lone = f" ({answer.decision.lone})" if answer.decision.lone else ""
    return [escape(answer.decision.named) + lone, costs, escape(memory), errors, escape(case.place)]


def _undecided(situation: Situation, answer: Answer | None) -> str:
    why = escape(answer.decision.why if answer else situation.why)
    return f"not decided by these results: {why}; to measure it: `{situation.rule.command}`"
