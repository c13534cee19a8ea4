"""Whether a gradient that is off the reference is wrong, or off for a reason: an unfinished solve, or rounding."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, log
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.cells import Cell
from bench.failures import Diverged, Wrong
from bench.own.float64 import COARSE, LONGEST, SPREADS
from bench.own.question import Unsuitable
from bench.own.state import Singular
from bench.subjects import KINK

if TYPE_CHECKING:
    from bench.own.subject import CallersModel

ROUNDING = {"float64": 1e-8, "float32": 1e-3}
"""The largest deviation that rounding alone may leave. Float32 sums leave 1e-7 to 1e-5, in deep nets 1e-4; what goes
wrong (a term left out, another point of linearisation) costs 1e-2 and more. Float64 has the same room above its own
rounding."""

AMPLIFIED = 10.0
"""How many times larger the error of a gradient may be than the residual of a solve, on top of ``solves``' factors."""

CAP = 0.1
"""The most that an unfinished solve may explain of a deviation. A larger bound would let the negated gradient pass, so
then the method is compared with itself in float64 instead (see ``_unfinished``)."""

BASIS = 200
"""The most steps of a Krylov solve that is to be finished: each keeps a state."""


def allowed(dtype: str, unsolved: float = 0.0) -> float:
    """The largest deviation of an exact method; ``unsolved`` is what its solves explain, see below."""
    return ROUNDING.get(dtype, COARSE) + AMPLIFIED * unsolved


def solves(K: int, forward: float, backward: float, radius: float) -> float:
    """What the residuals of an unfinished solve may leave in a gradient, by order: (K r + s)/(1 − ρ(J)).

    r of the forward solve, K times since unrolled leaves K γᴷ, s of the backward solve; 1/(1 − ρ(J)) is the norm of the
    inverse of a normal I − J. Of converged solves nothing is left.
    """
    return (K * forward + backward) / max(1 - radius, 1e-6) if radius < 1 else (K * forward + backward) * 1e3


class Unfinished(Exception):
    """A solve that leaves too much for its gradient to be judged."""


def judged(subject: CallersModel, deviation: float, *, last: bool = False) -> str:
    """A note on why the gradient of an exact method may deviate so far, empty where it does not; raises ``Wrong``.

    subject: under one method. last: it is itself one in float64 that another one is judged by; it raises
    ``Unfinished`` where its solves leave too much.
    """
    dtype = subject.cell.dtype
    most = allowed(dtype) + subject.reference.error
    if deviation <= most:
        return ""
    if subject.implicit and subject.reference.singular:
        if not last:  # no residual bounds an error there, and no solve is ever finished
            return _unfinished(subject, deviation)
    elif subject.implicit:
        bound = subject.reference.error + allowed(
            dtype, solves(subject.K, subject.residual, subject.backward_residual, subject.radius)
        )
        if bound <= most + CAP:
            most = bound
        elif last:
            raise Unfinished
        else:
            return _unfinished(subject, deviation)
    if deviation <= most:
        return ""
    if not last:
        if dtype == "float32" and deviation <= KINK and _near_in_double(subject):
            return ""
        if deviation <= SPREADS * (spread := subject.spread):
            return (
                f"The gradient error may be rounding alone: the gradient is small against its terms, and rounding the "
                f"arrays to {dtype} changes it by {spread:.1g} of its length."
            )
    raise Wrong(_words(subject, deviation, f", more than {most:.1g}"))


def _words(subject: CallersModel, deviation: float, rest: str) -> str:
    return f"The gradient is {deviation:.2g} away from the float64 reference{rest}. {subject.reference.note}".strip()


def short(subject: CallersModel) -> str:
    """What to raise so that a method's solves leave less, by what they left: K, M, both, or neither."""
    radius, options = subject.radius, subject.cell.options
    if radius >= 1 and not subject.reference.singular:
        return f"ρ(J) ≈ {radius:.4g}: step does not contract at z, and more steps may not help"
    forward = subject.residual * (subject.K if subject.cell.method == "unrolled" else 1)
    backward = subject.backward_residual
    raised = {"K": forward, "M": backward} if "M" in options else {"K": forward}
    if "M" not in options and backward > forward:
        return f"the {options['linear_solver']} solve leaves a residual of {backward:.2g}, and takes no steps to raise"
    named = [name for name, left in raised.items() if left >= 0.1 * max(raised.values())]
    left = {"K": f"the forward solve leaves {forward:.2g}", "M": f"the backward solve leaves {backward:.2g}"}
    return f"raise {' and '.join(named)}, since {' and '.join(left[name] for name in named)}"


def _near_in_double(subject: CallersModel) -> bool:
    try:
        subject.doubled(lambda exact: exact.judged())
    except Wrong:
        return False
    return True


def _unfinished(subject: CallersModel, deviation: float) -> str:
    """The verdict on a method whose solves leave more than ``CAP``.

    Two things make it right: in float64 and with as many steps as it takes it meets the reference, and with its own
    steps it is what the same method gives in float64. Neither holds for a gradient that is negated or zero.
    """
    hint = short(subject)
    note = f"Not checked: the solve is unfinished, and what it leaves may be larger than the gradient; {hint}."
    try:
        subject.doubled(lambda finished: finished.judged(last=True), longer(subject.cell, subject.radius))
        same = subject.doubled(lambda exact: exact.grads)
    except Wrong:
        raise Wrong(
            _words(
                subject, deviation, ", and stays away from it when the solve takes as many steps as it needs in float64"
            )
        ) from None
    except Singular:  # no steps are missing
        raise
    except (Unfinished, Diverged, Unsuitable):
        return note
    size = float(np.linalg.norm(same))
    apart = float(np.linalg.norm(subject.grads - same)) / size if size > 0 else float("inf")
    # Picard steps round the same way everywhere; what Krylov and Anderson solves leave undone depends on the dtype.
    most = allowed(subject.cell.dtype) if _plain(subject.cell.options) else max(CAP, allowed(subject.cell.dtype))
    if apart > most and apart * size > SPREADS * subject.spread * subject.reference.length:
        raise Wrong(
            _words(
                subject,
                deviation,
                f", and {apart:.2g} away from what the same method gives in float64 with the same steps, more than "
                f"{most:.1g}",
            )
        )
    steps = ", ".join(f"{name} = {subject.cell.options[name]}" for name in ("K", "M") if name in subject.cell.options)
    return (
        "The solve is unfinished and explains the gradient error: in float64 the method gives the same with "
        f"{steps} and meets the reference with more; {hint}."
    )


def longer(cell: Cell, radius: float) -> Mapping[str, Any]:
    """The options of a method with as many steps as a contraction of this spectral radius needs, at most ``LONGEST``
    times as many."""
    options, K = dict(cell.options), int(cell.options["K"])
    plain = options.get("solver", "picard") == "picard"
    needed = ceil(2 * log(ROUNDING["float64"] * (1 - radius)) / log(radius)) if 0 < radius < 1 else LONGEST * K
    options["K"] = min(max(needed, 2 * K), LONGEST * K) if plain else 4 * K
    if "M" in options:
        M = int(options["M"])
        same = options.get("linear_solver") == "picard"
        options["M"] = min(max(needed, 2 * M), LONGEST * M) if same else max(M, min(4 * M, BASIS))
    return options


def _plain(options: Mapping[str, Any]) -> bool:
    """Whether all solves are Picard steps."""
    return {options.get("solver", "picard"), options.get("linear_solver", "picard")} == {"picard"}
