"""What ours are to reach beside their peers, as data; ``reports.peers.verdict`` holds the rows against it."""

from __future__ import annotations

from dataclasses import dataclass

EVERY = 1.05
"""Ours ÷ peer in each single cell: nowhere more than this slower."""


@dataclass(frozen=True)
class Target:
    """A limit on ours ÷ the best of some contenders or, without contenders, on R ÷ flop ratio of ours.

    name: unique, for links and files. ours, against: patterns of contenders' names, of which in each cell the fastest
    that reached the error counts. limit: of the median over cells. every: of each cell, None without one. width,
    cell: the least width of a cell that counts, and a pattern of its name.
    """

    name: str
    text: str
    framework: str
    method: str
    ours: str
    against: tuple[str, ...]
    limit: float
    every: float | None = EVERY
    width: int = 0
    cell: str = "*"


JAX_IFT = ("jaxopt ift*", "optimistix ift*")
UNROLLED = ("jaxopt unrolled*", "optimistix unrolled*")
STEP = "R_step of factored forward gradient ÷ R_step of backprop, same network"


def _distance(framework: str, method: str, limit: float, shown: str) -> Target:
    """R ÷ flop ratio from width 512."""
    text = f"R ÷ flop ratio of {shown}, from width 512"
    return Target(f"{framework}-{method}-distance", text, framework, method, f"ours {method}*", (), limit, None, 512)


TARGETS = (
    Target("torch-ift", "IFT ÷ best of torchdeq's solvers", "torch", "ift", "ours ift*", ("torchdeq ift*",), 0.70),
    Target("torch-jfb", "JFB ÷ torchdeq's JFB", "torch", "jfb", "ours jfb*", ("torchdeq jfb*",), 0.95),
    Target("jax-ift", "IFT ÷ best-tuned of jaxopt and optimistix", "jax", "ift", "ours ift*", JAX_IFT, 0.90),
    Target(
        "jax-ift-defaults",
        "IFT, tuned to the error, ÷ best of jaxopt's and optimistix' defaults, as they come",
        "jax",
        "ift",
        "ours ift*",
        tuple(f"{pattern[:-1]} default*" for pattern in JAX_IFT),
        0.5,
    ),
    Target(
        "jax-unrolled",
        "unrolled ÷ best of jaxopt's and optimistix' unrolled",
        "jax",
        "unrolled",
        "ours unrolled*",
        UNROLLED,
        0.9,
    ),
    *(
        Target(
            f"{framework}-{kind}",
            f"{kind} forward gradient ÷ stock{words}",
            framework,
            "forward_gradient",
            f"ours*{kind}*",
            ("stock*",),
            limit,
            cell=cell,
        )
        for kind, cell, words, limits in (
            (
                "gaussian",
                "mlp-3x1024x64*",
                " (its jvp, dense gaussian tangents), 784-1024-1024-10, batch 64",
                (0.9, 0.9),
            ),
            ("factored", "*", ", another estimator of the same gradient", (0.35, 0.18)),
        )
        for framework, limit in zip(("torch", "jax"), limits, strict=True)
    ),
    *(
        Target(f"{framework}-step", STEP, framework, "step", "ours*factored*", ("ours*backprop*",), limit)
        for framework, limit in (("torch", 0.586), ("jax", 0.75))
    ),
    *(
        _distance(framework, method, limit, shown)
        for method, limit, shown in (("jfb", 1.05, "JFB"), ("unrolled", 1.15, "unrolled"), ("ift", 1.15, "IFT"))
        for framework in ("torch", "jax")
    ),
)
"""In the order in which they were set."""
