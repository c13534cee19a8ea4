"""A model of the caller's in jax, as the methods take one: a loss of a list of arrays and a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from bench.own.lifted import Lifted
from bench.own.question import Question, scalar


class Model:
    """The twin of ``torch_model.Model``; ``double`` needs jax's float64 switched on.

    Leaves of the pytrees that are no arrays, such as the functions of an Equinox module, stay as they are.
    """

    def __init__(
        self, question: Question, *, double: bool = False, alone: bool | None = None, look: bool = True
    ) -> None:
        import jax

        self._jax, self._question, self._double = jax, question, double
        flat, self._shape = jax.tree.flatten(opened(question.params))
        self._tree = [self._cast(one) for one in flat]
        self._places = [place for place, one in enumerate(self._tree) if self._floating(one)]
        self.leaves: list[Any] = [self._tree[place] for place in self._places]
        others = set(range(len(flat))) - set(self._places)
        self._held = [place for place in sorted(others) if isinstance(self._tree[place], jax.Array)]
        batch, self._batch_shape = jax.tree.flatten(opened(question.batch))
        self._batch = [self._cast(one) for one in batch]
        self._batch_places = [place for place, one in enumerate(self._batch) if isinstance(one, jax.Array)]
        self.rest: dict[str, Any] = {
            "held": [self._tree[place] for place in self._held],
            "batch": [self._batch[place] for place in self._batch_places],
        }
        self._require_floats()
        self.dtype = str(max((one.dtype for one in self.leaves), key=lambda one: jax.numpy.finfo(one).eps))
        if question.implicit:
            z0 = self._cast(question.z0)
            self._lifted = Lifted(z0, alone=alone if alone is not None else False)
            self.rest["z0"] = self._lifted.lift(z0)
            if alone is None and look:
                self._lifted = Lifted(z0, alone=self._mixes())
                self.rest["z0"] = self._lifted.lift(z0)

    @property
    def alone(self) -> bool:
        """Whether the state is taken as a single sample."""
        return self._question.implicit and self._lifted.alone

    def loss(self, fixed_point: Any = None) -> Callable[[list[Any], dict[str, Any]], tuple[Any, Any]]:
        """loss(leaves, rest) -> (value, aux); aux is the Solution of an implicit model's fixed point."""
        from impls.jax import ops

        question = self._question

        def explicit(leaves: list[Any], rest: dict[str, Any]) -> tuple[Any, Any]:
            batch = list(self._batch)
            for place, one in zip(self._batch_places, rest["batch"], strict=True):
                batch[place] = one
            params = self._filled([*ops.dense(leaves), *rest["held"]])
            return scalar(question.loss(params, self._jax.tree.unflatten(self._batch_shape, batch))), ()

        def implicit(leaves: list[Any], rest: dict[str, Any]) -> tuple[Any, Any]:
            args = [*ops.dense(leaves), *rest["held"]]
            found = fixed_point(self.step, rest["z0"], args)
            return scalar(question.evaluate(self._lifted.lower(found.value), self._filled(args))), found

        return implicit if question.implicit else explicit

    def require_closed(self) -> None:
        """Nothing in jax: an array that a function closes over is a constant, and costs no gradient."""

    def holding(self, body: Callable[[], Any]) -> Any:
        """``body()``: nothing of the caller's is replaced in jax."""
        return body()

    def step(self, z: Any, args: list[Any]) -> Any:
        """One application of the caller's step to a lifted state."""
        assert self._question.step is not None
        image = self._question.step(self._lifted.lower(z), self._filled(args))
        self._lifted.require_state(z, image, isinstance(image, self._jax.Array))
        return self._lifted.lift(image)

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
        """The numbers of an array."""
        return np.asarray(array)

    def state(self, z: np.ndarray) -> Any:
        """A lifted state from numpy."""
        return self._jax.numpy.asarray(z, self.rest["z0"].dtype)

    def value(self, leaves: list[Any], z: np.ndarray | None = None) -> float:
        """The loss; of an implicit model at the lifted state z."""

        def at(leaves: list[Any], rest: dict[str, Any], z: Any) -> Any:
            return self.loss(lambda step, z0, args: SimpleNamespace(value=z))(leaves, rest)[0]

        return float(self._compiled("value", at)(leaves, self.rest, None if z is None else self.state(z)))

    # ------------------------------------------------------------------------------------------------------------

    def _filled(self, args: list[Any]) -> Any:
        """The nest with these arrays in their places."""
        tree = list(self._tree)
        for place, one in zip([*self._places, *self._held], args, strict=True):
            tree[place] = one
        return self._jax.tree.unflatten(self._shape, tree)

    def _cast(self, leaf: Any) -> Any:
        if isinstance(leaf, np.ndarray):
            leaf = self._jax.numpy.asarray(leaf)
        if self._double and self._floating(leaf):
            return self._jax.numpy.asarray(np.asarray(leaf, np.float64))  # a cast in jax is a compilation a shape
        return leaf

    def _floating(self, leaf: Any) -> bool:
        return isinstance(leaf, self._jax.Array) and self._jax.numpy.issubdtype(leaf.dtype, self._jax.numpy.floating)

    def _compiled(self, name: str, fn: Callable[..., Any]) -> Callable[..., Any]:
        """One compilation for all calls of a model."""
        kept = self.__dict__.setdefault("_jitted", {})
        return kept.setdefault(name, self._jax.jit(fn))

    def _mixes(self) -> bool:
        from bench.own.state import mixes

        return mixes(self.apply(), self.numpy(self.rest["z0"]))

    def _require_floats(self) -> None:
        what = "args" if self._question.implicit else "params"
        if not self.leaves:
            raise ValueError(f"{what} holds no floating array: there is nothing to differentiate.")
        if self._question.implicit and not self._floating(self._cast(self._question.z0)):
            raise ValueError("z0 must be one floating array: join the parts of a state with jnp.concatenate.")
        for one in [*self.leaves, *self.rest["held"], *self.rest["batch"]]:
            if not isinstance(one, self._jax.core.Tracer) and {device.platform for device in one.devices()} != {"cpu"}:
                raise ValueError("An array lies on another device than the cpu: start Python with JAX_PLATFORMS=cpu.")


def opened(tree: Any) -> Any:
    """The pytree with dicts instead of the mappings that jax does not look into."""
    import jax

    def dicts(leaf: Any) -> Any:
        return {name: opened(one) for name, one in leaf.items()} if isinstance(leaf, Mapping) else leaf

    return jax.tree.map(dicts, tree)
