"""Settings of a framework travel to worker processes, and change none of the caller's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import pytest
import torch

from bench.own.digest import digest
from bench.own.question import numeric_settings, set_settings, settings_of
from tests.bench.own.asked import compared, only

KEPT = ("loss", "gradient_error", "peak_bytes", "held_bytes", "parameters")


@contextmanager
def put_back(framework: str) -> Iterator[None]:
    before = settings_of(framework)
    try:
        yield
    finally:
        set_settings(framework, before)


OTHERS: dict[str, dict[str, Any]] = {
    "torch": {
        "default_dtype": "torch.float64",
        "default_device": "meta",
        "float32_matmul_precision": "medium",
        "deterministic_algorithms": [True, True],
        "fill_uninitialized_memory": False,
        "autocast": [True, "torch.float16", False],
        "anomaly": [True, False],
        "mkldnn": False,
        "attention": [False, True, True],
        "sparse_invariants": True,
        "fastpath": False,
    },
    "jax": {  # not float64, which a context of these tests overrides: the worker process below has it
        "jax_default_matmul_precision": "highest",
        "jax_numpy_dtype_promotion": "strict",
        "jax_numpy_rank_promotion": "raise",
        "jax_default_prng_impl": "rbg",
        "jax_debug_nans": True,
        "jax_debug_infs": True,
        "jax_threefry_partitionable": False,
        "jax_softmax_custom_jvp": True,
        "jax_legacy_prng_key": "error",
        "jax_explicit_x64_dtypes": "allow",
    },
}


@pytest.mark.parametrize(("framework", "name"), [(kind, name) for kind, all in OTHERS.items() for name in all])
def test_every_setting_is_given_as_it_was_taken(framework: str, name: str) -> None:
    with put_back(framework):
        before = settings_of(framework)
        wanted = before | {name: OTHERS[framework][name]}
        assert before != wanted
        set_settings(framework, wanted)
        assert settings_of(framework) == wanted
    assert settings_of(framework) == before


def test_all_settings_of_torch_are_tried_here() -> None:
    assert settings_of("torch").keys() == OTHERS["torch"].keys()


def test_contexts_count_and_where_jax_runs_does_not() -> None:
    with jax.enable_x64(True), jax.default_matmul_precision("highest"):
        found = settings_of("jax")
    assert found["jax_enable_x64"] is True and found["jax_default_matmul_precision"] == "highest"
    assert not [name for name in found if "platform" in name or "cache" in name]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert settings_of("torch")["autocast"][:2] == [True, "torch.bfloat16"]


def test_a_model_under_another_default_dtype_is_another_one() -> None:
    found = settings_of("torch")
    first, second = (numeric_settings(found | {"default_dtype": one}) for one in ("torch.float32", "torch.float64"))
    assert digest(first) != digest(second)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_a_mode_without_gradients_around_the_call_changes_nothing(mode: Any) -> None:
    with mode():
        p = torch.ones(3) * 2
        row = only(
            compared(loss=lambda p, x: (p**2 * x).sum(), params=p, batch=torch.arange(3.0), methods=["backprop"])
        )
        assert not torch.is_grad_enabled()
    assert row["status"] == "ok" and row["gradient_error"] == 0


def torch_case() -> dict[str, Any]:
    torch.manual_seed(0)
    weights, x = torch.randn(6, 6) * 0.2, torch.randn(4, 6)
    return {
        "step": lambda z, a: torch.tanh(z @ a["W"] @ torch.eye(6) + a["x"]),
        "z0": torch.zeros(4, 6),
        "args": {"W": weights, "x": x},
        "loss": lambda z: (z**2).mean() + torch.are_deterministic_algorithms_enabled(),
        "methods": ["ift"],
        "K": 30,
    }


def jax_case() -> dict[str, Any]:
    return {
        "loss": lambda p, x: (x @ p @ jnp.eye(4)).mean() ** 2 + len(jax.config.jax_default_matmul_precision or ""),
        "params": jnp.linspace(0, 1, 16).reshape(4, 4),
        "batch": jnp.linspace(-1, 2, 12).reshape(3, 4),
        "methods": ["backprop"],
    }


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_a_worker_process_gives_the_row_of_this_one(framework: str) -> None:
    given = {"default_dtype": "torch.float64", "deterministic_algorithms": [True, False]}
    with put_back(framework), ExitStack() as stack:
        if framework == "jax":  # contexts, so that nothing that is compiled here stays
            stack.enter_context(jax.enable_x64(True))
            stack.enter_context(jax.default_matmul_precision("highest"))
            stack.enter_context(jax.numpy_dtype_promotion("strict"))
        else:
            set_settings(framework, settings_of(framework) | given)
        case = {"torch": torch_case, "jax": jax_case}[framework]()
        rows = [compared(workers=workers, **case) for workers in (0, 1)]
    first, second = (found.typed[1] for found in rows)
    assert first.status == second.status == "ok" and first.reason == second.reason == ""
    assert first.cell == second.cell and "float64" in first.cell
    assert [getattr(first.values, name) for name in KEPT] == [getattr(second.values, name) for name in KEPT]
    assert first.values.gradient_error < 1e-9
