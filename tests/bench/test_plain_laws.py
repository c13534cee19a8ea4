"""The instruments on frozen plain methods: bytes that a reader can count by hand, so a wrong instrument shows itself.

A is one activation, P one weight, both float32, with A = 4 P. Laws that name 4 or 8 bytes mean scalars.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import numpy as np
import pytest
import torch

from bench.instruments import jax_memory
from bench.instruments.jax_memory import assigned_bytes
from bench.instruments.torch_memory import live_bytes
from tests.bench import plain_jax, plain_torch
from tests.bench.hlo_live import kept
from tests.bench.plain_jax import TANH

WIDTH, BATCH = plain_torch.WIDTH, plain_torch.BATCH
A = BATCH * WIDTH * 4
P = WIDTH * WIDTH * 4
DEPTHS = (4, 32)
STEPS = (5, 20)


# torch: live storages, on real memory and on shapes alone -----------------------------------------------------------


@pytest.fixture(params=["cpu", "meta"])
def device(request: pytest.FixtureRequest) -> str:
    return request.param


def torch_net(depth: int, device: str) -> tuple[list[torch.Tensor], torch.Tensor]:
    draw = partial(plain_torch.draw, device=device)
    return [draw(WIDTH, WIDTH) for _ in range(depth)], draw(BATCH, WIDTH)


@pytest.mark.parametrize("depth", DEPTHS)
def test_torch_backprop(depth: int, device: str) -> None:
    weights, x = torch_net(depth, device)
    weights = plain_torch.leaves(weights)
    # Every layer's output, three temporaries of the loss' backward pass, and two scalars.
    assert live_bytes(lambda: plain_torch.backprop(weights, x)).peak == (depth + 3) * A + 8
    assert live_bytes(lambda: plain_torch.net(weights, x)).held == depth * A + 4


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("jvp", [plain_torch.func_jvp, plain_torch.dual_jvp])
def test_torch_forward_gradient(jvp: Any, depth: int, device: str) -> None:
    weights, x = torch_net(depth, device)
    tangents = [torch.ones_like(weight) for weight in weights]

    @torch.no_grad()
    def given() -> Any:
        return jvp(weights, x, tangents)

    @torch.no_grad()
    def drawn() -> Any:
        return jvp(weights, x, [torch.randn_like(weight) for weight in weights])

    # Three activations and their tangents at any depth; the result is as large as the weights, and so is each draw.
    assert live_bytes(given).peak == max(6 * A, depth * P + 8)
    assert live_bytes(drawn).peak == max(6 * A + depth * P, 2 * depth * P + 8)


@pytest.mark.parametrize("depth", DEPTHS)
def test_torch_traps(depth: int, device: str) -> None:
    """Two ways of writing it that record three activations a layer, where one or none would do."""
    weights, x = torch_net(depth, device)
    tangents = [torch.ones_like(weight) for weight in weights]
    found = live_bytes(lambda: plain_torch.func_grad(weights, x)).peak
    assert found == (3 * depth + 1) * A + depth * P + 8
    required = plain_torch.leaves(weights)
    found = live_bytes(lambda: plain_torch.func_jvp(required, x, tangents)).peak
    assert found == max((3 * depth + 4) * A, 3 * depth * A + depth * P + 8)


@pytest.mark.parametrize("K", STEPS)
def test_torch_fixed_point(K: int, device: str) -> None:
    weights, x = torch_net(2, device)
    weights = plain_torch.leaves(weights)
    # z₀ to z_K, q and three temporaries; one step's worth of them at any K.
    assert live_bytes(lambda: plain_torch.unrolled(K, weights, x)).peak == (K + 5) * A + 8
    assert live_bytes(lambda: plain_torch.jfb(K, weights, x)).peak == 6 * A + 8
    assert live_bytes(lambda: plain_torch.ift(K, weights, x)).peak == 6 * A + 8


# jax: the compiler's buffer assignment ------------------------------------------------------------------------------


def jax_net(depth: int, *, stacked: bool = False) -> tuple[Any, Any]:
    shaped = plain_jax.shaped
    weights = shaped(depth, WIDTH, WIDTH) if stacked else [shaped(WIDTH, WIDTH)] * depth
    return weights, shaped(BATCH, WIDTH)


@pytest.mark.parametrize("depth", (4, 16))
def test_jax_loops_over_layers(depth: int) -> None:
    weights, x = jax_net(depth)
    # Two activations change places, and one scalar comes out.
    assert assigned_bytes(plain_jax.loop_net, weights, x) == 2 * A + 4
    assert assigned_bytes(partial(plain_jax.slope, plain_jax.loop_net), weights, x, weights) == 5 * A + 4
    # Every layer's output and one cotangent; the weights' gradients come with a table of one 8-byte pointer each.
    assert assigned_bytes(jax.grad(plain_jax.loop_net), weights, x) == (depth + 1) * A + depth * (P + 8)


def whole(size: int, unit: int) -> int:
    """How many whole units; loops add counters and scalars of less than 512 bytes, more would be memory of another
    kind."""
    count, rest = divmod(size, unit)
    assert rest < 512
    return count


@pytest.mark.parametrize("depth", (4, 16))
def test_jax_scans_over_layers(depth: int) -> None:
    weights, x = jax_net(depth, stacked=True)
    # The loop copies one weight a time; backprop stacks a layer's input, and what tanh leaves.
    assert whole(assigned_bytes(plain_jax.scan_net, weights, x) - P, A) == 2
    assert whole(assigned_bytes(partial(plain_jax.slope, plain_jax.scan_net), weights, x, weights), A) == 5
    assert (
        whole(assigned_bytes(jax.grad(plain_jax.scan_net), weights, x) - (depth + 1) * P, A) == (1 + TANH) * depth + 3
    )


@pytest.mark.parametrize("K", STEPS)
def test_jax_fixed_point(K: int) -> None:
    weights, x = jax_net(2)

    def gradient(loss: Any) -> int:
        """Bytes beyond the result."""
        return assigned_bytes(jax.grad(partial(loss, K)), weights, x) - 2 * P

    assert whole(gradient(plain_jax.scan_unrolled), A) == (1 + TANH) * K + 4
    assert K + 2 <= gradient(plain_jax.loop_unrolled) / A < K + 3
    assert whole(gradient(plain_jax.ift), A) == 5 + TANH
    assert whole(gradient(plain_jax.jfb), A) == 3


NET, SOLVE = (4, 16), (5, 20)
PROGRAMS: dict[str, tuple[tuple[int, int], bool, Any]] = {
    "loop_net": (NET, False, lambda depth: plain_jax.loop_net),
    "slope of loop_net": (NET, False, lambda depth: partial(plain_jax.slope, plain_jax.loop_net)),
    "gradient of loop_net": (NET, False, lambda depth: jax.grad(plain_jax.loop_net)),
    "scan_net": (NET, True, lambda depth: plain_jax.scan_net),
    "slope of scan_net": (NET, True, lambda depth: partial(plain_jax.slope, plain_jax.scan_net)),
    "gradient of scan_net": (NET, True, lambda depth: jax.grad(plain_jax.scan_net)),
    "gradient of scan_unrolled": (SOLVE, False, lambda K: jax.grad(partial(plain_jax.scan_unrolled, K))),
    "gradient of loop_unrolled": (SOLVE, False, lambda K: jax.grad(partial(plain_jax.loop_unrolled, K))),
    "gradient of ift": (SOLVE, False, lambda K: jax.grad(partial(plain_jax.ift, K))),
    "gradient of jfb": (SOLVE, False, lambda K: jax.grad(partial(plain_jax.jfb, K))),
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.few(4)
def test_jax_assigns_what_the_compiled_program_keeps(name: str) -> None:
    """The compiler's number against one counted by hand from the schedule that it prints, whatever jax this is."""
    sizes, stacked, made = PROGRAMS[name]
    found = []
    for size in sizes:
        weights, x = jax_net(size if sizes == NET else 2, stacked=stacked)
        args = [weights, x, weights] if name.startswith("slope") else [weights, x]
        compiled = jax.jit(made(size)).lower(*args).compile(compiler_options=jax_memory._options())
        plan = compiled.memory_analysis()
        assigned = plan.temp_size_in_bytes + plan.output_size_in_bytes - plan.alias_size_in_bytes
        least, most = kept(compiled.as_text())
        assert least <= assigned < most + 512  # with counters, scalars, and a table of results
        assert most - least <= 3 * A  # which the compiler may choose
        found.append(np.array([least, assigned, most]))
    least, assigned, most = found[1] - found[0]
    assert least == most and 0 <= assigned - least < 512


