"""How far a gradient may be from the reference before its method is called wrong."""

from __future__ import annotations

TOLERANCE = {"float64": 1e-8, "float32": 1e-3}
"""For rounding alone. Float32 sums leave 1e-7 to 1e-5, in deep nets 1e-4; what goes wrong (a term left out, another
point of linearisation) costs 1e-2 and more. Float64 has the same room above its own rounding."""

COARSE = 0.3
"""For dtypes of fewer digits (bfloat16, float16), where rounding alone may cost tenths."""

KINK = 1e-2
"""Up to here float32 may have put a ReLU on the other side of its kink: the same method must then meet float64's."""

AMPLIFIED = 10.0
"""How many times larger the error of a gradient may be than the residual of a solve, on top of ``solves``' factors."""

CAP = 0.1
"""The most that an unfinished solve may explain of a deviation. A larger bound would let the negated gradient pass, so
then the method is compared with itself in float64 instead (see ``bench.own.verdict``)."""

SPREADS = 3.0
"""How many times larger the error of a gradient may be than what rounding the arrays once changes it by."""


def allowed(dtype: str, unsolved: float = 0.0) -> float:
    """The largest deviation of an exact method; ``unsolved`` is what its solves explain, see below."""
    return TOLERANCE.get(dtype, COARSE) + AMPLIFIED * unsolved


def solves(K: int, forward: float, backward: float, radius: float) -> float:
    """What the residuals of an unfinished solve may leave in a gradient, by order: (K r + s)/(1 − ρ(J)).

    r of the forward solve, K times since unrolled leaves K γᴷ, s of the backward solve; 1/(1 − ρ(J)) is the norm of the
    inverse of a normal I − J. Of converged solves nothing is left.
    """
    return (K * forward + backward) / max(1 - radius, 1e-6) if radius < 1 else (K * forward + backward) * 1e3
