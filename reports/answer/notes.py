"""What stands beside a decision: what else costs how much, what was not compared, what other cases say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import nan, sqrt

from reports.answer.candidate import FORWARDS, Candidate, Case, comparable
from reports.answer.names import both, listed
from reports.answer.rule import Decision, decide
from reports.below_one import causes
from reports.labels import settings
from reports.numbers import interval, number, sig

MOST_TOLD = 6
"""Other cases, or failed cells, that one note names."""

MOST_FOLLOWING = 3
"""Methods that come after the winners, of which one note tells."""


def reason(decision: Decision) -> str:
    """Why these winners, as a sentence; empty where there is nothing to say, or no winner."""
    return f"{decision.why[:1].upper()}{decision.why[1:]}." if decision.winners and decision.why else ""


def dominated(decision: Decision) -> str:
    """Which settings cost the same as the least and are not named, and in what the one that is named is better."""
    case = decision.case
    told = [f"{loser.name} {case.amount(loser.cost)} ({_worse(loser, by)})" for loser, by in decision.dominated]
    return f"Not told apart in cost, and no better otherwise: {_some(told)}." if told else ""


def _worse(loser: Candidate, by: Candidate) -> str:
    """How many times the error and the bytes of another one a setting has."""
    named = (("error", loser.error, by.error), ("peak bytes", loser.peak, by.peak))
    told = [f"{sig(one / other)} times the {what}" for what, one, other in named if other > 0 and one == one]
    return f"{both(told)} of {by.name}"


def paired(decision: Decision) -> str:
    """Where R in the forwards of each cell's own tells settings of one K apart whose times in one unit it does not."""
    case = decision.case
    same = [*decision.winners, *(loser for loser, _ in decision.dominated)]
    told = [
        f"{_ratio(one)} for {one.name} and {_ratio(other)} for {other.name}"
        for one in same
        for other in same
        if not case.own(one) and one.K == other.K and one.ratio.high < other.ratio.low
    ]
    words = "R is in the forward of each cell, which was timed with that cell alone"
    return f"{words}: {_some(told)}." if told else ""


def unfit(case: Case) -> str:
    """Which cells are left out since R below 1 is no unit, and why."""
    found = [one for one in case.candidates if case.unfit(one)]
    told = "; ".join(f"{one.name} {_ratio(one)}" for one in found[:MOST_TOLD])
    return f"Left out, R below 1: {told}. {causes(one.row for one in found)}" if found else ""


def following(decision: Decision, most_error: float) -> str:
    """The least costly setting of each other method that has an error as small; empty where there is none."""
    case, best = decision.case, dict[str, Candidate]()
    if not decision.winners:
        return ""
    named = {*decision.methods, *(loser.label for loser, _ in decision.dominated)}
    usable = (one for one in case.candidates if comparable(one) and not case.unfit(one))
    for one in sorted(usable, key=lambda one: one.cost.value):
        if one.error <= most_error and not one.random and one.label not in named:
            best.setdefault(one.label, one)
    if not best:
        return ""
    next_ones = list(best.values())[:MOST_FOLLOWING]
    told = "; ".join(f"{one.name} {case.amount(one.cost)}" for one in next_ones)
    return f"Next, with an error of at most {most_error:g} too: {told} {case.unit_of(*next_ones)}."


def acceptable(decision: Decision, most_error: float) -> str:
    """What JFB costs, for whom its error will do; empty where it is among the winners or was not measured."""
    found = [one for one in decision.case.candidates if one.label == "JFB" and comparable(one)]
    if not found or any(one.error <= most_error for one in found):
        return ""
    least = min(found, key=lambda one: one.cost.value)
    where = f" at K = {least.K:g}" if len({one.K for one in found}) > 1 else ""
    cost = decision.case.cost(least)
    return f"If an error of {sig(least.error)} is acceptable, JFB{where} takes {cost}."


