"""An Equinox module as it is, in an explicit model: its floating arrays are the parameters.

Run from the repository: ``python -m examples.layer_equinox_jax``
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

import gradratio


def loss(model: eqx.nn.MLP, batch: tuple[jax.Array, jax.Array]) -> jax.Array:
    """Mean cross-entropy."""
    x, labels = batch
    scores = jax.nn.log_softmax(jax.vmap(model)(x))
    return -jnp.take_along_axis(scores, labels[:, None], axis=1).mean()


def main(width: int = 32, samples: int = 16, **settings: Any) -> Any:
    keys = jax.random.split(jax.random.key(0), 2)
    model = eqx.nn.MLP(8, 3, width, depth=2, key=keys[0])
    batch = jax.random.normal(keys[1], (samples, 8)), jnp.arange(samples) % 3
    return gradratio.compare(loss=loss, params=model, batch=batch, **({"name": "Equinox MLP"} | settings))


if __name__ == "__main__":
    print(main())
