"""A whole small suite of results, with slopes that are known and every status in it."""

from __future__ import annotations

from collections.abc import Iterable

from tests.rows import BACKPROP, GAUSSIAN, GIVEN, MODES, Method, Row, exact, run, timed, visit

TANH = {"batch": 64, "gamma": 0.8, "width": 512}
NEWTON = {"batch": 64, "width": 64}
FPN = {"batch": 64, "channels": 16, "gamma": 0.8}
A = 1024 * 128 * 4
"""Bytes of one activation of the sweep over depth."""
P = 128 * 128 * 4
"""Bytes of the weights of one of its layers."""


def adjoints(K: int, picard: int, gmres: int) -> dict[str, Method]:
    """The methods of an implicit problem."""
    ift = [
        ("ift", {"K": K, "M": steps, "linear_solver": solver})
        for solver, steps in (("picard", picard), ("gmres", gmres))
    ]
    return {"unrolled": ("unrolled", {"K": K}), "picard": ift[0], "gmres": ift[1], "jfb": ("jfb", {"K": K})}


def headline(workers: int = 8) -> Iterable[Row]:
    """Timed cells of three problems in both frameworks."""
    ratios = {"unrolled": 2.9, "picard": 2.4, "gmres": 3.8, "jfb": 1.31}
    for framework, shift in (("torch", 1.0), ("jax", 0.8)):
        for method, ratio in ((BACKPROP, 2.97), (GAUSSIAN, 2.1), (GIVEN, 1.6)):
            yield from (timed(ratio * shift, worker, framework=framework, method=method) for worker in range(workers))
            yield exact(int(4e6 * ratio), framework=framework, method=method)
        for problem, sizes, methods in (
            ("tanh", TANH, adjoints(60, 60, 20)),
            ("fpn", FPN, adjoints(30, 30, 15)),
        ):
            for name, method in methods.items():
                what: Row = {"framework": framework, "problem": problem, "sizes": sizes, "method": method}
                yield from (timed(ratios[name] * shift, worker, **what) for worker in range(workers))
                error = 0.41 if name == "jfb" else 2e-6
                steps: Row = {
                    "forward_steps": 60,
                    "forward_residual": 1e-7,
                    "gradient_error": error,
                    "cosine": 0.93 if name == "jfb" else 1.0,
                }
                yield exact(int(1e6 * ratios[name]), values=steps, **what)


def failures() -> Iterable[Row]:
    """The newton problem, where every method but one fails in a way of its own."""
    statuses = ["ok", "timeout", "oom", "wrong", "diverged", "failed", "n/a"]
    reasons = {
        "oom": "The worker ran out of memory.",
        "timeout": "No answer within 60 s.",
        "wrong": "Off its oracle by 0.3 <script>alert('x')</script>",
    }
    methods = [
        *adjoints(6, 60, 20).values(),
        ("ift", {"K": 6, "linear_solver": "dense"}),
        ("phantom", {"K": 6}),
        ("neumann", {"K": 6}),
    ]
    for method, status in zip(methods, statuses, strict=True):
        what: Row = {"framework": "torch", "problem": "newton", "sizes": NEWTON, "method": method}
        if status == "ok":
            yield timed(3.3, 0, **what)
            yield exact(999_999, **what)
        else:
            yield visit(
                measure="time",
                status=status,
                reason=reasons.get(status, f"Newton is {status} & said so."),
                **what,
            )


def sweeps() -> Iterable[Row]:
    """Exact visits along depth and K with slopes that are known."""
    for framework in MODES:
        for depth in (2, 4, 8, 16, 32):
            sizes = {"batch": 1024, "classes": 128, "depth": depth, "inputs": 128, "width": 128}
            weights = {"parameter_bytes": depth * P, "result_bytes": depth * P}
            yield exact((depth + 3) * A + 8, framework=framework, sizes=sizes, values=weights)
            yield exact(5 * A + depth * P, framework=framework, sizes=sizes, values=weights, method=GIVEN)
        for K in (5, 10, 20, 40, 80):
            tanh = {"batch": 256, "gamma": 0.8, "width": 128}
            for name, method in adjoints(K, 20, 10).items():
                activation = 256 * 128 * 4
                peak = {
                    "unrolled": (K + 5) * activation,
                    "gmres": 14 * activation + (0 if K > 5 else 100),
                }.get(name, 6 * activation + 8)
                error: Row = {
                    "gradient_error": 0.4 if name == "jfb" else 0.8**K,
                    "forward_residual": 0.8**K,
                    "cosine": 0.98,
                }
                yield exact(peak, framework=framework, problem="tanh", sizes=tanh, method=method, values=error)


def suite(workers: int = 8) -> list[Row]:
    """A run with all of the above and one cell that was planned and never visited."""
    visits = [*headline(workers), *failures(), *sweeps()]
    planned = [
        *dict.fromkeys(row["cell"] for row in visits),
        "jax/jit/cpu/float32/newton(batch=64,width=64)/jfb(K=6)",
    ]
    return [run(cells=planned, workers=workers), *visits]
