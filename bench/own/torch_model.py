"""A model of the caller's in torch, and the linear solve of its reference."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np

from bench.instruments.torch_memory import stored
from bench.own.model import INDEPENDENT, Leaves, apart
from bench.own.model import Model as Common
from bench.own.nest import inexact, listed
from bench.own.question import Question, Unsuitable
from bench.own.state import Map
from bench.own.torch_nest import Arrays, closed_over, differ, ends, named


class Model(Common):
    """See ``bench.own.model``."""

    arrays = Arrays
    _arrays: Arrays
    _batch_arrays: Arrays
    state_words = "tensor: join the parts of a state with torch.cat"

    def __init__(self, question: Question, **how: Any) -> None:
        import torch

        self._torch = torch
        self._differentiates = {"loss": "", "step": ""}
        super().__init__(question, **how)

    @property
    def state_types(self) -> tuple[type, ...]:
        """See ``Model``."""
        return (self._torch.Tensor,)

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

    def _require_unchanged(self, first: float, second: float) -> None:
        """``Unsuitable`` where calls of the model changed a leaf in place, or anything else by which the loss of the
        ``first`` one is not that of the ``second``."""
        given = self._anew()
        leaves, others = self._arrays.changed(self._nest, given._arrays, given._nest)
        others += self._batch_arrays.changed(self._batch, given._batch_arrays, given._batch)[1]
        if self._question.implicit and differ(self.rest["z0"], given.rest["z0"]):
            others.append("z0")
        if leaves:
            raise Unsuitable(CHANGES.format(listed(leaves)))
        if first == second:
            return
        anew = {float(one._once(one.leaves).detach()) for one in (given, self._anew())}
        if others and len(anew) == 1:
            raise Unsuitable(LASTING.format(*apart(first, second), f"since it changes {listed(others)} in place"))
        if others := self._arrays.attributes_changed():
            why = f"and changes {listed(others)} in place, or draws random numbers"
            raise Unsuitable(LASTING.format(*apart(first, second), why))

    def _anew(self) -> Model:
        """The same model of arrays as the caller gave them."""
        return Model(self._question, double=self._double, one_sample=self.one_sample, in_reals=self._in_reals)

    def holding(self, body: Callable[[], Any]) -> Any:
        """``body()``, while the caller's modules hold this model's tensors: a backward pass may run their code again,
        long after the loss has returned (``torch.utils.checkpoint``), and then must save what it saved before."""
        leaves = [one.detach().requires_grad_() for one in self.leaves]
        return self._nest.call(leaves, self.rest["held"], lambda _: body())

    def like(self, new: np.ndarray, one: Any) -> Any:
        """These numbers in the dtype of another array."""
        return self._torch.tensor(new, dtype=one.dtype, device=one.device)

    def flat(self, gradient: list[Any]) -> np.ndarray:
        """A gradient as one vector of float64: of a complex number the derivatives in its real and imaginary part."""
        return np.concatenate([_reals(one).detach().double().numpy().ravel() for one in gradient])

    def sizes(self, arrays: list[Any]) -> tuple[int, int]:
        """Real numbers, and bytes, of a list of arrays: of a sparse one of what it stores."""
        kept = [array for one in arrays for array in stored(one)]
        numbers = sum(array.numel() * (2 if array.is_complex() else 1) for array in kept if inexact(array))
        return numbers, sum(array.numel() * array.itemsize for array in kept)

    def apply(self, leaves: Leaves | None = None) -> Map:
        """The loss; of an implicit model at the lifted state z."""
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

    def value(self, leaves: Leaves, z: np.ndarray | None = None) -> float:
        """See ``Model``."""
        with self._torch.no_grad():
            return float(self._at(None if z is None else self.state(z))(leaves, self.rest)[0].detach())

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

    def _ended(self, image: Any) -> Any:
        """What step recorded for itself ends here: a solve without a graph stays without."""
        recorded = not self._torch.is_grad_enabled() and image.requires_grad and not _dual(image)
        return image.detach() if recorded else image

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

    def _require_cpu(self, arrays: list[Any]) -> None:
        for one in arrays:
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


class Refined:
    """A linear solve for references: x ← x + GMRES(b − A x) until ‖b − A x‖/‖b‖ ≤ tol, at most ``most`` products with
    A. NaN where it is missed."""

    tol, differentiable = 1e-12, False

    def __init__(self, most: int, steps: int = 40) -> None:
        self._rounds, self._steps = -(-most // steps) + 1, steps

    def __call__(self, A: Any, b: Any) -> Any:
        from impls.torch.linear_solvers import GMRES, solution
        from impls.torch.norms import largest_ratio

        inner, x, r, rounds = GMRES(self._steps), b.new_zeros(b.shape), b, 0
        while rounds < self._rounds and largest_ratio(r, b) > self.tol:
            x = x + inner(A, r).value
            r, rounds = b - A(x), rounds + 1
        return solution(x, rounds * self._steps, self.tol, A, b, r)