def random(decision: Decision) -> str:
    """What forward gradients cost beside the first winner, and how large the error of one draw is.

    The expectation over tangents is the gradient, so they are unbiased; that of one draw is off by about √n for n
    parameters, which no accuracy survives: they are never chosen, whatever they cost.
    """
    case = decision.case
    found = sorted((one for one in case.candidates if one.random and comparable(one)), key=lambda one: one.cost.value)
    if not found:
        return ""
    costs = both([f"{case.amount(one.cost)} ({_tangents(one.name)})" for one in found])
    first = decision.winners[0] if decision.winners else None
    beside = f", beside {case.amount(first.cost)} of {first.label}" if first else ""
    errors = _range([one.error for one in found])
    parameters = {number(one.row["parameters"]) for one in found}
    known = len(parameters) == 1 and max(parameters) > 0
    root = f"; √n = {sig(sqrt(max(parameters)))} for n parameters" if known else ""
    return (
        f"Forward gradients take {costs} {case.unit_of(*found)}{beside}. They are unbiased, but the error of one draw "
        f"is {errors}{root}."
    )


def at_one_length(decision: Decision, most_error: float) -> str:
    """What is least costly where all methods share the longest forward solve; empty where the case has one length, or
    where that names the same methods. R is compared, whose pairs cancel much of a machine's noise."""
    case = decision.case
    lengths = {one.K for one in case.candidates}
    if case.unit != FORWARDS or len(lengths) < 2:
        return ""
    candidates = (replace(one, cost=one.ratio) for one in case.candidates if case.longest == one.K)
    found = decide(replace(case, candidates=tuple(candidates), longest=nan), most_error)
    if not found.winners or found.methods == decision.methods:
        return ""
    cost = f"{found.case.amount(found.winners[0].cost)} {found.case.quantity}"
    return f"Of the settings with K = {case.longest:g} alone, the least costly is {found.named}: {cost}."


def not_compared(decision: Decision) -> str:
    """Which methods have no cell with the forward solve of the winner; empty where all have one."""
    case = decision.case
    if not decision.winners or case.unit != FORWARDS or len({one.K for one in case.candidates}) < 2:
        return ""
    K = decision.winners[0].K
    there = {one.label for one in case.candidates if one.K == K}
    absent = {name: sorted({one.K for one in case.candidates if one.label == name}) for name in case.methods}
    told = [f"{name} (only K = {', '.join(f'{k:g}' for k in Ks)})" for name, Ks in absent.items() if name not in there]
    return f"Not measured at K = {K:g}: {'; '.join(told)}." if told else ""


def elsewhere(decision: Decision, others: Sequence[Decision]) -> str:
    """What the other cases of the same runner say, where they decide; the sizes in which they differ name them."""
    said: dict[str, list[str]] = {}
    for other in others:
        if other.winners:
            said.setdefault(" or ".join(other.methods), []).append(_apart(other.case, decision.case))
    same = said.pop(" or ".join(decision.methods), []) if decision.winners else []
    told = [f"The same at {_some(same)}."] if same else []
    return " ".join(told + [f"At {_some(where)}: {methods}." for methods, where in said.items()])


def growths(case: Case, words: dict[str, str]) -> str:
    """How the peak of each method of a sweep grows; empty where no slope is known."""
    said: dict[str, list[str]] = {}
    for name in case.methods:
        if words.get(name):
            said.setdefault(words[name], []).append(name)
    told = (f"{growth[:1].upper()}{growth[1:]}: {listed(names)}." for growth, names in said.items())
    return " ".join(told)


def lost(case: Case) -> str:
    """What was tried and has no numbers."""
    return f"Without numbers: {_some(case.lost)}." if case.lost else ""


def _some(names: Sequence[str]) -> str:
    """The first of them; the others are counted."""
    more = f"; and {len(names) - MOST_TOLD} more" if len(names) > MOST_TOLD else ""
    return "; ".join(names[:MOST_TOLD]) + more


def _apart(one: Case, other: Case) -> str:
    """The sizes of a case in which it differs from another."""
    names = [name for name, value in one.sizes.items() if other.sizes.get(name) != value]
    problem = one.problem if one.problem != other.problem or not names else ""
    dtype = one.dtype if one.dtype != other.dtype else ""
    return ", ".join(filter(None, (problem, settings({name: one.sizes[name] for name in names}), dtype)))


def _ratio(one: Candidate) -> str:
    return interval(one.ratio.value, one.ratio.low, one.ratio.high)


def _tangents(name: str) -> str:
    """The name of a forward gradient among others: what its tangents are."""
    return "tangents sampled" if name == "forward gradient" else name.removeprefix("forward gradient, ")


def _range(values: Sequence[float]) -> str:
    low, high = sig(min(values)), sig(max(values))
    return low if low == high else f"{low} to {high}"
