"""``python -m bench capabilities``: try what each method can do, and write it down for the page."""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.capabilities.document import document, write
from bench.capabilities.measure import Outcomes
from bench.capabilities.outcome import WRONG, Outcome

FRAMEWORKS = ("torch", "jax")

OUT = Path("results/catalog.json")

TIMEOUT_S = 600.0
"""Of one framework, which takes half a minute on a free core."""


def add_flags(command: argparse.ArgumentParser) -> None:
    """The flags of the command."""
    command.add_argument("--out", type=Path, default=OUT, help=f"the file that is written (default: {OUT})")


def capabilities(given: argparse.Namespace) -> int:
    """Try everything, each framework in a process of its own; write the file; 1 where any numbers were wrong."""
    with ThreadPoolExecutor() as pool:
        outcomes = dict(zip(FRAMEWORKS, pool.map(_fresh, FRAMEWORKS), strict=True))
    write(given.out, document(outcomes))
    wrong = 0
    for framework, methods in outcomes.items():
        for method, tried in methods.items():
            for ability, one in tried.items():
                if one.outcome == WRONG:
                    wrong += 1
                    print(f"wrong: {framework}, {method}, {ability}: {one.reason}")
    print(f"catalogue: {given.out}")
    return 1 if wrong else 0


def _fresh(framework: str) -> Outcomes:
    """The outcomes of one framework, from a worker process that has imported nothing else."""
    from bench.processes import Launch, Lost, Worker
    from bench.run import WORKER

    try:
        with Worker(Launch(sys.executable, WORKER)) as worker:
            answer = worker.ask({"abilities": framework}, TIMEOUT_S)
    except Lost as lost:
        raise RuntimeError(f"Trying {framework} came to an end: {lost.reason}.") from None
    if answer["status"] != "ok":
        raise RuntimeError(f"Trying {framework} failed: {answer['reason']}")
    return {method: {name: Outcome(**one) for name, one in tried.items()} for method, tried in answer["found"].items()}
