"""The code of docs/own.md runs as it stands there, one block after another."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import gradratio
from bench.own import comparison
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
