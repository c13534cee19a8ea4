"""Work in jax, counted exactly: the flops of a program as it is written, and the bytes that it moves.

Both are sums over the equations of its jaxpr, where a scan counts its body times its length, which the compiler's own
cost analysis does not. Nothing is compiled or run, so they depend on no backend.

Matrix products, convolutions and linear algebra count as flops (``counting``); a primitive of neither table is an
error, never a silent zero. What a compiler then shares, hoists or drops is still in them.

    traffic = Σ over equations (distinct bytes of the arguments + bytes of the results)

The rules are those of ``torch_work``: one array given twice is read once, and what only looks at an array otherwise
(another shape, a transpose, a broadcast, a slice) moves nothing. A constant that is broadcast is written; an update in
place moves the update alone; what no result depends on is left out. It is an upper bound of what compiled code moves,
but for copies that the compiler adds: every result is written here, while fusion keeps many of them in registers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any, NamedTuple

from bench.instruments import counting
from bench.instruments.counting import Regions, UnknownOp


def flops(fn: Callable[..., Any], *args: Any) -> int:
    """Flops of ``fn(*args)``; the arguments may be ``jax.ShapeDtypeStruct``. ``UnknownOp`` for a primitive that no
    table holds and for a loop with flops whose number of turns is unknown."""
    import jax

    return _flops(jax.make_jaxpr(fn)(*args))


def traffic(fn: Callable[..., Any], *args: Any) -> int:
    """Bytes that ``fn(*args)`` reads and writes; the arguments may be ``jax.ShapeDtypeStruct``. ``UnknownOp`` for a
    loop whose number of turns is unknown."""
    import jax
    from jax.interpreters.partial_eval import dce_jaxpr

    jaxpr = jax.make_jaxpr(fn)(*args).jaxpr
    return _traffic(dce_jaxpr(jaxpr, [True] * len(jaxpr.outvars))[0])


Formula = Callable[[Any], int]
"""Flops of one equation of a jaxpr."""


def _shapes(equation: Any) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    return [v.aval.shape for v in equation.invars], [v.aval.shape for v in equation.outvars]


def _dot_general(equation: Any) -> int:
    """Without an axis to sum over it is an outer product: elementwise, so nothing."""
    (contracted, _), _ = equation.params["dimension_numbers"]
    (left, *_), (result, *_) = _shapes(equation)
    return counting.product(result, prod(left[axis] for axis in contracted)) if contracted else 0


def _convolution(equation: Any) -> int:
    """Its batch is the image's, or with ``batch_group_count`` the result's, whose groups share it out."""
    image_axes, kernel_axes, result_axes = equation.params["dimension_numbers"]
    (image, kernel, *_), (result, *_) = _shapes(equation)
    lanes = result[result_axes[0]] * kernel[kernel_axes[0]] * kernel[kernel_axes[1]]

    def size(shape: tuple[int, ...], axes: tuple[int, ...]) -> list[int]:
        return [shape[axis] for axis in axes[2:]]

    return counting.convolution(lanes, size(image, image_axes), size(kernel, kernel_axes), size(result, result_axes))


def _lu(equation: Any) -> int:
    *batch, m, n = _shapes(equation)[0][0]
    return prod(batch) * counting.lu(m, n)


def _triangular_solve(equation: Any) -> int:
    (matrix, right), _ = _shapes(equation)
    return counting.triangular_solve(matrix[-1], right)


def _qr(equation: Any) -> int:
    """The primitive makes R and Q's columns at once, as many as its first result has."""
    *batch, m, n = _shapes(equation)[0][0]
    columns = _shapes(equation)[1][0][-1]
    return prod(batch) * (counting.qr(m, n) + counting.reflectors(m, columns, min(m, n)))


def _geqrf(equation: Any) -> int:
    *batch, m, n = _shapes(equation)[0][0]
    return prod(batch) * counting.qr(m, n)


def _reflectors(equation: Any) -> int:
    (reflectors, taus), _ = _shapes(equation)
    *batch, m, n = reflectors
    return prod(batch) * counting.reflectors(m, n, taus[-1])


def _cholesky(equation: Any) -> int:
    *batch, n, _ = _shapes(equation)[0][0]
    return prod(batch) * counting.cholesky(n)


FORMULAS: Mapping[str, Formula] = {
    "dot_general": _dot_general,
    "conv_general_dilated": _convolution,
    "lu": _lu,
    "triangular_solve": _triangular_solve,
    "qr": _qr,
    "geqrf": _geqrf,
    "householder_product": _reflectors,
    "cholesky": _cholesky,
}

_ELEMENTWISE = """
abs acos acosh add add_any and asin asinh atan atan2 atanh cbrt ceil clamp clz complex conj cos cosh digamma div eq
eq_to erf erf_inv erfc exp exp2 expm1 floor ge gt igamma igamma_grad_a igammac imag integer_pow is_finite le lgamma
log log1p logistic lt max min mul mulhi ne neg nextafter not one_minus_square or polygamma population_count pow real
rem round rsqrt select_n shift_left shift_right_arithmetic shift_right_logical sign sin sinh sqrt square sub tan tanh
xor zeta
"""
_REDUCTIONS = """
argmax argmin cumlogsumexp cummax cummin cumprod cumsum reduce_and reduce_max reduce_min reduce_or reduce_prod
reduce_sum reduce_xor reduce_precision
"""
_COPIES = """
bitcast_convert_type broadcast broadcast_in_dim concatenate convert_element_type copy copy_p dynamic_slice
dynamic_update_slice empty expand_dims full gather iota lu_pivots_to_permutation optimization_barrier pad reshape rev
scatter scatter-add scatter_add select_and_gather_add select_and_scatter_add slice sort split squeeze stack
stop_gradient tie tile top_k transpose unstack reduce_window_max reduce_window_sum
"""
_RANDOM = """
random_bits random_clone random_fold_in random_gamma random_seed random_split random_unwrap random_wrap threefry2x32
"""
_EFFECTS = "debug_callback debug_print device_put name"

