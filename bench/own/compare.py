"""``gradratio.compare``: what each way of getting a gradient costs on one's own model, and how right its answer is."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.own import measured, shown
from bench.own.digest import digest
from bench.own.methods import Asked, cells
from bench.own.question import ask, require_positive
from bench.own.settings import numeric, plain_modes
from bench.own.target import require_target


def compare(
    *,
    loss: Any,
    params: Any = None,
    batch: Any = None,
    step: Any = None,
    z0: Any = None,
    args: Any = None,
    methods: Iterable[Asked] | None = None,
    K: int | None = None,
    workers: int = 4,
    name: str = "my model",
    budget_s: float = 1.0,
    timeout_s: float = 300.0,
    residual_tol: float = 1e-3,
    save_to: str | Path | None = None,
) -> Any:
    """Compare gradient methods on one model, in torch or jax, on the cpu.

    Explicit: ``compare(loss=, params=, batch=)`` with ``loss(params, batch)``. Implicit, z = step(z, args):
    ``compare(step=, z0=, args=, loss=)`` with ``step(z, args) -> z`` and ``loss(z)``, or ``loss(z, args)`` where loss
    requires two arguments. A loss returns one number, or ``(number, aux)``, whose aux is dropped.

    params, args: a nest of arrays, or a ``torch.nn.Module``, alone or in a nest, or any jax pytree. Every floating
    or complex array in it gets a gradient, of a module each parameter that requires one. Other arrays, plain numbers
    and batch get none, which the row says where it may surprise; an array out of reach is refused (docs/own.md). All
    are copied first; what loss and step close over is not.
    z0: one floating or complex array, (samples, …). Where step mixes samples, or there is one axis alone, it is a
    single sample.

    methods: names, or pairs such as ``("ift", {"linear_solver": "gmres", "M": 30})``; default: the usual ones. K:
    evaluations of step in the forward solve (60), for an implicit model alone. workers: processes that time every
    method, whose medians give the interval; 0 measures in this process, without one. budget_s: seconds of timed pairs
    for each method and worker. timeout_s: seconds after which a method is given up. residual_tol: the largest
    ‖step(z) − z‖/‖z‖ that counts as solved. save_to: a file of results, new or old, to which each row is added once it
    is known.

    Returns a ``Comparison``, a pandas frame with one row a method (see ``bench.own.shown``). A method that cannot be
    measured has a row with its status and reason. Raises ``ValueError`` or ``LookupError``, in one sentence and before
    any work, for arguments that make no question, and for a model that cannot be sent to a process.
    """
    if not isinstance(workers, int) or isinstance(workers, bool) or workers < 0:
        raise ValueError(f"workers must be a whole number from 0 up, not {workers!r}.")
    for what, number in (("budget_s", budget_s), ("timeout_s", timeout_s)):
        require_positive(what, number, "a number of seconds above 0")
    question = ask(
        loss=loss, params=params, batch=batch, step=step, z0=z0, args=args, name=name, residual_tol=residual_tol
    )
    chosen = cells(
        methods,
        framework=question.framework,
        dtype=question.dtype,
        name=question.name,
        implicit=question.implicit,
        K=K,
        digest=digest(
            question.loss, question.step, question.params, question.batch, question.z0, numeric(question.settings)
        ),
    )
    if save_to is not None:
        require_target(save_to)
    with tempfile.TemporaryDirectory(prefix="gradratio-") as folder, plain_modes(question.framework):
        path = Path(save_to) if save_to is not None else Path(folder, "own.jsonl")
        if workers:
            rows = measured.in_processes(
                question, chosen, workers=workers, budget_s=budget_s, timeout_s=timeout_s, path=path
            )
        else:
            rows = measured.in_this_process(question, chosen, budget_s=budget_s, path=path)
    return shown.comparison(rows)
