"""A model of the caller's in jax, and the linear solve of its reference."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from bench.own.jax_nest import Arrays
from bench.own.model import INDEPENDENT, Leaves
from bench.own.model import Model as Common
from bench.own.nest import inexact
from bench.own.question import Question, Unsuitable


class Model(Common):
    """See ``bench.own.model``."""

    arrays = Arrays
    state_words = "array: join the parts of a state with jnp.concatenate"

    def __init__(self, question: Question, **how: Any) -> None:
        import jax

        self._jax, self._jitted = jax, dict[str, Callable[..., Any]]()
        super().__init__(question, **how)

    @property
    def state_types(self) -> tuple[type, ...]:
        """See ``Model``."""
        return (self._jax.Array,)

    def require_suitable(self) -> None:
        """``Unsuitable`` where the loss depends on no leaf. An array that a function closes over is a constant in jax,
        and costs no gradient."""
        from jax.custom_derivatives import SymbolicZero

        depends: list[bool] = []
        watched = self._jax.custom_jvp(lambda value: value)

        @partial(watched.defjvp, symbolic_zeros=True)
        def rule(primals: Any, tangents: Any) -> tuple[Any, Any]:
            zero = isinstance(tangents[0], SymbolicZero)
            depends.append(not zero)
            return primals[0], self._jax.numpy.zeros_like(primals[0]) if zero else tangents[0]

        def along(leaves: list[Any], rest: dict[str, Any]) -> Any:
            return self._jax.jvp(
                lambda leaves: watched(self._once(leaves, rest)), (leaves,), (leaves,)
            )  # traced alone: its tangent is of no interest

        try:
            self._jax.eval_shape(along, self.leaves, self.rest)
        except Unsuitable:
            raise
        except Exception:  # each method says for itself what cannot be differentiated
            return
        if not any(depends):
            raise Unsuitable(INDEPENDENT)

    def like(self, new: np.ndarray, one: Any) -> Any:
        """These numbers in the dtype of another array."""
        return self._jax.numpy.asarray(new, one.dtype)

    def flat(self, gradient: list[Any]) -> np.ndarray:
        """A gradient as one vector of float64: of a complex number the derivatives in its real and imaginary part,
        which jax.grad gives as their difference."""
        return np.concatenate([_reals(np.asarray(one)).astype(np.float64).ravel() for one in gradient])

    def sizes(self, arrays: list[Any]) -> tuple[int, int]:
        """Real numbers, and bytes, of a list of arrays."""
        numbers = sum(one.size * (2 if "complex" in str(one.dtype) else 1) for one in arrays)
        return numbers, sum(one.size * one.dtype.itemsize for one in arrays)

    def apply(self, leaves: list[Any] | None = None) -> Callable[[np.ndarray], np.ndarray]:
        """z ↦ step(z) on numpy arrays."""
        args = self.args if leaves is None else [*leaves, *self.rest["held"]]
        step = self._compiled("step", self.step)
        return lambda z: self.numpy(step(self.state(z), args))

    def push(self, z: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        """v ↦ J v of the step at z."""
        at = self.state(z)

        def product(z: Any, args: list[Any], v: Any) -> Any:
            return self._jax.jvp(lambda z: self.step(z, args), (z,), (v,))[1]

        push = self._compiled("push", product)
        return lambda v: self.numpy(push(at, self.args, self.state(v)))

    def numpy(self, array: Any) -> np.ndarray:
        """The numbers of an array, in float64 where they have less than 32 bits."""
        found = np.asarray(array)
        return found.astype(np.float64) if inexact(found) and self._jax.numpy.finfo(found.dtype).bits < 32 else found

    def value(self, leaves: Leaves, z: np.ndarray | None = None) -> float:
        """The loss; of an implicit model at the lifted state z."""
        value = self._compiled("value", lambda leaves, rest, z: self._at(z)(leaves, rest)[0])
        return float(value(leaves, self.rest, None if z is None else self.state(z)))

    def _compiled(self, name: str, fn: Callable[..., Any]) -> Callable[..., Any]:
        """One compilation for all calls of a model."""
        return self._jitted.setdefault(name, self._jax.jit(fn))

    def _require_cpu(self, arrays: list[Any]) -> None:
        for one in arrays:
            if not isinstance(one, self._jax.core.Tracer) and {device.platform for device in one.devices()} != {"cpu"}:
                raise ValueError("An array lies on another device than the cpu: start Python with JAX_PLATFORMS=cpu.")


def _reals(one: np.ndarray) -> np.ndarray:
    return np.stack([one.real, -one.imag], -1) if np.iscomplexobj(one) else one


class Refined:
    """A linear solve for references: x ← x + GMRES(b − A x) until ‖b − A x‖/‖b‖ ≤ tol, at most ``most`` products with
    A. NaN where it is missed."""

    tol, differentiable = 1e-12, False

    def __init__(self, most: int, steps: int = 40) -> None:
        self._rounds, self._steps = -(-most // steps) + 1, steps

    def __call__(self, A: Any, b: Any) -> Any:
        import jax

        from impls.jax.linear_solvers import GMRES, solution
        from impls.jax.norms import largest_ratio

        inner = GMRES(self._steps)

        def going(state: Any) -> Any:
            _, r, rounds = state
            return (rounds < self._rounds) & (largest_ratio(r, b) > self.tol)

        def refined(state: Any) -> Any:
            x, r, rounds = state
            x = x + inner(A, r).value
            return x, b - A(x), rounds + 1

        x, r, rounds = jax.lax.while_loop(going, refined, (0 * b, b, 0))
        return solution(x, rounds * self._steps, self.tol, A, b, r)
