"""The caller's side without processes: everything is measured in this one, whose state is put back afterwards."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.cells import Cell
from bench.instruments import machine, sources, torch_calls
from bench.own import serve
from bench.own.job import Job
from bench.own.question import Question, model
from bench.own.references import Reference
from bench.plan import Visit
from bench.rows import RunRow, Visited, append, now, visit_row
from bench.run import run_row


def measured(question: Question, cells: list[Cell], *, budget_s: float, path: Path) -> list[RunRow | Visited]:
    """All rows of the comparison, each in the file at ``path`` as soon as it is known: one exact and one time visit of
    every method. One process gives no interval, and nothing stops a method that hangs."""
    ready = {"impls": sources.impls_digest(), "versions": machine.versions()}
    run = run_row(cells, ready, workers=1, preset="own")
    rows: list[RunRow | Visited] = [run]
    append(path, run)
    with _undisturbed():
        try:
            taken = model(question)
            reference = serve.referred(question, taken, serve.steps(cells))
        except Exception as error:  # the model does not run: each method's row says why
            taken, reference, broken = None, Reference(None), error
        for cell in cells:

            @functools.cache  # one job for both visits: it is compiled once
            def factory(cell: Cell = cell) -> Job:
                if taken is None:
                    raise broken
                return Job(question, cell, taken, reference)

            for measure in ("exact", "time"):
                at_start, began = {"started": now(), "load": machine.load()}, time.monotonic()
                found = serve.visited(factory, measure, {"budget_s": budget_s}, taken)
                row = visit_row(run.run, Visit(cell, measure, 0), found | at_start, None, time.monotonic() - began)
                append(path, row)
                rows.append(row)
                if row.status != "ok":
                    break
    return rows


@contextmanager
def _undisturbed() -> Iterator[None]:
    """torch's threads, generator and compiled code are the caller's again afterwards; measuring takes one thread."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    try:
        with torch_calls.apart():
            yield
    finally:
        torch.set_num_threads(threads)
        torch.set_rng_state(state)
