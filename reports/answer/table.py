"""The answer as a table of data: one row a method that is named, or a situation that is not decided."""

from __future__ import annotations

import pandas as pd

from reports.answer.answer import Answer, Content, Situation
from reports.answer.candidate import FORWARDS

COLUMNS = (
    "situation",
    "runner",
    "case",
    "method",
    "options",
    "cost",
    "cost_low",
    "cost_high",
    "cost_unit",
    "R",
    "R_low",
    "R_high",
    "bytes_beyond_forward",
    "memory",
    "gradient_error",
    "notes",
)


def table(content: Content) -> pd.DataFrame:
    """Every row; numbers that are not known are NaN."""
    rows = [row for one in content.situations for row in _rows(one)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def undecided(situation: Situation, answer: Answer | None) -> str:
    """Why nothing is named, and what would tell, as sentences."""
    why = answer.decision.why if answer else situation.why
    return f"Not decided by these results: {why}. To measure it: {situation.rule.command}."


def _rows(situation: Situation) -> list[dict[str, object]]:
    title = situation.rule.title
    if not situation.answers:
        return [{"situation": title, "notes": undecided(situation, None)}]
    found: list[dict[str, object]] = []
    for answer in situation.answers:
        row: dict[str, object] = {"situation": title, "runner": answer.case.runner, "case": answer.case.about}
        if not answer.winners:
            found.append(row | {"notes": " ".join([undecided(situation, answer), *answer.told])})
        for one, memory in zip(answer.winners, answer.memory, strict=True):
            unit = answer.case.unit_of(one) if answer.case.unit == FORWARDS else answer.case.unit
            costs = {"cost": one.cost.value, "cost_low": one.cost.low, "cost_high": one.cost.high}
            ratio = {"R": one.ratio.value, "R_low": one.ratio.low, "R_high": one.ratio.high}
            who = {"method": one.label, "options": one.options, "cost_unit": unit}
            sizes = {"bytes_beyond_forward": one.beyond, "memory": memory, "gradient_error": one.error}
            found.append(row | who | costs | ratio | sizes | {"notes": " ".join(answer.told)})
    return found
