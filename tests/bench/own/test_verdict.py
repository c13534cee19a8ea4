"""A gradient that is off for a reason is ok with a note; one that is wrong is wrong, whatever reasons there are. And
closed forms of what is estimated of a step."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from bench.cells import Cell
from bench.failures import Diverged
from bench.job import Job
from bench.own.float64 import settled
from bench.own.model import require_same
from bench.own.references import Reference
from bench.own.state import last_finite, mixes, require_solved, residual, shortest, spectral_radius
from bench.own.verdict import allowed, longer, short, solves
from tests.bench.own.asked import compared, only

Bend = Callable[[torch.Tensor], torch.Tensor]


@pytest.fixture
def bent(monkeypatch: pytest.MonkeyPatch) -> Callable[[Bend], None]:
    """Sets what becomes of each gradient of a method; the reference is not made by it."""

    def bend(change: Bend) -> None:
        plain = Job._gradient

        def changed(self: Any, loss: Any) -> Any:
            call, seconds = plain(self, loss)

            def called() -> Any:
                value, grads, aux = call()
                return value, [change(one) for one in grads], aux

            return called, seconds

        monkeypatch.setattr(Job, "_gradient", changed)

    return bend


def slow(method: Any = "ift", K: int = 60) -> dict[str, Any]:
    """z = 0.9 z S + b with a symmetric S of norm 1: 60 steps leave 0.9⁶⁰ = 2e-3 of the start."""
    torch.manual_seed(0)
    turn, _ = torch.linalg.qr(torch.randn(8, 8))
    return only(
        compared(
            step=lambda z, args: z @ args["W"] + args["b"],
            z0=torch.zeros(2, 8),
            args={"W": 0.9 * (turn * torch.linspace(-1, 1, 8)) @ turn.T, "b": torch.randn(2, 8)},
            loss=lambda z: (z**2).sum(),
            methods=[method],
            K=K,
        )
    )


def test_an_unfinished_solve_explains_its_own_error() -> None:
    row = slow()
    assert row["status"] == "ok" and 1e-3 < row["gradient_error"] < 0.1
    assert row["reason"].startswith("The solve is unfinished and explains the gradient error")


@pytest.mark.parametrize("factor", [-1.0, 0.0, 0.97], ids=["negated", "zero", "3 % short"])
def test_an_unfinished_solve_excuses_no_wrong_gradient(factor: float, bent: Callable[[Bend], None]) -> None:
    bent(lambda one: factor * one)
    row = slow()
    assert row["status"] == "wrong" and "away from the float64 reference" in row["reason"]


def test_a_gradient_that_is_wrong_in_float32_alone_is_told_from_an_unfinished_solve(
    bent: Callable[[Bend], None],
) -> None:
    bent(lambda one: -one if one.dtype == torch.float32 else one)
    row = slow()
    assert row["status"] == "wrong" and "away from what the same method gives in float64" in row["reason"]


def test_a_solve_that_cannot_be_finished_is_not_checked_and_says_so() -> None:
    row = slow(("ift", {"linear_solver": "gmres", "M": 1}))
    assert row["status"] == "ok" and row["reason"].startswith("Not checked: the solve is unfinished")
    assert "raise M, since the backward solve leaves " in row["reason"]


@pytest.mark.parametrize(
    ("residuals", "radius", "options", "words"),
    [
        ((1e-7, 0.1), 0.9, {"K": 120, "M": 20}, "raise M, since the backward solve leaves 0.1"),
        ((1e-2, 1e-7), 0.9, {"K": 20, "M": 120}, "raise K, since the forward solve leaves 0.01"),
        ((1e-2, 5e-3), 0.9, {"K": 9, "M": 9}, "raise K and M, since the forward solve leaves 0.01 and the backward"),
        ((1e-3, 0.0), 0.9, {"K": 60}, "raise K, since the forward solve leaves 0.06"),
        ((1e-3, 0.1), float("nan"), {"K": 60, "M": 2}, "raise M"),
        ((1e-3, 0.1), 1.0, {"K": 60, "M": 2}, "ρ(J) ≈ 1: step does not contract at z, and more steps may not help"),
        ((1e-9, 0.1), 0.9, {"K": 60, "linear_solver": "dense"}, "the dense solve leaves a residual of 0.1, and takes"),
    ],
    ids=["M", "K", "both", "unrolled", "no radius", "no contraction", "no steps"],
)
def test_a_hint_names_what_is_short(
    residuals: tuple[float, float], radius: float, options: dict[str, Any], words: str
) -> None:
    cell = Cell("torch", "m", "unrolled" if list(options) == ["K"] else "ift", {}, options)
    job = SimpleNamespace(cell=cell, K=options["K"], residual=residuals[0], backward_residual=residuals[1])
    job.radius, job.reference = radius, Reference(None)
    assert short(job).startswith(words)


@pytest.mark.parametrize(
    ("method", "K", "word"),
    [
        (("ift", {"linear_solver": "normal_cg", "M": 2}), 120, "M"),
        (("ift", {"linear_solver": "bicgstab", "M": 2}), 120, "M"),
        (("ift", {"linear_solver": "anderson", "M": 2}), 120, "M"),
        (("ift", {"linear_solver": "picard", "M": 10}), 120, "M"),
        ("unrolled", 62, "K"),
    ],
    ids=["normal CG", "BiCGStab", "Anderson", "Picard", "unrolled"],
)
@pytest.mark.few(2)
def test_the_solver_that_stopped_early_is_named(method: Any, K: int, word: str) -> None:
    row = slow(method, K)
    assert row["status"] == "ok" and f"raise {word}, since" in row["reason"], row["reason"]


def test_more_steps_are_those_that_a_contraction_needs() -> None:
    def more(radius: float, **options: Any) -> dict[str, Any]:
        return dict(longer(Cell("torch", "m", "ift", {}, {"K": 60} | options), radius))

    assert more(0.9, M=60, linear_solver="picard") == {"K": 394, "M": 394, "linear_solver": "picard"}
    assert more(0.1) == {"K": 120} and more(0.9999) == more(float("nan")) == more(1.2) == {"K": 3000}
    assert more(0.9, M=20, linear_solver="gmres")["M"] == 80
    assert more(0.9, M=300, linear_solver="gmres")["M"] == 300
    assert more(0.9, K=6, solver="newton")["K"] == 24


def fitted() -> dict[str, Any]:
    """Least squares at its solution: every entry of the gradient is the rest of terms that cancel."""
    torch.manual_seed(0)
    x = torch.randn(32, 4)
    y = x @ torch.randn(4, 1) + 0.1 * torch.randn(32, 1)
    best = torch.linalg.lstsq(x.double(), y.double()).solution.float()
    return only(
        compared(loss=lambda p, b: ((b[0] @ p - b[1]) ** 2).mean(), params=best, batch=(x, y), methods=["backprop"])
    )


def test_at_a_minimum_rounding_is_as_large_as_the_gradient() -> None:
    row = fitted()
    assert row["status"] == "ok" and row["gradient_error"] > 1e-3
    assert row["reason"].startswith("The gradient error may be rounding alone")


def test_at_a_minimum_an_error_above_rounding_is_wrong(bent: Callable[[Bend], None]) -> None:
    bent(lambda one: one + 1e-5 if one.dtype == torch.float32 else one)
    row = fitted()
    assert row["status"] == "wrong" and "more than 0.001" in row["reason"]


Z = np.random.default_rng(0).normal(size=(3, 4))


@pytest.mark.parametrize("radius", [0.3, 1.2])
def test_the_spectral_radius_of_a_rotation_and_of_a_matrix_that_is_not_normal(radius: float) -> None:
    turn = radius * np.array([[0.0, -1.0], [1.0, 0.0]])
    sheared = np.array([[radius, 0.7], [0.0, radius / 2]])
    for J in (turn, sheared):
        assert spectral_radius(lambda v, J=J: v @ J, np.zeros((3, 2))) == pytest.approx(radius, rel=1e-4)
    assert spectral_radius(lambda v: 0 * v, Z) == 0


def test_samples_mix_where_one_depends_on_another() -> None:
    assert mixes(lambda z: z - z.mean(0), Z) and mixes(lambda z: z[::-1], Z)
    assert mixes(lambda z: z - z[-1] * (np.arange(3) == 0)[:, None], Z)
    assert not mixes(np.tanh, Z) and not mixes(lambda z: z - z.mean(0), Z[:1])


@pytest.mark.parametrize(("reader", "read"), [(0, 6), (6, 0), (2, 3), (3, 2), (5, 4), (1, 6)])
def test_one_sample_that_reads_one_other_is_seen_in_both_directions(reader: int, read: int) -> None:
    coupling = 0.5 * np.eye(7)
    coupling[reader, read] = 0.1
    assert mixes(lambda z: np.tanh(coupling @ z), np.zeros((7, 3)))


def test_a_large_move_that_leaves_the_numbers_is_tried_smaller() -> None:
    def step(z: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            return np.sqrt(0.2 - z) - np.sqrt(0.2) + z[::-1]

    assert mixes(step, np.zeros((2, 3)))
    assert not mixes(lambda z: np.sqrt(np.where(np.abs(z) < 0.5, 1 + z, np.nan)) - 1, np.zeros((2, 3)))


def test_a_residual_is_the_largest_over_samples() -> None:
    assert residual(np.array([[3.0, 4.0], [1.0, 0.0]]), np.array([[3.0, 5.0], [1.0, 0.5]])) == 0.5
    assert residual(np.zeros((1, 2)), np.ones((1, 2))) > 1e300
    assert residual(np.full((1, 1), 1e-9), np.full((1, 1), 0.5e-9), 1e-3) == pytest.approx(5e-7)
    assert shortest(lambda z: 0 * z, np.array([[3.0, 4.0]])) == shortest(lambda z: z + 3, np.zeros((2, 1))) + 0.002
    assert shortest(lambda z: z + np.inf, Z) == 0


def test_a_solve_ends_at_the_fixed_point_or_where_it_gets_no_further() -> None:
    z, left = settled(lambda z: 0.5 * z + 1, np.zeros((2, 3)), 1000)
    np.testing.assert_allclose(z, 2, rtol=1e-12)
    assert left <= 1e-13
    assert settled(lambda z: z / 2, np.ones((2, 3)), 100)[1] <= 1e-13
    assert settled(lambda z: -z, np.ones((2, 3)), 10**9)[1] == 2
    assert settled(lambda z: np.full_like(z, np.inf), Z, 10**9)[1] == np.inf
    assert last_finite(lambda z: 10 * z, np.ones((1, 1)), 100) == 1e6


def test_what_unfinished_solves_allow() -> None:
    assert allowed("float64") == 1e-8 and allowed("float32") == 1e-3 and allowed("bfloat16") == 0.3
    assert solves(10, 1e-6, 1e-4, 0.5) == pytest.approx(2.2e-4) and solves(10, 0.0, 0.0, 2.0) == 0
    assert allowed("float32", 1e-4) == pytest.approx(2e-3)


def test_a_solve_within_its_tolerance_asks_for_no_spectral_radius() -> None:
    def refuse() -> float:
        raise AssertionError("it was asked for")

    require_solved(1e-3, 1e-3, 60, "picard", refuse)
    check = partial(require_solved, 0.1, 1e-3)
    with pytest.raises(Diverged, match=r"^The solve has a residual of 0\.1, .* of newton \(ρ\(J\) ≈ 1\.5\): raise K"):
        check(6, "newton", lambda: 1.5)
    with pytest.raises(Diverged, match="scale the weights of step down, or raise K"):
        check(6, "picard", lambda: float("nan"))
    with pytest.raises(Diverged, match="look for a NaN in step"):
        require_solved(float("nan"), 1e-3, 60, "picard", lambda: 0.5)
    require_same(np.array(1.0), np.array(1.0))
    require_same(np.array(np.nan), np.array(np.nan))
