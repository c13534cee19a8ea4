"""An implicit layer in plain JAX, its parameters in a dict.

Run from the repository: ``python -m examples.layer_jax``
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

import gradratio


def layer(params: Any, z: jax.Array, x: jax.Array) -> jax.Array:
    """z = tanh(z W + x U + b)."""
    return jnp.tanh(z @ params["W"] + x @ params["U"] + params["b"])


def main(width: int = 32, samples: int = 16, gamma: float = 0.7, **settings: Any) -> Any:
    keys = jax.random.split(jax.random.key(0), 4)
    W = jax.random.normal(keys[0], (width, width))
    params = {
        "W": gamma * W / (2 * width**0.5),  # ‖W‖₂ ≈ γ
        "U": jax.random.normal(keys[1], (8, width)) / 8**0.5,
        "b": jnp.zeros(width),
    }
    x, y = jax.random.normal(keys[2], (samples, 8)), jax.random.normal(keys[3], (samples, width))
    z0 = jnp.zeros((samples, width))
    return gradratio.compare(
        step=lambda z, args: layer(args[0], z, args[1]),
        z0=z0,
        args=(params, x),
        loss=lambda z: ((z - y) ** 2).mean(),
        **({"K": 40, "name": "jax layer"} | settings),
    )


if __name__ == "__main__":
    print(main())
