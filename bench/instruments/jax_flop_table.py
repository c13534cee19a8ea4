"""What each jax primitive counts: its formula from an equation's shapes, or its place among those of no flops."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

from bench.instruments import flop_formulas as formulas

Formula = Callable[[Any], int]
"""Flops of one equation of a jaxpr."""


def _shapes(equation: Any) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    return [v.aval.shape for v in equation.invars], [v.aval.shape for v in equation.outvars]


def _dot_general(equation: Any) -> int:
    """Without an axis to sum over it is an outer product: elementwise, so nothing."""
    (contracted, _), _ = equation.params["dimension_numbers"]
    (left, *_), (result, *_) = _shapes(equation)
    return formulas.product(result, prod(left[axis] for axis in contracted)) if contracted else 0


def _convolution(equation: Any) -> int:
    """Its batch is the image's, or with ``batch_group_count`` the result's, whose groups share it out."""
    image_axes, kernel_axes, result_axes = equation.params["dimension_numbers"]
    (image, kernel, *_), (result, *_) = _shapes(equation)
    lanes = result[result_axes[0]] * kernel[kernel_axes[0]] * kernel[kernel_axes[1]]

    def size(shape: tuple[int, ...], axes: tuple[int, ...]) -> list[int]:
        return [shape[axis] for axis in axes[2:]]

    return formulas.convolution(lanes, size(image, image_axes), size(kernel, kernel_axes), size(result, result_axes))


def _lu(equation: Any) -> int:
    *batch, m, n = _shapes(equation)[0][0]
    return prod(batch) * formulas.lu(m, n)


def _triangular_solve(equation: Any) -> int:
    (matrix, right), _ = _shapes(equation)
    return formulas.triangular_solve(matrix[-1], right)


def _qr(equation: Any) -> int:
    """The primitive makes R and Q's columns at once, as many as its first result has."""
    *batch, m, n = _shapes(equation)[0][0]
    columns = _shapes(equation)[1][0][-1]
    return prod(batch) * (formulas.qr(m, n) + formulas.reflectors(m, columns, min(m, n)))


def _geqrf(equation: Any) -> int:
    *batch, m, n = _shapes(equation)[0][0]
    return prod(batch) * formulas.qr(m, n)


def _reflectors(equation: Any) -> int:
    (reflectors, taus), _ = _shapes(equation)
    *batch, m, n = reflectors
    return prod(batch) * formulas.reflectors(m, n, taus[-1])


def _cholesky(equation: Any) -> int:
    *batch, n, _ = _shapes(equation)[0][0]
    return prod(batch) * formulas.cholesky(n)


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

NOTHING: frozenset[str] = frozenset(
    name for names in (_ELEMENTWISE, _REDUCTIONS, _COPIES, _RANDOM, _EFFECTS) for name in names.split()
)
"""Primitives without a product of matrices: elementwise ones, reductions, copies, random bits, callbacks."""
