"""The papers' claims as a Markdown page, every number of it computed from the rows of one file."""

from __future__ import annotations

from reports.claims import Judged
from reports.claims.verdict import UNKNOWN
from reports.numbers import DASH
from reports.paper_page import ANSWERS, MARKS, RULES, Section
from reports.tables import escape, markdown

HEADER = ("claim", "published", "measured here", "verdict")


def page(found: Section) -> str:
    """The claims table, then the cases of each claim."""
    run, machine = found.run, found.run.machine
    told = ", ".join(f"{count} {verdict}" for verdict, count in found.counts)
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    lines = [
        "# The papers' claims, measured again",
        "",
        "Every claim is a rule on measured numbers, in `reports/claims/`, and its verdict is computed: " + told + ".",
        RULES,
        "",
        f"`make experiments` ({run.preset}) of commit {(run.commit or 'none')[:12]}, "
        f"{run.started[:10]}, on {machine.cores} cores of {machine.cpu}, "
        f"{machine.system}, one thread a process; {versions}. Rows: `{found.papers.files}`.",
        "This file is made from them by `gradratio page --papers FILE --papers-markdown`.",
        "",
        *(f"**Caution.** {escape(one)}\n" for one in found.cautions),
        *markdown(HEADER, map(_row, found.claims), left=range(4)),
        "",
        "## Every case",
    ]
    for one in found.claims:
        lines += ["", *_cases(one)]
    if found.unfinished:
        lines += ["", "## What is not there", "", *(f"- {escape(name)}: {told}" for name, told in found.unfinished)]
    if found.failed:
        lines += ["", "## What failed", ""]
        lines += [f"- {name}: {escape(one.name)}: {one.status}: {escape(one.reason)}" for name, one in found.failed]
    return "\n".join(lines) + "\n"


def _row(one: Judged) -> tuple[str, ...]:
    detail = f": {escape(one.why)}" if one.why else ""
    claim = f"{escape(one.claim.statement)} ({escape(one.claim.document)}, {escape(one.claim.where)})"
    verdict = f"{MARKS[one.verdict]} **{escape(one.said)}**{detail}"
    return claim, escape(one.claim.published), escape(one.measured or DASH), verdict


def _cases(one: Judged) -> list[str]:
    """The cases of one claim as a table."""
    claim = one.claim
    lines = [f"### {escape(claim.statement)}", "", f"{escape(claim.quantity)}, to be {claim.rule.words}."]
    if not one.cases:
        return [*lines, "", f"{UNKNOWN.capitalize()}. {escape(one.detail)}"]
    rows = [
        (escape(case.name) or DASH, escape(case.measured), ANSWERS[answer])
        for case, answer in zip(one.cases, one.answers, strict=True)
    ]
    return [*lines, "", *markdown(("condition", "measured", "obeys"), rows, left=(0, 2))]
