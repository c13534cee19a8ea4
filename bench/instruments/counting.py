"""What counts as work, whatever the framework: flops of an operation from shapes alone, and bytes of memory once each.

A multiplication and an addition are two flops. Linear algebra has LAPACK's counts, leading terms, rounded down to a
whole number for each matrix (LAPACK Working Note 41, appendix C).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import prod

Shape = Sequence[int]


class UnknownOp(Exception):
    """An operation that no table knows: counted as nothing it would look free."""


def product(result: Shape, inner: int) -> int:
    """2 · |result| · inner: every entry of a matrix product is a sum of ``inner`` products."""
    return 2 * prod(result) * inner


def convolution(lanes: int, image: Shape, kernel: Shape, result: Shape) -> int:
    """2 · lanes · Π over spatial axes of (the two smallest of image, kernel and result size).

    lanes: batch · output channels · input channels of a group. Along an axis two of the three positions fix the third,
    so the products are at most as many as any two of them have pairs. A convolution and its two gradients have the
    same three sizes in exchanged roles, hence one count. It leaves out the zeros that dilation puts between entries
    and those around a gradient's image, and keeps the products with a padding that preserves the size.
    """
    return 2 * lanes * prod(prod(sorted(sizes)[:2]) for sizes in zip(image, kernel, result, strict=True))


def lu(m: int, n: int) -> int:
    """l k² − ⅓ k³ with k = min(m, n), l = max(m, n): ⅔ n³ for a square matrix."""
    small, large = sorted((m, n))
    return (3 * large * small**2 - small**3) // 3


def qr(m: int, n: int) -> int:
    """2 l k² − ⅔ k³ with k = min(m, n), l = max(m, n): R, and Q as reflectors."""
    small, large = sorted((m, n))
    return (6 * large * small**2 - 2 * small**3) // 3


def reflectors(m: int, columns: int, k: int) -> int:
    """4 m c k − 2 (m + c) k² + 4/3 k³: the first c columns of Q out of k reflectors."""
    return (12 * m * columns * k - 6 * (m + columns) * k**2 + 4 * k**3) // 3


def cholesky(n: int) -> int:
    """n³/3."""
    return n**3 // 3


def triangular_solve(n: int, result: Shape) -> int:
    """n² for each right-hand side."""
    return n * prod(result)


def lu_solve(n: int, result: Shape) -> int:
    """2 n² for each right-hand side: one lower and one upper triangle."""
    return 2 * triangular_solve(n, result)


class Regions:
    """Regions inside pieces of memory. Regions of one key are one; others may overlap, so that together they are at
    most the piece that they lie in."""

    def __init__(self) -> None:
        self._found: dict[Hashable, tuple[int, dict[Hashable, int]]] = {}

    def add(self, memory: Hashable, size: int, key: Hashable, region: int) -> None:
        """Add a region of so many bytes, named ``key``, in a piece of memory of ``size`` bytes."""
        self._found.setdefault(memory, (size, {}))[1][key] = region

    def __bool__(self) -> bool:
        return bool(self._found)

    @property
    def bytes(self) -> int:
        """Bytes of all of them together."""
        return sum(min(size, sum(regions.values())) for size, regions in self._found.values())
