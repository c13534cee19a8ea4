"""Training runs: descent on a softmax regression by hand, what is the same for all methods, and what ends a run."""

from __future__ import annotations

import importlib
from functools import partial
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.experiments import fit
from bench.experiments.fit import Trainer, batches, spaced
from bench.frameworks import torch_eager
from bench.job import Binding
from impls import problems
from impls.datasets import Split

FRAMEWORKS = ("torch", "jax")
SIZES = {"inputs": 4, "classes": 3}


def small(count: int = 6, tests: int = 6, side: int = 2) -> Split:
    rng = np.random.default_rng(3)
    images = rng.random((count + tests, side, side, 1)).astype(np.float32)
    labels = rng.integers(0, 3, count + tests)
    return Split(images[:count], labels[:count], images[count:], labels[count:], "small")


def trainer(framework: str, problem: str = "logistic", split: Split | None = None, **given: Any) -> Trainer:
    name = given.pop("gradient", "backprop")
    return Trainer(Binding(framework, name, {}, name), problem, split or small(), **{"sizes": SIZES, **given})


def softmax(params: Any, images: np.ndarray) -> np.ndarray:
    logits = images.reshape(len(images), -1) @ params["W"] + params["b"]
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def by_hand(split: Split, rates: list[float]) -> list[tuple[float, float]]:
    """Training loss and test error along full-batch descent on mean −log softmax(x W + b)[y]."""
    (params,) = problems.make("logistic", seed=2, batch=6, **SIZES).params
    params, found = dict(params), []
    truth = np.eye(3)[split.train_labels]
    for rate in [*rates, 0.0]:
        shares = softmax(params, split.train_images)
        error = (softmax(params, split.test_images).argmax(1) != split.test_labels).mean()
        found.append((-np.log(shares[truth == 1]).mean(), error))
        g = (shares - truth) / len(truth)
        params["W"] = params["W"] - rate * split.train_images.reshape(6, -1).T @ g
        params["b"] = params["b"] - rate * g.sum(0)
    return found


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_full_batches_descend_as_by_hand_whatever_the_chunks(framework: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit, "CHUNK", 4)
    rates = [8.0, 4.0, 2.0]
    found = trainer(framework).fit(rate=rates.__getitem__, iterations=3, batch=6, seed=2, points=[0, 1, 3])
    expected = by_hand(small(), rates)
    assert [record["iteration"] for record in found] == [0, 1, 3]
    for record in found:
        loss, error = expected[record["iteration"]]
        assert record == {
            "iteration": record["iteration"],
            "loss": pytest.approx(loss, rel=2e-6),
            "test_error": pytest.approx(error),
            "failed": 0,
            "unscored": 0,
            "diverged": 0,
        }


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_run_stops_where_its_loss_is_no_number(framework: str) -> None:
    found = trainer(framework).fit(rate=lambda _: 3e38, iterations=9, batch=6, seed=0, points=[0, 9])
    assert len(found) == 2
    last = found[-1]
    assert last["diverged"] == 1 and last["loss"] is last["test_error"] is None
    assert 1 <= last["iteration"] < 9


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_seeds_repeat_and_iterations_draw_tangents_of_their_own(framework: str) -> None:
    one = trainer(framework, gradient="forward_gradient")
    run = partial(one.fit, rate=lambda _: 0.01, iterations=2, batch=6, points=[0, 1, 2])
    first, again, other = run(seed=1), run(seed=1), run(seed=4)
    assert first == again != other
    exact = trainer(framework).fit(rate=lambda _: 0.01, iterations=2, batch=6, seed=1, points=[0, 2])
    assert exact[0] == first[0] and exact[1] != first[2]


@pytest.mark.parametrize(
    ("framework", "training", "scoring", "missed"),
    [("torch", 1e-12, 0.5, (3, 0)), ("torch", 0.5, 1e-12, (0, 2)), ("jax", 1e-12, 1e-12, (3, 2))],
)
def test_solves_that_miss_their_tolerance_are_counted(
    framework: str, training: float, scoring: float, missed: tuple[int, int]
) -> None:
    """Three steps, each solve held against ``tol``; one evaluation of the training set and of the test set."""
    solvers = importlib.import_module(f"impls.{framework}.solvers")
    jfb = importlib.import_module(f"impls.{framework}.adjoints.jfb")
    adjoints = {
        name: partial(jfb.fixed_point, solver=solvers.Picard(steps=4, tol=tol))
        for name, tol in (("fixed_point", 0.0), ("evaluation", scoring))
    }
    one = trainer(framework, "fpn", small(6, 6, side=8), sizes={"channels": 1, "gamma": 0.1}, **adjoints, tol=training)
    found = one.fit(rate=lambda _: 0.1, iterations=3, batch=6, seed=0, points=[3])
    assert [(record["failed"], record["unscored"]) for record in found] == [missed]


def test_what_cannot_be_trained_is_refused_in_one_sentence() -> None:
    with pytest.raises(ValueError, match=r"logistic takes inputs of shape \(5,\) and the images of small have shape"):
        trainer("torch", sizes={"inputs": 5, "classes": 3})
    with pytest.raises(ValueError, match="tanh is a regression and has no test error"):
        trainer("torch", "tanh", sizes={"inputs": 4, "width": 3})
    with pytest.raises(ValueError, match="There are 6 training images, so a batch must be from 1 to that, not 7"):
        next(batches(6, 7, 0))


def test_a_loss_whose_logits_cannot_be_heard_has_no_score() -> None:
    framework = torch_eager.Framework()
    score = fit.scorer(framework, lambda params, batch: (batch["x"].sum(), ()))
    with pytest.raises(ValueError, match="This model takes no cross-entropy of logits, so it has no test error"):
        score((), fit.chunks(framework, np.ones((2, 3)), np.zeros(2, int), "float64"))


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 3))
def test_batches_are_epochs_of_distinct_samples(count: int, batch: int, seed: int) -> None:
    batch = min(batch, count)
    an_epoch = count // batch
    found = list(islice(batches(count, batch, seed), 2 * an_epoch))
    assert all(len(one) == batch for one in found)
    for epoch in (found[:an_epoch], found[an_epoch:]):
        together = np.concatenate(epoch)
        assert len(set(together)) == len(together) and set(together) <= set(range(count))
    again = list(islice(batches(count, batch, seed), 2 * an_epoch))
    assert all((a == b).all() for a, b in zip(found, again, strict=True))


@given(st.integers(1, 10**6), st.integers(3, 99))
def test_spaced_iterations_rise_from_0_to_the_last(last: int, count: int) -> None:
    found = spaced(last, count)
    assert found[0] == 0 and found[-1] == last and len(found) <= count
    assert all(a < b for a, b in pairwise(found))


def test_spaced_iterations_lie_at_even_steps_of_the_logarithm() -> None:
    assert spaced(1000, 5) == [0, 1, 10, 100, 1000]
    with pytest.raises(ValueError, match="spaced: last must be 1 or more and count 3 or more, not 0 and 2"):
        spaced(0, 2)
