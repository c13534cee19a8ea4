"""What a caller asks: the functions and arrays of one model, checked as far as that needs no run of it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from bench.failures import NotApplicable
from bench.own.nest import inexact, reached
from bench.own.settings import taken
from bench.rows import printable


class Unsuitable(Exception):
    """A model that cannot be measured, with the reason in one sentence."""


MOST_NAME = 60
"""Characters of a model's name, which stands in its rows."""


@dataclass(frozen=True)
class Question:
    """A model to compare methods on.

    params: a nest of arrays, a ``torch.nn.Module`` or a nest that holds some; every floating array in it gets a
    gradient. For an implicit model they are the ``args`` of step. residual_tol: the largest ‖step(z) − z‖/‖z‖ that
    counts as solved. dtype: the least exact of the floating arrays'. settings: of the caller's framework, see
    ``bench.own.settings``.
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
    settings: Mapping[str, Any] = field(default_factory=dict)

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
        framework, loss, params, batch, step, z0, printable(name), float(residual_tol), settings=taken(framework)
    )
    # Nothing of the caller's runs here; a nest without a floating array, or with one elsewhere, is refused.
    return replace(found, dtype=_module(framework).Model(found, look=False).dtype)


def require_positive(what: str, number: Any, words: str) -> None:
    """``ValueError`` unless it is a finite number above 0."""
    if not isinstance(number, int | float) or isinstance(number, bool) or not 0 < number < float("inf"):
        raise ValueError(f"{what} must be {words}, not {number!r}.")


def model(question: Question, *, double: bool = False, alone: bool | None = None, pairs: bool = False) -> Any:
    """The model in its framework; ``Unsuitable`` where no method can measure it, which is looked at once: not where
    ``alone`` is known from another one of the same question; ``NotApplicable`` where an operation is missing for its
    arrays. See ``torch_model`` and ``jax_model``."""
    with missing_modes():
        found = _module(question.framework).Model(question, double=double, alone=alone, pairs=pairs)
        if alone is None:
            found.require_suitable()
        return found


MODES = ("forward AD", "forward-mode", "forward mode", "Reverse-mode differentiation", "derivative for ", "support JVP")
"""Words of the frameworks for an operation that cannot be differentiated in one of the ways."""

DTYPES = ("not implemented for '", "Unsupported dtype ")
"""Words of the frameworks for an operation that does not take the dtype of its arrays."""

UNWRITTEN = "is missing the required"
"""Words of torch for a module without a forward, which is the caller's to write."""


@contextmanager
def missing_modes() -> Iterator[None]:
    """``NotApplicable``, with the framework's own first line, for an operation that is not there for these arrays, or
    has no derivative of this kind."""
    try:
        yield
    except Unsuitable:
        raise
    except Exception as error:
        first = (str(error).strip().splitlines() or [""])[0].partition(". This could be because")[0]
        if any(words in first for words in DTYPES):
            words = first[first.index(DTYPES[1]) :].partition(".")[0] if DTYPES[1] in first else first
            raise NotApplicable(
                f"An operation does not take arrays of this dtype ({words}): cast them around it, or give the model "
                "another dtype."
            ) from error
        missing = isinstance(error, NotImplementedError) and first and UNWRITTEN not in first
        if missing or any(words in first for words in MODES):
            raise NotApplicable(first) from error
        raise


INDEPENDENT = "The loss depends on no array that gets a gradient: is there a detach or a stop_gradient in it?"


def nothing(what: str, notes: list[str]) -> str:
    """The sentence on a nest without a leaf. notes: on what in it could have been one."""
    return " ".join(
        [f"{what} holds no floating array that gets a gradient: there is nothing to differentiate.", *notes]
    )


def scalar(found: Any) -> Any:
    """The value of a loss that returned it, or ``(value, aux)``; ``Unsuitable`` for another thing."""
    value = found[0] if isinstance(found, tuple) and found else found
    shape = getattr(value, "shape", None)
    if shape is None or isinstance(value, np.generic | np.ndarray):
        raise Unsuitable(f"loss returns a value of type {type(value).__name__}: it must return an array of one number.")
    if len(shape):
        raise Unsuitable(f"loss returns an array of shape {tuple(shape)}: it must return one number, such as its mean.")
    if not inexact(value) or "complex" in str(value.dtype):
        raise Unsuitable(
            f"loss returns a number of {value.dtype}, which has no gradient: it must return a real floating number."
        )
    return value


def _module(framework: str) -> Any:
    from importlib import import_module

    return import_module(f"bench.own.{framework}_model")


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


def _required(fn: Callable[..., Any]) -> int:
    """How many positional arguments a function cannot do without; 1 where it does not say."""
    try:
        taken = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):
        return 1
    return sum(
        one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD) and one.default is one.empty for one in taken
    )
