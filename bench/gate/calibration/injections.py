"""Regressions put into a copy of ``impls`` on purpose, to learn whether the gate catches them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.cells import Cell, Value
from bench.rows import ROOT


@dataclass(frozen=True)
class Injection:
    """Lines of ``impls`` replaced, ``(file, old, new)`` each, and the cell that shows it.

    shows: quantities that must all come out worse.
    """

    name: str
    timed: bool
    cell: Cell
    changes: tuple[tuple[str, str, str], ...]
    shows: frozenset[str]


def inject(injection: Injection, into: Path) -> Path:
    """A folder with a copy of the working tree's ``impls`` that has the regression. ``ValueError`` where the text to be
    replaced does not stand there exactly once."""
    shutil.copytree(ROOT / "impls", into / "impls", ignore=shutil.ignore_patterns("__pycache__"))
    for file, old, new in injection.changes:
        path = into / "impls" / file
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise ValueError(f"{file} has {old!r} {text.count(old)} times: bring the injection up to date.")
        path.write_text(text.replace(old, new), encoding="utf-8")
    return into


IFT: Mapping[str, Value] = {"linear_solver": "picard", "M": 20}
TRACKED: Mapping[str, Value] = {"gamma": 0.8, "width": 128, "batch": 64}
SMALL: Mapping[str, Value] = {"gamma": 0.8, "width": 16, "batch": 8}


def _tanh(
    framework: str, method: str, options: Mapping[str, Value] | None = None, sizes: Mapping[str, Value] = TRACKED
) -> Cell:
    return Cell(framework, "tanh", method, sizes, {"K": 20, **(options or {})})


WAIT = """
def wait_for_a_tenth(call):
    def fn(*args, **named):
        import time
        began = time.perf_counter()
        found = call(*args, **named)
        end = time.perf_counter() + 0.1 * (time.perf_counter() - began)
        while time.perf_counter() < end:
            pass
        return found
    return fn
"""
"""A call that takes a tenth longer, on any machine and at any size."""

BACKPROP, ADJOINT = "torch/gradients/backprop.py", "torch/adjoints/ift.py"
MODELS = "torch/models.py"
RETURN_FN = "\n    return fn\n"
LOSS = "    return partial(found, fixed_point=fixed_point) if fixed_point else found\n"
STEP = "            last, z = z, f(z)\n"
SPIN = """            import time
            end = time.perf_counter() + 50e-6
            while time.perf_counter() < end:
                pass
"""
FROZEN_SOLVE = """    with torch.no_grad():
        z, spent = solver(lambda z: step(z, frozen), z0)
"""
RECORDED_SOLVE = """    z, spent = solver(lambda z: step(z, args), z0)
    z = z.detach()
"""

INJECTIONS = (
    Injection(
        "gradient call 10 % slower, forward untouched",
        True,
        _tanh("torch", "ift", IFT),
        ((BACKPROP, RETURN_FN, "\n    return wait_for_a_tenth(fn)\n" + WAIT),),
        frozenset({"gradient"}),
    ),
    Injection(
        "forward and gradient call both 10 % slower",
        True,
        _tanh("torch", "jfb"),
        (
            (MODELS, LOSS, "    return wait_for_a_tenth(partial(found, fixed_point=fixed_point))\n" + WAIT),
            (BACKPROP, "torch.autograd.grad(value", "wait_for_a_tenth(torch.autograd.grad)(value"),
            (BACKPROP, RETURN_FN, RETURN_FN + WAIT),
        ),
        frozenset({"forward", "gradient"}),
    ),
    Injection(
        "50 µs of Python a step at a small size",
        True,
        _tanh("torch", "unrolled", {"K": 10}, SMALL),
        (("torch/solvers.py", STEP, STEP + SPIN),),
        frozenset({"forward", "gradient"}),
    ),
    Injection(
        "one vjp more in IFT's backward solve, torch",
        False,
        _tanh("torch", "ift", IFT),
        (("torch/linear_solvers.py", "        x = b\n", "        A(b)\n        x = b\n"),),
        frozenset({"flops"}),
    ),
    Injection(
        "one vjp more in IFT's backward solve, jax",
        False,
        _tanh("jax", "ift", IFT),
        (
            (
                "jax/linear_solvers.py",
                'b = as_state("Picard", b)\n',
                'b = as_state("Picard", b)\n        b = b + 0 * A(b)\n',
            ),
        ),
        frozenset({"flops"}),
    ),
    Injection(
        "one activation kept too many",
        False,
        _tanh("torch", "ift", IFT),
        (
            (ADJOINT, "    if fz.requires_grad:\n", "    kept = image.detach().clone()\n    if fz.requires_grad:\n"),
            (ADJOINT, "return g if g is None else solve", "return g if g is kept else solve"),
        ),
        frozenset({"held_bytes", "peak_bytes"}),
    ),
    Injection(
        "a lost no_grad",
        False,
        _tanh("torch", "jfb"),
        (("torch/adjoints/jfb.py", FROZEN_SOLVE, RECORDED_SOLVE),),
        frozenset({"peak_bytes"}),
    ),
    Injection(
        "a gradient wrong by 1e-6, torch",
        False,
        _tanh("torch", "unrolled"),
        ((BACKPROP, "lambda p: found[id(p)]", "lambda p: found[id(p)] * (1 + 1e-6)"),),
        frozenset({"status"}),
    ),
    Injection(
        "a gradient wrong by 1e-6, jax",
        False,
        _tanh("jax", "unrolled"),
        (
            (
                "jax/gradients/backprop.py",
                "return value, grads, aux",
                "return value, jax.tree.map(lambda g: g * (1 + 1e-6), grads), aux",
            ),
        ),
        frozenset({"status"}),
    ),
    Injection(
        "a float64 constant in float32 code",
        False,
        _tanh("torch", "ift", IFT),
        ((MODELS, "0.5 * (z - y)", "0.5 * ((z - y) * torch.ones(len(z), 1, dtype=torch.float64))"),),
        frozenset({"peak_bytes"}),
    ),
)
