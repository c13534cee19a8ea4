"""How many steps K every contender's forward solve makes: the least that leave room for an error of the backward solve.

Found in float64 with the definitions of the oracles, so that all frameworks and libraries have the same.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from bench.instruments.accuracy import error

STEPS = (1, 2, 3, 5, 8, 12, 20, 30, 45, 70, 100, 150, 200, 300)
SHARE = 1 / 3
"""Of the level, that the forward solve may leave."""


class ForwardSteps(NamedTuple):
    """implicit: K of IFT and JFB. unrolled: K of unrolled differentiation, whose own derivative converges later.
    jfb_error: the gradient error that JFB has at that K, exactly solved or not."""

    implicit: int
    unrolled: int
    jfb_error: float


def forward_steps(problem: Any, level: float) -> ForwardSteps:
    """Of an implicit problem at a level of gradient error; ``ValueError`` where no number of ``STEPS`` is enough."""
    from impls import oracles

    reference = oracles.flat(oracles.reference(problem))

    def unrolled(K: int) -> float:
        return error(oracles.flat(oracles.gradient(problem, "unrolled", K=K)), reference)

    left = _implicit_errors(problem, reference, level)
    implicit = next((K for K, one in zip(STEPS, left, strict=True) if one <= SHARE * level), None)
    longer = next((K for K in STEPS if (implicit or 1) <= K and unrolled(K) <= SHARE * level), None)
    if implicit is None or longer is None:
        raise ValueError(
            f"{STEPS[-1]} forward steps do not bring the gradient within a third of {level:g}: take a smaller gamma."
        )
    jfb = oracles.flat(oracles.gradient(problem, "jfb", K=implicit))
    return ForwardSteps(implicit, longer, error(jfb, reference))


def _implicit_errors(problem: Any, reference: Any, level: float) -> Any:
    """The error of IFT with an exact backward solve at each K of ``STEPS``, one after the other."""
    import numpy as np

    from impls import oracles

    model = oracles.MODELS[problem.name](problem)
    z, made = model.z0, 0
    for K in STEPS:
        while made < K - 1:
            z, made = model.step(z)[0], made + 1
        fz, pull = model.step(z)
        _, g, readout = model.loss(fz)
        w, moved = g, np.inf
        while moved > 1e-3 * level:
            last, w = w, g + pull(w)[0]
            moved = float(np.linalg.norm(w - last) / np.linalg.norm(w))
        yield error(oracles.flat({**model.encode(pull(w)[1]), **readout}), reference)
