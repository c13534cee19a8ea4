"""When is the JFB direction one of descent? Theorem 0.2 of the JFB paper on affine maps, and new networks beside them.

Affine parts (``affine.py``) give ``cosine``, between JFB and the true gradient at a gaussian g, and ``worst``, over all
g; ``covered`` is the theorem's condition, ``sharp`` the exact one. Model parts give the cosine over all of a network's
parameters, by the closed forms in float64.
"""

from __future__ import annotations

from typing import Any

from bench.cells import Cell
from bench.experiments.catalog import Place, Record
from bench.plan import Part

STATES = 16
PARAMETERS = (8, 24)
"""Fewer than states, where the theorem cannot hold, and more."""

GAMMAS = (0.1, 0.3, 0.5, 0.7, 0.9, 0.99)
KAPPAS = (1.0, 1.1, 2.0, 10.0, 100.0, 1e4)
DRAWS = {"smoke": 1, "quick": 20, "paper": 20}

MODELS: dict[str, dict[str, Any]] = {
    "tanh": {"width": 32, "inputs": 16, "batch": 8},
    "fpn": {"channels": 4, "batch": 2},
    "mon": {"width": 32, "inputs": 16, "batch": 8},
}
"""Small, since the closed forms iterate in float64; mon has no γ."""

SEEDS = {"smoke": 1, "quick": 30, "paper": 30}
STEPS = 200
"""Evaluations of step that bring JFB to the fixed point of the largest γ."""


def cells(size: str) -> list[Cell]:
    """None."""
    return []


def parts(size: str, data: bool) -> list[Part]:
    """One a kind of affine map, and one a network and γ."""
    from bench.experiments.affine import KINDS

    affine = [{"what": "affine", "kind": kind, "draws": DRAWS[size]} for kind in KINDS]
    networks: list[dict[str, Any]] = []
    for problem in MODELS:
        gammas: tuple[float, ...] = () if problem == "mon" else GAMMAS[::4] if size == "smoke" else GAMMAS
        known = [{"gamma": gamma} for gamma in gammas] or [{}]
        networks += [{"what": "model", "problem": problem, "seeds": SEEDS[size], **one} for one in known]
    return [Part("descent", "numpy", settings, dtype="float64") for settings in affine + networks]


def perform(part: Part, place: Place) -> list[Record]:
    """Records of one part, to four digits."""
    settings: dict[str, Any] = dict(part.settings)
    what = settings.pop("what")
    found = _affine(**settings) if what == "affine" else _network(**settings)
    return [{name: _short(value) for name, value in record.items()} for record in found]


def memory_bytes(size: str) -> int:
    """Small arrays, and the interpreter with numpy."""
    return 200_000_000


def _affine(kind: str, draws: int) -> list[Record]:
    """γ × κ × number of parameters × draws; an adversary is made rather than drawn, so one of each is enough."""
    import numpy as np

    from bench.experiments import affine
    from bench.instruments.accuracy import cosine

    made = kind == "adversarial"
    found: list[Record] = []
    for gamma, kappa, parameters, index in (
        (gamma, kappa, parameters, index)
        for gamma in GAMMAS
        for kappa in KAPPAS
        for parameters in (PARAMETERS[1:] if made else PARAMETERS)
        for index in range(1 if made else draws)
    ):
        one = affine.draw(gamma, kappa, kind, STATES, parameters, np.random.default_rng([index, parameters]))
        found.append(
            {
                **{"gamma": gamma, "kappa": kappa, "parameters": parameters, "states": STATES, "draw": index},
                "cosine": cosine(one.jfb(), one.gradient()),
                "worst": one.worst(),
                "jacobian_norm": gamma * float(np.linalg.norm(one.Q, 2)),
                "covered": int(affine.covered(gamma, kappa, STATES, parameters)),
                "sharp": int(parameters >= STATES and kappa <= affine.sharp_bound(gamma)),
            }
        )
    return found


def _network(problem: str, seeds: int, **sizes: Any) -> list[Record]:
    """The cosine at the fixed point of a network as initialised, over seeds."""
    from bench.instruments import contraction
    from bench.instruments.accuracy import cosine
    from impls import oracles, problems

    found: list[Record] = []
    for seed in range(seeds):
        one = problems.make(problem, seed=seed, **MODELS[problem], **sizes)
        truth = oracles.flat(oracles.reference(one))
        jfb = oracles.flat(oracles.gradient(one, "jfb", K=STEPS))
        contracted = contraction.of(one)
        norm = {} if contracted is None else {"jacobian_norm": contracted.norm}
        found.append({"seed": seed, "cosine": cosine(jfb, truth), **norm})
    return found


def _short(value: float) -> float:
    return float(f"{value:.4g}") if isinstance(value, float) else value
