"""A model of the caller's as the methods take one: a loss of a list of arrays and a batch.

``torch_model`` and ``jax_model`` have what differs between the frameworks, as twins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from math import prod
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from bench.failures import NotApplicable
from bench.own.nest import Arrays, Nest, eps, inexact, real_dtype
from bench.own.question import Question, Unsuitable
from bench.own.state import Map, mixes

Leaves = list[Any]
Rest = dict[str, Any]
OwnLoss = Callable[[Leaves, Rest], tuple[Any, Any]]
"""loss(leaves, rest) -> (value, aux); aux is the Solution of an implicit model's fixed point."""


def model(question: Question, *, double: bool = False, one_sample: bool | None = None, in_reals: bool = False) -> Any:
    """The model in its framework, see ``Model``. ``Unsuitable`` where no method can measure it, which is looked at
    once: not where ``one_sample`` is known from another one of the same question. ``NotApplicable`` where an operation
    is missing for its arrays."""
    with missing_modes():
        found = kind(question.framework)(question, double=double, one_sample=one_sample, in_reals=in_reals)
        if one_sample is None:
            found.require_suitable()
        return found


def kind(framework: str) -> Any:
    """The framework's class of models."""
    return import_module(f"bench.own.{framework}_model").Model


class Model:
    """leaves: the arrays that get a gradient. rest: all others. dtype: the least exact of the leaves', of complex ones
    that of their parts. notes: one sentence for each kind of number that gets no gradient though it could.

    double: floating arrays are cast to float64, in copies; in jax float64 must be switched on. one_sample: the state is
    taken as a single sample; None: step is run to see whether it mixes samples, else nothing of the caller's runs.
    in_reals: complex leaves are real numbers, two of each, for what knows real numbers alone, such as laws of tangents.
    """

    arrays: ClassVar[Callable[..., Arrays]]
    """What takes the framework's arrays out of a nest."""
    state_words: ClassVar[str]
    """What a start must be, and how else one is made of several."""

    def __init__(
        self, question: Question, *, double: bool = False, one_sample: bool | None = None, in_reals: bool = False
    ) -> None:
        self._question, self._double, self._in_reals = question, double, in_reals
        what = "args" if question.implicit else "params"
        self._arrays, self._batch_arrays = self.arrays(double=double, in_reals=in_reals), self.arrays(double=double)
        self._nest = Nest(self._arrays, question.params, what, fixed=False)
        self._batch = Nest(self._batch_arrays, question.batch, "batch", fixed=True)
        self.leaves: Leaves = self._nest.leaves
        self.notes: list[str] = self._nest.notes
        self.rest: Rest = {"held": self._nest.held, "batch": self._batch.held}
        start = Nest(self.arrays(double=double), question.z0, "z0", fixed=True).held if question.implicit else []
        self._require_floats(what, start)
        self.dtype = max(map(real_dtype, self.leaves), key=eps)
        if question.implicit:
            self._lift_from(start[0], one_sample=bool(one_sample))
            if one_sample is None and mixes(self.apply(), self.numpy(self.rest["z0"])):
                self._lift_from(start[0], one_sample=True)

    @cached_property
    def in_reals(self) -> Model:
        """The same model with complex leaves as pairs of real numbers."""
        if not any("complex" in str(one.dtype) for one in self.leaves):
            return self
        return type(self)(self._question, double=self._double, one_sample=self.one_sample, in_reals=True)

    @property
    def one_sample(self) -> bool:
        """Whether the state is taken as a single sample."""
        return self._question.implicit and self._lifted.one_sample

    @property
    def state_types(self) -> tuple[type, ...]:
        """Of which a state is."""
        raise NotImplementedError

    @property
    def args(self) -> list[Any]:
        """What ``step`` takes."""
        return [*self.leaves, *self.rest["held"]]

    def loss(self, fixed_point: Any = None) -> OwnLoss:
        """The loss with a way to solve fixed points in it, None for an explicit one."""
        question, dense = self._question, import_module(f"impls.{self._question.framework}.ops").dense

        def explicit(leaves: Leaves, rest: Rest) -> tuple[Any, Any]:
            leaves = dense(leaves)

            def body(params: Any) -> Any:
                batch = self._batch.filled([], rest["batch"])
                return scalar(self._recorded("loss", lambda: question.loss(params, batch), leaves))

            return self._nest.call(leaves, rest["held"], body), ()

        def implicit(leaves: Leaves, rest: Rest) -> tuple[Any, Any]:
            leaves = dense(leaves)
            args = [*leaves, *rest["held"]]

            def body(tree: Any) -> tuple[Any, Any]:
                found = fixed_point(self._inside(args, tree), rest["z0"], args)
                state = self._lifted.lower(found.value)

                def value() -> Any:
                    return question.evaluate(self._asking("loss", state), tree)

                return scalar(self._recorded("loss", value, leaves)), found

            return self._nest.call(leaves, rest["held"], body)

        return implicit if question.implicit else explicit

    def step(self, z: Any, args: list[Any]) -> Any:
        """One application of the caller's step to a lifted state."""
        count = len(self.leaves)
        return self._nest.call(args[:count], args[count:], lambda tree: self._applied(z, tree))

    def holding(self, body: Callable[[], Any]) -> Any:
        """``body()``, while the caller's modules hold this model's arrays."""
        return body()

    def changes(self, leaves: Leaves) -> list[str]:
        """Paths of the leaves that a call of the model with these numbers changes in place."""
        return []

    def with_leaves(self, leaves: list[np.ndarray]) -> Leaves:
        """The leaves with other numbers."""
        return [self.like(new, one) for new, one in zip(leaves, self.leaves, strict=True)]

    def like(self, new: np.ndarray, one: Any) -> Any:
        """These numbers in the dtype of another array."""
        raise NotImplementedError

    def state(self, z: np.ndarray) -> Any:
        """A lifted state from numpy."""
        return self.like(z, self.rest["z0"])

    def numpy(self, array: Any) -> np.ndarray:
        """The numbers of an array, which may share its memory; in float64 where they have less than 32 bits."""
        raise NotImplementedError

    def apply(self, leaves: Leaves | None = None) -> Map:
        """z ↦ step(z) on numpy arrays."""
        raise NotImplementedError

    # What torch does otherwise ----------------------------------------------------------------------------------

    def _recorded(self, which: str, fn: Callable[[], Any], leaves: Leaves) -> Any:
        """What the caller's loss or step returns."""
        return fn()

    def _asking(self, which: str, z: Any) -> Any:
        """The state as the caller's loss or step gets it."""
        return z

    def _ended(self, image: Any) -> Any:
        """The next state as the solver gets it."""
        return image

    def _inside(self, outer: list[Any], tree: Any) -> Callable[[Any, list[Any]], Any]:
        """step, as it is called in the solve of a loss of the args ``outer``."""
        return self.step

    def _require_cpu(self, arrays: list[Any]) -> None:
        raise NotImplementedError

    # ------------------------------------------------------------------------------------------------------------

    def _applied(self, z: Any, tree: Any) -> Any:
        step, state = self._question.step, self._lifted.lower(z)
        assert step is not None
        image = self._recorded("step", lambda: step(self._asking("step", state), tree), [])
        self._lifted.require_state(state, image, isinstance(image, self.state_types))
        return self._lifted.lift(self._ended(image))

    def _once(self, leaves: Leaves, rest: Rest | None = None) -> Any:
        """The loss, after one step where there is a solve."""

        def one_step(step: Any, z0: Any, args: Any) -> Any:
            return SimpleNamespace(value=step(z0, args))

        return self.loss(one_step)(leaves, self.rest if rest is None else rest)[0]

    def _at(self, z: Any) -> OwnLoss:
        """The loss at a state instead of a fixed point."""
        return self.loss(lambda step, z0, args: SimpleNamespace(value=z))

    def _lift_from(self, z0: Any, *, one_sample: bool) -> None:
        self._lifted = Lifted(z0, self._arrays, one_sample=one_sample)
        self.rest["z0"] = self._lifted.lift(z0)

    def _require_floats(self, what: str, start: list[Any]) -> None:
        if not any(prod(one.shape) for one in self.leaves):
            none = f"{what} holds no floating array that gets a gradient: there is nothing to differentiate."
            raise ValueError(" ".join([none, *self.notes]))
        one_array = len(start) == 1 and inexact(start[0])
        if self._question.implicit and not (
            one_array and isinstance(self._question.z0, (np.ndarray, *self.state_types))
        ):
            raise ValueError(f"z0 must be one floating {self.state_words}.")
        self._require_cpu([*self.leaves, *self._nest.held, *self._batch.held, *start])


