"""What a nest may hold, and that nothing of it is changed."""

from __future__ import annotations

from collections import OrderedDict, UserDict
from functools import partial
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from bench.own.compare import ask
from bench.own.jax_nest import Arrays
from bench.own.model import model
from bench.own.nest import Nest
from impls.jax.adjoints import ift, unrolled
from impls.jax.solvers import Picard
from tests.bench.own.asked import compared, only

SETTINGS: dict[str, Any] = {"step": None, "z0": None, "args": None, "name": "m", "residual_tol": 1e-3}


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
    taken = model(ask(loss=lambda net, x: (net(x) ** 2).sum(), params=net, batch=x, **SETTINGS))
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
    taken = model(
        ask(
            loss=lambda z: z.sum(),
            params=None,
            batch=None,
            **SETTINGS
            | {"step": lambda z, a: a["how"](z[:, a["at"]] @ a["W"] + a["n"]), "z0": jnp.zeros((4, 3)), "args": args},
        ),
        one_sample=False,
    )

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
