"""A model of the caller's in torch, as the methods take one: a loss of a list of tensors and a batch."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np

from bench.instruments.torch_memory import stored
from bench.own.lifted import Lifted
from bench.own.nest import Nest, inexact, listed
from bench.own.question import INDEPENDENT, Question, Unsuitable, nothing, scalar
from bench.own.solved import apart
from bench.own.torch_closed import closed_over, ends, named
from bench.own.torch_nest import Arrays, differ


class Model:
    """leaves: the tensors that get a gradient. rest: all others. dtype: the least exact of the leaves', of complex ones
    that of their parts. notes: one sentence for each kind of number that gets no gradient though it could.

    double: floating tensors are cast to float64, in copies. alone: see ``Lifted``. look: run step, to see whether the
    state is one sample; without it nothing of the caller's runs. pairs: complex leaves are pairs of real numbers, for
    what knows real numbers alone, such as laws of tangents.
    """

    def __init__(
        self,
        question: Question,
        *,
        double: bool = False,
        alone: bool | None = None,
        look: bool = True,
        pairs: bool = False,
    ) -> None:
        import torch

        self._torch, self._question, self._double, self._pairs = torch, question, double, pairs
        self._differentiates = {"loss": "", "step": ""}
        what = "args" if question.implicit else "params"
        arrays, batch = Arrays(double=double, pairs=pairs), Arrays(double=double)
        self._arrays = arrays, batch
        self._nest = Nest(arrays, question.params, what, fixed=False)
        self._batch = Nest(batch, question.batch, "batch", fixed=True)
        self.leaves: list[Any] = self._nest.leaves
        self.notes: list[str] = self._nest.notes
        self.rest: dict[str, Any] = {"held": self._nest.held, "batch": self._batch.held}
        self._require_floats(what)
        self.dtype = str(max((one.dtype for one in self.leaves), key=lambda one: torch.finfo(one).eps).to_real())
        self.dtype = self.dtype.removeprefix("torch.")
        if question.implicit:
            z0 = arrays.cast(question.z0)
            self._lifted = Lifted(z0, arrays, alone=alone if alone is not None else False)
            self.rest["z0"] = self._lifted.lift(z0)
            if alone is None and look:
                self._lifted = Lifted(z0, arrays, alone=self._mixes())
                self.rest["z0"] = self._lifted.lift(z0)

    @cached_property
    def paired(self) -> Model:
        """The same model with complex leaves as pairs of real numbers."""
        if not any(one.is_complex() for one in self.leaves):
            return self
        return Model(self._question, double=self._double, alone=self.alone, pairs=True)

    @property
    def alone(self) -> bool:
        """Whether the state is taken as a single sample."""
        return self._question.implicit and self._lifted.alone

    def loss(self, fixed_point: Any = None) -> Callable[[list[Any], dict[str, Any]], tuple[Any, Any]]:
        """loss(leaves, rest) -> (value, aux); aux is the Solution of an implicit model's fixed point."""
        from impls.torch import ops

        question = self._question

        def explicit(leaves: list[Any], rest: dict[str, Any]) -> tuple[Any, Any]:
            dense = ops.dense(leaves)

            def body(params: Any) -> Any:
                batch = self._batch.filled([], rest["batch"])
                return scalar(self._recorded("loss", lambda: question.loss(params, batch), dense))

            return self._nest.call(dense, rest["held"], body), ()

        def implicit(leaves: list[Any], rest: dict[str, Any]) -> tuple[Any, Any]:
            args = [*ops.dense(leaves), *rest["held"]]

            def body(tree: Any) -> tuple[Any, Any]:
                found = fixed_point(self._inside(args, tree), rest["z0"], args)
                state = self._lifted.lower(found.value)
                return scalar(
                    self._recorded(
                        "loss", lambda: question.evaluate(self._asking("loss", state), tree), args[: len(leaves)]
                    )
                ), found

            return self._nest.call(args[: len(leaves)], rest["held"], body)

        return implicit if question.implicit else explicit

    def require_suitable(self) -> None:
        """``Unsuitable`` where the loss needs a gradient though no leaf asks for one: it closes over parameters. Where
        it depends on no leaf at all. And where a call leaves other arrays behind than it was given, so that the next
        one is of another model. To be called of a model that never ran."""
        question, passed = self._question, [*self.leaves, *(one for rest in self.rest.values() for one in rest)]
        losses: list[float] = []

        def value() -> Any:
            found = self._once(self.leaves)
            losses.append(float(found.detach()))
            return found

        with self._torch.enable_grad():
            found = closed_over(value, passed)
            if found:
                raise Unsuitable(
                    f"The model uses tensors that require a gradient and are not among its arguments "
                    f"({named(found, question.loss, question.step)}): pass the module or the tensors that hold them "
                    "as params (args of a step), or detach them."
                )
            self._require_unchanged(*losses)
            asking = [one.detach().requires_grad_() for one in self.leaves]
            reached = ends(self._once(asking))
        if not any(one is leaf for one in reached for leaf in asking):
            raise Unsuitable(INDEPENDENT)

    def _once(self, leaves: list[Any]) -> Any:
        """The loss, after one step where there is a solve."""
        return self.loss(_one_step)(leaves, self.rest)[0]

    def _require_unchanged(self, first: float, second: float) -> None:
        """``Unsuitable`` where calls of the model changed a leaf in place, or anything else by which the loss of the
        ``first`` one is not that of the ``second``."""
        given = self._anew()
        leaves, others = self._arrays[0].changed(self._nest, given._arrays[0], given._nest)
        others += self._arrays[1].changed(self._batch, given._arrays[1], given._batch)[1]
        if self._question.implicit and differ(self.rest["z0"], given.rest["z0"]):
            others.append("z0")
        if leaves:
            raise Unsuitable(CHANGES.format(listed(leaves)))
        if first == second:
            return
        anew = {float(one._once(one.leaves).detach()) for one in (given, self._anew())}
        if others and len(anew) == 1:
            raise Unsuitable(LASTING.format(*apart(first, second), f"since it changes {listed(others)} in place"))
        if others := self._arrays[0].attributes_changed():
            why = f"and changes {listed(others)} in place, or draws random numbers"
            raise Unsuitable(LASTING.format(*apart(first, second), why))

    def _anew(self) -> Model:
        """The same model of arrays as the caller gave them."""
        return Model(self._question, double=self._double, alone=self.alone, look=False, pairs=self._pairs)

    def holding(self, body: Callable[[], Any]) -> Any:
        """``body()``, while the caller's modules hold this model's tensors: a backward pass may run their code again,
        long after the loss has returned (``torch.utils.checkpoint``), and then must save what it saved before."""
        leaves = [one.detach().requires_grad_() for one in self.leaves]
        return self._nest.call(leaves, self.rest["held"], lambda _: body())

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
        return self._torch.tensor(new, dtype=one.dtype, device=one.device)

    def flat(self, gradient: list[Any]) -> np.ndarray:
        """A gradient as one vector of float64: of a complex number the derivatives in its real and imaginary part."""
        return np.concatenate([_reals(one).detach().double().numpy().ravel() for one in gradient])

    def sizes(self, arrays: list[Any]) -> tuple[int, int]:
        """Real numbers, and bytes, of a list of arrays: of a sparse one of what it stores."""
        parts = [part for one in arrays for part in stored(one)]
        numbers = sum(part.numel() * (2 if part.is_complex() else 1) for part in parts if inexact(part))
        return numbers, sum(part.numel() * part.itemsize for part in parts)

    def apply(self, leaves: list[Any] | None = None) -> Callable[[np.ndarray], np.ndarray]:
        """z ↦ step(z) on numpy arrays."""
        args = self.args if leaves is None else [*leaves, *self.rest["held"]]

        def applied(z: np.ndarray) -> np.ndarray:
            with self._torch.no_grad():
                return self.numpy(self.step(self.state(z), args))

        return applied

    def push(self, z: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        """v ↦ J v of the step at z."""
        from impls.torch.jacobian import push_forward

        _, push = push_forward(lambda z: self.step(z, self.args), self.state(z))
        return lambda v: self.numpy(push(self.state(v)))

    def numpy(self, tensor: Any) -> np.ndarray:
        """The numbers of a tensor, which may share its memory; in float64 where they have less than 32 bits."""
        tensor = tensor.detach().resolve_conj().resolve_neg()
        short = inexact(tensor) and self._torch.finfo(tensor.dtype).bits < 32
        if not short:
            return tensor.numpy()
        return tensor.to(self._torch.complex128 if tensor.is_complex() else self._torch.float64).numpy()

    def state(self, z: np.ndarray) -> Any:
        """A lifted state from numpy."""
        return self.like(z, self.rest["z0"])

    def value(self, leaves: list[Any], z: np.ndarray | None = None) -> float:
        """The loss; of an implicit model at the lifted state z."""
        with self._torch.no_grad():
            at = None if z is None else self.state(z)
            return float(self.loss(lambda step, z0, args: SimpleNamespace(value=at))(leaves, self.rest)[0].detach())

    def changes(self, leaves: list[Any]) -> list[str]:
        """Paths of the leaves that a call of the model with these numbers changes in place."""
        before = [one.clone() for one in leaves]
        with self._torch.no_grad():
            self._once(leaves)
        both = zip(self._nest.paths["leaves"], leaves, before, strict=True)
        return list(dict.fromkeys(path for path, one, other in both if differ(one, other)))

    # ------------------------------------------------------------------------------------------------------------

    def _recorded(self, which: str, fn: Callable[[], Any], leaves: list[Any]) -> Any:
        """What the caller's loss or step returns. Where it differentiates inside (``torch.autograd.grad`` in a loss), a
        graph is recorded in a forward too, in which the state asks for a gradient (see ``_asking``), and where it does
        so in parameters, ``leaves`` too."""
        while True:
            try:
                if self._differentiates[which] == "parameters":
                    for one in leaves:
                        one.requires_grad_()
                with self._torch.enable_grad() if self._differentiates[which] else nullcontext():
                    return fn()
            except RuntimeError as error:
                if which == "loss" and self._question.implicit and "been used in the graph" in str(error):
                    raise Unsuitable(THROUGH) from error
                if "does not require grad" not in str(error) or self._differentiates[which] == "parameters":
                    raise
                if which == "step" and self._differentiates[which]:
                    raise Unsuitable(INSIDE) from None
                self._differentiates[which] = "parameters" if self._differentiates[which] else "inputs"

    def _asking(self, which: str, z: Any) -> Any:
        """The state, or, where the loss or step differentiates inside, one that asks for a gradient."""
        return z if z.requires_grad or _dual(z) or not self._differentiates[which] else z.detach().requires_grad_()

    def _applied(self, z: Any, tree: Any) -> Any:
        assert self._question.step is not None
        step, state = self._question.step, self._lifted.lower(z)
        image = self._recorded("step", lambda: step(self._asking("step", state), tree), [])
        self._lifted.require_state(state, image, isinstance(image, self._torch.Tensor))
        if not self._torch.is_grad_enabled() and image.requires_grad and not _dual(image):
            image = image.detach()  # what step recorded for itself ends here: a solve without a graph stays without
        return self._lifted.lift(image)

    def _inside(self, outer: list[Any], tree: Any) -> Callable[[Any, list[Any]], Any]:
        """step, as long as the modules hold ``outer``. Replacing their parameters takes as long as a small step, so it
        is done again only where it would make a difference: no adjoint asks for other numbers, only for other graphs.
        """
        import torch.autograd.forward_ad as fwd

        plain = all(fwd.unpack_dual(one).tangent is None for one in outer)

        def step(z: Any, args: list[Any]) -> Any:
            same = args is outer or (plain and not self._torch.is_grad_enabled())
            return self._applied(z, tree) if same else self.step(z, args)

        return step

    def _mixes(self) -> bool:
        from bench.own.state import mixes

        return mixes(self.apply(), self.numpy(self.rest["z0"]))

    def _require_floats(self, what: str) -> None:
        z0 = self._question.z0
        if not any(one.numel() for one in self.leaves):
            raise ValueError(nothing(what, self.notes))
        if self._question.implicit and (
            not isinstance(z0, self._torch.Tensor) or not inexact(z0) or z0.layout is not self._torch.strided
        ):
            raise ValueError("z0 must be one floating tensor: join the parts of a state with torch.cat.")
        for one in [*self.leaves, *self._nest.held, *self._batch.held, *([z0] if self._question.implicit else [])]:
            if one.device.type != "cpu":
                raise ValueError(f"A tensor lies on {one.device}: move the model and its arrays to the cpu.")


CHANGES = (
    "The model changes {} in place when it runs, and what is differentiated must stay as it is given: take the change "
    "out, such as max_norm of an nn.Embedding or .data.clamp_()."
)
LASTING = "loss gives {} and then {}, {}: switch that off (model.eval()), or let it work on a copy."
INSIDE = (
    "step differentiates inside by something that asks for no gradient: where x.requires_grad is False, let it take "
    "x.detach().requires_grad_()."
)
THROUGH = (
    "loss differentiates the state z by something that it does not depend on inside the loss, as by args through the "
    "solve: let it differentiate by z, or by what it computes itself."
)


def _dual(one: Any) -> bool:
    """Whether a tensor has a tangent, which detach would drop."""
    import torch.autograd.forward_ad as fwd

    return fwd.unpack_dual(one).tangent is not None


def _reals(one: Any) -> Any:
    """A dense tensor, of complex numbers as pairs of real ones."""
    import torch

    one = one if one.layout is torch.strided else one.to_dense()
    return torch.view_as_real(one.resolve_conj()) if one.is_complex() else one


def _one_step(step: Any, z0: Any, args: Any) -> Any:
    return SimpleNamespace(value=step(z0, args))
