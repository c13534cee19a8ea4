"""A digest is the same for the same model, and another for every change of what it computes."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.own.digest import digest

SOURCE = """
import numpy as np
GAMMA, ARRAY = {gamma}, np.arange(3.0)
class Layer:
    scale = {scale}
    def __init__(self): self.width = {width}
    def apply(self, z): return [self.scale * z for _ in range({inner})]
layer = Layer()
def made(closed):
    return lambda z, args=({default},): (GAMMA * z + closed, {{"a", "b"}}, layer.apply(z), args, ARRAY)
step = made({closed})
"""
USUAL: dict[str, Any] = {"gamma": 0.5, "scale": 1, "width": 2, "inner": 3, "default": 4, "closed": "[5]"}


def of(name: str = "one.py", before: str = "", **changed: Any) -> str:
    names: dict[str, Any] = {"__name__": "own_model"}
    exec(compile(before + SOURCE.format(**(USUAL | changed)), name, "exec"), names)
    return digest(names["step"])


def test_the_same_code_has_one_digest_wherever_it_lies() -> None:
    assert of() == of("two.py", before="\n# a line more\n") and len(of()) == 8


def test_every_part_that_a_function_reads_counts() -> None:
    changes: list[dict[str, Any]] = [
        {"gamma": 0.6},
        {"scale": 2},
        {"width": 3},
        {"inner": 4},
        {"default": 5},
        {"closed": "[6]"},
    ]
    assert len({of(), *(of(**one) for one in changes)}) == 7


def test_numbers_shapes_and_dtypes_of_arrays_count() -> None:
    arrays = [torch.ones(2), torch.zeros(2), torch.ones(2, 1), torch.ones(2).double(), np.ones(2), torch.ones(2).half()]
    arrays += [torch.ones(2).bfloat16(), torch.zeros(2).bfloat16()]
    assert len({digest(one) for one in arrays}) == len(arrays)
    net = torch.nn.Linear(2, 2)
    before = digest(net)
    assert digest(net) == before != digest(torch.nn.Sequential(net))
    with torch.no_grad():
        net.bias += 1
    assert digest(net) != before


def test_whatever_cannot_be_read_is_no_error() -> None:
    class Shy:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(name)

    loop: list[Any] = []
    loop.append(loop)
    assert digest(Shy(), loop, partial(max, 1)) != digest(Shy(), loop, partial(max, 2))
    assert digest(iter([]), object(), len) == digest(iter([]), object(), len)


def test_other_processes_find_the_same() -> None:
    lines = ["from bench.own.digest import digest", SOURCE.format(**USUAL), "print(digest(step))"]
    command = [sys.executable, "-c", "__name__ = 'own_model'\n" + "\n".join(lines)]
    answer = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == of()
