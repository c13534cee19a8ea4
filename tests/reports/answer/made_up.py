"""Rows of small suites: networks, layers at one and at several lengths of the solve, a sweep over K."""

from __future__ import annotations

from itertools import chain
from typing import Any

from tests.reports.answer.worlds import JFB, UNROLLED, cell, layer, picard
from tests.rows import BACKPROP, GIVEN, Row, exact


def net(depth: int = 3) -> dict[str, int]:
    """A network's sizes."""
    return {"batch": 8, "depth": depth, "width": 16}


def nets(depth: int, exact_ratio: float, random_ratio: float) -> list[Row]:
    """One network under backprop and forward gradient."""
    sizes = net(depth)
    return [*cell(BACKPROP, exact_ratio, 1e-7, sizes=sizes), *cell(GIVEN, random_ratio, 1000.0, sizes=sizes)]


def solves(gamma: float, *, times: tuple[float, float, float] = (3.0, 2.0, 1.1), **more: Any) -> list[Row]:
    """Unrolled, IFT and JFB on one layer."""
    methods = zip((UNROLLED, picard(100), JFB), times, (1e-6, 1e-6, 0.6), strict=True)
    return [row for method, ratio, error in methods for row in layer(method, ratio, error, gamma=gamma, **more)]


def lengths() -> list[Row]:
    """Unrolled with 10 steps of 2 ms in all, IFT and unrolled with 100 steps of 20 ms."""
    short = layer(UNROLLED, 3.0, 1e-3, K=10, forward=0.1)
    long = (layer(UNROLLED, 3.5, 1e-7), layer(picard(40), 2.0, 1e-6), layer(JFB, 1.1, 0.6))
    return [*short, *chain.from_iterable(long)]


def fair(gamma: float = 0.95, framework: str = "torch") -> list[Row]:
    """Every method at K = 40 and at K = 160: forwards of 2 and of 8 ms, and at equal K IFT with Picard steps is cheaper
    than unrolled differentiation, which comes before GMRES."""
    found: list[Row] = []
    gmres = ("ift", {"linear_solver": "gmres", "M": 30})
    for K, forward, shrunk in ((40, 1.0, 1.0), (160, 4.0, 1e-3)):
        costs = ((UNROLLED, 3.0, 1e-3), (picard(K), 2.0, 3e-4), (gmres, 3.5, 2e-4), (JFB, 1.1, 0.6 / shrunk))
        for method, ratio, error in costs:
            more: Any = {"K": K, "forward": forward, "framework": framework}
            found += layer(method, ratio, error * shrunk, gamma=gamma, **more)
    return found


def sweep(gamma: float = 0.8) -> list[Row]:
    """Peaks along K: unrolled grows by 4096 B a step, IFT and JFB do not; JFB takes least."""
    found = []
    for K in (5, 10, 20):
        laws = ((UNROLLED, 4096 * K, 1e-6), (picard(9), 50_000, 1e-5), (JFB, 1000, 0.5))
        for (name, options), peak, error in laws:
            values = {"gradient_error": error, "forward_peak_bytes": 0}
            what = {"problem": "tanh", "sizes": {"batch": 16, "gamma": gamma, "width": 64}, "values": values}
            found.append(exact(peak, method=(name, {**options, "K": K}), **what))
    return found
