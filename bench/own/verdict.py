"""Whether a gradient that is off the reference is wrong, or off for a reason: an unfinished solve, or rounding."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, log
from typing import Any

import numpy as np

from bench.cell import Cell
from bench.failures import Diverged, Wrong
from bench.own.derived import LONGEST
from bench.own.question import Unsuitable
from bench.own.tolerances import CAP, KINK, SPREADS, TOLERANCE, allowed, solves

BASIS = 200
"""The most steps of a Krylov solve that is to be finished: each keeps a state."""


class Unfinished(Exception):
    """A solve that leaves too much for its gradient to be judged."""


def judged(job: Any, deviation: float, *, last: bool = False) -> str:
    """A note on why the gradient of an exact method may deviate so far, empty where it does not; raises ``Wrong``.

    job: see ``bench.own.job.Job``. last: the job is itself one in float64 that another one is judged by; it raises
    ``Unfinished`` where its solves leave too much.
    """
    dtype = job.cell.dtype
    most = allowed(dtype)
    if deviation <= most:
        return ""
    if job.implicit:
        backward = job.backward_residual
        bound = allowed(dtype, solves(job.K, job.residual, backward, job.radius))
        if not bound <= most + CAP:
            if last:
                raise Unfinished
            return _unfinished(job, deviation)
        most = bound
    if deviation <= most:
        return ""
    if not last:
        if dtype == "float32" and deviation <= KINK and _near_in_double(job):
            return ""
        if deviation <= SPREADS * (spread := job.spread):
            return (
                f"The gradient error may be rounding alone: the gradient is small against its terms, and rounding the "
                f"arrays to {dtype} changes it by {spread:.1g} of its length."
            )
    raise Wrong(_words(deviation, most))


def _words(deviation: float, most: float) -> str:
    return f"The gradient is {deviation:.2g} away from the float64 reference, more than {most:.1g}."


def _near_in_double(job: Any) -> bool:
    try:
        with job.doubled() as exact:
            exact.check()
    except Wrong:
        return False
    return True


def _unfinished(job: Any, deviation: float) -> str:
    """The verdict on a method whose solves leave more than ``CAP``.

    Two things make it right: in float64 and with as many steps as it takes it meets the reference, and with its own
    steps it is what the same method gives in float64. Neither holds for a gradient that is negated or zero.
    """
    note = "Not checked: the solve is unfinished, and what it leaves may be larger than the gradient; raise K."
    try:
        with job.doubled(longer(job.cell, job.radius)) as finished:
            finished.check(last=True)
        with job.doubled() as exact:
            same = exact.grads
    except Wrong:
        raise Wrong(
            f"The gradient is {deviation:.2g} away from the float64 reference, and stays away from it when the solve "
            "takes as many steps as it needs in float64."
        ) from None
    except (Unfinished, Diverged, Unsuitable):
        return note
    size = float(np.linalg.norm(same))
    apart = float(np.linalg.norm(job.grads - same)) / size if size > 0 else float("inf")
    # Picard steps round the same way everywhere; what Krylov and Anderson solves leave undone depends on the dtype.
    most = allowed(job.cell.dtype) if _plain(job.cell.options) else max(CAP, allowed(job.cell.dtype))
    if apart > most and apart * size > SPREADS * job.spread * job.length:
        raise Wrong(
            f"The gradient is {deviation:.2g} away from the float64 reference, and {apart:.2g} away from what the same "
            f"method gives in float64 with the same steps, more than {most:.1g}."
        )
    return (
        "The solve is unfinished and explains the gradient error: in float64 the method gives the same with "
        f"K = {job.K} and meets the reference with more; raise K."
    )


def longer(cell: Cell, radius: float) -> Mapping[str, Any]:
    """The options of a method with as many steps as a contraction of this spectral radius needs, at most ``LONGEST``
    times as many."""
    options, K = dict(cell.options), int(cell.options["K"])
    plain = options.get("solver", "picard") == "picard"
    needed = ceil(2 * log(TOLERANCE["float64"] * (1 - radius)) / log(radius)) if 0 < radius < 1 else LONGEST * K
    options["K"] = min(max(needed, 2 * K), LONGEST * K) if plain else 4 * K
    if "M" in options:
        M = int(options["M"])
        same = options.get("linear_solver") == "picard"
        options["M"] = min(max(needed, 2 * M), LONGEST * M) if same else max(M, min(4 * M, BASIS))
    return options


def _plain(options: Mapping[str, Any]) -> bool:
    """Whether all solves are Picard steps."""
    return {options.get("solver", "picard"), options.get("linear_solver", "picard")} == {"picard"}
