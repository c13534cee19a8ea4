"""Bad input in one sentence, the same in both frameworks: shapes and step counts, refused before any work."""

from __future__ import annotations

from typing import Any


def require_steps(who: str, steps: int, tol: float) -> None:
    """Refuse a solver without a whole, positive number of steps or with a tolerance that is no number from 0 up."""
    if not isinstance(steps, int) or isinstance(steps, bool) or steps < 1:
        raise ValueError(f"{who}: steps must be a whole number from 1 up, not {steps!r}.")
    if not tol >= 0:
        raise ValueError(f"{who}: tol must be 0 (a fixed number of steps) or more, not {tol!r}.")


def require_product(x: Any, w: Any) -> None:
    """Refuse factors of ``x @ w`` whose shapes do not fit."""
    if w.ndim != 2 or x.shape[-1] != w.shape[0]:
        raise ValueError(
            f"matmul: x of shape {tuple(x.shape)} does not fit w of shape {tuple(w.shape)}; "
            "the last axis of x must be the first of a two-dimensional w."
        )


def require_kernel(x: Any, w: Any) -> None:
    """Refuse an image or kernel that is no NHWC or odd HWIO array, or whose channels differ."""
    if x.ndim != 4 or w.ndim != 4 or x.shape[-1] != w.shape[2] or not w.shape[0] % 2 or not w.shape[1] % 2:
        raise ValueError(
            f"conv2d: an image of shape {tuple(x.shape)} does not fit a kernel of shape {tuple(w.shape)}; "
            "images are NHWC, kernels HWIO with odd height and width, and the channels must agree."
        )


def require_same_shape(z: Any, fz: Any) -> None:
    """Refuse a step that does not map a state to one of the same shape."""
    if tuple(z.shape) != tuple(fz.shape):
        raise ValueError(
            f"fixed_point: step maps a state of shape {tuple(z.shape)} to {tuple(fz.shape)}; "
            "a fixed point needs the same shape, so change step or z0."
        )


def require_unrollable(solver: Any) -> None:
    """Refuse a solver that unrolled cannot differentiate through."""
    if solver.tol > 0:
        raise ValueError(
            f"unrolled differentiates a fixed number of steps, and {type(solver).__name__}(tol={solver.tol}) "
            "stops early: set tol=0, or use ift."
        )
    inner = getattr(solver, "linear_solver", None)
    if inner is not None and not inner.differentiable:
        raise ValueError(
            f"unrolled cannot differentiate through {type(inner).__name__} inside {type(solver).__name__}: "
            "give it linear_solver=Dense(), or use ift."
        )
