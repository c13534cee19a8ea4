"""The presets: named lists of cells, plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bench.cells import MEASURES, MODES, Cell, Value

Method = tuple[str, Mapping[str, Value]]


@dataclass(frozen=True)
class Preset:
    """A named list of cells and the number of worker processes that visit each time cell."""

    cells: tuple[Cell, ...]
    workers: int


def unique(cells: Iterable[Cell]) -> tuple[Cell, ...]:
    """Each cell once, in order of first appearance, with the measures of all its appearances."""
    found: dict[str, Cell] = {}
    for cell in cells:
        first = found.setdefault(cell.id, cell)
        found[cell.id] = replace(first, measures=first.measures + cell.measures)
    return tuple(found.values())


def ift(linear_solver: str, steps: int | None = None) -> Method:
    """The implicit function theorem with one linear solver; a direct one takes no number of steps."""
    return "ift", {"linear_solver": linear_solver} | ({} if steps is None else {"M": steps})


BACKPROP: Method = ("backprop", {})
GAUSSIAN: Method = ("forward_gradient", {"tangents": "gaussian"})
GIVEN: Method = ("forward_gradient", {"tangents": "given"})
FACTORED: Method = ("forward_gradient", {"tangents": "factored"})
UNROLLED: Method = ("unrolled", {})
JFB: Method = ("jfb", {})
EXACT = ("exact",)


def explicit(
    problem: str, sizes: Mapping[str, Value], *methods: Method, measures: tuple[str, ...] = MEASURES
) -> list[Cell]:
    """Gradient methods on an explicit problem, in every framework."""
    return [
        Cell(framework, problem, method, sizes, options, gradient=method, measures=measures)
        for framework in MODES
        for method, options in methods
    ]


def implicit(
    problem: str,
    sizes: Mapping[str, Value],
    forward: Mapping[str, Value],
    *methods: Method,
    measures: tuple[str, ...] = MEASURES,
) -> list[Cell]:
    """Backprop through adjoint methods on an implicit problem; ``forward`` holds the options they share."""
    return [
        Cell(framework, problem, method, sizes, {**forward, **options}, measures=measures)
        for framework in MODES
        for method, options in methods
    ]


def on(device: str, cells: Iterable[Cell]) -> list[Cell]:
    """The same cells on another device."""
    return [replace(cell, device=device) for cell in cells]


def compiled(cells: Iterable[Cell]) -> list[Cell]:
    """The same cells in mode compiled, of the frameworks that have it."""
    return [replace(cell, mode="compiled") for cell in cells if "compiled" in MODES[cell.framework]]


def _quick() -> list[Cell]:
    baydin = {"depth": 3, "width": 1024, "batch": 64, "inputs": 784, "classes": 10}
    found = explicit("mlp", baydin, BACKPROP, GAUSSIAN, GIVEN, FACTORED)
    wide = {"gamma": 0.8, "width": 512, "batch": 64}
    found += implicit("tanh", wide, {"K": 60}, UNROLLED, ift("picard", 60), ift("gmres", 20), JFB)
    roots = (UNROLLED, ift("picard", 60), ift("gmres", 20), ift("dense"), JFB)
    found += implicit("newton", {"width": 64, "batch": 64}, {"solver": "newton", "K": 6}, *roots)
    images = {"channels": 16, "batch": 64, "gamma": 0.8}
    found += implicit("fpn", images, {"K": 30}, UNROLLED, ift("picard", 30), ift("gmres", 15), JFB)
    # Work and precision: every method at each length of the forward solve, so that none wins for want of rivals.
    for gamma, M, lengths in ((0.5, 10, (10, 20)), (0.95, 30, (40, 160))):
        layer: dict[str, Value] = {"gamma": gamma, "width": 128, "batch": 64, "kind": "symmetric"}
        for K in lengths:
            found += implicit("tanh", layer, {"K": K}, UNROLLED, ift("picard", K), ift("gmres", M), JFB)
    return found + _sweeps((2, 4, 8, 16, 32), (5, 10, 20, 40, 80))


def _sweeps(depths: Iterable[int], steps: Iterable[int]) -> list[Cell]:
    """Memory against depth and against K, where an activation is larger than a weight so that it shows."""
    found: list[Cell] = []
    for depth in depths:
        square = {"depth": depth, "width": 128, "batch": 1024, "inputs": 128, "classes": 128}
        found += explicit("mlp", square, BACKPROP, GIVEN, measures=EXACT)
    four = (UNROLLED, ift("picard", 20), ift("gmres", 10), JFB)
    for K in steps:
        found += implicit("tanh", {"gamma": 0.8, "width": 128, "batch": 256}, {"K": K}, *four, measures=EXACT)
    return found


def _smoke() -> list[Cell]:
    found = explicit("mlp", {"depth": 2, "width": 32, "batch": 8}, BACKPROP, GAUSSIAN, GIVEN, FACTORED)
    four = (UNROLLED, ift("picard", 10), ift("gmres", 5), JFB)
    found += implicit("tanh", {"width": 16, "batch": 8}, {"K": 10}, *four)
    found += implicit("fpn", {"channels": 4, "batch": 8}, {"K": 8}, UNROLLED, ift("picard", 8), JFB)
    found += implicit("newton", {"width": 8, "batch": 8}, {"solver": "newton", "K": 5}, UNROLLED, ift("dense"))
    for depth in (2, 4, 8):
        found += explicit("mlp", {"depth": depth, "width": 32, "batch": 8}, BACKPROP, GIVEN, measures=EXACT)
    for K in (5, 10, 20):
        found += implicit("tanh", {"width": 16, "batch": 8}, {"K": K}, *four, measures=EXACT)
    return found + _shapes({"depth": 4, "width": 256, "batch": 8}, {"width": 32, "batch": 8}, (10, 20, 40))


def _shapes(net: Mapping[str, Value], layer: Mapping[str, Value], steps: Iterable[int]) -> list[Cell]:
    """Exact measures of arrays that nobody allocates."""
    found = explicit("mlp", net, BACKPROP, GIVEN)
    for K in steps:
        found += implicit("tanh", layer, {"K": K}, UNROLLED, ift("picard", 20), JFB)
    return on("meta", found)


def _track() -> list[Cell]:
    """One cell or more of every method, small enough to be measured again for each commit, large enough for a forward
    to take a millisecond."""
    found = explicit("mlp", {"depth": 3, "width": 512, "batch": 64}, BACKPROP, GAUSSIAN, GIVEN, FACTORED)
    layer = {"gamma": 0.8, "width": 128, "batch": 64}
    found += implicit("tanh", layer, {"K": 20}, UNROLLED, ift("picard", 20), ift("gmres", 10), JFB)
    found += implicit("newton", {"width": 32, "batch": 32}, {"solver": "newton", "K": 5}, UNROLLED, ift("dense"))
    images = {"channels": 8, "batch": 32, "gamma": 0.8}
    return found + implicit("fpn", images, {"K": 15}, UNROLLED, ift("picard", 15), JFB)


def _standard() -> list[Cell]:
    """``quick``, other widths and contraction factors, compiled cells, sizes that no machine here holds, and cells
    that must fail."""
    found = _quick()
    narrow = explicit("mlp", {"depth": 3, "width": 128, "batch": 64}, BACKPROP, GIVEN)
    short = implicit("tanh", {"gamma": 0.8, "width": 128, "batch": 64}, {"K": 10}, UNROLLED, ift("picard", 10), JFB)
    found += narrow + short + compiled(narrow + short)
    found += explicit("mlp", {"depth": 10, "width": 256, "batch": 256}, BACKPROP, GIVEN)
    for kind in ("orthogonal", "symmetric"):
        close = {"gamma": 0.95, "width": 128, "batch": 64, "kind": kind}
        found += implicit("tanh", close, {"K": 100}, UNROLLED, ift("picard", 100), ift("gmres", 30), JFB)
    through = implicit("tanh", {"gamma": 0.8, "width": 128, "batch": 64}, {"K": 10}, ift("picard", 10), JFB)
    forward = [replace(cell, gradient="forward_gradient") for cell in through]
    found += forward + compiled(forward)
    found += _sweeps((64, 128), (160, 320, 1000))
    big = {"depth": 64, "width": 8192, "batch": 1024, "inputs": 8192, "classes": 8192}
    return found + _shapes(big, {"width": 512, "batch": 4096}, (100, 1000, 10_000)) + _failing()


def _failing() -> list[Cell]:
    """Cells that cannot come out well, so that it shows that they do not; ``bench.expected`` says how and why."""
    found = implicit("linear", {"gamma": 4.0, "width": 16, "batch": 8}, {"K": 200}, UNROLLED, ift("picard", 20), JFB)
    many: Method = ("forward_gradient", {"tangents": "gaussian", "count": 4})
    return found + explicit("mlp", {"depth": 2, "width": 32, "batch": 8}, many)


def _gpu() -> list[Cell]:
    """On every GPU: bytes against depth and K where activations are much larger than weights; and time. Every visit
    makes its arrays on one CPU core, so weights are kept small and batches large."""
    found: list[Cell] = []
    for depth in (2, 4, 8, 16, 32, 64, 128):
        bound = {"depth": depth, "width": 256, "batch": 16384, "inputs": 256, "classes": 256}
        found += explicit("mlp", bound, BACKPROP, GIVEN, measures=EXACT)
    four = (UNROLLED, ift("picard", 20), ift("gmres", 10), JFB)
    for K in (5, 20, 50, 200, 1000):
        found += implicit("tanh", {"gamma": 0.8, "width": 256, "batch": 16384}, {"K": K}, *four, measures=EXACT)
    deep = {"depth": 6, "width": 2048, "batch": 8192, "inputs": 2048, "classes": 1000}
    wide = {"gamma": 0.8, "width": 1024, "batch": 8192}
    nets = explicit("mlp", deep, BACKPROP, GAUSSIAN, GIVEN, FACTORED)
    found += nets + implicit("tanh", wide, {"K": 60}, UNROLLED, ift("picard", 60), ift("gmres", 20), JFB)
    images = {"channels": 64, "batch": 512, "gamma": 0.8}
    found += implicit("fpn", images, {"K": 30}, UNROLLED, ift("picard", 30), JFB)
    return on("cuda", found + compiled(nets))


PRESETS = {
    "smoke": Preset(unique(_smoke()), workers=2),
    "track": Preset(unique(_track()), workers=8),
    "quick": Preset(unique(_quick()), workers=8),
    "standard": Preset(unique(_standard()), workers=8),
    "gpu": Preset(unique(_gpu()), workers=8),
}
