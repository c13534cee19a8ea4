"""A subject bound to a framework, a mode, a device and a method with its options, as calls that can be measured.

This is the only place that turns (framework, method, options) into a call. A ``Subject`` says what is measured:
parameters, a batch, a loss as a function of a fixed point function, and what is right for them. A ``Binding`` is a
method with its options in one framework, to be bound to any loss. A ``Job`` is a subject under a binding.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property, partial
from math import prod
from typing import Any, NamedTuple

import numpy as np

from bench.cells import MODES, Cell
from bench.failures import NotApplicable
from bench.instruments.accuracy import largest_ratio
from bench.older import module

Call = Callable[[], Any]
Loss = Callable[[Any, Any], tuple[Any, Any]]
"""loss(params, batch) -> (value, aux); aux is the Solution of an implicit loss, and empty for others."""

ValueAndGrad = Callable[..., Any]
"""fn(params, batch, rng) -> (value, gradient, aux), not yet compiled."""


def framework_of(name: str, device: str = "cpu", mode: str = "") -> Any:
    """The ``Framework`` of ``bench.frameworks`` for a mode, by default the usual one; imports the framework."""
    return importlib.import_module(f"bench.frameworks.{name}_{mode or MODES[name][0]}").Framework(device)


def nest_map(fn: Callable[[Any], Any], tree: Any) -> Any:
    """Apply ``fn`` to each leaf of a nest of dicts, lists and tuples, before there is a framework to walk it."""
    if isinstance(tree, dict):
        return {key: nest_map(fn, value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [nest_map(fn, value) for value in tree]
    return fn(tree)


def flat(framework: Any, nest: Any) -> np.ndarray:
    """All numbers of a nest of a framework's arrays, as one float64 vector."""
    leaves = module(f"impls.{framework.name}.ops").leaves(nest)
    return np.concatenate([framework.numpy(leaf).ravel() for leaf in leaves])


# A method with its options --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Binding:
    """A method with its options in one framework, to be bound to a loss.

    method: an adjoint, or the method itself of an explicit loss. options: K, solver, linear_solver and M of an adjoint,
    and tol of its forward solve; tangents, count and keep_factored of a forward gradient; without K the loss has no
    fixed point. gradient: how the whole loss is differentiated.

    Binding raises ``NotApplicable`` where this ``impls`` has no such file, ``LookupError`` for an unknown solver.
    """

    framework: str
    method: str
    options: Mapping[str, Any] = field(default_factory=dict)
    gradient: str = "backprop"

    def fixed_point(self, linear_solver: Any = None, solver: Any = None) -> Any:
        """The adjoint with its solvers bound, ``fixed_point(step, z0, args) -> Solution``; None for an explicit loss.
        linear_solver, solver: stand in for those that the options name."""
        if "K" not in self.options and solver is None:
            return None
        adjoint, bound = self._impls(f"adjoints.{self.method}"), {"solver": solver or self._solver()}
        if linear_solver is not None or "linear_solver" in self.options:
            bound["linear_solver"] = linear_solver or self.linear_solver()
        return partial(adjoint.fixed_point, **bound)

    @property
    def plain(self) -> Binding:
        """The same forward solve with nothing attached, the same for every adjoint: JFB's own."""
        kept = {name: self.options[name] for name in ("K", "solver", "tol") if name in self.options}
        return Binding(self.framework, "jfb", kept)

    def linear_solver(self) -> Any:
        """The linear solver that the options name, with its M steps; a direct one has none."""
        kind = self._picked("linear_solver", "linear_solvers", "LINEAR_SOLVERS")
        return kind() if "M" not in self.options else kind(steps=self.options["M"])

    def value_and_grad(self, loss: Loss) -> ValueAndGrad:
        """The gradient method bound to a loss."""
        taken = {name: self.options[name] for name in ("tangents", "count", "keep_factored") if name in self.options}
        found: ValueAndGrad = self._impls(f"gradients.{self.gradient}").value_and_grad(loss, **taken)
        return found

    def train_step(self, loss: Loss) -> Callable[..., Any]:
        """fn(params, batch, rng, rate) -> (value, new params, aux): a step of plain SGD with the method's gradient."""
        found: Callable[..., Any] = self._impls("training").train_step(self.value_and_grad(loss))
        return found

    def _solver(self) -> Any:
        kind = self._picked("solver", "solvers", "SOLVERS")
        tol = {"tol": self.options["tol"]} if "tol" in self.options else {}
        return kind(steps=self.options["K"], **tol)

    def _picked(self, option: str, file: str, table: str) -> Any:
        from impls.names import pick

        return pick(option.replace("_", " "), self.options.get(option, "picard"), getattr(self._impls(file), table))

    def _impls(self, path: str) -> Any:
        return module(f"impls.{self.framework}.{path}")


# A subject under a method ---------------------------------------------------------------------------------------


