"""torchdeq's gradients: the implicit function theorem with each of its backward solvers, and its default, JFB.

Its forward solver is the one without statistics, which makes exactly the steps it is told: K − 1, and the attached
one is the K-th. A backward solver takes its own options, such as Anderson's memory, only under a name of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import product
from typing import Any

from bench.peers.cells import PeerCell
from bench.peers.contenders import STEPS, Contender, Ladder, library
from bench.peers.stock import torch_functions

FORWARD = "simple_fixed_point_iter"
WAYS = ("function", "hook")
"""How IFT is attached: as an ``autograd.Function``, which evaluates step once more, or as a hook."""

MEMORIES = (3, 6)
RIDGES = (1e-4, 1e-10)
"""Anderson's memory and the regularisation of its least squares; 6 and 1e-4 are the defaults."""


def options(contender: Contender, framework: str, cell: PeerCell) -> tuple[Ladder, ...]:
    """Of the iteration both with and without statistics, of Anderson the memories and ridges, each with its steps."""
    if contender.kind == "jfb":
        return (Ladder(),)
    solver = contender.kind.removeprefix("ift ")
    fixed: list[dict[str, Any]] = [{"b_solver": solver}]
    if solver == "fixed_point_iter":
        fixed.append({"b_solver": FORWARD})
    if solver == "anderson":
        fixed = [{"b_solver": solver, "m": m, "lam": lam} for m, lam in product(MEMORIES, RIDGES)]
    return tuple(Ladder({**one, "attached": way}, "b_max_iter", STEPS) for one in fixed for way in WAYS)


def gradient(
    contender: Contender, framework: str, cell: PeerCell, K: int | None, options: Mapping[str, Any]
) -> Callable[..., Any]:
    """fn(params, batch, rng) -> (value, gradient)."""
    torchdeq, plain = library("torchdeq"), torch_functions()
    import torch

    assert K is not None
    made: dict[str, Any] = {"f_solver": FORWARD, "f_max_iter": K - 1}
    if contender.method == "ift":
        made |= {"b_solver": _solver(options), "b_max_iter": options["b_max_iter"], "b_tol": 0.0, "ift": True}
        made["hook_ift"] = options["attached"] == "hook"
    deq = torchdeq.get_deq(**made)

    def fn(params: Any, batch: Any, rng: Any) -> tuple[Any, Any]:
        with torch.enable_grad():
            W, U = (params[name].detach().requires_grad_() for name in ("W", "U"))
            xU = batch["x"] @ U
            found, _ = deq(lambda z: plain.step(z, W, xU), torch.zeros_like(xU))
            value = plain.half_square(found[-1], batch["y"])
        by_W, by_U = torch.autograd.grad(value, (W, U))
        return value.detach(), {"W": by_W, "U": by_U}

    return fn


def _solver(options: Mapping[str, Any]) -> str:
    """The name of a backward solver, made known to torchdeq where it has options of its own."""
    name = str(options["b_solver"])
    own = {key: options[key] for key in ("m", "lam") if key in options}
    if not own:
        return name
    solver = library("torchdeq.solver")
    name = "_".join([name, *(f"{key}{value:g}" for key, value in own.items())])
    solver.register_solver(name, partial(solver.get_solver(options["b_solver"]), **own))
    return name
