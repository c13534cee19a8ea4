"""What each torch operation counts: its formula, or its place among those that count nothing.

Keys are names such as ``aten.mm``; an in-place variant (``aten.addmm_``) has the entry of the name without the
underscore. Operations that torch itself marks as pointwise or as views need no entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bench.instruments import flop_formulas as formulas

Formula = Callable[[tuple[Any, ...], Any], int]
"""Flops of one call from its positional arguments and what it returned."""


def _product(left: int) -> Formula:
    """A product of the arguments ``left`` and ``left + 1``; the sum with the argument before them is elementwise."""
    return lambda args, out: formulas.product(out.shape, args[left].shape[-1])


def _convolution(args: tuple[Any, ...], out: Any) -> int:
    image, kernel = args[:2]
    return _lanes(image, kernel, out)


def _convolution_backward(args: tuple[Any, ...], out: Any) -> int:
    """One product for each of the two gradients that were asked for; that of the bias is a sum."""
    grad, image, kernel = args[:3]
    return sum(args[10][:2]) * _lanes(image, kernel, grad)


def _lanes(image: Any, kernel: Any, result: Any) -> int:
    lanes = image.shape[0] * kernel.shape[0] * kernel.shape[1]  # a transposed kernel is (i, o/groups): the same product
    return formulas.convolution(lanes, image.shape[2:], kernel.shape[2:], result.shape[2:])


def _matrices(matrix: Any) -> tuple[int, int, int]:
    """How many matrices there are, and their rows and columns."""
    m, n = matrix.shape[-2:]
    return matrix.shape[:-2].numel(), m, n


def _lu(args: tuple[Any, ...], out: Any) -> int:
    count, m, n = _matrices(args[0])
    return count * formulas.lu(m, n)


def _solve(args: tuple[Any, ...], out: Any) -> int:
    return _lu(args, out) + formulas.lu_solve(args[0].shape[-1], out[0].shape)


def _qr(args: tuple[Any, ...], out: Any) -> int:
    count, m, n = _matrices(args[0])
    columns = out[0].shape[-1]  # 0 in the mode "r", which forms no Q
    return count * (formulas.qr(m, n) + formulas.reflectors(m, columns, min(m, n)) * bool(columns))


def _geqrf(args: tuple[Any, ...], out: Any) -> int:
    count, m, n = _matrices(args[0])
    return count * formulas.qr(m, n)


def _reflectors(args: tuple[Any, ...], out: Any) -> int:
    count, m, n = _matrices(args[0])
    return count * formulas.reflectors(m, n, args[1].shape[-1])


def _cholesky(args: tuple[Any, ...], out: Any) -> int:
    count, _, n = _matrices(args[0])
    return count * formulas.cholesky(n)


def _inverse(args: tuple[Any, ...], out: Any) -> int:
    """2 n³: the factors, ⅔ n³, and the inverse from them, 4/3 n³."""
    count, _, n = _matrices(args[0])
    return count * 2 * n**3


FORMULAS: Mapping[str, Formula] = {
    "aten.mm": _product(0),
    "aten.bmm": _product(0),
    "aten.mv": _product(0),
    "aten.dot": _product(0),
    "aten.vdot": _product(0),
    "aten.addmm": _product(1),
    "aten.baddbmm": _product(1),
    "aten.addmv": _product(1),
    "aten.addbmm": lambda args, out: formulas.product(out.shape, args[1].shape[0] * args[1].shape[-1]),
    "aten.convolution": _convolution,
    "aten._convolution": _convolution,
    "aten.convolution_backward": _convolution_backward,
    "aten._linalg_solve_ex": _solve,
    "aten.linalg_lu_factor_ex": _lu,
    "aten.linalg_lu": _lu,
    "aten.linalg_lu_solve": lambda args, out: formulas.lu_solve(args[0].shape[-1], out.shape),
    "aten.linalg_solve_triangular": lambda args, out: formulas.triangular_solve(args[0].shape[-1], out.shape),
    "aten.triangular_solve": lambda args, out: formulas.triangular_solve(args[1].shape[-1], out[0].shape),
    "aten.linalg_qr": _qr,
    "aten.geqrf": _geqrf,
    "aten.linalg_householder_product": _reflectors,
    "aten.linalg_cholesky_ex": _cholesky,
    "aten.cholesky": _cholesky,
    "aten.cholesky_solve": lambda args, out: formulas.lu_solve(args[1].shape[-1], out.shape),
    "aten._cholesky_solve_helper": lambda args, out: formulas.lu_solve(args[1].shape[-1], out.shape),
    "aten.linalg_inv_ex": _inverse,
}

_REDUCTIONS = """
all amax amin aminmax any argmax argmin count_nonzero cumprod cumsum linalg_vector_norm logsumexp max mean median min
nansum norm prod std std_mean sum trace var var_mean
"""
_SOFTMAX_AND_LOSSES = """
_log_softmax _log_softmax_backward_data _softmax _softmax_backward_data mse_loss mse_loss_backward nll_loss_backward
nll_loss_forward nll_loss2d_backward nll_loss2d_forward
"""
_ELEMENTWISE = """
abs addr complex eq fill ge gt hardswish le lt masked_fill ne outer ger polar relu6 threshold tril triu where
"""
_FACTORIES = """
_efficientzerotensor _new_zeros_with_same_feature_meta arange empty empty_like empty_permuted empty_strided eye full
full_like linspace new_empty new_empty_strided new_full new_ones new_zeros ones ones_like rand rand_like randint
randint_like randn randn_like randperm scalar_tensor zeros zeros_like zero
"""
_RANDOM = "bernoulli exponential log_normal multinomial native_dropout normal random uniform"
_COPIES = """
_pin_memory _to_copy _unsafe_view cat clone constant_pad_nd copy diag_embed diagonal_backward diagonal_scatter flip
gather im2col col2im index index_add index_copy index_fill index_put index_select lift_fresh_copy masked_scatter
masked_select nonzero permute_copy reflection_pad1d reflection_pad2d repeat replication_pad1d replication_pad2d roll
scatter scatter_add select_backward select_scatter slice_backward slice_scatter sort squeeze stack t take topk
transpose unfold_backward unsqueeze
"""
_QUESTIONS = """
_assert_async _assert_tensor_metadata _has_same_storage_numel _is_zerotensor _linalg_check_errors _local_scalar_dense
is_same_size set_
"""
_POOLING = """
_adaptive_avg_pool2d _adaptive_avg_pool2d_backward avg_pool2d avg_pool2d_backward max_pool2d_with_indices
max_pool2d_with_indices_backward native_batch_norm native_batch_norm_backward native_layer_norm
native_layer_norm_backward
"""
_PRIMS = "add sub mul div neg pow exp log sqrt sin cos tanh where sum reshape clone fill full full_like"

NOTHING: frozenset[str] = frozenset(
    f"aten.{name.rstrip('_')}"
    for names in (_REDUCTIONS, _SOFTMAX_AND_LOSSES, _ELEMENTWISE, _FACTORIES, _RANDOM, _COPIES, _QUESTIONS, _POOLING)
    for name in names.split()
) | {f"prims.{name}" for name in _PRIMS.split()}
"""Operations without a product of matrices: reductions, elementwise ones, factories, copies."""
