"""A model of the caller's in jax, as the methods take one: a loss of a list of arrays and a batch."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from bench.own.jax_nest import Arrays
from bench.own.lifted import Lifted
from bench.own.nest import Nest, inexact
from bench.own.question import INDEPENDENT, Question, Unsuitable, nothing, scalar


class Model:
    """The twin of ``torch_model.Model``; ``double`` needs jax's float64 switched on."""

    def __init__(
        self,
        question: Question,
        *,
        double: bool = False,
        alone: bool | None = None,
        look: bool = True,
        pairs: bool = False,
    ) -> None:
        import jax

        self._jax, self._question, self._double = jax, question, double
        what = "args" if question.implicit else "params"
        arrays = Arrays(double=double, pairs=pairs)
        self._nest = Nest(arrays, question.params, what, fixed=False)
        self._batch = Nest(Arrays(double=double), question.batch, "batch", fixed=True)
        self.leaves: list[Any] = self._nest.leaves
        self.notes: list[str] = self._nest.notes
        self.rest: dict[str, Any] = {"held": self._nest.held, "batch": self._batch.held}
        z0 = Nest(Arrays(double=double), question.z0, "z0", fixed=True).held if question.implicit else []
        self._require_floats(what, z0)
        self.dtype = str(
            jax.numpy.finfo(max((one.dtype for one in self.leaves), key=lambda one: jax.numpy.finfo(one).eps)).dtype
        )
        if question.implicit:
            self._lifted = Lifted(z0[0], arrays, alone=alone if alone is not None else False)
            self.rest["z0"] = self._lifted.lift(z0[0])
            if alone is None and look:
                self._lifted = Lifted(z0[0], arrays, alone=self._mixes())
                self.rest["z0"] = self._lifted.lift(z0[0])

    @cached_property
    def paired(self) -> Model:
        """The same model with complex leaves as pairs of real numbers."""
        if not any("complex" in str(one.dtype) for one in self.leaves):
            return self
        return Model(self._question, double=self._double, alone=self.alone, pairs=True)

    @property
    def alone(self) -> bool:
        """Whether the state is taken as a single sample."""
        return self._question.implicit and self._lifted.alone

    def loss(self, fixed_point: Any = None) -> Callable[[list[Any], dict[str, Any]], tuple[Any, Any]]:
        """loss(leaves, rest) -> (value, aux); aux is the Solution of an implicit model's fixed point."""
        from impls.jax import ops

        question = self._question

        def explicit(leaves: list[Any], rest: dict[str, Any]) -> tuple[Any, Any]:
            def body(params: Any) -> Any:
                return scalar(question.loss(params, self._batch.filled([], rest["batch"])))

            return self._nest.call(ops.dense(leaves), rest["held"], body), ()

        def implicit(leaves: list[Any], rest: dict[str, Any]) -> tuple[Any, Any]:
            args = [*ops.dense(leaves), *rest["held"]]

            def body(tree: Any) -> tuple[Any, Any]:
                found = fixed_point(self.step, rest["z0"], args)
                return scalar(question.evaluate(self._lifted.lower(found.value), tree)), found

            return self._nest.call(args[: len(leaves)], rest["held"], body)

        return implicit if question.implicit else explicit

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
                lambda leaves: watched(self.loss(_one_step)(leaves, rest)[0]), (leaves,), (leaves,)
            )  # traced alone: its tangent is of no interest

        try:
            self._jax.eval_shape(along, self.leaves, self.rest)
        except Unsuitable:
            raise
        except Exception:  # each method says for itself what cannot be differentiated
            return
        if not any(depends):
            raise Unsuitable(INDEPENDENT)

    def holding(self, body: Callable[[], Any]) -> Any:
        """``body()``: nothing of the caller's is replaced in jax."""
        return body()

    def step(self, z: Any, args: list[Any]) -> Any:
        """One application of the caller's step to a lifted state."""
        count = len(self.leaves)
        return self._nest.call(args[:count], args[count:], lambda tree: self._applied(z, tree))

    @property
    def args(self) -> list[Any]:
        """What ``step`` takes."""
        return [*self.leaves, *self.rest["held"]]

    def with_leaves(self, leaves: list[np.ndarray]) -> list[Any]:
        """The leaves with other numbers."""
        return [self.like(new, one) for new, one in zip(leaves, self.leaves, strict=True)]

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

    def state(self, z: np.ndarray) -> Any:
        """A lifted state from numpy."""
        return self._jax.numpy.asarray(z, self.rest["z0"].dtype)

    def value(self, leaves: list[Any], z: np.ndarray | None = None) -> float:
        """The loss; of an implicit model at the lifted state z."""

        def at(leaves: list[Any], rest: dict[str, Any], z: Any) -> Any:
            return self.loss(lambda step, z0, args: SimpleNamespace(value=z))(leaves, rest)[0]

        return float(self._compiled("value", at)(leaves, self.rest, None if z is None else self.state(z)))

    def changes(self, leaves: list[Any]) -> list[str]:
        """None: an array of jax never changes."""
        return []

    # ------------------------------------------------------------------------------------------------------------

    def _applied(self, z: Any, tree: Any) -> Any:
        assert self._question.step is not None
        z = self._lifted.lower(z)
        image = self._question.step(z, tree)
        self._lifted.require_state(z, image, isinstance(image, self._jax.Array))
        return self._lifted.lift(image)

    def _compiled(self, name: str, fn: Callable[..., Any]) -> Callable[..., Any]:
        """One compilation for all calls of a model."""
        kept = self.__dict__.setdefault("_jitted", {})
        return kept.setdefault(name, self._jax.jit(fn))

    def _mixes(self) -> bool:
        from bench.own.state import mixes

        return mixes(self.apply(), self.numpy(self.rest["z0"]))

    def _require_floats(self, what: str, z0: list[Any]) -> None:
        if not any(one.size for one in self.leaves):
            raise ValueError(nothing(what, self.notes))
        if self._question.implicit and (
            len(z0) != 1 or not inexact(z0[0]) or not isinstance(self._question.z0, np.ndarray | self._jax.Array)
        ):
            raise ValueError("z0 must be one floating array: join the parts of a state with jnp.concatenate.")
        for one in [*self.leaves, *self.rest["held"], *self.rest["batch"], *z0]:
            if not isinstance(one, self._jax.core.Tracer) and {device.platform for device in one.devices()} != {"cpu"}:
                raise ValueError("An array lies on another device than the cpu: start Python with JAX_PLATFORMS=cpu.")


def _reals(one: np.ndarray) -> np.ndarray:
    return np.stack([one.real, -one.imag], -1) if np.iscomplexobj(one) else one


def _one_step(step: Any, z0: Any, args: Any) -> Any:
    return SimpleNamespace(value=step(z0, args))