class Lifted:
    """A state with its samples along axis 0, as solvers take one, from a state as the caller has it.

    one_sample: the whole state is one sample, since it has no axis of samples or step mixes them. Complex numbers
    become pairs of real ones: solvers know no others.
    """

    def __init__(self, z0: Any, arrays: Arrays, *, one_sample: bool) -> None:
        self._shape, self._arrays = tuple(z0.shape), arrays
        self._complex = "complex" in str(z0.dtype)
        self.one_sample = one_sample or len(self._shape) < 2

    def lift(self, z: Any) -> Any:
        """From the caller's state to the solvers'."""
        z = self._arrays.apart(z) if self._complex else z
        return z.reshape(1, -1) if self.one_sample else z

    def lower(self, z: Any) -> Any:
        """From the solvers' state to the caller's."""
        if not self._complex:
            return z.reshape(self._shape) if self.one_sample else z
        return self._arrays.joined(z.reshape(*self._shape, 2) if self.one_sample else z)

    def require_state(self, z: Any, image: Any, is_array: bool) -> None:
        """``Unsuitable`` where step made something else of a state z than a state."""
        if not is_array:
            raise Unsuitable(f"step returns a {type(image).__name__}: it must return one array, the next state.")
        if tuple(image.shape) != self._shape:
            raise Unsuitable(
                f"step maps a state of shape {self._shape} to {tuple(image.shape)}: a fixed point needs the same shape."
            )
        if image.dtype != z.dtype:
            raise Unsuitable(f"step maps a state of {z.dtype} to {image.dtype}: it must keep the state's dtype.")


