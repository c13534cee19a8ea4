"""``gradratio.compare``: what each way of getting a gradient costs on one's own model, and how right its answer is.

What was asked for is refused before any work where it makes no question; the methods become cells, as of the grid.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from bench.cells import STEPS, TERMS, Cell, require_solver
from bench.failures import NotApplicable
from bench.own import measured
from bench.own.comparison import comparison, require_target
from bench.own.digest import digest
from bench.own.model import kind
from bench.own.nest import reached
from bench.own.question import Question, numeric_settings, plain_modes, settings_of
from bench.rows import printable

MOST_NAME = 60
"""Characters of a model's name, which stands in its rows."""

Asked = str | tuple[str, Mapping[str, Any]]
"""A method by its name, or with options: ``("ift", {"linear_solver": "gmres", "M": 30})``."""

EXPLICIT: tuple[Asked, ...] = ("backprop", "forward_gradient", ("forward_gradient", {"tangents": "given"}))
IMPLICIT: tuple[Asked, ...] = ("unrolled", "ift", ("ift", {"linear_solver": "gmres"}), "jfb")


def compare(
    *,
    loss: Any,
    params: Any = None,
    batch: Any = None,
    step: Any = None,
    z0: Any = None,
    args: Any = None,
    methods: Iterable[Asked] | None = None,
    K: int | None = None,
    workers: int = 4,
    name: str = "my model",
    budget_s: float = 1.0,
    timeout_s: float = 300.0,
    residual_tol: float = 1e-3,
    save_to: str | Path | None = None,
) -> Any:
    """Compare gradient methods on one model, in torch or jax, on the cpu.

    Explicit: ``compare(loss=, params=, batch=)`` with ``loss(params, batch)``. Implicit, z = step(z, args):
    ``compare(step=, z0=, args=, loss=)`` with ``step(z, args) -> z`` and ``loss(z)``, or ``loss(z, args)`` where loss
    requires two arguments. A loss returns one number, or ``(number, aux)``, whose aux is dropped.

    params, args: a nest of arrays, or a ``torch.nn.Module``, alone or in a nest, or any jax pytree. Every floating
    or complex array in it gets a gradient, of a module each parameter that requires one. Other arrays, plain numbers
    and batch get none, which the row says where it may surprise; an array out of reach is refused (docs/own.md). All
    are copied first; what loss and step close over is not.
    z0: one floating or complex array, (samples, …). Where step mixes samples, or there is one axis alone, it is a
    single sample.

    methods: names, or pairs such as ``("ift", {"linear_solver": "gmres", "M": 30})``; default: the usual ones. K:
    evaluations of step in the forward solve (60), for an implicit model alone. workers: processes that time every
    method, whose medians give the interval; 0 measures in this process, without one. budget_s: seconds of timed pairs
    for each method and worker. timeout_s: seconds after which a method is given up. residual_tol: the largest
    ‖step(z) − z‖/‖z‖ that counts as solved. save_to: a file of results, new or old, to which each row is added once it
    is known.

    Returns a ``Comparison``, a pandas frame with one row a method (see ``bench.own.comparison``). A method that cannot
    be measured has a row with its status and reason. Raises ``ValueError`` or ``LookupError``, in one sentence and
    before any work, for arguments that make no question, and for a model that cannot be sent to a process.
    """
    if not isinstance(workers, int) or isinstance(workers, bool) or workers < 0:
        raise ValueError(f"workers must be a whole number from 0 up, not {workers!r}.")
    for what, number in (("budget_s", budget_s), ("timeout_s", timeout_s)):
        require_positive(what, number, "a number of seconds above 0")
    question = ask(
        loss=loss, params=params, batch=batch, step=step, z0=z0, args=args, name=name, residual_tol=residual_tol
    )
    arrays, numeric = (question.params, question.batch, question.z0), numeric_settings(question.settings)
    chosen = cells(methods, question, K=K, digest=digest(question.loss, question.step, *arrays, numeric))
    if save_to is not None:
        require_target(save_to)
    with tempfile.TemporaryDirectory(prefix="gradratio-") as folder, plain_modes(question.framework):
        path = Path(save_to) if save_to is not None else Path(folder, "own.jsonl")
        if workers:
            rows = measured.in_processes(
                question, chosen, workers=workers, budget_s=budget_s, timeout_s=timeout_s, path=path
            )
        else:
            rows = measured.in_this_process(question, chosen, budget_s=budget_s, path=path)
    return comparison(rows)


# The question ---------------------------------------------------------------------------------------------------


def ask(
    *,
    loss: Any,
    params: Any = None,
    batch: Any = None,
    step: Any = None,
    z0: Any = None,
    args: Any = None,
    name: str = "my model",
    residual_tol: float = 1e-3,
) -> Question:
    """The question that these arguments make; ``ValueError`` in one sentence where they make none."""
    if not callable(loss):
        raise ValueError(f"loss must be a function, not {type(loss).__name__}.")
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"name must be a text, not {name!r}.")
    if len(name) > MOST_NAME:
        raise ValueError(f"name has {len(name)} characters: give one of at most {MOST_NAME}.")
    require_positive("residual_tol", residual_tol, "a number above 0")
    given = {"step": step, "z0": z0, "args": args}
    implicit = any(one is not None for one in given.values())
    if implicit and (params is not None or batch is not None):
        raise ValueError(
            "An explicit model is loss=, params= and batch=, an implicit one step=, z0=, args= and loss=: give one."
        )
    if implicit:
        lacking = [name for name, one in given.items() if one is None]
        if lacking:
            raise ValueError(f"An implicit model needs step=, z0= and args=: {' and '.join(lacking)} is missing.")
        if not callable(step):
            raise ValueError(f"step must be a function step(z, args) -> z, not {type(step).__name__}.")
        params = args
    elif params is None:
        raise ValueError("Nothing to differentiate was given: give params= and batch=, or step=, z0= and args=.")
    framework = _framework({"z0": z0, "args": params} if implicit else {"params": params, "batch": batch})
    found = Question(
        framework, loss, params, batch, step, z0, printable(name), float(residual_tol), settings=settings_of(framework)
    )
    # Nothing of the caller's runs here; a nest without a floating array, or with one elsewhere, is refused.
    return replace(found, dtype=kind(framework)(found, one_sample=False).dtype)


