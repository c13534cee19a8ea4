"""What a caller asks: the functions and arrays of one model, checked as far as that needs no run of it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal


class Unsuitable(Exception):
    """A model that cannot be measured, with the reason in one sentence."""


@dataclass(frozen=True)
class Question:
    """A model to compare methods on.

    params: a nest of arrays, a ``torch.nn.Module`` or a nest that holds some; every floating array in it gets a
    gradient. For an implicit model they are the ``args`` of step. residual_tol: the largest ‖step(z) − z‖/‖z‖ that
    counts as solved. dtype: the least exact of the floating arrays'. x64: whether the caller's jax has float64 on.
    """

    framework: Literal["torch", "jax"]
    loss: Callable[..., Any]
    params: Any
    batch: Any = None
    step: Callable[[Any, Any], Any] | None = None
    z0: Any = None
    name: str = "my model"
    residual_tol: float = 1e-3
    dtype: str = "float32"
    x64: bool = False

    @property
    def implicit(self) -> bool:
        """Whether the model is a fixed point."""
        return self.step is not None

    def evaluate(self, z: Any, args: Any) -> Any:
        """The loss of an implicit model: ``loss(z, args)`` where it requires two arguments, else ``loss(z)``."""
        return self.loss(z, args) if _required(self.loss) >= 2 else self.loss(z)


def ask(
    *, loss: Any, params: Any, batch: Any, step: Any, z0: Any, args: Any, name: str, residual_tol: float
) -> Question:
    """The question that these arguments make; ``ValueError`` in one sentence where they make none."""
    if not callable(loss):
        raise ValueError(f"loss must be a function, not {type(loss).__name__}.")
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"name must be a text, not {name!r}.")
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
    x64 = bool(sys.modules["jax"].config.jax_enable_x64) if framework == "jax" else False
    found = Question(framework, loss, params, batch, step, z0, name, float(residual_tol), x64=x64)
    # Nothing of the caller's runs here; a nest without a floating array, or with one elsewhere, is refused.
    return replace(found, dtype=_module(framework).Model(found, look=False).dtype)


def require_positive(what: str, number: Any, words: str) -> None:
    """``ValueError`` unless it is a finite number above 0."""
    if not isinstance(number, int | float) or isinstance(number, bool) or not 0 < number < float("inf"):
        raise ValueError(f"{what} must be {words}, not {number!r}.")


def model(question: Question, *, double: bool = False, alone: bool | None = None) -> Any:
    """The model in its framework; ``Unsuitable`` where it cannot be run. See ``torch_model`` and ``jax_model``."""
    return _module(question.framework).Model(question, double=double, alone=alone)


def scalar(found: Any) -> Any:
    """The value of a loss that returned it, or ``(value, aux)``; ``Unsuitable`` for another thing."""
    value = found[0] if isinstance(found, tuple) and found else found
    shape = getattr(value, "shape", None)
    if shape is None:
        raise Unsuitable(f"loss returns a value of type {type(value).__name__}: it must return an array of one number.")
    if len(shape):
        raise Unsuitable(f"loss returns an array of shape {tuple(shape)}: it must return one number, such as its mean.")
    return value


def _module(framework: str) -> Any:
    from importlib import import_module

    return import_module(f"bench.own.{framework}_model")


def _framework(trees: dict[str, Any]) -> Literal["torch", "jax"]:
    """Whose arrays these are."""
    torch, jax = sys.modules.get("torch"), sys.modules.get("jax")
    used: dict[str, str] = {}
    for name, tree in trees.items():
        for leaf in _walk(tree):
            if torch is not None and isinstance(leaf, (torch.Tensor, torch.nn.Module)):
                used.setdefault("torch", name)
            elif jax is not None and any(isinstance(one, jax.Array) for one in jax.tree.leaves(leaf)):
                used.setdefault("jax", name)
    if len(used) > 1:
        raise ValueError(f"{used['torch']} holds torch tensors and {used['jax']} jax arrays: give those of one.")
    if not used:
        raise ValueError(f"{' and '.join(trees)} hold no torch tensor, no torch.nn.Module and no jax array.")
    return "torch" if "torch" in used else "jax"


def _walk(tree: Any) -> Iterator[Any]:
    """The leaves of mappings, lists and tuples."""
    if isinstance(tree, Mapping | list | tuple):
        for one in tree.values() if isinstance(tree, Mapping) else tree:
            yield from _walk(one)
    else:
        yield tree


def _required(fn: Callable[..., Any]) -> int:
    """How many positional arguments a function cannot do without; 1 where it does not say."""
    try:
        taken = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):
        return 1
    return sum(
        one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD) and one.default is one.empty for one in taken
    )
