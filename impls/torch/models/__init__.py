"""Each problem's loss. An implicit one takes the fixed point function that it is to use as an argument.

Matmuls and convolutions go through ``ops`` alone.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from impls.names import pick
from impls.torch.models.explicit import EXPLICIT, beale, cnn, mlp, rosenbrock
from impls.torch.models.implicit import (
    IMPLICIT,
    encode,
    fpn,
    fpn_step,
    half_square,
    linear,
    linear_step,
    tanh,
    tanh_step,
)
from impls.torch.models.networks import (
    NETWORKS,
    averaged,
    averaged_step,
    elghaoui,
    forward_backward,
    mon,
    monotone_weight,
    relu_step,
)
from impls.torch.types import FixedPoint, Loss

__all__ = [
    "LOSSES",
    "averaged",
    "averaged_step",
    "beale",
    "cnn",
    "elghaoui",
    "encode",
    "forward_backward",
    "fpn",
    "fpn_step",
    "half_square",
    "linear",
    "linear_step",
    "loss",
    "mlp",
    "mon",
    "monotone_weight",
    "relu_step",
    "rosenbrock",
    "tanh",
    "tanh_step",
]

LOSSES: dict[str, Any] = {**EXPLICIT, **IMPLICIT, **NETWORKS}


def loss(problem: str, fixed_point: FixedPoint | None = None) -> Loss:
    """The loss of a problem, with the fixed point function of an implicit one bound."""
    found = pick("problem", problem, LOSSES)
    return partial(found, fixed_point=fixed_point) if fixed_point else found
