"""Which cells there are: the presets by name, and what names may mean."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import replace

from bench.cell import DEVICES, MEASURES, MODES, Cell, Settings, Value
from bench.presets import PRESETS, Preset, unique

__all__ = [
    "DEVICES",
    "MEASURES",
    "MODES",
    "PRESETS",
    "Cell",
    "Preset",
    "Settings",
    "Value",
    "cells",
    "nearest",
    "on_gpus",
    "unique",
]


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of an error sentence: the names that were probably meant, else all there are."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(names)}."


def cells(preset: str) -> tuple[Cell, ...]:
    """The cells of a preset; ``ValueError`` names the nearest preset when there is none of this name."""
    if preset not in PRESETS:
        raise ValueError(f"No preset {preset!r}: {nearest(preset, PRESETS)}")
    return PRESETS[preset].cells


def on_gpus(cells: Iterable[Cell], gpus: Sequence[int]) -> tuple[Cell, ...]:
    """The cells with each one on ``cuda`` once for every GPU there is, as ``cuda:0`` and so on; none where there is
    no GPU."""
    return tuple(
        placed
        for cell in cells
        for placed in ([replace(cell, device=f"cuda:{index}") for index in gpus] if cell.device == "cuda" else [cell])
    )