# What a call of a model may come to -----------------------------------------------------------------------------

INDEPENDENT = "The loss depends on no array that gets a gradient: is there a detach or a stop_gradient in it?"

MODES = ("forward AD", "forward-mode", "forward mode", "Reverse-mode differentiation", "derivative for ", "support JVP")
"""Words of the frameworks for an operation that cannot be differentiated in one of the ways."""

DTYPES = ("not implemented for '", "Unsupported dtype ")
"""Words of the frameworks for an operation that does not take the dtype of its arrays."""

UNWRITTEN = "is missing the required"
"""Words of torch for a module without a forward, which is the caller's to write."""


@contextmanager
def missing_modes() -> Iterator[None]:
    """``NotApplicable``, with the framework's own first line, for an operation that is not there for these arrays, or
    has no derivative of this kind."""
    try:
        yield
    except Unsuitable:
        raise
    except Exception as error:
        first = (str(error).strip().splitlines() or [""])[0].partition(". This could be because")[0]
        if any(words in first for words in DTYPES):
            words = first[first.index(DTYPES[1]) :].partition(".")[0] if DTYPES[1] in first else first
            raise NotApplicable(
                f"An operation does not take arrays of this dtype ({words}): cast them around it, or give the model "
                "another dtype."
            ) from error
        missing = isinstance(error, NotImplementedError) and first and UNWRITTEN not in first
        if missing or any(words in first for words in MODES):
            raise NotApplicable(first) from error
        raise


def scalar(found: Any) -> Any:
    """The value of a loss that returned it, or ``(value, aux)``; ``Unsuitable`` for another thing."""
    value = found[0] if isinstance(found, tuple) and found else found
    shape = getattr(value, "shape", None)
    if shape is None or isinstance(value, np.generic | np.ndarray):
        raise Unsuitable(f"loss returns a value of type {type(value).__name__}: it must return an array of one number.")
    if len(shape):
        raise Unsuitable(f"loss returns an array of shape {tuple(shape)}: it must return one number, such as its mean.")
    if not inexact(value) or "complex" in str(value.dtype):
        raise Unsuitable(
            f"loss returns a number of {value.dtype}, which has no gradient: it must return a real floating number."
        )
    return value


SAME = 1e-3
"""How far the loss of a gradient call may be from that of a forward, relative to it or, where it cancels, to a tenth of
‖g‖‖θ‖: both run the same operations, but not always through the same kernels. New random numbers change it by more."""


def require_same(first: np.ndarray, second: np.ndarray, tolerance: float = 0.0) -> None:
    """``Unsuitable`` where two losses of the same arrays differ: in any bit, or by more than ``tolerance``."""
    if np.array_equal(first, second, equal_nan=True) or abs(float(first) - float(second)) <= tolerance:
        return
    raise Unsuitable(
        "loss gives {} and then {} for the same arrays: switch dropout off (model.eval()) or fix its seed, and let no "
        "call depend on the one before.".format(*apart(float(first), float(second)))
    )


def apart(first: float, second: float) -> tuple[str, str]:
    """Two numbers in as few digits as tell them apart."""
    short = f"{first:.2g}", f"{second:.2g}"
    return short if short[0] != short[1] else (repr(first), repr(second))
