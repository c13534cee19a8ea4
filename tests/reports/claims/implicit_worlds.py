"""Made-up outcomes of the experiments on implicit layers."""

from __future__ import annotations

from collections.abc import Mapping

from reports.papers import Papers
from tests.reports.claims.worlds import bytes_of, cell, fit, papers, step_times
from tests.rows import MODES, Method, Row, part

PICARD: Method
GMRES: Method
DENSE: Method
PICARD, GMRES, DENSE = (("ift", {"linear_solver": name}) for name in ("picard", "gmres", "dense"))


def epochs(seconds: float, data: str = "mnist5k", gamma: float = 0.5, tol: float = 0.1) -> Papers:
    """Seconds of a step of every Jacobian-based adjoint, where JFB's takes 1."""
    names = ("ift picard", "ift normal_cg", "ift normal_cg_published")
    taken = {name: seconds for name in names} | {"jfb": 1.0, "unrolled": 0.1}
    return papers(parts=step_times("epochs", taken, data=data, gamma=gamma, tol=tol))


def accuracy(jfb: float, others: float) -> Papers:
    """Test errors at the best rate, over three seeds; at the worse rate JFB's loss is larger and its error 0."""
    parts: list[Row] = []
    for seed in range(3):
        for name, error in (("jfb", jfb), ("ift", others), ("mon", others), ("explicit", others)):
            own = {"data": "digits", "method": name, "seed": seed}
            parts.append(part("accuracy", fit([2.0, 0.1], error + 0.001 * seed), "jax", rate=0.1, **own))
            parts.append(part("accuracy", fit([2.0, 0.5], 0.0), "jax", rate=0.01, **own))
    return papers(parts=parts)


def neumann(ratio: float, error: float) -> Papers:
    """R of order k ÷ R of order 0; test error of order 0, where that of order k is 0.1."""
    rows: list[Row] = []
    for order in (0, 1, 5):
        method = "ift", {"linear_solver": "picard", "K": 12, "M": order + 1}
        rows += cell(2.0 * (ratio if order else 1), "fpn", method, {"channels": 4})
    parts = [
        part("neumann", fit([2.0, 0.1], 0.1 if order else error), "jax", k=order, seed=seed, rate=0.1)
        for order in (0, 1, 5)
        for seed in range(3)
    ]
    return papers({"neumann": rows}, parts)


def descent(cosine: float, worst: float, covered: int) -> Papers:
    """One draw of every kind of map, and a network."""
    record = {"gamma": 0.5, "kappa": 1.0, "cosine": cosine, "worst": worst, "covered": covered}
    parts = [part("descent", [record], "numpy", what="affine", kind=kind) for kind in ("orthogonal", "dense")]
    network = [{"seed": 0, "cosine": cosine}]
    return papers(parts=[*parts, part("descent", network, "numpy", what="model", problem="tanh", gamma=0.5)])


def lines(jfb: int) -> Papers:
    """Lines of JFB, where the others have 30 and more."""
    table = [("jfb", "", jfb), ("unrolled", "", 30), ("ift", "picard", 40), ("ift", "gmres", 60)]
    records = [
        {"method": method, "linear_solver": solver, "framework": framework, "total_lines": count}
        for framework in MODES
        for method, solver, count in table
    ]
    return papers(parts=[part("code_lines", records, "numpy")])


def newton(ratio: float) -> Papers:
    """R and held bytes of unrolling ÷ those of the implicit function theorem."""
    rows: list[Row] = []
    for K in (2, 10):
        forward = {"K": K, "solver": "newton"}
        unrolled, implicit = ("unrolled", forward), ("ift", forward | {"linear_solver": "dense"})
        rows += cell(2 * ratio, "newton", unrolled, {"width": 8}) + cell(2.0, "newton", implicit, {"width": 8})
        rows += bytes_of("newton", unrolled, {"width": 8}, held_bytes=1000 * ratio)
        rows += bytes_of("newton", implicit, {"width": 8}, held_bytes=1000)
    return papers({"newton_layer": rows})


def chain(norm: float) -> Papers:
    """The norm after 60 steps, of two solvers."""
    records = [{"K": K, "norm": 1.0 if K == 1 else norm} for K in (60, 1)]
    settings: list[Row] = [
        {"problem": "linear", "solver": "picard", "gamma": 1.3},
        {"problem": "newton", "solver": "newton"},
    ]
    return papers(parts=[part("chain", records, "numpy", **one) for one in settings])


def solvers(error: float) -> Papers:
    """Gradient errors of one gradient by two forward solvers."""
    rows: list[Row] = []
    for solver in ("picard", "newton"):
        method = "ift", {"linear_solver": "dense", "solver": solver}
        rows += bytes_of("tanh", method, {"width": 16}, gradient_error=error)
    return papers({"solver_independence": rows})


def inverse(ratios: Mapping[int, float]) -> Papers:
    """R and bytes of the dense solve ÷ those of the others, by width."""
    rows: list[Row] = []
    for width, ratio in ratios.items():
        sizes = {"width": width, "batch": 1}
        rows += cell(2 * ratio, "tanh", DENSE, sizes) + bytes_of("tanh", DENSE, sizes, peak_bytes=1000 * ratio)
        for method in (PICARD, GMRES):
            rows += cell(2.0, "tanh", method, sizes) + bytes_of("tanh", method, sizes, peak_bytes=1000)
    return papers({"inverse": rows})


def memory(unrolled: Mapping[int, int], implicit: Mapping[int, int]) -> Papers:
    """Peak bytes by K."""
    rows: list[Row] = []
    for (name, options), along in ((("unrolled", {}), unrolled), (PICARD, implicit), (("jfb", {}), implicit)):
        for K, peak in along.items():
            rows += bytes_of("tanh", (name, options | {"K": K}), {"width": 8}, peak_bytes=peak)
    return papers({"memory_steps": rows})
