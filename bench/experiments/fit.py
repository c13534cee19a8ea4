"""Training as the papers do it: plain SGD on a data set, with the loss and the test error along the way."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np

from bench.cells import Value
from bench.experiments.catalog import Record
from bench.experiments.evaluation import chunks, scorer
from bench.experiments.loops import compiled, draw, framework_of
from bench.job import nest_map

LOSS_IMAGES = 10_000
"""The training loss is of the whole training set, or of so many of its images, always the same."""


class Trainer:
    """One model under one method on one data set: compiled once, for every rate and seed.

    problem, sizes: of ``impls.problems``, a classifier; images take the shape of the problem's inputs. split:
    ``impls.datasets.Split``. method(loss) -> fn(params, batch, rng), such as ``value_and_grad`` of
    ``impls.jax.gradients.backprop``. fixed_point: an adjoint with its solvers bound, for an implicit problem; one of
    its solves failed that ends above the residual ``tol``. evaluation: the one to score with, where that is another.
    ``ValueError`` for what cannot be trained on images.
    """

    def __init__(
        self,
        framework: str,
        problem: str,
        split: Any,
        *,
        sizes: Mapping[str, Value],
        method: Callable[[Any], Any],
        fixed_point: Any = None,
        evaluation: Any = None,
        tol: float = math.inf,
        device: str = "cpu",
        dtype: str = "float32",
    ) -> None:
        self._framework = framework_of(framework, device)
        self._problem, self._sizes, self._dtype, self._tol = problem, dict(sizes), dtype, tol
        shown = self._made(seed=0, batch=1).batch
        if not np.issubdtype(shown["y"].dtype, np.integer):
            raise ValueError(f"{problem} is a regression and has no test error: take a problem that has classes.")
        shape = shown["x"].shape[1:]
        if math.prod(shape) != math.prod(split.train_images.shape[1:]):
            raise ValueError(
                f"{problem} takes inputs of shape {shape} and the images of {split.name} have shape "
                f"{split.train_images.shape[1:]}: give sizes that fit."
            )
        models = importlib.import_module(f"impls.{framework}.models")
        training = importlib.import_module(f"impls.{framework}.training")
        fixed = {name: self._framework.array(one, dtype) for name, one in shown.items() if np.ndim(one) == 0}
        scored, trained = (_with(fixed, models.loss(problem, one)) for one in (evaluation or fixed_point, fixed_point))
        self._score = scorer(self._framework, scored)
        self._step = self._stepper(training.train_step(method(trained)))
        inputs, labels = split.train_images.reshape(-1, *shape), split.train_labels
        some = np.sort(np.random.default_rng(0).permutation(len(labels))[:LOSS_IMAGES])
        self._data = {"x": self._framework.array(inputs, dtype), "y": self._framework.array(labels, dtype)}
        self._seen = chunks(self._framework, inputs[some], labels[some], dtype)
        self._unseen = chunks(self._framework, split.test_images.reshape(-1, *shape), split.test_labels, dtype)

    def fit(
        self, *, rate: Callable[[int], float], iterations: int, batch: int, seed: int, points: Collection[int]
    ) -> list[Record]:
        """Train from the problem's parameters of ``seed`` with step size ``rate(i)`` at iteration i = 0, 1, …

        Initial parameters and batches are the same for all methods of a seed. A record for each of ``points``, which
        count the steps made: iteration, loss (training set), test_error, failed (forward solves of steps so far that
        ended above ``tol``), unscored (solves of evaluations so far that missed their tolerance), diverged. A run whose
        loss is no finite number stops there: its last record has diverged = 1, and no loss and test error.
        """
        params = nest_map(lambda p: self._framework.array(p, self._dtype), self._made(seed=seed, batch=batch).params)
        rng, records, failed, unscored = self._framework.rng(seed), list[Record](), 0, 0
        chosen = list(islice(batches(len(self._data["y"]), batch, seed), iterations))
        schedule = self._framework.array(np.reshape(chosen, (iterations, batch)), self._dtype)
        for iteration in range(iterations + 1):
            if iteration in points:
                seen, unseen = self._score(params, self._seen), self._score(params, self._unseen)
                unscored += seen.failed + unseen.failed
                if not math.isfinite(seen.loss):
                    return [*records, _record(iteration, failed, unscored)]
                records.append(_record(iteration, failed, unscored, seen.loss, unseen.error))
            if iteration < iterations:
                value, params, residual = self._step(params, self._data, schedule, rng, iteration, rate(iteration))
                failed += not float(residual) <= self._tol
                if not math.isfinite(float(value)):
                    return [*records, _record(iteration, failed, unscored)]
        return records

    def _made(self, *, seed: int, batch: int) -> Any:
        from impls import problems

        return problems.make(self._problem, seed=seed, **{**self._sizes, "batch": batch})

    def _stepper(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """fn(params, data, schedule, rng, iteration, rate) -> (value, params, residual of the forward solve): a step
        on the samples that the schedule has for the iteration, gathered on the device."""

        def fn(params: Any, data: Any, schedule: Any, rng: Any, iteration: Any, rate: Any) -> tuple[Any, Any, Any]:
            index = schedule[iteration]
            batch = {name: array[index] for name, array in data.items()}
            value, params, aux = step(params, batch, draw(self._framework, rng, iteration), rate)
            return value, params, aux.residual if aux else 0.0

        return compiled(self._framework, fn)


def _with(fixed: Mapping[str, Any], loss: Callable[..., Any]) -> Callable[..., Any]:
    """``loss`` whose batches lack what is the same for all samples, such as mon's m."""
    return lambda params, batch: loss(params, {**batch, **fixed})


def batches(count: int, batch: int, seed: int) -> Iterator[np.ndarray]:
    """Indices of one mini batch after another: shuffled epochs without end, whose incomplete last batch is left out.

    ``ValueError`` for a batch larger than the ``count`` samples there are.
    """
    if not 1 <= batch <= count:
        raise ValueError(f"There are {count} training images, so a batch must be from 1 to that, not {batch}.")
    rng = np.random.default_rng((seed, 1))  # another stream than the parameters'
    while True:
        order = rng.permutation(count)
        yield from (order[start : start + batch] for start in range(0, count - batch + 1, batch))


def _record(
    iteration: int, failed: int, unscored: int, loss: float | None = None, error: float | None = None
) -> Record:
    """Six digits are more than one run tells."""
    numbers = {"loss": loss, "test_error": error}
    rounded = {name: None if value is None else float(f"{value:.6g}") for name, value in numbers.items()}
    return {
        "iteration": iteration,
        **rounded,
        "failed": failed,
        "unscored": unscored,
        "diverged": int(loss is None),
    }
