"""The code of docs/own.md runs as it stands there, one block after another; the worked examples run, and are right."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import gradratio
from bench.own import comparison
from bench.rows import RunRow, VisitRow
from examples import deq_block_torch, layer_jax, transformer_block_torch
from tests.bench.own.asked import BRIEF

TEXT = (Path(gradratio.__file__).resolve().parents[1] / "docs" / "own.md").read_text(encoding="utf-8")


def test_the_blocks_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    assert len(blocks) == 3
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block, methods in zip(blocks, (["backprop"], ["jfb"], None), strict=True):
        steps = {"K": 12} if "step=" in block else {}
        names["compare"] = partial(gradratio.compare, methods=methods, **steps, **BRIEF)
        exec(block.replace("gradratio.compare(", "compare("), names)
    assert [one.split()[0] for one in capsys.readouterr().out.splitlines()] == ["method", "backprop", "method", "JFB"]
    assert names["page"].is_file() and (tmp_path / "my-model.jsonl").is_file()


def test_every_column_and_every_example_is_in_it() -> None:
    assert all(f"`{name}`" in TEXT for name in comparison.COLUMNS)
    examples = Path(gradratio.__file__).resolve().parents[1] / "examples"
    assert set(re.findall(r"\.\./examples/(\w+\.py)", TEXT)) == {path.name for path in examples.glob("*.py")}


TINY = {"width": 6, "samples": 4, "K": 30}


def test_the_deq_block() -> None:
    found = deq_block_torch.main(**TINY, **BRIEF)
    assert list(found["method"]) == ["unrolled", "IFT, Picard", "IFT, GMRES", "JFB"]
    assert list(found["status"]) == ["ok"] * 4
    assert (found["gradient_error"].iloc[:3] < 1e-4).all() and 0.01 < found["gradient_error"].iloc[3] < 1


@pytest.mark.long
def test_the_jax_layer_with_its_lambdas_in_a_worker_process() -> None:
    found = layer_jax.main(**TINY, workers=1, budget_s=1e-3, methods=["jfb"])
    assert list(found["status"]) == ["ok"] and 0.01 < found["gradient_error"].iloc[0] < 1
    assert [type(row) for row in found.typed] == [RunRow, VisitRow, VisitRow] and found["R"].iloc[0] > 0


def test_the_equinox_layer() -> None:
    from examples import layer_equinox_jax

    found = layer_equinox_jax.main(width=4, samples=3, methods=["backprop"], **BRIEF)
    assert list(found["status"]) == ["ok"] and found["gradient_error"].iloc[0] < 1e-5


def test_the_transformer_block_and_its_fused_attention() -> None:
    methods = ["backprop", ("forward_gradient", {"tangents": "given"})]
    plain = transformer_block_torch.main(width=8, fused=False, methods=methods[1:], **BRIEF)
    fused = transformer_block_torch.main(width=8, fused=True, methods=methods, **BRIEF)
    assert list(plain["status"]) == ["ok"] and plain["gradient_error"].iloc[0] > 1
    assert list(fused["status"]) == ["ok", "n/a"] and fused["gradient_error"].iloc[0] < 1e-5
    assert "Trying to use forward AD with" in fused["reason"].iloc[1]
    assert fused["reason"].iloc[0].startswith("No flop ratio: ")
