"""Lists of names as a sentence has them."""

from __future__ import annotations

from collections.abc import Sequence


def both(names: Sequence[str], last: str = "and") -> str:
    """``torch and jax``; with three or more ``a, b and c``."""
    *head, end = names
    return f"{', '.join(head)} {last} {end}" if head else end


def listed(names: Sequence[str]) -> str:
    """Methods, whose names may hold a comma: ``IFT (Picard, GMRES) and JFB``."""
    kinds: dict[str, list[str]] = {}
    for name in names:
        head, _, rest = name.partition(", ")
        kinds.setdefault(head, []).append(rest)
    found = []
    for head, rests in kinds.items():
        found += [head] if "" in rests else []
        some = [rest for rest in rests if rest]
        found += [f"{head} ({', '.join(some)})"] if some else []
    return both(found)
