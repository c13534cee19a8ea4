"""Where time goes: self times from traces, shares that add up, the table, and what the command refuses."""

from __future__ import annotations

from typing import Any

import pytest

from bench.commands import main
from bench.instruments import profile as instrument
from bench.instruments.profile import Kind, Profile, averaged, table

TANH = ["--problem", "tanh", "--set", "width=8", "inputs=4", "batch=4", "K=5"]


def event(name: str, ts: float, dur: float, tid: int = 1, **more: Any) -> dict[str, Any]:
    return {"ph": "X", "pid": 1, "tid": tid, "ts": ts, "dur": dur, "name": name, "args": {"hlo_op": name}} | more


TRACE = [
    event("dot.2", 110, 30),
    event("while.1", 100, 90),
    event("dot.2.clone", 150, 20),
    event("tanh_fusion.12", 170, 20),
    event("dot.7", 100, 1, tid=2),
    event("a Python call", 90, 500, args={}),
    event("a counter", 90, 0, ph="C"),
    {"ph": "M", "name": "process_name", "pid": 1},
]


def test_an_instructions_own_time_is_without_those_inside_it() -> None:
    found = averaged(instrument.instructions(TRACE), 200e-6, calls=1)
    assert [(kind.name, kind.calls) for kind in found.kinds] == [("dot", 3), ("tanh_fusion", 1), ("while", 1)]
    assert [kind.seconds for kind in found.kinds] == pytest.approx([51e-6, 20e-6, 20e-6])
    assert found.outside == pytest.approx(109e-6)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("dot.12", "dot"), ("%while", "while"), ("add_fusion.3.clone.1", "add_fusion"), ("ynn_fusion", "ynn_fusion")],
)
def test_a_kind_is_a_name_without_its_number(name: str, kind: str) -> None:
    assert instrument.kind(name) == kind


def test_a_profile_is_one_call_and_its_dearest_kind_comes_first() -> None:
    found = averaged([("a", 2, 1.0), ("b", 4, 3.0), ("a", 2, 1.0)], 10.0, calls=2)
    assert found.kinds == (Kind("b", 2, 1.5), Kind("a", 2, 1.0)) and (found.seconds, found.outside) == (5.0, 2.5)


def test_a_program_without_a_trace_is_counted() -> None:
    text = """
ENTRY %main.1 (x: f32[4,5]) -> f32[4,4] {
  %x.1 = f32[4,5]{1,0} parameter(0)
  %dot.1 = f32[4,4]{1,0} dot(%x.1, %x.1), lhs_contracting_dims={1}
  %pair = (f32[4]{0}, s32[]) tuple(%dot.1)
  ROOT %dot.2 = f32[4,4]{1,0} dot(%dot.1, %dot.1), metadata={op_name="jit(f)/dot(x)"}
}
"""
    found = instrument.counted(text)
    assert [(kind.name, kind.calls) for kind in found.kinds] == [("dot", 2), ("parameter", 1), ("tuple", 1)]
    lines = table(found, found).splitlines()
    assert lines[0] == instrument.UNTIMED and lines[3].split() == ["dot", "2", "2"]


def test_the_table_has_shares_of_both_calls_and_the_gradients_time_in_forwards() -> None:
    forward = Profile((Kind("mm", 10, 0.6), Kind("rare", 1, 0.1)), 1.0)
    many = tuple(Kind(f"small {index}", 1, 0.01) for index in range(12))
    lines = table(Profile((Kind("mm", 20, 1.5), *many), 2.0), forward).splitlines()
    assert lines[0].split() == ["kind", "of", "gradient", "calls", "in", "forwards", "of", "forward", "calls"]
    assert lines[1].split() == ["mm", "75.0%", "20", "1.50", "60.0%", "10"]
    assert lines[-3].split() == ["other", "operations", "0.5%", "1", "0.01", "10.0%", "1"]
    assert lines[-2].split() == ["outside", "operations", "19.0%", "0.38", "30.0%"]
    assert lines[-1].split() == ["all", "100.0%", "2.00", "100.0%"]
    assert len(lines) == 1 + 12 + 3


def test_torch_names_each_operation() -> None:
    import torch

    x, w = torch.ones(64, 64), torch.ones(64, 64, requires_grad=True)
    found = instrument.in_torch(lambda: torch.autograd.grad(torch.tanh(x @ w).sum(), w), lambda one: one, calls=3)
    calls = {kind.name: kind.calls for kind in found.kinds}
    assert calls["aten::mm"] == 2 and calls["aten::tanh"] == calls["aten::tanh_backward"] == 1
    assert not any("Backward0" in name for name in calls)
    assert found.outside is not None and found.seconds is not None and 0 < found.outside < found.seconds


def test_jax_names_each_instruction() -> None:
    import jax

    x = jax.numpy.ones((64, 64))

    class Call:
        compiled = jax.jit(lambda x: jax.lax.fori_loop(0, 7, lambda _, x: x @ x, x)).lower(x).compile()

        def __call__(self) -> Any:
            return self.compiled(x)

    found = instrument.in_jax(Call(), jax.block_until_ready, calls=3)
    assert found.note == "" and found.outside is not None and found.seconds is not None
    assert 0 <= found.outside < found.seconds
    assert any(kind.calls == 7 for kind in found.kinds)


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_the_command_prints_one_table(
    framework: str, capsys: pytest.CaptureFixture[str], own_environment: None
) -> None:
    assert main(["profile", "--framework", framework, *TANH, "--method", "jfb", "--calls", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("/tanh(batch=4,inputs=4,width=8)/jfb(K=5)") and lines[2].startswith("kind")
    assert lines[-1].startswith("all")


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ([], "Nothing says which cell to profile: give --framework, --problem and --method."),
        (["--method", "jfb", "--framework", "jax"], "The flags mean "),
        (
            ["--problem", "tanh", "--method", "jfb", "--framework", "jax", "--device", "meta"],
            "A profile is of calls on the CPU, not on meta: leave --device out.",
        ),
        (
            ["--problem", "tanh", "--method", "jfb", "--framework", "torch", "--mode", "compiled"],
            "Compiled code is one operation to torch's profiler: profile the mode eager.",
        ),
    ],
)
def test_what_cannot_be_profiled_is_refused(
    flags: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["profile", *flags]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {sentence}") and said.count("\n") == 1


@pytest.fixture
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command sets up its process as a worker's; other tests of this one get theirs back."""
    import os

    monkeypatch.setattr(os, "environ", os.environ.copy())