class Subject:
    """What is measured. params, batch: a framework's arrays. sizes: all of them, defaults filled in."""

    params: Any
    batch: Any
    sizes: Mapping[str, Any]

    def loss(self, fixed_point: Any) -> Loss:
        """The loss with a way to solve fixed points in it, which is None for an explicit one."""
        raise NotImplementedError

    def arrays(self, nest: Any) -> Any:
        """A nest of numpy arrays that is shaped as the parameters, as the framework's; each may be a stack."""
        raise NotImplementedError

    def size(self) -> tuple[int, int]:
        """How many numbers the parameters are, and their bytes."""
        raise NotImplementedError

    def taken(self, gradient: Any) -> tuple[np.ndarray, int]:
        """A gradient as one float64 vector, and its bytes; raises ``Wrong`` for what is none of these parameters."""
        raise NotImplementedError

    def check(self, job: Job) -> float | None:
        """How far the job's gradient deviates from what its method must return, None where that is unknown; raises
        ``Wrong`` and ``Diverged``."""
        raise NotImplementedError

    def values(self, job: Job) -> dict[str, Any]:
        """What an exact visit finds beside bytes, flops and traffic."""
        raise NotImplementedError

    def inspected(self, job: Job) -> Any:
        """Look at the forward before the gradient is compiled; what measures bytes, flops and traffic of both."""
        return job.framework

    def explained(self) -> AbstractContextManager[Any]:
        """Inside it the gradient is compiled and called first: errors may be put in other words."""
        return nullcontext()

    def counted(self, flops: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What ``flops()`` counts; an operation that no counter knows is an error."""
        return flops()


class First(NamedTuple):
    """What the first gradient call returned: the loss, the gradient as one float64 vector with the bytes that it took,
    and the Solution of a fixed point."""

    value: np.ndarray
    gradient: np.ndarray
    bytes: int
    aux: Any


class Job:
    """``forward`` and ``gradient`` take no arguments and return what ``sync`` waits for.

    framework: see ``framework_of``. options: every option of the cell's method. compile_s: seconds that compiling the
    gradient took; None where there is nothing to compile.
    """

    def __init__(self, cell: Cell, subject: Subject, framework: Any, options: Mapping[str, Any]) -> None:
        self.cell, self.subject, self.framework, self.options = cell, subject, framework, options
        self.sizes, self.sync = subject.sizes, framework.sync
        self.binding = Binding(cell.framework, cell.method, options, cell.gradient)
        self.tangents = Tangents(cell, options, framework, subject.params, subject.arrays)
        self._args = subject.params, subject.batch
        self._instrument = subject.inspected(self)
        self._loss = subject.loss(self.binding.fixed_point())
        with subject.explained():
            self.gradient, self.compile_s = self._gradient(self._loss)

    @cached_property
    def forward(self) -> Call:
        """The loss alone, its plain solve with nothing attached, the same for every adjoint."""
        plain = self.subject.loss(self.binding.plain.fixed_point())
        found: Call = self.framework.forward(lambda params, batch: plain(params, batch)[0], *self._args)
        return found

    @cached_property
    def first(self) -> First:
        """See ``First``; raises what ``Subject.taken`` raises."""
        with self.subject.explained():
            value, grads, aux = self.sync(self.gradient())
        return First(self.framework.numpy(value), *self.subject.taken(grads), aux)

    @property
    def meta(self) -> bool:
        """Whether there are shapes alone, and no numbers."""
        return self.cell.device == "meta"

    def check(self) -> float | None:
        """See ``Subject.check``; None on meta."""
        return None if self.meta else self.subject.check(self)

    def deviation(self, right: np.ndarray) -> float:
        """‖g − g_right‖/‖g_right‖ for the gradient ``right`` that an exact call returns; along tangents in units of
        ‖∇L‖‖V‖/count, since their products with the gradient may be near zero by chance."""
        wrong = float(np.linalg.norm(self.first.gradient - self.tangents.expected(right)))
        return wrong / float(np.linalg.norm(right)) / self.tangents.scale

    def exact(self) -> dict[str, Any]:
        """Noise-free values: bytes, flops, traffic, and what the subject adds."""
        reverse = self._loss if self.cell.gradient == "backprop" else None
        numbers, taken = self.subject.size()
        return {
            **self._instrument.bytes(self.forward, self.gradient, reverse, *self._args),
            **self.subject.counted(lambda: self._instrument.flops(self.forward, self.gradient)),
            **self._instrument.traffic(self.forward, self.gradient),
            "parameters": numbers,
            "parameter_bytes": taken,
            "tangent_bytes": taken * int(self.options.get("count", 1)) * int("tangents" in self.options),
            "result_bytes": taken if self.meta else self.first.bytes,
            **self.subject.values(self),
        }

    def values(self) -> dict[str, Any]:
        """What building gave: compile seconds of the gradient call."""
        return {"compile_s": self.compile_s}

    def backward(self) -> Mapping[str, float | None]:
        """Steps and residual of the backward solve, from one more gradient call; None where the method makes none."""
        if "linear_solver" not in self.options:
            return {"backward_steps": None, "backward_residual": None}

        def call(linear_solver: Any) -> Call:
            return self._gradient(self.subject.loss(self.binding.fixed_point(linear_solver)))[0]

        return backward_solve(self.framework, self.binding.linear_solver(), call)

    def _gradient(self, loss: Loss) -> tuple[Call, float | None]:
        """The gradient call of a loss, and its compile seconds."""
        fn = self.binding.value_and_grad(loss)
        found: tuple[Call, float | None] = self.framework.gradient(fn, *self._args, self.tangents.rng)
        return found


class Tangents:
    """The tangents of a forward gradient: those of a job's first call, which its check needs too.

    options name a law or ``given``; ``arrays`` makes the framework's nest from numpy's. Raises ``NotApplicable`` where
    the oracle could not follow.
    """

    def __init__(
        self, cell: Cell, options: Mapping[str, Any], framework: Any, params: Any, arrays: Callable[[Any], Any]
    ) -> None:
        self._cell, self._framework, self._params, self._arrays = cell, framework, params, arrays
        self._law, self._count = options.get("tangents"), options.get("count", 1)
        if self._law not in (None, "given", "basis") and self._count > 1:
            raise NotApplicable("The oracle of several sampled tangents is not built: use tangents=given with count.")
        if self._law not in (None, "given") and cell.device == "meta":
            raise NotApplicable("Tangents cannot be drawn from shapes alone: use tangents=given on meta.")

    @property
    def rng(self) -> Any:
        """The third argument of a gradient call: tangents that were given, a generator, or nothing."""
        if self._law is None:
            return None
        return self._drawn if self._law == "given" else self._framework.rng(self._cell.seed)

    @cached_property
    def rows(self) -> np.ndarray | None:
        """The tangents of the first call as rows over the concatenated parameters; None for a method without."""
        if self._law is None:
            return None
        if self._law == "basis":
            sizes: list[int] = []
            nest_map(lambda p: sizes.append(prod(p.shape)), self._params)
            n = sum(sizes)
            return n**0.5 * (np.arange(n) == np.arange(self._count)[:, None] % n)
        leaves = self._impls("ops").leaves(self._dense)
        return np.concatenate([self._framework.numpy(v).reshape(self._count, -1) for v in leaves], axis=1)

    @property
    def scale(self) -> float:
        """How long the estimate of a gradient of length 1 may be, by order: ‖V‖/count, which is √(n/count)."""
        return 1.0 if self.rows is None else float(np.linalg.norm(self.rows)) / self._count

    def expected(self, gradient: np.ndarray) -> np.ndarray:
        """The gradient itself, or what a forward gradient makes of it: the mean of (g·v) v."""
        return gradient if self.rows is None else (self.rows @ gradient) @ self.rows / self._count

    @property
    def _dense(self) -> Any:
        """Every tangent as an array; the law factored draws their factors."""
        if self._law != "factored":
            return self._drawn
        dense = self._impls("perturbed").dense
        return self._impls("ops").tree_map(lambda _, v: dense(v), self._params, self._drawn)

    @cached_property
    def _drawn(self) -> Any:
        """Given tangents from numpy, else the law's own first draw."""
        if self._law == "given":
            return self._arrays(nest_map(self._given, self._params))
        sampler = self._impls("tangents").sampler(self._law, self._count)
        drawn = sampler(self._framework.rng(self._cell.seed), self._params, 0)
        return drawn[0] if isinstance(drawn, tuple) else drawn  # in torch with a word on who owns it

    def _given(self, p: Any) -> np.ndarray:
        shape = (*(() if self._count == 1 else (self._count,)), *p.shape)
        return np.broadcast_to(1.0, shape) if self._cell.device == "meta" else self._normal(size=shape)

    @cached_property
    def _normal(self) -> Callable[..., np.ndarray]:
        """One generator for all leaves of a nest."""
        return np.random.default_rng(self._cell.seed + 1).normal

    def _impls(self, path: str) -> Any:
        return module(f"impls.{self._cell.framework}.{path}")


# The backward solve, watched ------------------------------------------------------------------------------------


def backward_solve(framework: Any, linear_solver: Any, build: Callable[[Any], Call]) -> dict[str, float]:
    """Steps and residual of a backward solve, from one more gradient call whose linear solver is watched.

    ``build(linear_solver)`` makes the call; it is not timed. The residual is that of the x that the method went on
    with: ‖b − A x‖/‖b‖ with one more product, whatever the solver says of itself. Of several solves in a call, as with
    several tangents, it is the largest.
    """
    found: dict[str, float] = {}

    def note(steps: Any, r: Any, b: Any) -> None:
        residual = largest_ratio(*(framework.numpy(one) for one in (r, b)))
        largest = float(np.maximum(residual, found.get("backward_residual", 0.0)))
        found.update(backward_steps=float(steps), backward_residual=largest)

    watched = Watched(linear_solver, lambda one, r, b: framework.tell(note, one.steps, r, b))
    framework.settle(build(watched)())
    return found


class Watched:
    """A linear solver that shows each solution, b − A x and b to ``look`` before it returns the solution."""

    def __init__(self, inner: Any, look: Callable[[Any, Any, Any], None]) -> None:
        self._inner, self._look = inner, look
        self.tol, self.differentiable = inner.tol, inner.differentiable

    def __call__(self, A: Any, b: Any) -> Any:
        found = self._inner(A, b)
        self._look(found, b - A(found.value), b)
        return found
