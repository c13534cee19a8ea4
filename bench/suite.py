"""The same cells through asv: ``setup_cache`` measures, ``track_*`` reads what it found.

One class a framework and problem, since asv cannot tell ``setup_cache`` which cells ``-b`` asked for; each
has a ``setup_cache`` of its own, since asv takes two of them on one source line for the same. The environment
variable GRADRATIO_PRESET names the preset. Lower is better in every number. Of the problems, ``linear`` is not
tracked: it is there for closed forms, and in presets for cells that must diverge.
"""

from __future__ import annotations

import os
from typing import Any

from bench import VERSION, grid

PRESET = os.environ.get("GRADRATIO_PRESET", "smoke")
TIMEOUT_S = 7200
Found = dict[str, dict[str, Any]]


def _cells(framework: str, problem: str) -> list[grid.Cell]:
    return [cell for cell in grid.cells(PRESET) if (cell.framework, cell.problem) == (framework, problem)]


def _ids(framework: str, problem: str) -> list[str]:
    return [cell.id for cell in _cells(framework, problem)]


def _measured(framework: str, problem: str) -> Found:
    """What each cell came to, measured by the interpreter that asv runs this with."""
    import tempfile
    from collections import deque
    from dataclasses import asdict
    from pathlib import Path

    from bench import store
    from bench.measure import measure
    from bench.summary import summarise

    cells = _cells(framework, problem)
    with tempfile.TemporaryDirectory(prefix="gradratio-") as folder:
        path = Path(folder) / "rows.jsonl"
        # With -E existing asv adds ASV_PYTHONPATH to its own import path alone; the workers need it too.
        extra = os.environ.get("ASV_PYTHONPATH")
        rows = measure(cells, workers=grid.PRESETS[PRESET].workers, path=path, preset=PRESET, pythonpath=extra)
        deque(rows, maxlen=0)
        return {summary.cell: asdict(summary) for summary in summarise(store.read(path), cells)}


def _good(found: Found, cell: str) -> dict[str, Any] | None:
    """A cell's numbers, None for one that is n/a; a failed one raises its reason, and asv shows it failed."""
    one = found[cell]
    if one["status"] == "n/a":
        return None
    if one["status"] != "ok":
        raise RuntimeError(f"{one['status']}: {cell}: {one['reason']}")
    return one


def _value(found: Found, cell: str, name: str) -> float:
    """One plain number, NaN (asv's n/a) where the cell has none."""
    one = _good(found, cell)
    value = None if one is None else one["values"].get(name)
    return float("nan") if value is None else value


class _Cells:
    """What is tracked for every cell."""

    param_names = ("cell",)
    version = f"{VERSION}.1"  # by hand: a new number here starts a new history

    def track_R(self, found: Found, cell: str) -> Any:
        """Gradient time ÷ forward time; one sample a worker process."""
        one = _good(found, cell)
        return {"samples": one["ratios"], "number": 1} if one and one["ratios"] else float("nan")

    track_R.unit = "forward passes"  # type: ignore[attr-defined]
    track_R.pretty_name = "R: time of a gradient ÷ time of a forward pass"  # type: ignore[attr-defined]

    def track_peak_bytes(self, found: Found, cell: str) -> float:
        """Bytes newly allocated at the peak of one gradient call; exact, so a plain number."""
        return _value(found, cell, "peak_bytes")

    track_peak_bytes.unit = "bytes"  # type: ignore[attr-defined]
    track_peak_bytes.pretty_name = "Peak memory of a gradient"  # type: ignore[attr-defined]

    def track_gradient_error(self, found: Found, cell: str) -> float:
        """Relative distance from the true gradient in float64."""
        return _value(found, cell, "gradient_error")

    track_gradient_error.unit = "relative"  # type: ignore[attr-defined]
    track_gradient_error.pretty_name = "Error of a gradient"  # type: ignore[attr-defined]


class _Compiled(_Cells):
    """What is tracked besides for a framework that compiles."""

    def track_compile_s(self, found: Found, cell: str) -> float:
        """Seconds from tracing to a compiled gradient call."""
        return _value(found, cell, "compile_s")

    track_compile_s.unit = "seconds"  # type: ignore[attr-defined]
    track_compile_s.pretty_name = "Compile time of a gradient"  # type: ignore[attr-defined]


class TorchMlp(_Cells):
    params = _ids("torch", "mlp")

    def setup_cache(self) -> Found:
        return _measured("torch", "mlp")

    setup_cache.timeout = TIMEOUT_S  # type: ignore[attr-defined]


class TorchTanh(_Cells):
    params = _ids("torch", "tanh")

    def setup_cache(self) -> Found:
        return _measured("torch", "tanh")

    setup_cache.timeout = TIMEOUT_S  # type: ignore[attr-defined]


class TorchNewton(_Cells):
    params = _ids("torch", "newton")

    def setup_cache(self) -> Found:
        return _measured("torch", "newton")

    setup_cache.timeout = TIMEOUT_S  # type: ignore[attr-defined]


class TorchFpn(_Cells):
    params = _ids("torch", "fpn")

    def setup_cache(self) -> Found:
        return _measured("torch", "fpn")

    setup_cache.timeout = TIMEOUT_S  # type: ignore[attr-defined]


class JaxMlp(_Compiled):
    params = _ids("jax", "mlp")

    def setup_cache(self) -> Found:
        return _measured("jax", "mlp")

    setup_cache.timeout = TIMEOUT_S  # type: ignore[attr-defined]


class JaxTanh(_Compiled):
    params = _ids("jax", "tanh")

    def setup_cache(self) -> Found:
        return _measured("jax", "tanh")

    setup_cache.timeout = TIMEOUT_S  # type: ignore[attr-defined]


class JaxNewton(_Compiled):
    params = _ids("jax", "newton")

    def setup_cache(self) -> Found:
        return _measured("jax", "newton")

    setup_cache.timeout = TIMEOUT_S  # type: ignore[attr-defined]


class JaxFpn(_Compiled):
    params = _ids("jax", "fpn")

    def setup_cache(self) -> Found:
        return _measured("jax", "fpn")

    setup_cache.timeout = TIMEOUT_S  # type: ignore[attr-defined]
