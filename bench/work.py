"""The flop ratio that theory gives a cell: the catalogue's formula with the numbers of a concrete problem.

Derived from the shapes and from the products that the problem's row states by hand, never counted from a program, so
that a count can be held against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from math import prod
from typing import Any

from bench.older import facts


def flop_ratio(problem: Any, method: str, options: Mapping[str, Any]) -> float | None:
    """The fewest matmul and convolution flops of ``method`` over those of the forward.

    problem: an ``impls.problems.Problem``. options: every one of the cell's (K, M, solver, linear_solver, count).
    Forward mode through an adjoint takes as many products as reverse mode, each again for every further tangent.
    None where no ratio is derived by hand: an unknown problem, one without a product, Newton's method, the dense
    solve. What a solver spends on its own vectors is left out; a product that it repeats is not.
    """
    from impls.catalog import METHODS, Work

    flops, taken = METHODS[method].flops, parts(problem)
    if flops is None or not (taken["first"] or taken["rest"] or taken["step"]) or options.get("solver") == "newton":
        return None
    applications = _applications(problem, options)
    if applications is None:
        return None
    work = Work(**taken, K=options.get("K", 0), M=applications)
    ratio = flops(work)
    if options.get("tangents") == "factored":  # x V is a product with a vector, wherever a weight has its tangent
        attached = work.K if method == "unrolled" else 1
        ratio -= (work.first + work.rest + attached * work.step) / work.forward
    count = options.get("count", 1)
    return ratio if count == 1 else 1 + count * (ratio - 1)


def _applications(problem: Any, options: Mapping[str, Any]) -> int | None:
    """Products with the step's Jacobian in the backward solve: 0 where there is none, None for a direct one."""
    kind = options.get("linear_solver")
    if kind is None:
        return 0
    if kind in ("picard", "anderson"):
        return int(options["M"]) - 1
    if kind == "gmres":
        return min(int(options["M"]), _state_size(problem))  # its space cannot be larger than the state's
    if kind == "bicgstab":  # with J, twice a step
        return 2 * int(options["M"])
    if kind == "normal_cg":
        return 2 * int(options["M"])  # with J and with Jᵀ
    if kind == "normal_cg_published":
        return 6 * int(options["M"]) + 1  # with both, three times a step, and once with Jᵀ at the start
    return None


def parts(problem: Any) -> dict[str, int]:
    """Flops of a problem's products for each part of ``impls.catalog.Work``; 0 where no product is known."""
    found = dict.fromkeys(("first", "rest", "step", "fixed"), 0)
    for product, weight in _products(problem):
        rows = len(weight) if product.squared else len(problem.batch["x"]) * _pixels(problem, product, weight)
        found[product.part] += product.times * 2 * rows * prod(weight.shape)
    return found


def _state_size(problem: Any) -> int:
    """Entries of one sample's state: what the last product of step makes; images have one a pixel and channel."""
    *_, (product, weight) = ((one, weight) for one, weight in _products(problem) if one.part == "step")
    return int(_pixels(problem, product, weight) * weight.shape[-1])


def _products(problem: Any) -> Iterator[tuple[Any, Any]]:
    """Each product of a problem's row with each weight that it stands for."""
    products, weights = facts(problem.name).products, dict(_weights(problem.params))
    named = {one.weight for one in products}
    for product in products:
        for path, weight in weights.items():
            if path == product.weight or (path not in named and fnmatchcase(path, product.weight)):
                yield product, weight


def _weights(nest: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every array of a nest with its path, keys and positions between slashes."""
    if isinstance(nest, Mapping | Sequence):
        for key, inner in nest.items() if isinstance(nest, Mapping) else enumerate(nest):
            yield from _weights(inner, f"{path}/{key}")
    else:
        yield path[1:], nest


def _pixels(problem: Any, product: Any, weight: Any) -> int:
    """How often a sample meets a weight: a kernel (h, w, i, o) at every pixel, since convolutions keep the size."""
    return prod(map(product.side, problem.batch["x"].shape[1:3])) if weight.ndim == 4 else 1
