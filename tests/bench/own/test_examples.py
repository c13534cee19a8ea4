"""The worked examples run, and are right."""

from __future__ import annotations

from bench.rows import RunRow, VisitRow
from examples import deq_block_torch, layer_jax, transformer_block_torch
from tests.bench.own.asked import BRIEF

TINY = {"width": 6, "samples": 4, "K": 30}


def test_the_deq_block() -> None:
    found = deq_block_torch.main(**TINY, **BRIEF)
    assert list(found["method"]) == ["unrolled", "IFT, Picard", "IFT, GMRES", "JFB"]
    assert list(found["status"]) == ["ok"] * 4
    assert (found["gradient_error"].iloc[:3] < 1e-4).all() and 0.01 < found["gradient_error"].iloc[3] < 1


def test_the_jax_layer_with_its_lambdas_in_a_worker_process() -> None:
    found = layer_jax.main(**TINY, workers=1, budget_s=1e-3, methods=["jfb"])
    assert list(found["status"]) == ["ok"] and 0.01 < found["gradient_error"].iloc[0] < 1
    assert [type(row) for row in found.typed] == [RunRow, VisitRow, VisitRow] and found["R"].iloc[0] > 0


def test_the_equinox_layer() -> None:
    from examples import layer_equinox_jax

    found = layer_equinox_jax.main(width=4, samples=3, methods=["backprop"], **BRIEF)
    assert list(found["status"]) == ["ok"] and found["gradient_error"].iloc[0] < 1e-5


def test_the_transformer_block_and_its_fused_attention() -> None:
    methods = ["backprop", ("forward_gradient", {"tangents": "given"})]
    plain = transformer_block_torch.main(width=8, fused=False, methods=methods[1:], **BRIEF)
    fused = transformer_block_torch.main(width=8, fused=True, methods=methods, **BRIEF)
    assert list(plain["status"]) == ["ok"] and plain["gradient_error"].iloc[0] > 1
    assert list(fused["status"]) == ["ok", "n/a"] and fused["gradient_error"].iloc[0] < 1e-5
    assert "Trying to use forward AD with" in fused["reason"].iloc[1]
    assert fused["reason"].iloc[0].startswith("No flop ratio: ")
