"""What a call of a torch model changes in place of what it was given; arrays of jax never change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn.utils import parametrizations

from tests.bench.own.asked import compared, only

X = torch.linspace(-1, 1, 32).reshape(8, 4)
KINDS = torch.arange(8)


class Embedded(torch.nn.Module):
    """An embedding under a linear layer."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.e, self.l = torch.nn.Embedding(10, 4, **options), torch.nn.Linear(4, 2)

    def forward(self, kinds: torch.Tensor) -> Any:
        return self.l(self.e(kinds))


class Changing(torch.nn.Module):
    """One parameter, a buffer and a plain tensor, of which a call changes what ``change`` says."""

    def __init__(self, change: Callable[[Changing, torch.Tensor], Any]) -> None:
        super().__init__()
        self.w = torch.nn.Parameter(torch.linspace(-1, 1, 4))
        self.register_buffer("kept", torch.ones(4))
        self.plain, self.change = torch.ones(4), change

    def forward(self, x: torch.Tensor) -> Any:
        with torch.no_grad():
            self.change(self, x)
        return x * self.w * self.kept * self.plain


def row_of(net: Any, batch: Any = X) -> dict[str, Any]:
    torch.manual_seed(0)
    return only(compared(loss=lambda net, x: net(x).pow(2).mean(), params=net, batch=batch, methods=["backprop"]))


def embedding(**options: Any) -> Embedded:
    torch.manual_seed(0)
    return Embedded(**options)


@pytest.mark.parametrize(
    ("net", "batch", "path"),
    [
        (embedding(max_norm=1.0), KINDS, "params.e.weight"),
        (Changing(lambda net, x: net.w.data.clamp_(0)), X, "params.w"),
        (Changing(lambda net, x: net.w.mul_(0.5)), X, "params.w"),
    ],
    ids=["max_norm", "data", "no_grad"],
)
def test_a_parameter_that_a_call_changes_is_named(net: torch.nn.Module, batch: Any, path: str) -> None:
    before = {name: one.clone() for name, one in net.state_dict().items()}
    row = row_of(net, batch)
    assert row["status"] == "failed"
    assert row["reason"].startswith(f"The model changes {path} in place when it runs, and what is differentiated must")
    assert all(torch.equal(one, before[name]) for name, one in net.state_dict().items())


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda net, x: net.kept.add_(1), "since it changes params.kept in place"),
        (lambda net, x: x.add_(1), "since it changes batch in place"),
        (lambda net, x: net.plain.add_(1), "and changes params.plain in place, or draws random numbers"),
    ],
    ids=["buffer", "batch", "attribute"],
)
def test_what_else_a_call_changes_is_named_where_the_loss_changes_with_it(change: Any, path: str) -> None:
    row = row_of(Changing(change))
    assert row["status"] == "failed" and path in row["reason"] and row["reason"].startswith("loss gives ")


@pytest.mark.parametrize("norm", [parametrizations.spectral_norm, torch.nn.utils.spectral_norm])
def test_a_spectral_norm_in_training_says_what_it_changes_and_is_measured_in_evaluation(norm: Any) -> None:
    torch.manual_seed(0)
    net = norm(torch.nn.Linear(4, 4))
    row = row_of(net)
    assert row["status"] == "failed" and "_u and params." in row["reason"] and "model.eval()" in row["reason"]
    row = row_of(net.eval())
    assert row["status"] == "ok" and row["reason"] == "" and row["gradient_error"] < 1e-5


@pytest.mark.parametrize(
    "net",
    [
        torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.BatchNorm1d(4)),
        Changing(lambda net, x: net.kept.clamp_(max=0.5)),
        Changing(lambda net, x: net.plain.mul_(1)),
        embedding(max_norm=100.0),
    ],
    ids=["batch norm", "once", "nothing new", "a norm that none exceeds"],
)
def test_a_change_that_leaves_the_loss_as_it_is_costs_no_word(net: torch.nn.Module) -> None:
    row = row_of(net, KINDS if isinstance(net, Embedded) else X)
    assert row["status"] == "ok" and row["gradient_error"] < 1e-5 and "in place" not in row["reason"]


def test_dropout_is_told_as_such_though_a_batch_norm_changes_too() -> None:
    row = row_of(torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.BatchNorm1d(4), torch.nn.Dropout(0.5)))
    assert row["status"] == "failed" and "switch dropout off (model.eval()) or fix its seed" in row["reason"]
    assert "in place" not in row["reason"]


def test_a_norm_that_is_met_already_leaves_no_reference_and_says_why() -> None:
    """Central differences leave the ball that every call brings the rows back to."""
    net = embedding(max_norm=1.0)
    net(KINDS)
    row = row_of(net, KINDS)
    assert row["status"] == "ok" and "it changes params.e.weight in place when it runs." in row["reason"]


def test_a_step_that_changes_its_arguments_is_told() -> None:
    def step(z: torch.Tensor, a: Any) -> torch.Tensor:
        a["b"].add_(1)
        return torch.tanh(0.1 * z @ a["W"] + a["b"].float())

    args = {"W": torch.eye(4), "b": torch.zeros(4, dtype=torch.int64)}
    row = only(compared(step=step, z0=torch.zeros(2, 4), args=args, loss=lambda z: z.sum(), methods=["jfb"], K=9))
    assert row["status"] == "failed" and 'since it changes args["b"] in place' in row["reason"]
    assert int(args["b"].sum()) == 0
