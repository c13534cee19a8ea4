"""Code that the caller compiled: its own bytes or a sentence, and the module left as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import pytest
import torch
from torch._dynamo.utils import counters

import gradratio
from bench.instruments import torch_calls
from tests.bench.own.asked import compared, only

# torch's own, not ours: of dynamo where it looks at tensors, and of what it means to drop
pytestmark = [
    pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf Tensor:UserWarning"),
    pytest.mark.filterwarnings("ignore:`torch.jit.:DeprecationWarning"),
]

NO_HELD = "No held bytes, flop ratio and traffic: the model runs code that torch.compile made."
RAN = [0]
X = torch.linspace(-1, 1, 512).reshape(16, 32)


def counted(graph: Any, inputs: Any) -> Any:
    """A backend that counts how often compiled code runs."""

    def run(*args: Any) -> Any:
        RAN[0] += 1
        return graph(*args)

    return run


class Deep(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.p = torch.nn.Parameter(torch.ones(32))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sin(torch.sin(x * self.p)).mean()


class Outer(torch.nn.Module):
    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner, self.first = inner, torch.nn.Linear(32, 32)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inner(self.first(x))


def in_place() -> torch.nn.Module:
    net = Deep()
    net.compile(backend=counted)
    return net


@pytest.fixture(autouse=True)
def _fresh() -> Any:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def runs(call: Callable[[], Any]) -> tuple[int, int]:
    """Compiled runs, and compilations, of one call."""
    before, frames = RAN[0], counters["frames"]["total"]
    call()
    return RAN[0] - before, counters["frames"]["total"] - frames


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.compile(Deep(), backend=counted),
        in_place,
        lambda: Outer(torch.compile(Deep(), backend=counted)),
    ],
    ids=["a module", "in place", "a part"],
)
def test_a_compiled_module_is_measured_compiled_and_stays_compiled(make: Callable[[], Any]) -> None:
    net = make()
    net(X).backward()
    assert runs(lambda: net(X).backward()) == (1, 0)
    before = RAN[0]
    found = compared(loss=lambda net, x: net(x), params=net, batch=X, methods=["backprop", "forward_gradient"])
    first, second = found.to_dict("records")
    assert first["status"] == "ok" and first["gradient_error"] < 1e-6 and first["reason"] == NO_HELD
    assert first["peak_bytes"] > 0 and first["held_bytes"] != first["held_bytes"]
    assert second["status"] == "n/a" and second["reason"].endswith("torch.compile made, which has no forward mode.")
    pairs = sum(len(row["samples"].get("forward_s", [])) for row in found.rows if row["kind"] == "visit")
    assert RAN[0] - before >= 2 * pairs
    assert runs(lambda: net(X).backward()) == (1, 0)


def test_a_compiled_function_that_a_loss_calls_is_seen() -> None:
    inner, net = torch.compile(lambda h: torch.sin(h).mean(), backend=counted), torch.nn.Linear(32, 32)
    inner(net(X)).backward()
    row = only(compared(loss=lambda net, x: inner(net(x)), params=net, batch=X, methods=["backprop"]))
    assert row["status"] == "ok" and row["reason"] == NO_HELD
    assert runs(lambda: inner(net(X)).backward()) == (1, 0)
    beside = only(compared(loss=lambda net, x: net(x).mean(), params=net, batch=X, methods=["backprop"]))
    assert beside["reason"] == "" and beside["held_bytes"] == 4


def test_the_bytes_of_a_compiled_step_are_those_of_what_it_compiles_to() -> None:
    net = torch.nn.Linear(6, 6)
    torch.nn.init.orthogonal_(net.weight, 0.5)

    def peak(net: Any) -> Any:
        asked = {"step": lambda z, a: torch.tanh(a(z) + 1), "z0": torch.zeros(4, 6), "loss": lambda z: z.sum()}
        return only(compared(**asked, args=net, methods=["ift"], K=30))

    plain, compiled = peak(net), peak(torch.compile(net, backend="eager"))
    assert plain["reason"] == "" and compiled["reason"] == NO_HELD and compiled["gradient_error"] < 1e-5
    assert (
        plain["peak_bytes"] == compiled["peak_bytes"] - 4
    )  # this backend changes nothing; the allocator sees a scalar


def test_scripted_and_traced_modules_keep_their_bytes() -> None:
    wanted = only(compared(loss=lambda net, x: net(x), params=Deep(), batch=X, methods=["backprop"]))
    for net in (torch.jit.trace(Deep(), X), torch.jit.script(Deep())):
        row = only(compared(loss=lambda net, x: net(x), params=net, batch=X, methods=["backprop"]))
        assert row["status"] == "ok" and row["gradient_error"] < 1e-6
        assert (row["held_bytes"], row["peak_bytes"]) == (wanted["held_bytes"], wanted["peak_bytes"])


def test_a_module_compiled_in_place_is_not_sent_uncompiled() -> None:
    with pytest.raises(ValueError, match=r"^params cannot be sent .*Deep\.compile\(\) is lost on the way"):
        gradratio.compare(loss=lambda net, x: net(x), params=in_place(), batch=X, workers=1)


def test_where_the_profiler_shows_no_compiled_code_all_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_calls, "EVENTS", ("a name that is gone",))
    torch_calls._shows.cache_clear()
    assert torch_calls.runs_compiled(lambda: torch.ones(1))
    torch_calls._shows.cache_clear()
    monkeypatch.undo()
    assert not torch_calls.runs_compiled(lambda: torch.ones(1))


def test_what_jax_compiles_inside_a_loss_is_seen_by_its_instruments() -> None:
    def net(W: Any, x: Any) -> Any:
        return jnp.tanh(x @ W) @ W

    asked = {"params": jnp.eye(4) / 3, "batch": jnp.ones((5, 4)), "methods": ["backprop"]}
    plain = only(compared(loss=lambda W, x: (net(W, x) ** 2).mean(), **asked))
    inner = only(compared(loss=lambda W, x: (jax.jit(net)(W, x) ** 2).mean(), **asked))
    assert inner["status"] == "ok" and inner["reason"] == "" and inner["gradient_error"] < 1e-6
    for name in ("peak_bytes", "held_bytes", "counted_flop_ratio"):
        assert inner[name] == plain[name]
