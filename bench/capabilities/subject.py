"""One framework and one tiny problem, handed over to it in float64."""

from __future__ import annotations

import importlib
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from bench.capabilities.trial import Trial
from bench.nest import nest_map


class Subject:
    """params, batch and the direction v are the framework's arrays; ``calls`` are its derivatives."""

    def __init__(self, framework: str, problem: str) -> None:
        self.framework, self.trial = framework, Trial(problem)
        self.calls = importlib.import_module(f"bench.capabilities.{framework}_calls").Calls()
        self._arrays = importlib.import_module(self.calls.module).Framework()
        with self.double():
            self.params, self.v = self.nest(self.trial.problem.params), self.nest(self.trial.nest(self.trial.v))
            self.batch = self.nest(dict(self.trial.problem.batch))

    def double(self) -> AbstractContextManager[Any]:
        """Inside it all is float64."""
        return self._arrays.double()

    def module(self, path: str) -> Any:
        """``impls.<framework>.<path>``."""
        return importlib.import_module(f"impls.{self.framework}.{path}")

    def nest(self, arrays: Any) -> Any:
        """A nest of numpy arrays as the framework's."""
        return nest_map(lambda x: self._arrays.array(x, "float64"), arrays)

    def vector(self, nest: Any) -> np.ndarray:
        """All numbers of a nest of the framework's arrays."""
        leaves = self.module("ops").leaves(nest)
        return np.concatenate([self._arrays.numpy(leaf).ravel() for leaf in leaves])

    def samples(self) -> Any:
        """The batch as batches of one sample, stacked."""
        first, *others = self.trial.samples
        return self.nest({name: np.stack([first[name], *(one[name] for one in others)]) for name in first})

    def along(self, law: str, loss: Any) -> tuple[Any, Any]:
        """Two functions: the forward gradient of ``loss`` along a tangent of a law, and that tangent, as vectors."""
        value_and_grad = self.module("gradients.forward_gradient").value_and_grad(loss, tangents=law)

        def gradient() -> np.ndarray:
            return self.vector(value_and_grad(self.params, self.batch, self._rng(law))[1])

        return gradient, lambda: self._tangent(law)

    def _rng(self, law: str) -> Any:
        """What the law draws from: a generator, or the tangent itself."""
        return self.v if law == "given" else self._arrays.rng(0)

    def _tangent(self, law: str) -> np.ndarray:
        """The tangent that a call with a fresh ``_rng`` draws."""
        if law == "given":
            return self.trial.v
        drawn = self.module("tangents").sampler(law, 1)(self._rng(law), self.params, 0)
        drawn = drawn[0] if isinstance(drawn, tuple) else drawn  # in torch with a word on who owns it
        dense = self.module("perturbed").dense
        return self.vector(self.module("ops").tree_map(lambda _, v: dense(v), self.params, drawn))
