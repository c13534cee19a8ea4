"""The same cells through asv: ``setup_cache`` measures, ``track_*`` reads what it found.

One class a framework and problem, since asv cannot tell ``setup_cache`` which cells ``-b`` asked for; each
has a ``setup_cache`` of its own, since asv takes two of them on one source line for the same. The environment
variable GRADRATIO_PRESET names the preset. Lower is better in every number. Of the problems, ``linear`` is not
tracked: it is there for closed forms, and in presets for cells that must diverge.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

from bench import VERSION
from bench.tracked import Found, measured, tracked_cells

PRESET = os.environ.get("GRADRATIO_PRESET", "track")
TIMEOUT_S = 7200
Track = TypeVar("Track", bound=Callable[..., Any])


def _ids(framework: str, problem: str) -> list[str]:
    return [cell.id for cell in tracked_cells(PRESET, framework, problem)]


def _measured(framework: str, problem: str) -> Found:
    return measured(tracked_cells(PRESET, framework, problem), PRESET)


def _good(found: Found, cell: str) -> dict[str, Any] | None:
    """A cell's numbers, None for one that is n/a; a failed one raises its reason, and asv shows it failed."""
    one = found[cell]
    if one["status"] == "n/a":
        return None
    if one["status"] != "ok":
        raise RuntimeError(f"{one['status']}: {cell}: {one['reason']}")
    return one


def _samples(found: Found, cell: str, name: str) -> Any:
    """One sample a worker process, NaN (asv's n/a) for a cell that is not timed."""
    one = _good(found, cell)
    return {"samples": one[name], "number": 1} if one and one[name] else float("nan")


def _value(found: Found, cell: str, name: str) -> float:
    """One plain number, since asv rounds samples; NaN where the cell has none."""
    one = _good(found, cell)
    value = None if one is None else one["values"].get(name)
    return float("nan") if value is None else value


def shown_as(name: str, unit: str) -> Callable[[Track], Track]:
    """How asv shows a track: its ``pretty_name`` and ``unit``."""

    def mark(track: Track) -> Track:
        track.pretty_name, track.unit = name, unit  # type: ignore[attr-defined]
        return track

    return mark


class _Cells:
    """What is tracked for every cell."""

    param_names = ("cell",)
    version = f"{VERSION}.1"  # by hand: a new number here starts a new history

    @shown_as("R: time of a gradient ÷ time of a forward pass", "forward passes")
    def track_R(self, found: Found, cell: str) -> Any:
        """Gradient time ÷ forward time; one sample a worker process."""
        return _samples(found, cell, "ratios")

    @shown_as("Time of a gradient", "seconds")
    def track_gradient_s(self, found: Found, cell: str) -> Any:
        """Seconds of a gradient call; one sample a worker process."""
        return _samples(found, cell, "gradients")

    @shown_as("Time of a forward pass", "seconds")
    def track_forward_s(self, found: Found, cell: str) -> Any:
        """Seconds of a forward pass; one sample a worker process."""
        return _samples(found, cell, "forwards")

    @shown_as("Compile time of a gradient", "seconds")
    def track_compile_s(self, found: Found, cell: str) -> float:
        """Seconds from tracing to a compiled gradient call; none in eager mode."""
        return _value(found, cell, "compile_s")

    @shown_as("Peak memory of a gradient", "bytes")
    def track_peak_bytes(self, found: Found, cell: str) -> float:
        """Bytes newly allocated at the peak of one gradient call; exact."""
        return _value(found, cell, "peak_bytes")

    @shown_as("Memory held from forward to backward", "bytes")
    def track_held_bytes(self, found: Found, cell: str) -> float:
        """Bytes that the forward half of backprop keeps for its backward half; exact."""
        return _value(found, cell, "held_bytes")

    @shown_as("Work of a gradient", "flops")
    def track_flops(self, found: Found, cell: str) -> float:
        """Floating-point operations of one gradient call; exact."""
        return _value(found, cell, "flops")

    @shown_as("Error of a gradient", "relative")
    def track_gradient_error(self, found: Found, cell: str) -> float:
        """Relative distance from the true gradient in float64."""
        return _value(found, cell, "gradient_error")


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


class JaxMlp(_Cells):
    params = _ids("jax", "mlp")

    def setup_cache(self) -> Found:
        return _measured("jax", "mlp")

    setup_cache.timeout = TIMEOUT_S  # type: ignore[attr-defined]


class JaxTanh(_Cells):
    params = _ids("jax", "tanh")

    def setup_cache(self) -> Found:
        return _measured("jax", "tanh")

    setup_cache.timeout = TIMEOUT_S  # type: ignore[attr-defined]


class JaxNewton(_Cells):
    params = _ids("jax", "newton")

    def setup_cache(self) -> Found:
        return _measured("jax", "newton")

    setup_cache.timeout = TIMEOUT_S  # type: ignore[attr-defined]


class JaxFpn(_Cells):
    params = _ids("jax", "fpn")

    def setup_cache(self) -> Found:
        return _measured("jax", "fpn")

    setup_cache.timeout = TIMEOUT_S  # type: ignore[attr-defined]
