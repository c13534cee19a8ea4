"""A deep equilibrium block in PyTorch: which way of getting its gradient is worth it?

Run from the repository: ``python -m examples.deq_block_torch``
"""

from __future__ import annotations

from typing import Any

import torch

import gradratio


class Block(torch.nn.Module):
    """z = tanh(W z + U x + b), a contraction since ‖W‖₂ = γ."""

    def __init__(self, inputs: int, width: int, gamma: float = 0.7) -> None:
        super().__init__()
        self.mix, self.inject = torch.nn.Linear(width, width), torch.nn.Linear(inputs, width)
        with torch.no_grad():
            self.mix.weight *= gamma / torch.linalg.matrix_norm(self.mix.weight, 2)

    def forward(self, z: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.mix(z) + self.inject(x))


def main(width: int = 32, samples: int = 16, **settings: Any) -> Any:
    torch.manual_seed(0)
    block, x, y = Block(8, width), torch.randn(samples, 8), torch.randn(samples, width)
    return gradratio.compare(
        step=lambda z, args: args[0](z, args[1]),
        z0=torch.zeros(samples, width),
        args=(block, x),
        loss=lambda z: ((z - y) ** 2).mean(),
        **({"K": 40, "name": "DEQ block"} | settings),
    )


if __name__ == "__main__":
    print(main())
