"""Compiled cells: the register of what ``torch.compile`` makes of every method, and what their numbers may not hide."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.cells import Cell
from bench.failures import NotApplicable, Unavailable
from bench.frameworks import torch_compiled
from bench.instruments import torch_memory
from bench.subjects import build

pytestmark = [
    pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning"),  # dynamo looks
]
needs_compiler = pytest.mark.usefixtures("toolchain")

SIZES: dict[str, dict[str, int]] = {
    "mlp": {"depth": 2, "width": 8, "batch": 4, "inputs": 5, "classes": 3},
    "tanh": {"width": 8, "inputs": 4, "batch": 4},
    "fpn": {"channels": 1, "batch": 2},
    "newton": {"width": 6, "inputs": 4, "batch": 3},
}
STEPS: dict[str, dict[str, Any]] = {"mlp": {}, "newton": {"solver": "newton", "K": 2}}
"""Two are a loop; each more is traced anew and makes kernels of its own, which take a C++ compiler seconds."""
PICARD, DENSE = {"linear_solver": "picard", "M": 2}, {"linear_solver": "dense"}

RIGHT = None
VMAP = RuntimeError, "compiled backward function within vmap"
"""The dense solver maps the transposed product over a basis; compiled, the step's backward cannot be mapped."""
DOUBLE = RuntimeError, "does not currently support double backward"
"""Newton takes its Jacobian as the vjp of a vjp, the second through a compiled graph; so does IFT in forward mode."""

REGISTER = [
    ("mlp", "backprop", {}, "backprop", RIGHT),
    ("mlp", "forward_gradient", {}, "forward_gradient", RIGHT),
    ("tanh", "unrolled", {}, "backprop", RIGHT),
    ("tanh", "jfb", {}, "backprop", RIGHT),
    ("tanh", "ift", PICARD, "backprop", RIGHT),
    ("tanh", "ift", DENSE, "backprop", VMAP),
    ("tanh", "unrolled", {}, "forward_gradient", RIGHT),
    ("tanh", "ift", PICARD, "forward_gradient", DOUBLE),
    ("newton", "unrolled", {}, "backprop", DOUBLE),
]
"""Every outcome in torch 2.13. One that changes in either direction fails here, so that a reader of the results knows.
The rest was tried once: all of newton fails as unrolled does, and so does normal CG, which transposes in the same
way; fpn comes out as tanh does, in half a minute, GMRES as Picard, given tangents as drawn ones, and jfb in forward
mode as unrolled."""


@pytest.fixture(scope="module")
def toolchain() -> None:
    """Skip where torch can compile nothing here, with its reason."""
    try:
        torch_compiled.Framework()
    except Unavailable as error:
        pytest.skip(str(error))


