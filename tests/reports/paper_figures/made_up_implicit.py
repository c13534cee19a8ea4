"""Rows of the experiments on implicit layers, made up from simple laws."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from tests.reports.paper_figures.made_up import FRAMEWORKS, both, fit
from tests.rows import Method, Row, exact, part

UNROLLED: Method = ("unrolled", {})
JFB: Method = ("jfb", {})


def ift(linear: str, **options: Any) -> Method:
    """The implicit function theorem with a linear solver."""
    return "ift", {"linear_solver": linear, **options}


def _with(method: Method, **options: Any) -> Method:
    return method[0], method[1] | options


def _epochs() -> Iterator[Row]:
    methods = ("jfb", "unrolled", "ift picard", "ift gmres", "ift normal_cg", "ift normal_cg_published")
    for framework, worker in product(FRAMEWORKS, (0, 1)):
        records = [
            {"method": name, "seconds": 0.01 * (1 + place), "ratio": 1 + place + 0.01 * worker}
            for place, name in enumerate(methods)
        ]
        yield part("epochs", records, framework, data="digits", worker=worker)


def _accuracy() -> Iterator[Row]:
    for method, rate, seed in product(("explicit", "unrolled", "ift", "jfb", "mon"), (0.03, 0.1), (0, 1, 2)):
        yield part("accuracy", fit(rate, seed), "jax", data="digits", method=method, rate=rate, seed=seed)


def _neumann() -> Iterator[Row]:
    for framework, k in product(FRAMEWORKS, (0, 1, 5, 20)):
        method = ift("picard", M=k + 1)
        yield from both(1.2 + k / 10, framework=framework, method=method, values={"gradient_error": 0.8 ** (k + 1)})
    for k, seed in product((0, 5), (0, 1)):
        yield part("neumann", fit(0.1, seed), "jax", k=k, seed=seed)


def _descent() -> Iterator[Row]:
    for kind in ("orthogonal", "adversarial"):
        records = [
            {"gamma": gamma, "kappa": kappa, "parameters": parameters, "states": 16, "cosine": cosine, "worst": cosine}
            for gamma, kappa, parameters in product((0.1, 0.9), (1.0, 10.0, 1e4), (8, 24))
            for cosine in [1 - gamma * kappa / 20 if kappa < 100 else -0.5]
        ]
        yield part("descent", records, "numpy", dtype="float64", what="affine", kind=kind)
    for gamma, problem in ((0.1, "tanh"), (0.9, "tanh"), (None, "mon")):
        about = {"what": "model", "problem": problem} | ({"gamma": gamma} if gamma else {})
        yield part("descent", [{"seed": 0, "cosine": 0.9}, {"seed": 1, "cosine": 0.95}], "numpy", **about)


def _code_lines() -> Iterator[Row]:
    counts = {"jfb": ("", 12, 0), "ift": ("gmres", 20, 45), "unrolled": ("", 6, 0)}
    records = [
        {"method": name, "linear_solver": solver, "framework": framework, "file": f"{framework}/{name}.py"}
        | {"code_lines": own, "solver_lines": more, "total_lines": own + more}
        for framework in FRAMEWORKS
        for name, (solver, own, more) in counts.items()
    ]
    yield part("code_lines", records, "numpy")


def _newton_layer() -> Iterator[Row]:
    for framework, K, (method, ratio) in product(
        FRAMEWORKS, (2, 6), ((UNROLLED, 3.0), (ift("dense"), 1.3), (JFB, 1.1))
    ):
        options = _with(method, K=K, solver="newton")
        yield from both(ratio, K * 10**6, framework=framework, problem="newton", sizes={"width": 64}, method=options)


def _inverse() -> Iterator[Row]:
    for framework, n, solver in product(FRAMEWORKS, (32, 512), ("dense", "picard", "gmres")):
        where: Row = {"framework": framework, "problem": "tanh", "sizes": {"width": n}, "method": ift(solver)}
        yield from both(1 + n / 100, n * n if solver == "dense" else n, **where)


def _solver_independence() -> Iterator[Row]:
    for framework, problem, solver in product(FRAMEWORKS, ("tanh", "newton"), ("picard", "newton")):
        error = {"gradient_error": 3e-15}
        yield exact(10, framework=framework, problem=problem, method=ift("dense", solver=solver), values=error)


def _chain() -> Iterator[Row]:
    for solver, problem, gamma in (("picard", "tanh", 0.5), ("picard", "linear", 1.3), ("newton", "tanh", 0.9)):
        norms = [gamma**K if solver == "picard" else gamma ** (2.0**K) for K in (1, 2, 5, 10)]
        records = [{"K": K, "norm": norm} for K, norm in zip((1, 2, 5, 10), norms, strict=True)]
        yield part("chain", records, "numpy", solver=solver, problem=problem, gamma=gamma)


def _memory_steps() -> Iterator[Row]:
    for framework, K in product(FRAMEWORKS, (2, 10, 50)):
        for method, peak in ((UNROLLED, K * 4_750_000), (ift("picard", M=20), 30_000_000), (JFB, 25_000_000)):
            where: Row = {"framework": framework, "problem": "tanh", "device": "meta", "method": _with(method, K=K)}
            yield exact(peak, sizes={"width": 1160, "batch": 1024}, **where)


def _work_precision() -> Iterator[Row]:
    for framework, gamma in product(FRAMEWORKS, (0.5, 0.99)):
        where: Row = {"framework": framework, "problem": "tanh", "sizes": {"gamma": gamma, "width": 64}}
        for M in (2, 10, 40):
            error = {"gradient_error": gamma**M}
            yield from both(1 + M / 20, method=ift("picard", M=M), values=error, **where)
            yield from both(1 + M / 8, method=ift("gmres", M=M), values={"gradient_error": gamma ** (2 * M)}, **where)
        yield from both(1.1, method=JFB, values={"gradient_error": gamma}, **where)
        many: Row = {"method": ("unrolled", {"tangents": "given", "count": 16}), "gradient": "forward_gradient"}
        yield from both(20.0, values={"gradient_error": 30.0}, **many, **where)


IMPLICIT = {
    "epochs": _epochs,
    "accuracy": _accuracy,
    "neumann": _neumann,
    "descent": _descent,
    "code_lines": _code_lines,
    "newton_layer": _newton_layer,
    "inverse": _inverse,
    "solver_independence": _solver_independence,
    "chain": _chain,
    "memory_steps": _memory_steps,
    "work_precision": _work_precision,
}
