"""A problem of the catalogue as a subject: its arrays in a framework, and the closed forms of its gradients.

``own`` has the caller's model as a subject; ``peers``, ``capabilities`` and ``experiments`` take problems of the
catalogue from here, and bind methods to them through ``bench.job``.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from bench.cells import Cell, require_solver, with_defaults
from bench.failures import Diverged, Wrong
from bench.instruments import accuracy, contraction
from bench.job import Job, Loss, Subject, flat, framework_of, nest_map
from bench.older import facts, module, require
from bench.work import flop_ratio

TOLERANCE = {"float64": 1e-10, "float32": 1e-4}
"""Largest relative deviation of a gradient from its oracle."""

KINK = 1e-2
"""Where float32 puts a preactivation on the other side of ReLU's kink, one unit of one sample changes its derivative by
a finite amount. Up to this deviation the cell is built again in float64, and must meet the tight tolerance there.
Smooth problems have no such excuse."""

GPU_CHECK_BATCH = 64
"""Closed forms are computed in float64 on one CPU core, which takes hours at the sizes of a GPU: there the same cell is
checked with no larger batch than this, on the same device."""


def build(cell: Cell, scratch: Path) -> Job:
    """The job of a cell. ``scratch`` keeps closed forms between the workers of one run.

    Raises what ``impls`` raises for bad sizes and options, and ``NotApplicable`` where an older one lacks the problem
    or the method.
    """
    from impls import catalog, problems

    require("problem", cell.problem, problems.PROBLEMS)
    require("method", cell.method, catalog.METHODS)
    problem = problems.make(cell.problem, seed=None if cell.device == "meta" else cell.seed, **cell.sizes)
    options = with_defaults(cell)
    if "solver" in options:
        require_solver(cell.method, options["solver"])
    framework = framework_of(cell.framework, cell.device, cell.mode)
    subject = CatalogueProblem(problem, framework, cell.dtype, seed=cell.seed, scratch=scratch)
    return Job(cell, subject, framework, options)


def loss_of(framework: str, problem: str, fixed_point: Any = None) -> Loss:
    """The loss of a problem of the catalogue, with a way to solve fixed points in it where it is implicit."""
    found: Loss = module(f"impls.{framework}.models").loss(problem, fixed_point)
    return found


class CatalogueProblem(Subject):
    """A problem of ``impls.problems`` in a framework, and its closed forms in float64.

    framework: see ``framework_of``. seed: that the problem was drawn with. scratch: a folder where the workers of one
    run share closed forms; without one they are computed each time.
    """

    def __init__(self, problem: Any, framework: Any, dtype: str, *, seed: int = 0, scratch: Path | None = None) -> None:
        self.problem, self.framework, self._dtype, self._seed, self._scratch = problem, framework, dtype, seed, scratch
        self.sizes: Mapping[str, Any] = dict(problem.sizes)
        self.params, self.batch = self.arrays(problem.params), self.arrays(problem.batch)
        self._replica: Job | None = None

    # As a job needs it ------------------------------------------------------------------------------------------

    def arrays(self, nest: Any) -> Any:
        """A nest of numpy arrays as the framework's."""
        return nest_map(lambda value: self.framework.array(value, self._dtype), nest)

    def loss(self, fixed_point: Any = None) -> Loss:
        """See ``Subject``."""
        return loss_of(self.framework.name, self.problem.name, fixed_point)

    def size(self) -> tuple[int, int]:
        """See ``Subject``."""
        sizes: list[int] = []
        nest_map(lambda array: sizes.append(array.size), self.problem.params)
        return sum(sizes), sum(sizes) * np.dtype(self._dtype).itemsize

    def taken(self, gradient: Any) -> tuple[np.ndarray, int]:
        """See ``Subject``."""
        leaves = module(f"impls.{self.framework.name}.ops").leaves
        wanted, got = ([tuple(one.shape) for one in leaves(nest)] for nest in (self.params, gradient))
        if wanted != got:
            raise Wrong(f"The gradient has arrays of the shapes {got}, and the parameters {wanted}.")
        return flat(self.framework, gradient), self.size()[1]

    def inspected(self, job: Job) -> Any:
        """On a GPU a forward that is checked at another batch runs before the gradient: jax can tell real peaks only as
        they rise."""
        if self._is_large(job):
            job.sync(job.forward())
        return job.framework

    # What is right for it ---------------------------------------------------------------------------------------

    def check(self, job: Job) -> float:
        """Deviation from the oracle, see ``Job.deviation``; raises ``Wrong`` and ``Diverged``."""
        loss = float(job.first.value)
        if not np.isfinite(loss) or not np.isfinite(job.first.gradient).all():
            raise Diverged(f"The loss is {loss:.3g} and its gradient has entries that are no finite numbers.")
        if (small := self._checked(job)) is not job:
            return _subject(small).check(small)
        deviation, most = job.deviation(self.oracle(job.cell.method, job.options)), TOLERANCE[self._dtype]
        kinked = facts(self.problem.name).kinked and self._dtype == "float32"
        if kinked and most < deviation <= KINK:
            with job.framework.double():
                self._built(replace(job.cell, dtype="float64")).check()
        elif not deviation <= most:
            raise Wrong(f"The gradient is {deviation:.2g} away from its oracle, more than {most:.0e}.")
        return deviation

    def values(self, job: Job) -> dict[str, Any]:
        """Flop ratio, and where there are numbers gradient error, contraction factors, steps and residuals; where a
        smaller batch is checked, errors are of that one."""
        found = {"flop_ratio": flop_ratio(self.problem, job.cell.method, job.options)}
        if job.meta:
            return found
        checked, aux = self._checked(job), job.first.aux
        grads, subject = checked.first.gradient, _subject(checked)
        reference = subject.reference()
        return {
            **found,
            "gradient_error": accuracy.error(grads, reference),
            "cosine": accuracy.cosine(grads, reference),
            "checked_batch": subject._samples,
            "loss": float(job.first.value),
            "forward_steps": float(job.framework.numpy(aux.steps)) if aux else None,
            "forward_residual": float(job.framework.numpy(aux.residual)) if aux else None,
            **subject.contraction(),
            **job.backward(),
        }

    def oracle(self, method: str, options: Mapping[str, Any]) -> np.ndarray:
        """What a method must return at its K and M, as one vector; along a tangent: the gradient that is multiplied
        with it."""
        from impls import oracles

        taken = {name: options[name] for name in ("K", "solver", "linear_solver", "M") if name in options}
        method = "backprop" if method == "forward_gradient" else method
        key = f"{method}{sorted(taken.items())}"
        return self._saved(key, lambda: oracles.flat(oracles.gradient(self.problem, method, **taken)))

    def reference(self) -> np.ndarray:
        """The true gradient, of an implicit problem at the fixed point."""
        from impls import oracles

        return self._saved("reference", lambda: oracles.flat(oracles.reference(self.problem)))

    def contraction(self) -> dict[str, float | None]:
        """‖J(z*)‖₂ and the spectral radius of J(z*), the largest over samples; None where there is no fixed point."""

        def computed() -> np.ndarray:
            found = contraction.of(self.problem)
            return np.array([np.nan, np.nan] if found is None else [found.norm, found.radius])

        norm, radius = self._saved("contraction", computed)
        known = np.isfinite(norm)
        return {"jacobian_norm": float(norm) if known else None, "spectral_radius": float(radius) if known else None}

    # ------------------------------------------------------------------------------------------------------------

    @cached_property
    def _samples(self) -> int:
        """Of the batch; a test function of two variables is one."""
        return int(self.sizes.get("batch", 1))

    def _is_large(self, job: Job) -> bool:
        return job.cell.device.startswith("cuda") and self._samples > GPU_CHECK_BATCH

    def _checked(self, job: Job) -> Job:
        """The job itself, or the same at a batch whose closed form can be computed."""
        if not self._is_large(job):
            return job
        if self._replica is None:
            self._replica = self._built(replace(job.cell, sizes={**job.cell.sizes, "batch": GPU_CHECK_BATCH}))
        return self._replica

    def _built(self, cell: Cell) -> Job:
        assert self._scratch is not None
        return build(cell, self._scratch)

    def _saved(self, what: str, compute: Callable[[], np.ndarray]) -> np.ndarray:
        """Computed by the worker that comes first, written whole or not at all."""
        if self._scratch is None:
            return compute()
        key = f"{what}{self.problem.name}{sorted(self.sizes.items())}{self._seed}"
        path = self._scratch / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.npy"
        if path.exists():
            return np.load(path)
        found = compute()
        self._scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._scratch, delete=False) as file:
            np.save(file, found)
        os.replace(file.name, path)
        return found


def _subject(job: Job) -> CatalogueProblem:
    assert isinstance(job.subject, CatalogueProblem)
    return job.subject
