"""One row of facts for each method: what it computes, what it must cost, where it comes from.

Flop ratios count matmul and convolution flops alone and are derived by hand, in the words of ``Work``; the forward
is the unit. A product that needs no gradient (of the data, of a detached state) is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Work:
    """Flops of a problem's forward, by part, with the steps taken.

    first: what acts on the data alone: a net's first layer, or an encoder's.
    rest: the other layers outside step: of a net, of an encoder, of a read-out.
    step: one evaluation of ``step``; K of them forward. M: applications in the backward solve (Picard: M − 1).
    fixed: products that no gradient passes through.
    """

    first: float
    rest: float
    step: float = 0.0
    K: int = 0
    M: int = 0
    fixed: float = 0.0

    @property
    def forward(self) -> float:
        return self.first + self.rest + self.fixed + self.K * self.step


def _reverse(work: Work, step_products: float) -> float:
    """Forward, a weight product a layer, a state product for all but the first layer, and the products of the steps."""
    return (work.forward + work.first + 2 * work.rest + step_products * work.step) / work.forward


@dataclass(frozen=True)
class Method:
    """name: as in the file. interface: which of the two questions it answers. exact: equal to the true gradient when
    its solves have converged. equation: what it returns. flops: flop ratio as a function of ``Work``, or None where
    none is derived, ``formula`` in words. memory: order in depth L, steps K, activations A, parameters P. options:
    keywords that a cell may set. solvers: the forward solvers that fit an adjoint."""

    name: str
    interface: Literal["gradient", "adjoint"]
    exact: bool
    equation: str
    formula: str
    flops: Callable[[Work], float] | None
    memory: str
    source: str
    options: tuple[str, ...]
    forward_mode: bool = True
    solvers: tuple[str, ...] = ("picard", "newton", "anderson")


_ROWS = (
    Method(
        "backprop",
        "gradient",
        True,
        "g = ∇L(θ)",
        "(3F − F₁)/F",
        lambda work: _reverse(work, 0),
        "L·A",
        "Linnainmaa 1970; Rumelhart, Hinton and Williams 1986",
        (),
        forward_mode=False,
    ),
    Method(
        "forward_gradient",
        "gradient",
        False,
        "g = (∇L(θ)·v) v, E[v vᵀ] = I",
        "(3F − F₁)/F",
        lambda work: _reverse(work, 0),
        "A + P, flat in L beyond its tangents",
        "Baydin, Pearlmutter, Syme, Wood and Torr 2022, arXiv:2202.08587",
        ("tangents", "count"),
        forward_mode=False,
    ),
    Method(
        "unrolled",
        "adjoint",
        True,
        "dz_K/dθ by the chain rule through all K steps",
        "(F + F₁ + 2 F_rest + (2K − 1) s)/F",
        lambda work: _reverse(work, 2 * work.K - 1),
        "K·A",
        "Domke 2012; Maclaurin, Duvenaud and Adams 2015",
        ("K", "solver"),
        solvers=("picard", "newton"),
    ),
    Method(
        "ift",
        "adjoint",
        True,
        "gᵀ (I − ∂R/∂z)⁻¹ ∂R/∂θ, taken at z_{K−1}",
        "(F + F₁ + 2 F_rest + (1 + applications) s)/F",
        lambda work: _reverse(work, 1 + work.M),
        "A, flat in K",
        "implicit function theorem; Bai, Kolter and Koltun 2019, arXiv:1909.01377",
        ("K", "solver", "linear_solver", "M"),
    ),
    Method(
        "ift_reused",
        "adjoint",
        True,
        "gᵀ (I − ∂R/∂z|_{z_{K−2}})⁻¹ ∂R/∂θ, taken at z_{K−1}",
        "none derived",
        None,
        "A + n² a sample, flat in K",
        "implicit function theorem with Newton's last factors; Christianson 1994",
        ("K", "solver"),
        solvers=("newton",),
    ),
    Method(
        "jfb",
        "adjoint",
        False,
        "gᵀ ∂R/∂θ, taken at z_{K−1}",
        "(F + F₁ + 2 F_rest + s)/F",
        lambda work: _reverse(work, 1),
        "A, flat in K",
        "Wu Fung et al. 2022, arXiv:2103.12803",
        ("K", "solver"),
    ),
)

METHODS: Mapping[str, Method] = {row.name: row for row in _ROWS}

CHOICES: Mapping[str, tuple[str, ...]] = {
    "solver": ("picard", "newton", "anderson"),
    "linear_solver": ("picard", "gmres", "dense", "normal_cg", "normal_cg_published", "bicgstab", "anderson"),
    "tangents": ("gaussian", "rademacher", "sphere", "factored", "basis", "given"),
}
"""What an option that is a name may be, for whoever has to refuse a wrong one before a framework is imported."""
