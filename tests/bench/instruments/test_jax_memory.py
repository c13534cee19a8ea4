"""jax's memory instrument shows what the compiler would hide, says so when it cannot, and counts residuals once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental.compilation_cache import compilation_cache

from bench.failures import Unavailable
from bench.instruments import jax_memory
from bench.instruments.jax_memory import FUSION_OPTION, assigned_bytes, held_bytes
from impls.jax import linear_solvers, models, solvers
from impls.jax.adjoints import ift, jfb, unrolled
from tests.bench import plain_jax
from tests.bench.plain_jax import BATCH, TANH, WIDTH, shaped

SHARED = {
    "dir": "jax_compilation_cache_dir",
    "min_compile_time": "jax_persistent_cache_min_compile_time_secs",
    "min_entry_size": "jax_persistent_cache_min_entry_size_bytes",
}

A = BATCH * WIDTH * 4
WEIGHT = shaped(WIDTH, WIDTH)
DATA = shaped(BATCH, WIDTH)


@pytest.fixture
def unchecked() -> Iterator[None]:
    """As in a process that has measured nothing yet."""
    remembered = jax_memory._options, jax_memory._require_visible_temporaries
    for one in remembered:
        one.cache_clear()
    yield
    for one in remembered:
        one.cache_clear()


# The compiler -------------------------------------------------------------------------------------------------------


def test_the_default_options_hide_what_the_instrument_shows() -> None:
    """Where this fails another jaxlib fuses in another way: look at what the flag still does."""
    weights = [WEIGHT] * 4
    plan = jax.jit(plain_jax.loop_net).lower(weights, DATA).compile().memory_analysis()
    assert plan.temp_size_in_bytes < A
    assert assigned_bytes(plain_jax.loop_net, weights, DATA) == 2 * A + 4


def test_an_instrument_that_is_blind_says_so(unchecked: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jax_memory, "_options", dict)
    for _ in range(2):  # and says so again
        with pytest.raises(Unavailable, match=r"^jax \S+ shows \d+ bytes of temporaries where 131072 are known"):
            assigned_bytes(lambda x: x + 1, DATA)


def test_it_looks_once_a_process(unchecked: None, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = []
    plan = jax_memory._plan
    monkeypatch.setattr(jax_memory, "_plan", lambda fn, *args, **more: compiled.append(fn) or plan(fn, *args, **more))
    for _ in range(3):
        assigned_bytes(lambda x: x + 1, DATA)
    assert len(compiled) == 1 + 3


def test_an_option_that_is_gone_is_left_out_and_what_is_hidden_then_is_not_measured(
    unchecked: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert jax_memory.known({FUSION_OPTION: "", "xla_cpu_tipe": "", "xla_dump_to": 1.5}) == {FUSION_OPTION: ""}
    monkeypatch.setattr(jax_memory, "FUSION_OPTION", "xla_cpu_experimental_ynn_fusion_tipe")
    with pytest.raises(Unavailable, match="bytes of temporaries where"):
        assigned_bytes(lambda x: x + 1, DATA)


def test_a_program_that_another_process_compiled_tells_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hits: list[str] = []
    jax.monitoring.register_event_listener(lambda event, **_: hits.append(event) if "cache_hits" in event else None)
    monkeypatch.setattr(jax_memory, "_require_visible_temporaries", lambda: None)
    settings = {"dir": str(tmp_path), "min_compile_time": 0.0, "min_entry_size": -1}
    before = {name: getattr(jax.config, flag) for name, flag in SHARED.items()}
    try:
        for name, value in settings.items():
            jax.config.update(SHARED[name], value)
        compilation_cache.reset_cache()
        for seen in (False, True):
            jax.clear_caches()  # as in a new process
            assert assigned_bytes(plain_jax.loop_net, [WEIGHT] * 4, DATA) == 2 * A + 4
            assert bool(hits) == seen
    finally:
        for name, value in before.items():
            jax.config.update(SHARED[name], value)
        compilation_cache.reset_cache()


# What is held between the loss and its backward pass ----------------------------------------------------------------


def with_aux(loss: Callable[..., Any]) -> Callable[..., Any]:
    return lambda params, batch: (loss(params, batch), ())


def net(loss: Callable[..., Any], weights: Any) -> int:
    return held_bytes(with_aux(loss), weights, DATA)


@pytest.mark.parametrize("depth", (4, 16))
def test_held_by_a_plain_net(depth: int) -> None:
    # The next product needs y, and tanh one array beside it; a scan stacks the layers' inputs too, a loss its own.
    assert net(plain_jax.loop_net, [WEIGHT] * depth) == 2 * depth * A
    assert net(plain_jax.scan_net, shaped(depth, WIDTH, WIDTH)) == ((1 + TANH) * depth + 1) * A


@pytest.mark.parametrize("K", (5, 20))
def test_held_by_plain_fixed_points(K: int) -> None:
    weights = [WEIGHT] * 2
    assert net(partial(plain_jax.loop_unrolled, K), weights) == 2 * K * A
    assert net(partial(plain_jax.scan_unrolled, K), weights) == ((1 + TANH) * K + 1) * A
    # The last z, or the last two and what tanh needs beside the last.
    assert net(partial(plain_jax.ift, K), weights) == A
    assert net(partial(plain_jax.jfb, K), weights) == 3 * A


def test_numbers_hold_what_shapes_do() -> None:
    weights, x = [jnp.ones(WEIGHT.shape, jnp.float32)] * 2, jnp.ones(DATA.shape, jnp.float32)
    assert held_bytes(with_aux(plain_jax.loop_net), weights, x) == 4 * A


def tanh_problem(adjoint: Any, solver: Any, **options: Any) -> int:
    loss = models.loss("tanh", partial(adjoint.fixed_point, solver=solver, **options))
    return held_bytes(loss, {"W": WEIGHT, "U": WEIGHT}, {"x": DATA, "y": DATA})


@pytest.mark.parametrize("solver", [solvers.Picard, solvers.Newton])
@pytest.mark.parametrize("linear_solver", [linear_solvers.Picard(5), linear_solvers.GMRES(5), linear_solvers.Dense()])
def test_ift_holds_the_same_at_any_number_of_steps(solver: Any, linear_solver: Any) -> None:
    found = {tanh_problem(ift, solver(K), linear_solver=linear_solver) for K in (3, 6)}
    # z_{K−1}; what tanh leaves in the attached step, and again for the solve, which evaluates it once more; the loss'
    # own difference.
    assert found == {(2 + 2 * TANH) * A}


@pytest.mark.parametrize("solver", [solvers.Picard, solvers.Newton])
def test_jfb_holds_one_step(solver: Any) -> None:
    assert {tanh_problem(jfb, solver(K)) for K in (3, 6)} == {(2 + TANH) * A}


def test_unrolled_holds_whole_activations_a_step() -> None:
    few, many = (tanh_problem(unrolled, solvers.Picard(K)) for K in (3, 6))
    assert many - few == 3 * (1 + TANH) * A


def test_only_what_was_computed_from_the_arguments_is_held() -> None:
    constant = np.ones(DATA.shape, np.float32)

    def held(loss: Callable[..., Any]) -> int:
        return held_bytes(with_aux(loss), WEIGHT, DATA)

    assert held(lambda w, x: (x @ w).sum()) == 0  # an argument
    assert held(lambda w, x: (jax.lax.stop_gradient(x).reshape(BATCH, WIDTH) @ w).sum()) == 0  # the same memory
    assert held(lambda w, x: (constant @ w).sum()) == 0
    assert held(lambda w, x: (jnp.full((BATCH, WIDTH), 2.0, jnp.float32) @ w).sum()) == 0
    assert held(lambda w, x: (jax.jit(lambda y: y)(x) @ w).sum()) == 0  # handed through
    assert held(lambda w, x: ((x + 1) @ w).sum()) == A
    assert held(lambda w, x: ((x * 2) @ w).sum() + (x @ w).sum()) == A


def test_an_array_that_two_products_need_is_held_once() -> None:
    def twice(w: Any, x: Any) -> Any:
        y = x + 1
        return (y @ w).sum() + (y.reshape(-1, WIDTH) @ (w * 2)).sum()

    assert held_bytes(with_aux(twice), WEIGHT, DATA) == A


def test_two_calls_of_one_compiled_function_hold_two_arrays() -> None:
    shift = jax.jit(lambda y: y + 1)
    assert held_bytes(with_aux(lambda w, x: ((shift(x) @ w) + (shift(2 * x) @ w)).sum()), WEIGHT, DATA) == 2 * A


def test_nothing_is_held_for_the_batch() -> None:
    """Differentiated in params alone: w would be an argument too, but tanh(x) is needed for no gradient of w."""
    assert held_bytes(with_aux(lambda w, x: (w * 2).sum() + jnp.tanh(x).sum()), WEIGHT, DATA) == 0
