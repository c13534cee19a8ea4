"""Claims of a lecture on implicit layers (unrolled Newton against the implicit function theorem), and of Theseus."""

from __future__ import annotations

from reports.claims.claim import Claim
from reports.claims.queries import lecture, memory
from reports.claims.rules import above, at_most, near, outside

DOCUMENT = "Lecture on implicit layers"
THESEUS = "Theseus (arXiv:2207.09442)"

VANISHED, EXPLODED = 1e-3, 1e3
"""Norms of ∂z_K/∂z_0 beyond which float32 gradients of early steps are lost, or drown the others."""

ROUNDING = 1e-10
"""Gradient errors of one gradient found in two ways in float64."""

STRAIGHT = 1.01
"""Bytes are exact, and loop counters may bend a line by a few."""

LESS_MEMORY = 1.05
"""Bytes are exact, but a difference under 5 % is no reason to choose a method."""

CLAIMS = (
    Claim(
        "lecture-newton-memory",
        DOCUMENT,
        "unrolled Newton",
        "Unrolling Newton's method is expensive in memory.",
        "no number",
        "bytes held, unrolled ÷ IFT",
        ("newton_layer",),
        lecture.unrolled_bytes,
        above(1),
    ),
    Claim(
        "lecture-newton-time",
        DOCUMENT,
        "unrolled Newton",
        "Unrolling Newton's method is expensive in time.",
        "no number",
        "time of the gradient, unrolled ÷ IFT",
        ("newton_layer",),
        lecture.unrolled_time,
        above(1),
    ),
    Claim(
        "lecture-unstable",
        DOCUMENT,
        "unrolled iterations",
        "Gradients through many iterations vanish or explode.",
        "no number",
        "‖∂z_K/∂z_0‖₂",
        ("chain",),
        lecture.chain,
        outside(VANISHED, EXPLODED),
    ),
    Claim(
        "lecture-solver",
        DOCUMENT,
        "implicit function theorem",
        "The gradient does not depend on the solver that found the root.",
        "no number",
        "gradient error in float64",
        ("solver_independence",),
        lecture.independence,
        at_most(ROUNDING),
    ),
    Claim(
        "lecture-inverse-time",
        DOCUMENT,
        "implicit function theorem",
        "The inverse of the Jacobian need not be formed: products with it take less time.",
        "no number",
        "time of the gradient, dense ÷ matrix-free",
        ("inverse",),
        lecture.dense_time,
        above(1),
    ),
    Claim(
        "lecture-inverse-memory",
        DOCUMENT,
        "implicit function theorem",
        "The inverse of the Jacobian need not be formed: products with it take less memory.",
        "no number",
        "peak bytes, dense ÷ matrix-free",
        ("inverse",),
        lecture.dense_bytes,
        above(LESS_MEMORY),
    ),
    Claim(
        "theseus-linear",
        THESEUS,
        "figure 4",
        "Unrolled, memory is linear in the iterations.",
        "34 MB (2 iterations) to 262 MB (50); sizes here are chosen for its 4.75 MB a state",
        "bytes a step at the end ÷ at the beginning, from K = 5 on",
        ("memory_steps",),
        memory.straightness,
        near(1, STRAIGHT),
    ),
    Claim(
        "theseus-flat",
        THESEUS,
        "figure 4",
        "Implicit, memory is the same at any number of iterations.",
        "33 MB throughout, where unrolled 262 MB; sizes here are chosen for 4.75 MB a state",
        "peak bytes at the largest K ÷ at the smallest",
        ("memory_steps",),
        lambda papers: memory.growth(papers, "ift"),
        near(1, STRAIGHT),
    ),
)