def require_positive(what: str, number: Any, words: str) -> None:
    """``ValueError`` unless it is a finite number above 0."""
    if not isinstance(number, int | float) or isinstance(number, bool) or not 0 < number < float("inf"):
        raise ValueError(f"{what} must be {words}, not {number!r}.")


def _framework(trees: dict[str, Any]) -> Literal["torch", "jax"]:
    """Whose arrays these are."""
    torch, jax = sys.modules.get("torch"), sys.modules.get("jax")
    used: dict[str, tuple[str, str]] = {}
    for name, tree in trees.items():
        for path, one in reached(tree, name):
            if torch is not None and isinstance(one, (torch.Tensor, torch.nn.Module)):
                used.setdefault("torch", (name, path))
            elif jax is not None and isinstance(one, jax.Array):
                used.setdefault("jax", (name, path))
    if len(used) > 1:
        (first, inner), (second, other) = used["torch"], used["jax"]
        if first == second:
            raise ValueError(f"{inner} is of torch and {other} a jax array: give arrays of one.")
        raise ValueError(f"{first} holds torch tensors and {second} jax arrays: give those of one.")
    if not used:
        raise ValueError(f"{' and '.join(trees)} hold no torch tensor, no torch.nn.Module and no jax array.")
    return "torch" if "torch" in used else "jax"


# Its methods ----------------------------------------------------------------------------------------------------


def cells(asked: Iterable[Asked] | None, question: Question, *, K: int | None, digest: str = "") -> list[Cell]:
    """One cell a method, in the order they were asked for, every option filled in. digest: stands among the sizes as
    ``model``, so that no cell of another model has the same id.

    Raises ``LookupError`` for an unknown method, option or choice, ``ValueError`` for one that does not fit.
    """
    implicit = question.implicit
    if isinstance(asked, str):
        raise ValueError(f'methods must be a list, such as ["{asked}"], not a text.')
    if asked is not None and not isinstance(asked, Iterable):
        raise ValueError(f'methods must be a list of names and pairs, such as ["ift", "jfb"], not {asked!r}.')
    chosen = list(asked if asked is not None else IMPLICIT if implicit else EXPLICIT)
    if not chosen:
        raise ValueError("methods is an empty list: name at least one, or leave it out for the usual ones.")
    if K is not None:
        _whole("K", K)
    if K is not None and not implicit:
        raise ValueError("K counts the steps of a fixed point: an explicit model has none, so leave K out.")
    found, sizes = [], {"model": digest} if digest else {}
    for method, options in map(_pair, chosen):
        filled = _filled(method, options, implicit, K)
        gradient = "backprop" if implicit else method
        found.append(
            Cell(question.framework, question.name, method, sizes, filled, gradient=gradient, dtype=question.dtype)
        )
    return list(dict.fromkeys(found))


def _pair(one: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(one, str):
        return one, {}
    if isinstance(one, tuple | list) and len(one) == 2 and isinstance(one[0], str) and isinstance(one[1], Mapping):
        return one[0], one[1]
    raise ValueError(f'A method is a name or a pair such as ("ift", {{"M": 30}}), not {one!r}.')


def _filled(method: str, options: Mapping[str, Any], implicit: bool, K: int | None) -> dict[str, Any]:
    """Every option of a method."""
    from impls.catalog import CHOICES, METHODS
    from impls.names import pick

    row = pick("method", method, METHODS)
    fitting = [name for name, other in METHODS.items() if (other.interface == "adjoint") == implicit]
    if method not in fitting:
        kind = "implicit" if implicit else "explicit"
        raise ValueError(f"{method} does not fit an {kind} model: take {', '.join(fitting)}.")
    for name, value in options.items():
        pick(f"option of {method}", name, dict.fromkeys(row.options))
        if name in CHOICES:
            pick(f"{name} of {method}", value, dict.fromkeys(CHOICES[name]))
        else:
            _whole(f"{name} of {method}", value)
    if not implicit:
        return ({"tangents": "gaussian"} if "tangents" in row.options else {}) | dict(options)
    return _solved(row, method, dict(options), K)


def _solved(row: Any, method: str, options: dict[str, Any], K: int | None) -> dict[str, Any]:
    """Solvers and their steps. K keeps the caller's number for Picard steps alone: Newton's are another thing."""
    solver = options.get("solver", row.solvers[0])
    try:
        require_solver(method, solver)
    except NotApplicable as error:
        raise ValueError(str(error)) from None
    filled: dict[str, Any] = {"K": K or STEPS[solver]}
    if solver != "picard":
        filled |= {"K": STEPS[solver], "solver": solver}
    filled |= {name: value for name, value in options.items() if name != "solver"}
    if "linear_solver" in row.options:
        kind = filled.setdefault("linear_solver", "picard")
        if kind == "dense" and "M" in options:
            raise ValueError("The linear solver dense has no steps: leave M out.")
        if kind != "dense":
            filled.setdefault("M", filled["K"] if kind == "picard" and solver == "picard" else TERMS[kind])
    return filled


def _whole(what: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{what} must be a whole number from 1 up, not {value!r}.")
