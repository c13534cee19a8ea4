"""Made-up outcomes of each experiment, with knobs for what the claims are about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reports.papers import Papers
from tests.rows import BACKPROP, GAUSSIAN, GIVEN, MODES, Method, Row, exact, part, timed
from tests.rows import papers as papers_of

WORKERS = 3


def papers(visits: Mapping[str, Iterable[Row]] | None = None, parts: Iterable[Row] = ()) -> Papers:
    """Papers of the visits of each experiment and of parts, each as it comes out of a file."""
    return papers_of(visits, parts, workers=WORKERS)


def cell(ratio: float, problem: str, method: Method, sizes: Row, **changes: Any) -> list[Row]:
    """The time visits of one cell in both frameworks, each pair at exactly this ratio."""
    return [
        timed(ratio, worker, pairs=1, noise=0, framework=framework, problem=problem, method=method, sizes=sizes)
        for framework in MODES
        for worker in range(WORKERS)
    ]


def bytes_of(problem: str, method: Method, sizes: Row, **values: Any) -> list[Row]:
    """The exact visits of one cell in both frameworks."""
    return [
        exact(1, framework=framework, problem=problem, method=method, sizes=sizes, values=values) for framework in MODES
    ]


def ratios(forward: float, reverse: float) -> Papers:
    """R_f and R_b of every model."""
    rows: list[Row] = []
    for problem in ("logistic", "mlp", "cnn"):
        rows += cell(reverse, problem, BACKPROP, {"batch": 64})
        rows += cell(forward, problem, GAUSSIAN, {"batch": 64}) + cell(forward, problem, GIVEN, {"batch": 64})
    # Along the axis of widths nothing is sampled, and no claim is about it.
    axis = {"batch": 1, "width": 32}
    return papers({"ratios": rows + cell(1.0, "mlp", BACKPROP, axis) + cell(9.0, "mlp", GIVEN, axis)})


def depths(shallow: float, deep: float) -> Papers:
    """R_f ÷ R_b at depth 1 and 100."""
    rows: list[Row] = []
    for depth, ratio in ((1, shallow), (100, deep)):
        sizes = {"depth": depth, "width": 256, "batch": 64}
        rows += cell(4.0, "mlp", BACKPROP, sizes)
        rows += cell(4 * ratio, "mlp", GIVEN, sizes) + cell(4 * ratio, "mlp", GAUSSIAN, sizes)
    return papers({"depth": rows})


def copies(activations: int) -> Papers:
    """Bytes where a copy of the parameters takes 100, a tangent that is given another, and backprop activations."""
    sizes: Row = {"depth": 10, "width": 256, "batch": 64}
    base = {"parameter_bytes": 100, "tangent_bytes": 0}
    rows = bytes_of("mlp", BACKPROP, sizes, peak_bytes=activations, **base)
    rows += bytes_of("mlp", GIVEN, sizes, peak_bytes=100, **base | {"tangent_bytes": 100})
    rows += bytes_of("mlp", GAUSSIAN, sizes, peak_bytes=200, **base | {"tangent_bytes": 100})
    again = {"peak_bytes": 200, "parameter_bytes": 100}
    return papers({"depth": rows}, [part("depth", [again], what="replayed", **sizes)])


def layers(held: int, deep: int | None = None) -> Papers:
    """Bytes held a layer; those of the layers from the tenth on may be others."""
    rows: list[Row] = []
    for depth in (1, 3, 10, 100):
        more = (held if deep is None else deep) * max(depth - 10, 0)
        rows += bytes_of("mlp", BACKPROP, {"depth": depth, "width": 8}, held_bytes=4 + held * min(depth, 10) + more)
    return papers({"depth": rows})


def step_times(experiment: str, seconds: Mapping[str, float], column: str = "method", **settings: Any) -> list[Row]:
    """Parts of timed steps: seconds of each method."""
    records = [{column: name, "seconds": one} for name, one in seconds.items()]
    return [
        part(experiment, records, framework, worker=worker, what="time", **settings)
        for framework in MODES
        for worker in range(WORKERS)
    ]


def functions(forward_s: float, end: float | None) -> Papers:
    """Seconds of a forward gradient step where backprop's takes 1, and where every path ends, times the published."""
    parts: list[Row] = []
    for function, published in (("beale", 5e-5), ("rosenbrock", 5e-6)):
        parts += step_times("test_functions", {"backprop": 1.0, "forward_gradient": forward_s}, function=function)
        for method, seed in (("backprop", 0), ("forward_gradient", 0), ("forward_gradient", 1)):
            value = None if end is None else end * published
            path: list[Row] = [{"iteration": 0, "value": 3.0}, {"iteration": 1000, "value": value}]
            parts.append(part("test_functions", path, what="path", function=function, method=method, seed=seed))
    return papers(parts=parts)


def fit(losses: Iterable[float | None], error: float | None = None) -> list[Row]:
    """The records of a training run, one every ten iterations; the last has the test error."""
    found = [{"iteration": 10 * n, "loss": loss, "test_error": None} for n, loss in enumerate(losses)]
    found[-1]["test_error"] = error
    return found


def training(forward: Mapping[float, Iterable[float | None]], seconds: float = 0.5) -> Papers:
    """Losses of forward gradient by rate, where backprop's go 2, 1.5, 1 and a step of it takes 1 s."""
    parts = step_times("training", {"backprop": 1.0, "forward_gradient": seconds}, width=64)
    for protocol in ("shared", "tuned"):
        for rate, losses in forward.items():
            for seed in (0, 1):
                own: Row = {"what": "run", "protocol": protocol, "rate": rate, "seed": seed, "width": 64}
                parts.append(part("training", fit(losses), method="forward_gradient", **own))
                parts.append(part("training", fit([2.0, 1.5, 1.0]), method="backprop", **own))
    return papers(parts=parts)
