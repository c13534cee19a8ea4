"""The id of a cell taken apart, for what keeps ids alone."""

from __future__ import annotations

import re
from typing import NamedTuple

from reports.labels import label, runner, settings
from reports.numbers import clip

_ID = re.compile(
    r"(?P<framework>\w+)/(?P<mode>\w*)/(?P<device>[\w:]+)/(?P<dtype>\w+)/(?P<problem>\w+)(\((?P<sizes>[^()]*)\))?"
    r"/((?P<gradient>\w+)×)?(?P<method>\w+)(\((?P<options>[^()]*)\))?(/seed=\d+)?"
)


class Name(NamedTuple):
    """What a cell is called: its problem with sizes, its method, the method's other options, what ran it."""

    problem: str
    sizes: str
    label: str
    options: str
    runner: str


def name(cell: str) -> Name:
    """The parts of an id such as ``torch/eager/cpu/float32/tanh(width=512)/ift(K=60,linear_solver=gmres)``; one that is
    no id stands as the method alone.

    >>> name("jax/jit/cpu/float32/tanh(width=512)/ift(K=60,linear_solver=gmres)")
    Name(problem='tanh', sizes='width 512', label='IFT, GMRES', options='K 60', runner='jax')
    """
    found = _ID.fullmatch(cell)
    if found is None:
        return Name("", "", clip(cell, 80), "", "")
    sizes, options = (_settings(found[which] or "") for which in ("sizes", "options"))
    return Name(
        found["problem"],
        settings(sizes),
        label(found["method"], options, found["gradient"] or "backprop"),
        settings(options, without=("linear_solver", "tangents")),
        runner(found["framework"], found["mode"]),
    )


def _settings(text: str) -> dict[str, str]:
    """``K=60,M=20`` as a table."""
    return dict((part.partition("=")[0], part.partition("=")[2]) for part in text.split(",") if part)
