"""Claims of Wu Fung, Heaton, Li, McKenzie, Osher and Yin, JFB: Jacobian-Free Backpropagation (AAAI 2022)."""

from __future__ import annotations

from reports.claims.claim import Claim
from reports.claims.queries import accuracy, direction, epochs, lines, memory
from reports.claims.rules import above, at_least, at_most, below, equals, near

DOCUMENT = "JFB, AAAI 2022"

MNIST = 1.61
"""28.4 s ÷ 17.6 s an epoch; on SVHN 2.51, on CIFAR-10 3.62. Here there are MNIST's images, and no colour ones."""

CLOSE = 1.25
"""A factor within which a ratio counts as reproduced on another machine, network and framework."""

MARGIN = 1.0
"""Percentage points of test error that are no loss of accuracy. Equality itself no sample can show."""

STRAIGHT = 1.01
"""Bytes are exact; what does not grow with the layers may bend a line by a few."""

ROUNDING = -1e-12
"""Of the least eigenvalue of a matrix of norm 1 in float64, n = 16."""

BASELINE = {"solver": "normal CG as published"}
"""What the 28.4 s were taken with."""

CLAIMS = (
    Claim(
        "jfb-faster",
        DOCUMENT,
        "table 2",
        "JFB trains faster than Jacobian-based backpropagation.",
        "1.61 (MNIST), 2.51 (SVHN), 3.62 (CIFAR-10)",
        "seconds of a step, Jacobian-based ÷ JFB",
        ("epochs",),
        epochs.slower,
        above(1),
    ),
    Claim(
        "jfb-speedup",
        DOCUMENT,
        "table 2",
        "On MNIST JFB is faster than conjugate gradients on the normal equations by 1.61.",
        "1.61 (MNIST; γ 0.5, tolerance 0.1, at most 50 steps, epochs with their test pass)",
        "seconds of a step, Jacobian-based ÷ JFB",
        ("epochs",),
        epochs.slower_as_published,
        near(MNIST, CLOSE),
        names=BASELINE,
    ),
    Claim(
        "jfb-no-loss",
        DOCUMENT,
        "table 2",
        "JFB loses no accuracy against Jacobian-based backpropagation.",
        "99.4 v 99.2 %, 94.1 v 90.1 %, 93.67 v 87.9 %",
        "test error of JFB − test error of IFT",
        ("accuracy",),
        lambda papers: accuracy.less_accurate(papers, "ift"),
        at_most(MARGIN),
    ),
    Claim(
        "jfb-more-accurate",
        DOCUMENT,
        "table 2",
        "JFB is more accurate than Jacobian-based backpropagation.",
        "by 0.2, 4.0 and 5.8 percentage points",
        "test error of JFB − test error of IFT",
        ("accuracy",),
        lambda papers: accuracy.less_accurate(papers, "ift"),
        below(0),
    ),
    Claim(
        "jfb-competitive",
        DOCUMENT,
        "table 1",
        "JFB is competitive with prior implicit networks of as many parameters.",
        "99.4 % (54K) v 99.2 % (MON, 84K) on MNIST; 94.1 % (164K) v 92.3 % (170K) on SVHN",
        "test error of JFB − test error of MON",
        ("accuracy",),
        lambda papers: accuracy.less_accurate(papers, "mon"),
        at_most(MARGIN),
    ),
    Claim(
        "jfb-explicit",
        DOCUMENT,
        "table 1",
        "JFB is as accurate as an explicit network of as many parameters.",
        "99.4 v 99.4 % (MNIST), 94.1 v 93.7 % (SVHN)",
        "test error of JFB − test error of the explicit network",
        ("accuracy",),
        lambda papers: accuracy.less_accurate(papers, "explicit"),
        at_most(MARGIN),
    ),
    Claim(
        "jfb-easier",
        DOCUMENT,
        "abstract",
        "JFB is significantly easier to implement.",
        "no number",
        "lines of code, JFB ÷ other, with its linear solver",
        ("code_lines",),
        lines.shorter,
        below(1),
    ),
    Claim(
        "jfb-descent",
        DOCUMENT,
        "theorem 0.2",
        "Where κ(MᵀM) ≤ 1/γ, the JFB direction descends.",
        "proved",
        "share of draws",
        ("descent",),
        direction.descends,
        at_least(1),
    ),
    Claim(
        "jfb-descent-worst",
        DOCUMENT,
        "theorem 0.2",
        "Where κ(MᵀM) ≤ 1/γ, it descends whatever the loss.",
        "proved",
        "least ⟨JFB, ∇⟩ over every ∂ℓ/∂u",
        ("descent",),
        direction.worst,
        at_least(ROUNDING),
    ),
    Claim(
        "jfb-descent-outside",
        DOCUMENT,
        "remark 0.2",
        "It is unnecessary to enforce the condition: JFB descends without it.",
        "no number",
        "share of draws",
        ("descent",),
        direction.outside,
        at_least(1),
    ),
    Claim(
        "jfb-neumann-fastest",
        DOCUMENT,
        "figure 6",
        "Order 0 of the Neumann series is the fastest.",
        "no number",
        "time of order 0 ÷ time of order k",
        ("neumann",),
        accuracy.fastest,
        below(1),
    ),
    Claim(
        "jfb-neumann-accuracy",
        DOCUMENT,
        "figure 6",
        "Order 0 of the Neumann series is competitive in accuracy.",
        "no number",
        "test error of order 0 − test error of order k",
        ("neumann",),
        accuracy.competitive,
        at_most(MARGIN),
    ),
    Claim(
        "jfb-fixed-memory",
        DOCUMENT,
        "introduction",
        "An implicit network's memory is fixed, however many iterations it makes.",
        "no number",
        "bytes a step",
        ("memory_steps",),
        memory.slopes,
        equals(0),
    ),
    Claim(
        "jfb-linear-memory",
        DOCUMENT,
        "introduction",
        "The memory of a deep explicit network grows with its layers.",
        "no number",
        "bytes a layer held for backprop",
        ("depth",),
        memory.layers,
        above(0),
    ),
    Claim(
        "jfb-straight-memory",
        DOCUMENT,
        "introduction",
        "The memory of a deep explicit network grows linearly with its layers.",
        "no number",
        "bytes a layer at the end ÷ at the beginning, from depth 3 on",
        ("depth",),
        memory.straight_layers,
        near(1, STRAIGHT),
    ),
)
