"""The torch counter of flops against hand counts: each formula, every way to differentiate, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.autograd.forward_ad as fwd
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from bench.instruments.counting import UnknownOp
from bench.instruments.torch_work import flops


def t(*shape: int) -> torch.Tensor:
    """A tensor of this shape, whose matrices have full rank."""
    made = torch.ones(*shape) * 0.01
    return made + torch.eye(*shape[-2:]) if len(shape) > 1 else made


PRODUCTS = {
    "mm": (lambda: t(2, 3) @ t(3, 5), 2 * 2 * 3 * 5),
    "mm of a batch": (lambda: t(7, 2, 3) @ t(3, 5), 2 * 7 * 2 * 3 * 5),
    "bmm": (lambda: torch.bmm(t(7, 2, 3), t(7, 3, 5)), 2 * 7 * 2 * 3 * 5),
    "addmm": (lambda: torch.addmm(t(5), t(2, 3), t(3, 5)), 2 * 2 * 3 * 5),
    "addmm_": (lambda: t(2, 5).addmm_(t(2, 3), t(3, 5)), 2 * 2 * 3 * 5),
    "mm out": (lambda: torch.mm(t(2, 3), t(3, 5), out=t(2, 5)), 2 * 2 * 3 * 5),
    "baddbmm": (lambda: torch.baddbmm(t(7, 2, 5), t(7, 2, 3), t(7, 3, 5)), 2 * 7 * 2 * 3 * 5),
    "addbmm": (lambda: torch.addbmm(t(2, 5), t(7, 2, 3), t(7, 3, 5)), 2 * 7 * 2 * 3 * 5),
    "mv": (lambda: t(2, 3) @ t(3), 2 * 2 * 3),
    "addmv": (lambda: torch.addmv(t(2), t(2, 3), t(3)), 2 * 2 * 3),
    "dot": (lambda: t(3) @ t(3), 2 * 3),
    "vdot": (lambda: torch.vdot(t(3), t(3)), 2 * 3),
    "linear": (lambda: F.linear(t(2, 3), t(5, 3), t(5)), 2 * 2 * 3 * 5),
    "einsum": (lambda: torch.einsum("jbn,bn->bj", t(4, 2, 3), t(2, 3)), 2 * 4 * 2 * 3),
    "outer": (lambda: torch.outer(t(2), t(3)), 0),
}

CONVOLUTIONS = {
    "valid": (lambda: F.conv2d(t(2, 3, 7, 6), t(4, 3, 3, 2)), 2 * 2 * 4 * 3 * (5 * 3) * (5 * 2)),
    "same": (lambda: F.conv2d(t(2, 3, 8, 8), t(4, 3, 3, 3), padding=1), 2 * 2 * 4 * 3 * 64 * 9),
    "bias": (lambda: F.conv2d(t(2, 3, 8, 8), t(4, 3, 3, 3), t(4), padding=1), 2 * 2 * 4 * 3 * 64 * 9),
    "groups": (lambda: F.conv2d(t(2, 6, 8, 8), t(4, 3, 3, 3), padding=1, groups=2), 2 * 2 * 4 * 3 * 64 * 9),
    "depthwise": (lambda: F.conv2d(t(2, 6, 8, 8), t(6, 1, 3, 3), padding=1, groups=6), 2 * 2 * 6 * 64 * 9),
    "stride": (lambda: F.conv2d(t(2, 3, 9, 9), t(4, 3, 3, 3), stride=2), 2 * 2 * 4 * 3 * 16 * 9),
    "dilation": (lambda: F.conv2d(t(2, 3, 9, 9), t(4, 3, 3, 3), dilation=2), 2 * 2 * 4 * 3 * 25 * 9),
    "line": (lambda: F.conv1d(t(2, 3, 7), t(4, 3, 3)), 2 * 2 * 4 * 3 * 5 * 3),
    "space": (lambda: F.conv3d(t(1, 2, 4, 4, 4), t(3, 2, 2, 2, 2)), 2 * 1 * 3 * 2 * 27 * 8),
    "one sample": (lambda: F.conv2d(t(3, 8, 8), t(4, 3, 3, 3), padding=1), 2 * 4 * 3 * 64 * 9),
    "transposed": (lambda: F.conv_transpose2d(t(2, 3, 4, 4), t(3, 5, 3, 3), stride=2), 2 * 2 * 3 * 5 * 16 * 9),
}

N, M, RIGHT = 6, 9, 2
REFLECTORS = 4 * M * N * N - 2 * (M + N) * N**2 + 4 * N**3 // 3
R = 2 * M * N**2 - 2 * N**3 // 3
LINALG = {
    "solve": (lambda: torch.linalg.solve(t(3, N, N), t(3, N, RIGHT)), 3 * (2 * N**3 // 3 + 2 * N**2 * RIGHT)),
    "solve a vector": (lambda: torch.linalg.solve(t(N, N), t(N)), 2 * N**3 // 3 + 2 * N**2),
    "solve from the right": (
        lambda: torch.linalg.solve(t(N, N), t(RIGHT, N), left=False),
        2 * N**3 // 3 + 2 * N**2 * RIGHT,
    ),
    "lu": (lambda: torch.linalg.lu_factor(t(3, N, N)), 3 * (2 * N**3 // 3)),
    "lu of a tall one": (lambda: torch.linalg.lu_factor(t(M, N)), M * N**2 - N**3 // 3),
    "lu of a wide one": (lambda: torch.linalg.lu_factor(t(N, M)), M * N**2 - N**3 // 3),
    "lu_solve": (
        lambda: torch.linalg.lu_solve(t(N, N), torch.arange(1, N + 1, dtype=torch.int32), t(N, RIGHT)),
        2 * N**2 * RIGHT,
    ),
    "triangular": (lambda: torch.linalg.solve_triangular(t(3, N, N), t(3, N, RIGHT), upper=True), 3 * N**2 * RIGHT),
    "cholesky": (lambda: torch.linalg.cholesky(t(3, N, N)), 3 * N**3 // 3),
    "cholesky_solve": (lambda: torch.cholesky_solve(t(N, RIGHT), t(N, N)), 2 * N**2 * RIGHT),
    "inv": (lambda: torch.linalg.inv(t(3, N, N)), 3 * 2 * N**3),
    "qr": (lambda: torch.linalg.qr(t(3, M, N)), 3 * (R + REFLECTORS)),
    "qr without Q": (lambda: torch.linalg.qr(t(M, N), mode="r"), R),
    "whole qr": (
        lambda: torch.linalg.qr(t(M, N), mode="complete"),
        R + 4 * M * M * N - 2 * (M + M) * N**2 + 4 * N**3 // 3,
    ),
    "geqrf": (lambda: torch.geqrf(t(M, N)), R),
    "reflectors": (lambda: torch.linalg.householder_product(t(M, N), t(N)), REFLECTORS),
}


@pytest.mark.parametrize("name", {**PRODUCTS, **CONVOLUTIONS, **LINALG})
def test_each_formula_is_the_hand_count(name: str) -> None:
    fn, by_hand = {**PRODUCTS, **CONVOLUTIONS, **LINALG}[name]
    assert flops(fn) == by_hand


@pytest.mark.parametrize("name", ["mm", "mm of a batch", "bmm", "addmm", "baddbmm", *CONVOLUTIONS])
def test_torch_has_the_same_count_of_what_it_counts(name: str) -> None:
    fn, by_hand = {**PRODUCTS, **CONVOLUTIONS}[name]
    with FlopCounterMode(display=False) as theirs:
        fn()
    assert theirs.get_total_flops() == by_hand


def test_reduced_qr_makes_q_from_as_many_flops_as_r() -> None:
    assert R == REFLECTORS


CHEAP: dict[str, Callable[[], Any]] = {
    "elementwise": lambda: torch.where(t(3).tanh() > 0, t(3) * 2 - 1, t(3).exp()),
    "reductions": lambda: (t(3, 2).sum(0), t(3, 2).amax(), t(3, 2).logsumexp(1), torch.linalg.vector_norm(t(3))),
    "views": lambda: t(3, 2).T.reshape(6).view(2, 3)[1:, None].expand(1, 4, 3).unbind(0),
    "factories": lambda: (torch.zeros(3), torch.eye(2), torch.randn(3), torch.full((2,), 1.0), torch.arange(3)),
    "copies": lambda: (torch.cat([t(3), t(3)]), torch.stack([t(3)]), t(3).double(), t(3).clone(), t(4)[[1, 2]]),
    "losses": lambda: F.cross_entropy(t(3, 5), torch.tensor([0, 1, 2])),
    "in place": lambda: t(3).mul_(2).masked_fill_(t(3) > 0, 1).copy_(t(3)).normal_(),
}


@pytest.mark.parametrize("name", CHEAP)
def test_everything_else_that_is_known_counts_nothing(name: str) -> None:
    assert flops(CHEAP[name]) == 0


UNKNOWN: dict[str, tuple[Callable[[], Any], str]] = {
    "fft": (lambda: torch.fft.fft(t(4)), "aten._fft_r2c"),
    "svd": (lambda: torch.linalg.svd(t(4, 4)), "aten._linalg_svd"),
    "eigenvalues": (lambda: torch.linalg.eigvalsh(t(4, 4)), "aten._linalg_eigh"),
    "matrix exponential": (lambda: torch.linalg.matrix_exp(t(4, 4)), "aten.linalg_matrix_exp"),
    "distances": (lambda: torch.cdist(t(30, 4), t(30, 4)), "aten._cdist_forward|aten._euclidean_dist"),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_operation_is_an_error_and_leaves_nothing_behind(name: str) -> None:
    fn, op = UNKNOWN[name]
    with pytest.raises(UnknownOp, match=rf"({op}) is in no table: add it to torch_work.py"):
        flops(fn)
    assert flops(lambda: t(2, 3) @ t(3, 5)) == 60


def test_an_operation_that_someone_registers_is_unknown() -> None:
    with torch.library._scoped_library("gradratio_test", "FRAGMENT") as library:
        library.define("secret(Tensor x) -> Tensor")
        library.impl("secret", lambda x: x @ x, "CPU")
        with pytest.raises(UnknownOp, match=r"gradratio_test\.secret"):
            flops(lambda: torch.ops.gradratio_test.secret(t(2, 2)))


@pytest.mark.parametrize("name", ["mm of a batch", "linear", "einsum", "same", "solve", "qr"])
def test_inference_mode_hides_nothing(name: str) -> None:
    fn, by_hand = {**PRODUCTS, **CONVOLUTIONS, **LINALG}[name]

    def inferred() -> Any:
        with torch.inference_mode():
            return fn()

    assert flops(inferred) == by_hand


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_shapes_are_enough(device: str) -> None:
    def both() -> Any:
        x = torch.zeros(2, 3, 8, 8, device=device, requires_grad=True)
        w = torch.zeros(4, 3, 3, 3, device=device, requires_grad=True)
        y = F.conv2d(x, w, padding=1).flatten(1) @ torch.zeros(256, 5, device=device)
        return torch.autograd.grad(y.sum(), (x, w))

    assert flops(both) == 3 * (2 * 2 * 4 * 3 * 64 * 9) + 2 * (2 * 2 * 256 * 5)


def test_reverse_mode_counts_the_products_that_were_asked_for() -> None:
    x, w, v = t(2, 3).requires_grad_(), t(3, 5).requires_grad_(), t(5, 7)
    one, two = 2 * 2 * 3 * 5, 2 * 2 * 5 * 7
    assert flops(lambda: torch.autograd.grad((x @ w @ v).sum(), (x, w))) == (one + two) + two + 2 * one
    assert flops(lambda: torch.autograd.grad((x @ w @ v).sum(), w)) == (one + two) + two + one


@pytest.mark.parametrize(
    "fn, image, kernel",
    [
        (lambda x, w: F.conv2d(x, w, padding=1), (2, 3, 8, 8), (4, 3, 3, 3)),
        (lambda x, w: F.conv2d(x, w), (2, 3, 8, 8), (4, 3, 3, 3)),
        (lambda x, w: F.conv2d(x, w, padding=1, groups=3), (2, 6, 8, 8), (9, 2, 3, 3)),
        (lambda x, w: F.conv2d(x, w, stride=2, dilation=2), (2, 3, 9, 9), (4, 3, 3, 3)),
        (lambda x, w: F.conv_transpose2d(x, w, stride=2), (2, 3, 4, 4), (3, 5, 3, 3)),
    ],
    ids=["same", "valid", "groups", "stride and dilation", "transposed"],
)
def test_each_gradient_of_a_convolution_costs_what_it_does(fn: Any, image: Any, kernel: Any) -> None:
    x, w = t(*image).requires_grad_(), t(*kernel).requires_grad_()
    with torch.no_grad():
        forward = flops(lambda: fn(x, w))
    assert flops(lambda: torch.autograd.grad(fn(x, w).sum(), (x, w))) == 3 * forward > 0
    assert flops(lambda: torch.autograd.grad(fn(x, w).sum(), w)) == 2 * forward
    assert flops(lambda: torch.autograd.grad(fn(x, w).sum(), x)) == 2 * forward


def test_dual_numbers_count_a_product_for_each_tangent() -> None:
    x, w = t(2, 3), t(3, 5)

    def both() -> None:
        with fwd.dual_level():
            fwd.make_dual(x, x) @ fwd.make_dual(w, w)

    assert flops(both) == 3 * 60


def test_forward_mode_multiplies_the_zero_tangent_of_the_data() -> None:
    x, w = t(2, 3), t(3, 5)

    def one() -> None:
        with fwd.dual_level():
            x @ fwd.make_dual(w, w)

    assert flops(one) == 3 * 60
    assert flops(lambda: torch.func.jvp(lambda w: x @ w, (w,), (w,))) == 3 * 60


def test_vmap_counts_every_lane() -> None:
    w = t(3, 5)
    assert flops(lambda: torch.func.vmap(lambda x: x @ w)(t(7, 2, 3))) == 7 * 60
    assert flops(lambda: torch.func.vmap(lambda x: torch.linalg.solve(x, x[:, 0]))(t(7, 6, 6))) == 7 * (144 + 72)


def test_functional_reverse_mode_counts_as_autograd_does() -> None:
    x, w = t(2, 3), t(3, 5)
    assert flops(lambda: torch.func.grad(lambda w: (x @ w).sum())(w)) == 2 * 60
