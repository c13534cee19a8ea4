"""The fixed point network kept a contraction while it is trained, in the same way under every adjoint.

Plain SGD takes R(u; W, q) = tanh(u ∗ W + q) out of the contractions within tens of iterations, and what a solver then
stops at is no fixed point. The JFB paper's code rescales the weights after each step; here W enters as

    W · min(1, γ/β(W)),   β(W)² = max over frequencies f of ‖Ŵ(f)‖²_F ≥ (spectral norm of convolution with W)²,

a part of the network that gradients pass through, so that ‖∂R/∂u‖₂ ≤ γ at every iterate and for every weight.
"""

from __future__ import annotations

import importlib
from typing import Any


def contracting(framework: str, fixed_point: Any, gamma: float) -> Any:
    """An adjoint's ``fixed_point`` for fpn's step, whose kernel is bounded before it comes to the solver."""

    def bounded(step: Any, z0: Any, args: Any) -> Any:
        kernel, q = args
        return fixed_point(step, z0, (kernel * (gamma / bound(framework, kernel, q.shape[1]).clip(gamma)), q))

    return bounded


def bound(framework: str, kernel: Any, size: int) -> Any:
    """β(W) of circular convolution on size × size images; kernel: (h, w, i, o)."""
    fft = importlib.import_module({"torch": "torch.fft", "jax": "jax.numpy.fft"}[framework])
    spectrum = fft.fft2(kernel, (size, size), (0, 1))
    return (spectrum.real**2 + spectrum.imag**2).sum((2, 3)).max() ** 0.5