NO_FLOPS: frozenset[str] = frozenset(
    name for names in (_ELEMENTWISE, _REDUCTIONS, _COPIES, _RANDOM, _EFFECTS) for name in names.split()
)
"""Primitives without a product of matrices: elementwise ones, reductions, copies, random bits, callbacks."""

CALLS = frozenset(
    {
        "jit",
        "pjit",
        "closed_call",
        "core_call",
        "eval_jaxpr",
        "remat",
        "remat2",
        "checkpoint",
        "custom_jvp_call",
        "custom_vjp_call",
        "custom_vjp_call_jaxpr",
    }
)
"""Primitives that run the one jaxpr among their parameters once."""

VIEWS = frozenset(
    {
        "broadcast_in_dim",
        "expand_dims",
        "name",
        "optimization_barrier",
        "reshape",
        "squeeze",
        "stop_gradient",
        "transpose",
    }
)
"""Primitives whose results are their arguments in memory, one by one."""

PARTS = frozenset({"dynamic_slice", "slice", "split", "unstack"})
"""Primitives whose results are parts of their first argument."""

UPDATES = {"dynamic_update_slice": 1, "scatter": 2}
"""Primitives that write one argument, whose place this is, into the first."""


class Extent(NamedTuple):
    """Where an array lies: the variable that first held the memory, the region of it, and the region's bytes."""

    memory: Any
    region: Any
    bytes: int


def _flops(jaxpr: Any) -> int:
    """Of an open or a closed jaxpr."""
    return sum(_equation(equation) for equation in jaxpr.eqns)


def _equation(equation: Any) -> int:
    name = equation.primitive.name
    if name in FORMULAS:
        return FORMULAS[name](equation)
    if name in NO_FLOPS:
        return 0
    found = _inside(equation, _flops)
    if found is None:
        raise UnknownOp(
            f"Flops: the primitive {name} is in no table: add it to jax_work.py with its formula, "
            "or among those that count nothing."
        )
    return found


def _traffic(jaxpr: Any) -> int:
    """Of an open or a closed jaxpr, whose arguments are memory of their own."""
    from jax.extend.core import Literal

    extents: dict[Any, Extent] = {}

    def extent(atom: Any) -> Extent:
        return extents.get(atom) or Extent(atom, None, _bytes(atom))

    def read(atoms: Any) -> int:
        found = Regions()
        for atom in atoms:
            if not isinstance(atom, Literal):  # part of the program
                memory, region, size = extent(atom)
                found.add(memory, _bytes(memory), region, size)
        return found.bytes

    total = 0
    for equation in getattr(jaxpr, "jaxpr", jaxpr).eqns:
        name, given, results = equation.primitive.name, equation.invars, equation.outvars
        if name in VIEWS and not any(isinstance(atom, Literal) for atom in given):
            extents.update((result, extent(atom)) for result, atom in zip(results, given, strict=False))
        elif name in PARTS and not isinstance(given[0], Literal):
            extents.update((result, Extent(extent(given[0]).memory, result, _bytes(result))) for result in results)
        elif name in UPDATES:
            total += read(given[1:]) + _bytes(given[UPDATES[name]])
        else:
            within = _inside(equation, _traffic)
            total += read(given) + sum(map(_bytes, results)) if within is None else within
    return total


def _bytes(atom: Any) -> int:
    """Bytes of an array; 0 for what is none, such as the order of effects."""
    shape = getattr(atom.aval, "shape", None)
    return 0 if shape is None else prod(shape) * atom.aval.dtype.itemsize


def _inside(equation: Any, cost: Callable[[Any], int]) -> int | None:
    """What the jaxprs that an equation runs cost together, by the ``cost`` of one; None where it runs none.

    Of branches the dearest counts. ``UnknownOp`` for a loop that costs something and whose number of turns is unknown.
    """
    name, params = equation.primitive.name, equation.params
    if name == "scan":
        return int(params["length"]) * cost(params["jaxpr"])
    if name == "cond":
        return max(map(cost, params["branches"]))
    if name == "while":
        if cost(params["cond_jaxpr"]) + cost(params["body_jaxpr"]) == 0:
            return 0
        raise UnknownOp(
            "Flops: a while loop has no known number of turns: give the solver tol=0, which makes it a scan."
        )
    if name == "custom_linear_solve":
        return cost(params["jaxprs"].solve)  # the others stand by: for a transpose, and to check the solve
    return cost(_only_jaxpr(name, params)) if name in CALLS else None


def _only_jaxpr(name: str, params: Any) -> Any:
    found = [value for value in params.values() if hasattr(value, "eqns")]
    if len(found) != 1:
        raise UnknownOp(
            f"The primitive {name} holds {len(found)} jaxprs instead of one: give it a rule in jax_work.py."
        )
    return found[0]
