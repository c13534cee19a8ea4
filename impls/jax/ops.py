"""The few array operations that models and methods are written in, and nests of arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from impls.checks import require_kernel, require_pool, require_product, require_state
from impls.jax.perturbed import along, perturbed

Tree = Any
"""Any nest of tuples, lists and dicts of arrays."""


def leaves(tree: Tree) -> list[Array]:
    """Arrays of a nest, dict keys sorted."""
    return jax.tree.leaves(tree)


def tree_map(fn: Callable[..., Any], tree: Tree, *rest: Tree) -> Tree:
    """Apply ``fn`` leaf by leaf to nests of one shape."""
    return jax.tree.map(fn, tree, *rest)


def matmul(x: Float[Array, "*b m"], w: Float[Array, "m n"]) -> Float[Array, "*b n"]:
    """x @ w."""
    require_product(x, w)
    weight = along(w)
    return x @ w if weight is None else weight.product(matmul, x)


def conv2d(
    x: Float[Array, "b h w i"], w: Float[Array, "kh kw i o"], *, circular: bool = False
) -> Float[Array, "b h w o"]:
    """Cross-correlation that keeps the image's size: NHWC images, HWIO odd kernels, zero or circular padding.

    The circular one is a product of shifted copies with the kernel: XLA's CPU convolutions are slow inside loops.
    """
    require_kernel(x, w)
    if (weight := along(w)) is not None:
        return weight.product(partial(conv2d, circular=circular), x)
    kh, kw = w.shape[0] // 2, w.shape[1] // 2
    if circular:
        shifts = [(i, j) for i in range(-kh, kh + 1) for j in range(-kw, kw + 1)]
        patches = jnp.concatenate([jnp.roll(x, (-i, -j), (1, 2)) for i, j in shifts], axis=-1)
        return patches @ w.reshape(-1, w.shape[-1])
    return jax.lax.conv_general_dilated(x, w, (1, 1), ((kh, kh), (kw, kw)), dimension_numbers=("NHWC", "HWIO", "NHWC"))


def max_pool(x: Float[Array, "b h w c"], size: int) -> Float[Array, "b ph pw c"]:
    """The largest pixel of every window of ``size`` × ``size``, in steps of ``size``; a rest at the edges is left out.

    Of equal pixels the first of the window, in the order of rows, gets the derivative: ReLU makes many that are zero.
    By comparing copies, since XLA's pooling has slow derivatives on a CPU, and ``jnp.max`` splits them between ties.
    """
    require_pool(x, size)
    rows, columns = x.shape[1] // size * size, x.shape[2] // size * size
    first, *others = (x[:, i:rows:size, j:columns:size] for i in range(size) for j in range(size))
    for other in others:
        first = jnp.where((first >= other) | jnp.isnan(first), first, other)
    return first


def cross_entropy(logits: Float[Array, "b c"], labels: Array) -> Float[Array, ""]:
    """Mean over the batch of −log softmax(logits)[label]."""
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1).mean()


def as_state(who: str, z: Any) -> Float[Array, "b *n"]:
    """``z`` as an array of jax; ``ValueError`` for what ``who`` cannot take as a state or as a right-hand side."""
    require_state(who, z, isinstance(z, Array | np.ndarray) and jnp.issubdtype(z.dtype, jnp.floating))
    return jnp.asarray(z)


def stop_gradient(tree: Tree) -> Tree:
    """The same values with no derivative in either mode."""
    return jax.lax.stop_gradient(tree_map(lambda x: weight.value if (weight := along(x)) is not None else x, tree))


def dense(tree: Tree) -> Tree:
    """The same nest with weights along a tangent as arrays, for what takes them otherwise than in products."""
    return tree_map(lambda x: weight.dual() if (weight := along(x)) is not None else x, tree)


def first_order(x: Tree, method: str) -> Tree:
    """``x`` itself; a second derivative through it raises, since ``method`` would get it silently wrong."""

    def once(x: Any) -> Any:
        weight = along(x)
        if weight is None:
            return _once(method, x)
        return perturbed(weight.value, weight.tangent, _once(method, weight.eps))

    return tree_map(once, x)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _once(method: str, x: Array) -> Array:
    return x


@_once.defjvp
def _once_rule(method: str, primals: Any, tangents: Any) -> tuple[Array, Array]:
    # A scalar one that depends on the primals rides on the tangent: whoever differentiates the tangent meets it.
    return _refuse(method, primals[0]), tangents[0]


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _refuse(method: str, x: Array) -> Array:
    return x


@_refuse.defjvp
def _refuse_rule(method: str, primals: Any, tangents: Any) -> Any:
    raise RuntimeError(_SECOND.format(method))


_SECOND = "{} gives first derivatives only, and a second one through it would be wrong: use unrolled for it."
