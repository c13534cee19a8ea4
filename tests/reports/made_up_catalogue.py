"""A small catalogue, and reading one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reports.catalogue import read


def tried(name: str, torch: str = "yes", jax: str = "yes", reason: str = "") -> dict[str, Any]:
    words = " ".join(["words of", *name.replace("_", " ").split("=")])
    found = {"torch": {"outcome": torch, "reason": reason}, "jax": {"outcome": jax, "reason": reason}}
    return {"name": name, "words": words, "how": f"how of {name.partition('=')[0]}", **found}


def method(name: str, interface: str, *abilities: dict[str, Any], exact: bool = True) -> dict[str, Any]:
    texts = {key: f"{key} of {name}" for key in ("equation", "formula", "memory", "source")}
    lists = {"options": ["K", "solver"], "solvers": ["picard"]}
    return {"name": name, "interface": interface, "exact": exact, **texts, **lists, "abilities": list(abilities)}


DOCUMENT: dict[str, Any] = {
    "schema": 1,
    "kind": "catalog",
    "impls": "0123456789ab",
    "versions": {"python": "3.11.7", "torch": "2.13.0", "jax": None},
    "frameworks": ["torch", "jax"],
    "methods": [
        method("backprop", "gradient", tried("reverse")),
        method(
            "jfb",
            "adjoint",
            tried("reverse"),
            tried("true", "no", "no", "Off by 0.2."),
            tried("second", "refused", "wrong", "<b>no & never</b>"),
            tried("solver=picard"),
            tried("solver=two_words"),
            tried("solver=anderson", "refused", "refused", "It cannot."),
            exact=False,
        ),
    ],
}


def reading(folder: Path, document: Any) -> tuple[Any, list[str]]:
    path, notes = folder / "catalog.json", []
    path.write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
    return read(path, notes), notes
