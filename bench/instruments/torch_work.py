"""Work in torch, counted exactly: the flops of every operation that a call runs, and the bytes that it moves.

Matrix products, convolutions and linear algebra count as flops (``counting``); elementwise operations, reductions,
views, factories and copies count nothing. An operation of neither kind is an error, never a silent zero.

Every operation that computes reads each distinct element of storage that it is given once, and writes its results once:

    traffic = Σ over operations (distinct bytes of the arguments + bytes of the results)

Views and allocations move nothing; an expanded axis is one element, and one array given twice is read once. What a
kernel reads again because a cache is small, or leaves out because an index asks for a part, is not seen. Here an
operation that nobody thought of is no error: all of them move their arguments.

What runs is what counts (``torch_calls.operations``). Never count a compiled callable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bench.instruments import counting
from bench.instruments.counting import Regions, UnknownOp
from bench.instruments.torch_calls import operations
from bench.instruments.torch_memory import stored


def flops(fn: Callable[[], Any]) -> int:
    """Flops of one call of ``fn``, on the CPU or on meta; ``UnknownOp`` for an operation that is in no table."""
    import torch

    total = 0

    def handle(op: Any, args: tuple[Any, ...], kwargs: dict[str, Any], divided: Callable[[], Any]) -> Any:
        nonlocal total
        name = _name(op).rstrip("_")
        formula = FORMULAS.get(name)
        if formula is None and not _counts_nothing(op, name, torch.Tag.pointwise):
            out = divided()
            if out is NotImplemented:
                raise UnknownOp(
                    f"Flops: {name} is in no table: add it to torch_work.py with its formula, "
                    "or among the operations that count nothing."
                )
            return out
        out = op(*args, **kwargs)
        if formula is not None:
            total += formula(args, out)
        return out

    operations(fn, handle)
    return total


def traffic(fn: Callable[[], Any]) -> int:
    """Bytes that one call of ``fn`` reads and writes, on the CPU, a GPU or meta."""
    import torch

    total = 0

    def handle(op: Any, args: tuple[Any, ...], kwargs: dict[str, Any], divided: Callable[[], Any]) -> Any:
        nonlocal total
        out = divided() if torch.is_inference_mode_enabled() else NotImplemented
        if out is NotImplemented:
            out = op(*args, **kwargs)
            total += _moved(op, args, kwargs, out)
        return out

    operations(fn, handle)
    return total


Formula = Callable[[tuple[Any, ...], Any], int]
"""Flops of one call from its positional arguments and what it returned."""


def _product(left: int) -> Formula:
    """A product of the arguments ``left`` and ``left + 1``; the sum with the argument before them is elementwise."""
    return lambda args, out: counting.product(out.shape, args[left].shape[-1])


def _convolution(args: tuple[Any, ...], out: Any) -> int:
    image, kernel = args[:2]
    return _lanes(image, kernel, out)


def _convolution_backward(args: tuple[Any, ...], out: Any) -> int:
    """One product for each of the two gradients that were asked for; that of the bias is a sum."""
    grad, image, kernel = args[:3]
    return sum(args[10][:2]) * _lanes(image, kernel, grad)


def _lanes(image: Any, kernel: Any, result: Any) -> int:
    lanes = image.shape[0] * kernel.shape[0] * kernel.shape[1]  # a transposed kernel is (i, o/groups): the same product
    return counting.convolution(lanes, image.shape[2:], kernel.shape[2:], result.shape[2:])


def _matrices(matrix: Any) -> tuple[int, int, int]:
    """How many matrices there are, and their rows and columns."""
    m, n = matrix.shape[-2:]
    return matrix.shape[:-2].numel(), m, n


def _lu(args: tuple[Any, ...], out: Any) -> int:
    count, m, n = _matrices(args[0])
    return count * counting.lu(m, n)


def _solve(args: tuple[Any, ...], out: Any) -> int:
    return _lu(args, out) + counting.lu_solve(args[0].shape[-1], out[0].shape)


def _qr(args: tuple[Any, ...], out: Any) -> int:
    count, m, n = _matrices(args[0])
    columns = out[0].shape[-1]  # 0 in the mode "r", which forms no Q
    return count * (counting.qr(m, n) + counting.reflectors(m, columns, min(m, n)) * bool(columns))


def _geqrf(args: tuple[Any, ...], out: Any) -> int:
    count, m, n = _matrices(args[0])
    return count * counting.qr(m, n)


def _reflectors(args: tuple[Any, ...], out: Any) -> int:
    count, m, n = _matrices(args[0])
    return count * counting.reflectors(m, n, args[1].shape[-1])


def _cholesky(args: tuple[Any, ...], out: Any) -> int:
    count, _, n = _matrices(args[0])
    return count * counting.cholesky(n)


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
    "aten.addbmm": lambda args, out: counting.product(out.shape, args[1].shape[0] * args[1].shape[-1]),
    "aten.convolution": _convolution,
    "aten._convolution": _convolution,
    "aten.convolution_backward": _convolution_backward,
    "aten._linalg_solve_ex": _solve,
    "aten.linalg_lu_factor_ex": _lu,
    "aten.linalg_lu": _lu,
    "aten.linalg_lu_solve": lambda args, out: counting.lu_solve(args[0].shape[-1], out.shape),
    "aten.linalg_solve_triangular": lambda args, out: counting.triangular_solve(args[0].shape[-1], out.shape),
    "aten.triangular_solve": lambda args, out: counting.triangular_solve(args[1].shape[-1], out[0].shape),
    "aten.linalg_qr": _qr,
    "aten.geqrf": _geqrf,
    "aten.linalg_householder_product": _reflectors,
    "aten.linalg_cholesky_ex": _cholesky,
    "aten.cholesky": _cholesky,
    "aten.cholesky_solve": lambda args, out: counting.lu_solve(args[1].shape[-1], out.shape),
    "aten._cholesky_solve_helper": lambda args, out: counting.lu_solve(args[1].shape[-1], out.shape),
    "aten.linalg_inv_ex": _inverse,
}
"""By name, such as ``aten.mm``; the in-place ``aten.addmm_`` has the entry of ``aten.addmm``."""

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

NO_FLOPS: frozenset[str] = frozenset(
    f"aten.{name.rstrip('_')}"
    for names in (_REDUCTIONS, _SOFTMAX_AND_LOSSES, _ELEMENTWISE, _FACTORIES, _RANDOM, _COPIES, _QUESTIONS, _POOLING)
    for name in names.split()
) | {f"prims.{name}" for name in _PRIMS.split()}
"""Operations without a product of matrices: reductions, elementwise ones, factories, copies. What torch itself marks as
pointwise or as a view needs no entry."""

_NO_TRAFFIC = """
_efficientzerotensor _has_same_storage_numel _is_zerotensor _linalg_check_errors empty empty_like empty_permuted
empty_strided is_same_size new_empty new_empty_strided resize resize_as set
"""
NO_TRAFFIC = frozenset(f"aten.{name}" for name in _NO_TRAFFIC.split())
"""Operations that allocate, or look at shapes and flags alone."""

_OVERWRITING = "bernoulli copy exponential fill log_normal normal random uniform zero"
OVERWRITING = frozenset(f"aten.{name}_" for name in _OVERWRITING.split())
"""In-place operations that do not read what they write over."""


def _name(op: Any) -> str:
    """``aten.mm`` for each of its overloads; an in-place variant ends with an underscore."""
    return str(getattr(op, "overloadpacket", op))


def _counts_nothing(op: Any, name: str, pointwise: Any) -> bool:
    return name in NO_FLOPS or pointwise in getattr(op, "tags", ()) or getattr(op, "is_view", False)


def _moved(op: Any, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any) -> int:
    """Bytes that one operation moves."""
    name = _name(op)
    if name.rstrip("_") in NO_TRAFFIC:
        return 0
    # What is made like another tensor takes its shape and reads none of it.
    shape_alone = name.endswith("_like") or name.startswith(("aten.new_", "aten._new_"))
    read, written, given = Regions(), Regions(), set()
    for argument, value in _arguments(op, args, kwargs):
        target = argument is not None and argument.is_write
        for tensor in _tensors(value):
            given.add(tensor.untyped_storage()._cdata)
            if target:
                _add(written, tensor)
            if not (shape_alone or (target and (argument.is_out or name in OVERWRITING))):
                _add(read, tensor)
    results = list(_tensors(out))
    for tensor in results:
        if tensor.untyped_storage()._cdata not in given:
            _add(written, tensor)
    if results and not written:
        return 0  # a view
    return read.bytes + written.bytes


def _arguments(op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Each argument's place in the schema, None where the operation has none, and its value."""
    schema = getattr(op, "_schema", None)
    known = schema.arguments if schema is not None else [None] * len(args)
    yield from zip(known, args, strict=False)
    named = {one.name: one for one in known if one is not None}
    yield from ((named.get(name), value) for name, value in kwargs.items())


def _tensors(value: Any) -> Iterator[Any]:
    """Dense tensors of a nest, or that sparse ones are stored in; the zeros of forward mode are never written down."""
    import torch
    from torch.utils._pytree import tree_leaves

    tensors = (one for one in tree_leaves(value) if isinstance(one, torch.Tensor) and not one._is_zerotensor())
    return (part for one in tensors for part in stored(one))


def _add(regions: Regions, tensor: Any) -> None:
    """Add the distinct elements of a tensor: an axis of stride 0 is one element, and windows may overlap."""
    if tensor.numel() == 0:
        return
    storage, item = tensor.untyped_storage(), tensor.element_size()
    axes = sorted(
        (step, size) for step, size in zip(tensor.stride(), tensor.shape, strict=True) if step != 0 and size > 1
    )
    count, span = 1, 1
    for step, size in axes:
        count, span = count * size, span + step * (size - 1)
    where = tensor.storage_offset(), tuple(axes), item
    regions.add(storage._cdata, storage.nbytes(), where, item * min(count, span))