@pytest.fixture
def shared_kernels(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let the cells of this file share compiled kernels, which they may not where compilation is timed."""
    monkeypatch.setattr("torch._inductor.utils.fresh_cache", lambda dir: nullcontext())
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "kernels"))


@needs_compiler
@pytest.mark.parametrize("problem, method, options, gradient, outcome", REGISTER)
@pytest.mark.long  # inductor takes a C++ compiler seconds for each
def test_register(
    problem: str,
    method: str,
    options: dict[str, Any],
    gradient: str,
    outcome: Any,
    shared_kernels: None,
    tmp_path: Path,
) -> None:
    options = STEPS.get(problem, {"K": 2}) | options
    if gradient == "forward_gradient" and problem != "mlp":
        options |= {"tangents": "given"}
    cell = Cell("torch", problem, method, SIZES[problem], options, gradient=gradient, mode="compiled")
    if outcome is RIGHT:
        job = build(cell, tmp_path)
        assert job.check() < 1e-5
        assert job.values()["compile_s"] > 0
        return
    error, message = outcome
    with pytest.raises(error, match=message):
        build(cell, tmp_path).check()


@needs_compiler
@pytest.mark.long
def test_exact_values_come_from_the_allocator_and_no_dispatch_mode(
    shared_kernels: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(fn: Callable[[], Any]) -> Any:
        raise AssertionError("a dispatch mode was about to run compiled code")

    monkeypatch.setattr(torch_memory, "live_bytes", refuse)
    options = {"K": 2, **PICARD}
    found = build(Cell("torch", "tanh", "ift", SIZES["tanh"], options, mode="compiled"), tmp_path).exact()
    assert found["peak_bytes"] > found["forward_peak_bytes"] > 0
    assert found["held_bytes"] is None and found["flops"] is None and found["traffic"] is None
    assert found["backward_steps"] == 2
    assert 0 < found["backward_residual"] < 1


@pytest.fixture
def framework() -> Iterator[torch_compiled.Framework]:
    yield torch_compiled.Framework()


@needs_compiler
@pytest.mark.long
def test_compiling_again_starts_from_nothing(
    framework: torch_compiled.Framework, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torch._inductor import cpp_builder

    built = []
    honest = cpp_builder.CppBuilder.build

    def build(self: Any) -> None:
        built.append(self)
        honest(self)

    monkeypatch.setattr(cpp_builder.CppBuilder, "build", build)
    x = torch.ones(5)
    counts = []
    for _ in range(2):
        call, seconds = framework.gradient(lambda x: torch.sin(x) * 3, x)
        assert torch.allclose(call(), torch.sin(x) * 3)
        assert seconds is not None and seconds > 0
        counts.append(len(built))
    assert counts == [1, 2]


@needs_compiler
@pytest.mark.long
def test_what_compiles_at_every_call_is_refused(
    framework: torch_compiled.Framework, shared_kernels: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch_compiled, "MOST_CALLS", 2)  # each takes a C++ compiler seconds
    turn = {"number": 0}

    def restless(x: torch.Tensor) -> torch.Tensor:
        turn["number"] += 1
        return x * turn["number"]

    with pytest.raises(RuntimeError, match="compiled again"):
        framework.gradient(restless, torch.ones(3))


@needs_compiler
@pytest.mark.long
def test_what_compiles_later_is_refused(framework: torch_compiled.Framework, shared_kernels: None) -> None:
    state = {"factor": 2}
    call, _ = framework.gradient(lambda x: x * state["factor"], torch.ones(3))
    assert call().tolist() == [2, 2, 2]
    state["factor"] = 3
    with pytest.raises(RuntimeError, match="compiled again"):
        call()


@needs_compiler
@pytest.mark.long
def test_the_forward_records_no_gradient(framework: torch_compiled.Framework, shared_kernels: None) -> None:
    x = torch.ones(3, requires_grad=True)
    assert not framework.forward(lambda x: (x * 2).sum(), x)().requires_grad


def test_without_a_compiler_a_cell_is_not_applicable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._inductor import cpp_builder, exc

    def missing() -> str:
        raise exc.InvalidCxxCompiler

    monkeypatch.setattr(cpp_builder, "get_cpp_compiler", missing)
    with pytest.raises(NotApplicable, match=r"^torch.compile needs a C\+\+ compiler: install g\+\+\.$"):
        build(Cell("torch", "tanh", "jfb", SIZES["tanh"], mode="compiled"), tmp_path)


@needs_compiler
@pytest.mark.long
def test_in_a_path_with_a_space_a_cell_is_not_applicable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    torch_compiled._start_toolchain.cache_clear()
    with pytest.raises(Unavailable, match=r"^torch.compile cannot build in a path with a space, and .*TMPDIR\) lies"):
        build(Cell("torch", "tanh", "jfb", SIZES["tanh"], mode="compiled"), tmp_path)
    torch_compiled._start_toolchain.cache_clear()


def test_a_cause_is_told_where_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    cause = torch_compiled._cause
    monkeypatch.setattr(torch, "__file__", "/usr/lib/torch/__init__.py")
    monkeypatch.setattr(torch_compiled.sysconfig, "get_paths", lambda: {"include": "/usr/include/python3"})
    monkeypatch.setattr(torch_compiled, "gettempdir", lambda: "/tmp")
    assert cause("CppCompileError: C++ compile error: fatal error: Python.h: No such file").endswith("python3-dev.")
    assert cause("CppCompileError: C++ compile error: internal compiler error") == ""
    monkeypatch.setattr(torch, "__file__", "/home/some one/site-packages/torch/__init__.py")
    assert "and torch lies in one: " in cause("CppCompileError: C++ compile error: cannot find -ltorch")
    assert cause("Unsupported: a call that is not traced") == ""


def test_a_torch_that_counts_no_compilation_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    torch_compiled._start_toolchain.cache_clear()
    monkeypatch.setattr(torch_compiled, "_compilations", lambda: 0)
    monkeypatch.setattr(torch_compiled._Compiled, "compile", lambda self: 0.0)
    with pytest.raises(Unavailable, match="shows 0 compilations where 1 are known"):
        torch_compiled._start_toolchain("cpu")


def test_shapes_alone_are_not_compiled() -> None:
    with pytest.raises(NotApplicable, match="use mode eager on meta"):
        torch_compiled.Framework("meta")
