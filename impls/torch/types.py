"""The functions that methods take and give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from impls.torch.ops import Tree
from impls.torch.solvers import Solution, State

Step = Callable[[State, Tree], State]
"""step(z, args) -> z: one application of R; it closes over nothing differentiable."""

FixedPoint = Callable[[Step, State, Tree], Solution]
"""fixed_point(step, z0, args) -> Solution: an adjoint with its solvers bound."""

Loss = Callable[[Tree, Mapping[str, Tensor]], tuple[Tensor, Any]]
"""loss(params, batch) -> (value, aux)."""

ValueAndGrad = Callable[[Tree, Mapping[str, Tensor], Any], tuple[Tensor, Tree, Any]]
"""fn(params, batch, rng) -> (value, grads, aux); grads has the shape of params."""
