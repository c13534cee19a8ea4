"""Training as the papers do it: plain SGD on a data set, with the loss and the test error along the way; and what a
loop needs of a framework that one cell does not: callables that take other arguments every time."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from bench.cells import Value
from bench.experiments.catalog import Record
from bench.job import Binding, framework_of, nest_map
from bench.older import module
from bench.subjects import loss_of

LOSS_IMAGES = 10_000
"""The training loss is of the whole training set, or of so many of its images, always the same."""

CHUNK = 2000
"""Images that go through a model at once: the activations of ten thousand may not fit."""


class Trainer:
    """One model under one method on one data set: compiled once, for every rate and seed.

    bound: the method, whose gradient each step takes. problem, sizes: of ``impls.problems``, a classifier; images take
    the shape of the problem's inputs. split: ``impls.datasets.Split``. fixed_point: an adjoint with its solvers bound,
    for an implicit problem; one of its solves failed that ends above the residual ``tol``. evaluation: the one to score
    with, where that is another. ``ValueError`` for what cannot be trained on images.
    """

    def __init__(
        self,
        bound: Binding,
        problem: str,
        split: Any,
        *,
        sizes: Mapping[str, Value],
        fixed_point: Any = None,
        evaluation: Any = None,
        tol: float = math.inf,
        device: str = "cpu",
        dtype: str = "float32",
    ) -> None:
        self._framework = framework_of(bound.framework, device)
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
        fixed = {name: self._framework.array(one, dtype) for name, one in shown.items() if np.ndim(one) == 0}
        scored, trained = (
            _with(fixed, loss_of(bound.framework, problem, one)) for one in (evaluation or fixed_point, fixed_point)
        )
        self._score = scorer(self._framework, scored)
        self._step = self._stepper(bound.train_step(trained))
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


# How well a model does on images that it is shown -----------------------------------------------------------------


class Score(NamedTuple):
    """loss: mean over the images. error: share of wrong labels. failed: forward solves that missed their tolerance."""

    loss: float
    error: float
    failed: int


def chunks(framework: Any, inputs: Any, labels: Any, dtype: str) -> list[dict[str, Any]]:
    """Batches of at most ``CHUNK`` images on the framework's device."""
    return [
        {
            "x": framework.array(inputs[start : start + CHUNK], dtype),
            "y": framework.array(labels[start:][:CHUNK], dtype),
        }
        for start in range(0, len(labels), CHUNK)
    ]


def scorer(framework: Any, loss: Callable[..., Any]) -> Callable[[Any, Sequence[dict[str, Any]]], Score]:
    """fn(params, batches) -> Score of a classifier's ``loss(params, batch) -> (value, aux)``, no gradient recorded.

    The labels that a model gives are read off the logits that it hands to its cross-entropy, so that whatever has a
    loss can be scored. ``ValueError`` for a loss without one.
    """
    ops = module(f"impls.{framework.name}.ops")

    def one(params: Any, batch: dict[str, Any]) -> tuple[Any, Any, Any]:
        with _heard(ops) as wrong:
            value, aux = loss(params, batch)
        if len(wrong) != 1:
            raise ValueError("This model takes no cross-entropy of logits, so it has no test error.")
        return value, wrong[0], aux.converged if aux else True

    call = plain(framework, one)

    def score(params: Any, batches: Sequence[dict[str, Any]]) -> Score:
        count, found = 0, [0.0, 0.0, 0.0]
        for batch in batches:
            value, wrong, converged = call(params, batch)
            size = len(batch["y"])
            terms = float(value) * size, float(wrong), float(not converged)
            count, found = count + size, [total + term for total, term in zip(found, terms, strict=True)]
        return Score(found[0] / count, found[1] / count, int(found[2]))

    return score


@contextmanager
def _heard(ops: Any) -> Iterator[list[Any]]:
    """Inside, every call of ``ops.cross_entropy`` leaves its number of wrong labels."""
    original, wrong = ops.cross_entropy, []

    def cross_entropy(logits: Any, labels: Any) -> Any:
        wrong.append((logits.argmax(-1) != labels).sum())
        return original(logits, labels)

    ops.cross_entropy = cross_entropy
    try:
        yield wrong
    finally:
        ops.cross_entropy = original


# Loops ------------------------------------------------------------------------------------------------------------


def compiled(framework: Any, fn: Callable[..., Any]) -> Callable[..., Any]:
    """``fn`` jitted in jax, once for each set of shapes; itself in eager torch."""
    if framework.name == "jax":
        import jax

        return jax.jit(fn)
    return fn


def plain(framework: Any, fn: Callable[..., Any]) -> Callable[..., Any]:
    """``fn`` with no gradient recorded, jitted in jax."""
    if framework.name == "jax":
        return compiled(framework, fn)
    return lambda *args: framework.forward(fn, *args)()


def draw(framework: Any, rng: Any, index: Any) -> Any:
    """The generator of one iteration: jax's keys know no state, so each iteration has its own; torch's has."""
    if framework.name == "jax":
        import jax

        return jax.random.fold_in(rng, index)
    return rng


def spaced(last: int, count: int) -> list[int]:
    """0, ``last``, and whole numbers between them at even steps of the logarithm: no more than ``count`` in all.

    ``ValueError`` unless ``last`` is 1 or more and ``count`` 3 or more.
    """
    if last < 1 or count < 3:
        raise ValueError(f"spaced: last must be 1 or more and count 3 or more, not {last} and {count}.")
    return sorted({0, *(round(last ** (index / (count - 2))) for index in range(count - 1))})