# Both: bytes of a wrong gradient would mean nothing -----------------------------------------------------------------


def test_the_plain_methods_are_right() -> None:
    """float64, and ‖W‖ near 0.2, so that 20 steps of a solve leave 0.2²⁰ ≈ 1e-14."""
    w = 0.1 * plain_torch.draw(WIDTH, WIDTH).double()
    x = plain_torch.draw(BATCH, WIDTH).double()
    weights = plain_torch.leaves([w, w])

    def flat(grads: Any) -> np.ndarray:
        return np.concatenate([np.asarray(grad).ravel() for grad in grads])

    exact = flat(plain_torch.unrolled(20, weights, x))

    def deviation(grads: Any) -> float:
        return float(np.linalg.norm(flat(grads) - exact) / np.linalg.norm(exact))

    assert deviation(plain_torch.ift(20, weights, x)) < 1e-12
    biased = deviation(plain_torch.jfb(20, weights, x))
    assert biased > 0.01

    net, ones = flat(plain_torch.backprop(weights, x)), [torch.ones_like(w)] * 2
    for grads in (plain_torch.func_jvp([w, w], x, ones), plain_torch.dual_jvp([w, w], x, ones)):
        assert flat(grads) == pytest.approx(net.sum(), rel=1e-12)
    assert flat(plain_torch.func_grad([w, w], x)) == pytest.approx(net, rel=1e-12, abs=1e-16)

    with jax.enable_x64(True):
        arrays, data = [np.asarray(w)] * 2, np.asarray(x)
        for loss in (plain_jax.loop_unrolled, plain_jax.scan_unrolled, plain_jax.ift):
            assert deviation(jax.jit(jax.grad(partial(loss, 20)))(arrays, data)) < 1e-12
        assert deviation(jax.jit(jax.grad(partial(plain_jax.jfb, 20)))(arrays, data)) == pytest.approx(
            biased, rel=1e-10
        )
        for loss, given in ((plain_jax.loop_net, arrays), (plain_jax.scan_net, np.stack(arrays))):
            assert flat(jax.grad(loss)(given, data)) == pytest.approx(net, rel=1e-12, abs=1e-16)
            slope = plain_jax.slope(loss, given, data, jax.tree.map(np.ones_like, given))
            assert float(slope) == pytest.approx(net.sum(), rel=1e-12)
