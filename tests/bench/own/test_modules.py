"""What a nest may hold, that nothing of it is changed, and what a torch model changes in place when it runs."""

from __future__ import annotations

from collections import OrderedDict, UserDict
from collections.abc import Callable
from functools import partial
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from torch.nn.utils import parametrizations

from bench.own.compare import ask
from bench.own.jax_nest import Arrays
from bench.own.model import model
from bench.own.nest import Nest
from impls.jax.adjoints import ift, unrolled
from impls.jax.solvers import Picard
from tests.bench.own.asked import compared, only


class Tied(torch.nn.Module):
    """One weight twice, a frozen one, buffers that a forward moves, and a parameter that nobody uses."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = torch.nn.Linear(3, 3), torch.nn.Linear(3, 3)
        self.second.weight = self.first.weight
        self.first.bias.requires_grad_(False)
        self.norm, self.unused = torch.nn.BatchNorm1d(3), torch.nn.Parameter(torch.zeros(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(self.second(torch.tanh(self.first(x))))


def test_a_module_is_measured_as_it_is_and_left_as_it_was() -> None:
    torch.manual_seed(0)
    net, batch = Tied().train(), (torch.randn(6, 3), torch.tensor([0, 1, 2, 0, 1, 2]))
    before = {name: one.clone() for name, one in net.state_dict().items()}
    threads, noise = torch.get_num_threads(), torch.get_rng_state()

    def loss(net: Any, batch: Any) -> Any:
        return torch.nn.functional.cross_entropy(net(batch[0]), batch[1]), {"seen": 6, "name": "aux"}

    row = only(compared(loss=loss, params=net, batch=batch, methods=["backprop"]))
    assert row["status"] == "ok" and row["gradient_error"] < 1e-5
    assert row["reason"] == "params.first.bias is frozen and gets no gradient."
    assert net.training and all(one.grad is None for one in net.parameters())
    assert all(torch.equal(one, before[name]) for name, one in net.state_dict().items())
    assert net.second.weight is net.first.weight and not net.first.bias.requires_grad
    assert torch.get_num_threads() == threads and torch.equal(torch.get_rng_state(), noise)


def test_the_gradient_is_that_of_plain_autograd() -> None:
    torch.manual_seed(1)
    net, x = Tied(), torch.randn(6, 3)
    taken = model(ask(loss=lambda net, x: (net(x) ** 2).sum(), params=net, batch=x))
    leaves = [one.clone().requires_grad_() for one in taken.leaves]
    found = torch.autograd.grad(taken.loss()(leaves, taken.rest)[0], leaves, allow_unused=True, materialize_grads=True)
    wanted = [one for one in net.parameters() if one.requires_grad]
    (net(x) ** 2).sum().backward()
    assert [one.shape for one in found] == [one.shape for one in wanted]
    for one, parameter in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, torch.zeros_like(parameter) if parameter.grad is None else parameter.grad)


def test_a_nest_may_hold_modules_tensors_labels_flags_and_whatever_else() -> None:
    torch.manual_seed(2)
    args = {"net": [torch.nn.Linear(3, 3)], "scale": torch.tensor(0.1), "at": torch.tensor([2, 0, 1]), "how": "tanh"}
    args["mask"] = torch.tensor([True, False, True])
    found = compared(
        step=lambda z, a: torch.tanh(a["scale"] * a["net"][0](z[:, a["at"]]) * a["mask"] + 1),
        z0=torch.zeros(4, 3),
        args=args,
        loss=lambda z: z.sum(),
        methods=["ift", "jfb"],
        K=20,
    )
    assert list(found["status"]) == ["ok", "ok"] and found["gradient_error"].iloc[0] < 1e-5
    assert found.rows[1]["values"]["parameters"] == 9 + 3 + 1


def test_any_mapping_is_a_nest() -> None:
    inner = MappingProxyType({"p": torch.ones(3), "n": 2})
    asked = {"loss": lambda p, b: (p["in"]["n"] * p["in"]["p"] * b["x"]).sum(), "batch": UserDict(x=torch.arange(3.0))}
    found = compared(**asked, params=OrderedDict({"in": inner}), methods=["backprop"])
    assert only(found)["gradient_error"] < 1e-6 and found.rows[1]["values"]["parameters"] == 3
    given = OrderedDict({"in": MappingProxyType({"p": jnp.ones(()), "q": UserDict(r=2)})})
    nest = Nest(Arrays(), given, "params", fixed=False)
    tree = nest.call(nest.leaves, nest.held, lambda tree: tree)
    assert tree["in"] == {"p": 1.0, "q": {"r": 2}} and type(tree["in"]["q"]) is dict and type(tree) is OrderedDict


def test_operations_in_place_change_copies() -> None:
    p, x, plain = torch.ones(4), torch.linspace(-1, 1, 8).reshape(2, 4), np.ones(4, np.float32)

    def loss(p: Any, b: Any) -> Any:
        b[1][:] = 2
        return (p * torch.relu_(b[0])).sum() + b[1].sum()

    assert only(compared(loss=loss, params=p, batch=(x, plain), methods=["backprop"]))["status"] == "ok"
    assert x.min() == -1 and (plain == 1).all() and (p == 1).all()


def test_a_pytree_may_hold_integers_keys_and_functions() -> None:
    args = {"W": 0.3 * jnp.eye(3), "at": jnp.array([2, 0, 1]), "how": jax.tree_util.Partial(jnp.tanh), "n": 2}
    args["key"] = jax.random.key(0)
    asked = {"step": lambda z, a: a["how"](z[:, a["at"]] @ a["W"] + a["n"]), "z0": jnp.zeros((4, 3)), "args": args}
    taken = model(ask(loss=lambda z: z.sum(), **asked), one_sample=False)

    def gradient(adjoint: Any) -> Any:
        loss = taken.loss(partial(adjoint.fixed_point, solver=Picard(20)))
        (found,) = jax.jit(jax.grad(lambda leaves: loss(leaves, taken.rest)[0]))(taken.leaves)
        return found

    assert [one.shape for one in taken.leaves] == [(3, 3)] and [str(one.dtype) for one in taken.rest["held"]] == [
        "int32",
        "key<fry>",
    ]
    np.testing.assert_allclose(gradient(ift), gradient(unrolled), rtol=1e-4)


@pytest.mark.parametrize("shape", [(3, 2), (6,)], ids=["mixed samples", "one axis"])
def test_a_state_whose_samples_mix_is_one_sample_for_gmres(shape: tuple[int, ...]) -> None:
    torch.manual_seed(3)
    coupling = torch.randn(6, 6)
    coupling *= 0.5 / torch.linalg.matrix_norm(coupling, 2)
    found = compared(
        step=lambda z, a: (a["A"] @ z.reshape(-1)).reshape(z.shape) + a["b"],
        z0=torch.zeros(shape),
        args={"A": coupling, "b": torch.ones(shape)},
        loss=lambda z: (z**2).sum(),
        methods=[("ift", {"linear_solver": "gmres"}), ("ift", {"linear_solver": "dense"})],
        K=30,
    )
    # Six unknowns of one system: taken as three systems of two, GMRES and the dense solve would be wrong.
    assert list(found["status"]) == ["ok", "ok"] and (found["gradient_error"] < 1e-5).all()


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
