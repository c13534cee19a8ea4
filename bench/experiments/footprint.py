"""What one worker process holds at most, by hand."""

from __future__ import annotations

PROCESS = 700_000_000
"""A framework with its compiler, libraries and what they keep of earlier cells."""


def holding(*, parameters: int = 0, activations: int = 0) -> int:
    """Bytes of a process with a cell of so many parameters and so many numbers in arrays that grow with the batch.

    Of the parameters: the problem, a tangent, the oracle's gradient and the checked one in float64, three in float32,
    and the same again where a kink of ReLU sends the check to float64. Of the rest: the oracle's and the framework's.
    """
    return PROCESS + 80 * parameters + 24 * activations
