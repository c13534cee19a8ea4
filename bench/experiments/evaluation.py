"""How well a model does on images that it is shown: mean loss, share of wrong labels, and solves that failed."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from bench.experiments.loops import plain

CHUNK = 2000
"""Images that go through a model at once: the activations of ten thousand may not fit."""


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
    ops = importlib.import_module(f"impls.{framework.name}.ops")

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
