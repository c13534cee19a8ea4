"""Worker processes: an interval, a method that takes its process with it costs its own row alone, and the settings of a
framework, which travel there and change none of the caller's."""

from __future__ import annotations

import os
import queue
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import jax
import jax.numpy as jnp
import pytest
import torch
import torch.autograd.forward_ad as fwd

import gradratio
from bench.own import measured as processes
from bench.own.digest import digest
from bench.own.question import numeric_settings, set_settings, settings_of
from bench.processes import Worker
from bench.rows import read
from tests.bench.own.asked import compared, only


class Net(torch.nn.Module):
    """One whose process ends where it is differentiated in forward mode."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = torch.nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if fwd.unpack_dual(self.inner.weight).tangent is not None:
            os._exit(3)
        return torch.tanh(self.inner(x))


def test_processes_give_an_interval_and_take_a_crash(tmp_path: Path) -> None:
    found = gradratio.compare(
        loss=lambda net, x: (net(x) ** 2).sum(),
        params=Net(),
        batch=torch.linspace(-2, 2, 32).reshape(4, 8),
        methods=["backprop", ("forward_gradient", {"tangents": "given"})],
        workers=2,
        budget_s=0.05,
        save_to=tmp_path / "rows.jsonl",
    )
    first, second = found.to_dict("records")
    assert first["status"] == "ok" and first["gradient_error"] < 1e-5
    assert first["R_low"] < first["R"] < first["R_high"]
    assert second["status"] == "failed" and "the worker process ended with exit code 3" in second["reason"]
    assert read(tmp_path / "rows.jsonl") == found.typed and found.rows[0]["workers"] == 2
    assert sorted((row["measure"], row["worker"]) for row in found.rows[1:]) == [
        ("exact", 0),
        ("exact", 0),
        ("time", 0),
        ("time", 1),
    ]


class Rows(SimpleQueue[Any]):
    """A queue whose ``get`` can be replaced."""


def interrupted(*_: Any, **__: Any) -> Any:
    """Stands where Ctrl-C comes."""
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (Worker, "_receive"),
        (Worker, "ask"),
        (processes, "run_row"),
        (processes, "append"),
        (Rows, "get"),
    ],
    ids=[
        "while one starts",
        "while the reference is computed",
        "after the start",
        "before the visits",
        "in the visits",
    ],
)
@pytest.mark.few(3)
def test_ctrl_c_leaves_no_process(owner: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Watched(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Watched)
    monkeypatch.setattr(queue, "SimpleQueue", Rows)
    monkeypatch.setattr(owner, name, interrupted)
    with pytest.raises(KeyboardInterrupt):
        gradratio.compare(loss=lambda p, x: (p * x).sum(), params=torch.ones(4), batch=torch.ones(4), workers=1)
    workers = [one for one in started if "worker.py" in str(one.args)]
    assert workers and all(one.poll() is not None for one in workers)


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
@pytest.mark.long
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
