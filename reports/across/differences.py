"""What a reader must know before two results files are compared: what besides the methods differs between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.rows import Gpu, Machine
from reports.across.pairs import Matched
from reports.cautions import cautions
from reports.load import Results
from reports.numbers import clip, number, size

MACHINE = {"cpu": "processor", "cores": "cores", "memory_bytes": "memory", "system": "system", "gpu": "GPU"}
MOST_NAMES = 6
"""Versions, or cells, that a sentence names; the others are counted."""


def differences(a: Results, b: Results, found: Matched) -> list[str]:
    """Sentences, the gravest first; what each file alone has to be warned of comes last, behind its letter."""
    sentences = [*_machine(a, b), *_versions(a, b), *_run(a, b), *_cells(found)]
    for letter, results, frame in (("A", a, found.frames[0]), ("B", b, found.frames[1])):
        sentences += [f"{letter}: {sentence}" for sentence in cautions(results, frame)]
    return sentences


def equal_runs(a: Results, b: Results) -> str:
    """A sentence where nothing but the run differs, so that every difference is noise; else empty."""
    if _machine(a, b) or _versions(a, b) or _run(a, b) or a.run.impls != b.run.impls:
        return ""
    return (
        "Methods, instruments, versions and machine are the same in A and B: what differs here is what one run differs "
        "from the next."
    )


def _machine(a: Results, b: Results) -> list[str]:
    one, other = a.run.machine, b.run.machine
    named = _named([(words, _said(name, one), _said(name, other)) for name, words in MACHINE.items()])
    if not named:
        return []
    return [
        f"A and B were measured on different machines ({named}): R can be compared with care, since another machine "
        "may be better at gradients than at forwards; seconds cannot, and are not."
    ]


def _versions(a: Results, b: Results) -> list[str]:
    one, other = a.run.versions, b.run.versions
    named = _named([(name, one.get(name, "none"), other.get(name, "none")) for name in {**one, **other}])
    return [f"A and B were measured with other versions ({named}): a difference may be theirs."] if named else []


def _run(a: Results, b: Results) -> list[str]:
    """Instruments and threads."""
    found = []
    if a.run.bench != b.run.bench:
        named = _named([("version", a.run.bench, b.run.bench)])
        found.append(f"A and B were measured with other instruments ({named}): a difference may be theirs.")
    if a.run.threads != b.run.threads:
        named = _named([("threads", a.run.threads, b.run.threads)])
        found.append(f"A and B were measured with other numbers of threads ({named}): R depends on it.")
    return found


def _cells(found: Matched) -> list[str]:
    """Cells that stand in both files and are not compared."""
    reasons = (
        (found.shared, "the same visits in both files, which say nothing about a change"),
        (found.resized, "of other sizes or options in A than in B under the same name"),
    )
    return [f"Not compared: {listed(cells)}, {why}." for cells, why in reasons if cells]


def listed(cells: Sequence[str]) -> str:
    """How many cells, with the names of the first."""
    left = len(cells) - MOST_NAMES
    names = "; ".join([*(clip(cell, 120) for cell in cells[:MOST_NAMES]), *([f"and {left} more"] if left > 0 else [])])
    return f"{len(cells)} cell{'s' if len(cells) > 1 else ''} ({names})"


def _named(values: Sequence[tuple[str, Any, Any]]) -> str:
    """``torch 2.12.0 in A and 2.13.0 in B``, for what differs; empty where nothing does."""
    apart = [
        f"{clip(str(name), 40)} {clip(str(one), 60)} in A and {clip(str(other), 60)} in B"
        for name, one, other in values
        if one != other
    ]
    left = len(apart) - MOST_NAMES
    return "; ".join([*apart[:MOST_NAMES], *([f"and {left} more"] if left > 0 else [])])


def _said(name: str, machine: Machine) -> str:
    """A fact of a machine in words."""
    value = getattr(machine, name)
    if isinstance(value, Gpu):
        return value.name or "unnamed"
    return size(number(value)) if name == "memory_bytes" else str(value or "none")
