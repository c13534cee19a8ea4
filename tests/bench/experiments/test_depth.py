"""Bytes of an update whose tangents are drawn again: one layer's, however deep the net."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from bench.experiments import depth
from bench.experiments.catalog import Place
from bench.experiments.depth import Depth, update_bytes

WIDTH, BATCH = 64, 8
LAYER = 4 * WIDTH * (WIDTH + 1)


def peak(framework: str, layers: int) -> int:
    return update_bytes(framework, "cpu", "float32", depth.net(layers, WIDTH, BATCH))


def test_torch_holds_one_layer_of_tangents_at_any_depth() -> None:
    shallow, deep = map(partial(peak, "torch"), (4, 8))
    assert shallow == deep < 3 * LAYER


def test_jax_holds_one_layer_of_tangents_at_any_depth() -> None:
    """And of each layer its keys and its bias; a tangent that is kept would be a layer."""
    shallow, deep = map(partial(peak, "jax"), (1, 2))
    assert 0 <= deep - shallow < LAYER / 4


def test_records_of_torch() -> None:
    part, *_ = (one for one in Depth().parts("smoke", False) if one.framework == "torch")
    (record,) = Depth().perform(part, Place(Path(".")))
    assert set(record) == {
        "framework", "what", "depth", "width", "batch",
        "peak_bytes", "parameter_bytes", "layer_bytes", "activation_bytes",
    }  # fmt: skip
    assert record["parameter_bytes"] == record["depth"] * record["layer_bytes"] == 2 * 4 * 8 * 9
    assert record["peak_bytes"] >= record["layer_bytes"]
