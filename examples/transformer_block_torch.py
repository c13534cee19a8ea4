"""An explicit transformer block in PyTorch, with attention written out and with PyTorch's fused one.

The fused attention has no forward mode on a CPU, so the rows of forward gradient say n/a there, with PyTorch's own
words; backprop stands. Written out as two products and a softmax, attention has both modes.

Run from the repository: ``python -m examples.transformer_block_torch``
"""

from __future__ import annotations

from typing import Any

import torch

import gradratio


class Block(torch.nn.Module):
    """x + Attention(LN x), then y + MLP(LN y), with one head."""

    def __init__(self, width: int, fused: bool) -> None:
        super().__init__()
        self.fused = fused
        self.before, self.after = torch.nn.LayerNorm(width), torch.nn.LayerNorm(width)
        self.heads, self.out = torch.nn.Linear(width, 3 * width), torch.nn.Linear(width, width)
        self.wide, self.narrow = torch.nn.Linear(width, 4 * width), torch.nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = self.heads(self.before(x)).chunk(3, dim=-1)
        if self.fused:
            mixed = torch.nn.functional.scaled_dot_product_attention(q[:, None], k[:, None], v[:, None])[:, 0]
        else:
            mixed = torch.softmax(q @ k.mT / q.shape[-1] ** 0.5, dim=-1) @ v
        x = x + self.out(mixed)
        return x + self.narrow(torch.nn.functional.gelu(self.wide(self.after(x))))


def main(width: int = 16, fused: bool = True, **settings: Any) -> Any:
    torch.manual_seed(0)
    batch = torch.randn(4, 6, width), torch.randn(4, 6, width)
    settings = {"name": "transformer block"} | settings
    return gradratio.compare(
        loss=lambda m, xy: ((m(xy[0]) - xy[1]) ** 2).mean(), params=Block(width, fused), batch=batch, **settings
    )


if __name__ == "__main__":
    print(main(fused=False), main(fused=True), sep="\n\n")
