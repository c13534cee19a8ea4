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


def require_pool(x: Any, size: int) -> None:
    """Refuse what is no NHWC array with room for one window of ``size`` by ``size`` pixels."""
    if x.ndim != 4 or not 1 <= size <= min(x.shape[1:3]):
        raise ValueError(
            f"max_pool: a window of size {size!r} does not fit an image of shape {tuple(x.shape)}; "
            "images are NHWC, and a window may be no larger than they are."
        )


def require_state(who: str, z: Any, real: bool) -> None:
    """Refuse a state or right-hand side that is no array (b, *n) with numbers in it. real: it is an array of real
    floating numbers."""
    if not real or z.ndim < 2 or 0 in z.shape:
        raise ValueError(
            f"{who}: a state must be one floating array of shape (b, *n) with samples along axis 0, not {_what(z)}; "
            "join the parts of a state into one array, and give a single sample an axis of length 1 in front."
        )


def require_same_state(z: Any, fz: Any) -> None:
    """Refuse a step that does not map a state to one of the same shape and dtype."""
    shapes = [tuple(z.shape), tuple(fz.shape) if _is_array(fz) else None]
    if shapes[0] != shapes[1] or z.dtype != fz.dtype:
        to = f"{shapes[1]}" if _is_array(fz) and z.dtype == fz.dtype else _what(fz)
        raise ValueError(
            f"fixed_point: step maps a state of shape {shapes[0]} to {to}; "
            "a fixed point needs the same shape and dtype, so change step or z0."
        )


def _is_array(z: Any) -> bool:
    return hasattr(z, "shape") and hasattr(z, "dtype")


def _what(z: Any) -> str:
    """What stands in the place of a state, in words."""
    if z is None:
        return "None"
    if not _is_array(z):
        return f"{'an' if type(z).__name__[0] in 'aeiou' else 'a'} {type(z).__name__}"
    kind = "a numpy array" if type(z).__module__ == "numpy" else "an array"
    return f"{kind} of {str(z.dtype).removeprefix('torch.')} of shape {tuple(z.shape)}"


def require_unrollable(solver: Any) -> None:
    """Refuse a solver that unrolled cannot differentiate through."""
    if solver.tol > 0:
        raise ValueError(
            f"unrolled differentiates a fixed number of steps, and {type(solver).__name__}(tol={solver.tol}) "
            "stops early: set tol=0, or use ift."
        )
    if not getattr(solver, "differentiable", True):
        raise ValueError(
            f"unrolled cannot differentiate through {type(solver).__name__}: take Picard or Newton, or use ift."
        )
    inner = getattr(solver, "linear_solver", None)
    if inner is not None and not inner.differentiable:
        raise ValueError(
            f"unrolled cannot differentiate through {type(inner).__name__} inside {type(solver).__name__}: "
            "give it linear_solver=Dense(), or use ift."
        )


def singular(sample: int) -> str:
    """What to say of a sample whose factorisation met a zero pivot."""
    return (
        f"I − J is singular at sample {sample}, so the fixed point is not isolated there "
        "and has no derivative: make step a contraction."
    )


def require_factors(solver: Any) -> None:
    """Refuse a solver whose last step leaves no factors of I − J behind."""
    inner = type(getattr(solver, "linear_solver", None)).__name__
    if solver.method != "newton" or inner != "Dense":
        raise ValueError(
            f"ift_reused takes the factors of Newton's last dense solve, and {type(solver).__name__} "
            f"{'has none' if solver.method != 'newton' else f'with {inner} makes none'}: "
            "set solver=Newton(linear_solver=Dense()), or use ift."
        )
    if solver.steps < 2:
        raise ValueError("ift_reused takes the factors of Newton's last step, and K=1 makes none: set K from 2 up.")


def require_applications(who: str, applications: int) -> None:
    """Refuse another number of operator applications a step than conjugate gradients are written with."""
    if applications not in (1, 3) or isinstance(applications, bool):
        raise ValueError(
            f"{who}: applications must be 1 (as few as suffice) or 3 (as published), not {applications!r}."
        )


def require_window(who: str, memory: int, ridge: float) -> None:
    """Refuse a window without a whole, positive number of differences, or whose ridge is no finite number above 0."""
    if not isinstance(memory, int) or isinstance(memory, bool) or memory < 1:
        raise ValueError(f"{who}: memory must be a whole number from 1 up, not {memory!r}.")
    if not 0 < ridge < float("inf"):
        raise ValueError(f"{who}: ridge must be a finite number above 0, not {ridge!r}.")
