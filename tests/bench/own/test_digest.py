"""A digest is the same for the same model, and another for every change of what it computes."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from bench.own.digest import digest

SOURCE = """
import numpy as np
def made_up(): return 1
GAMMA, ARRAY = {gamma}, np.arange(3.0)
class Layer:
    scale, sizes = {scale}, {sizes}
    def __init__(self): self.width, self.height = {width}, 1
    def apply(self, z): return [self.scale * z for _ in range({inner})]
class Slotted:
    __slots__ = "one"
    def __init__(self): self.one = {slot}
layer, slotted, names = Layer(), Slotted(), {names}
def made(closed):
    class Local:
        '{said}'
        three = 3
        def __init__(self): self.one, self.two, self.more = 1, 2, {local}
    def step({star}z, args=({default},)):
        '{said}'
        try:
            z = {tried}
            {rest}
        except ValueError:
            return None
        {after}
        return GAMMA * z + closed, {{"a", "b"}}, layer.apply(z), args, ARRAY, slotted, names, Local().more
    return step
step = made({closed})
"""
USUAL: dict[str, Any] = {"gamma": 0.5, "scale": 1, "width": 2, "inner": 3, "default": 4, "closed": "[5]"}
USUAL |= {"sizes": "(1, [2])", "slot": 6, "names": "{frozenset({'a', 'd'}), frozenset({'b', 'c'}), len, made_up}"}
USUAL |= {"local": 7, "star": "", "tried": "z", "rest": "z = +z", "after": "pass", "said": ""}
CHANGES: list[dict[str, Any]] = [
    {"gamma": 0.6},
    {"scale": 2},
    {"width": 3},
    {"inner": 4},
    {"default": 5},
    {"closed": "[6]"},
    {"sizes": "(1, [3])"},
    {"slot": 7},
    {"names": "{frozenset({'a', 'd'}), frozenset({'b', 'e'}), len, made_up}"},
    {"names": "{frozenset({'a', 'd'}), frozenset({'b', 'c'}), max, made_up}"},
    {"local": 8},
    {"star": "*"},
    {"tried": "-z"},
    {"rest": "pass", "after": "z = +z"},
]


def of(name: str = "one.py", before: str = "", **changed: Any) -> str:
    names: dict[str, Any] = {"__name__": "own_model"}
    exec(compile(before + SOURCE.format(**(USUAL | changed)), name, "exec"), names)
    return digest(names["step"])


def test_the_same_code_has_one_digest_wherever_it_lies() -> None:
    """300 lines further down a line's number is a constant of another size."""
    assert len(of()) == 8
    assert {of()} == {of("two.py", before="\n" * lines) for lines in (1, 2, 300)} == {of(said="What it does.")}


@pytest.mark.parametrize("changed", CHANGES, ids=str)
def test_every_part_that_a_function_reads_counts(changed: dict[str, Any]) -> None:
    assert of(**changed) != of()


def test_what_is_built_in_counts_with_its_name() -> None:
    parts = [torch.tanh, torch.relu, np.tanh, np.sin, jnp.tanh, jnp.sin, jax.nn.relu, math.sin, max, [].append, "".join]
    assert len({digest(lambda z, one=one: one(z)) for one in parts}) == len(parts)


def test_a_set_that_holds_itself_has_an_end() -> None:
    class Holder:
        pass

    holder = Holder()
    holder.held = {holder}  # type: ignore[attr-defined]
    assert digest(holder) == digest(holder)


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


@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_other_processes_find_the_same(seed: str, tmp_path: Path) -> None:
    """Run as a script, imported as a module, and imported again from the file that the first import compiled."""
    (tmp_path / "own_model.py").write_text(SOURCE.format(**USUAL), encoding="utf-8")
    told = "from bench.own.digest import digest; print(digest(step))"
    (tmp_path / "script.py").write_text(SOURCE.format(**USUAL) + told, encoding="utf-8")
    importing = "from bench.own.digest import digest; import own_model; print(digest(own_model.step))"
    path = os.pathsep.join([str(Path(__file__).parents[3]), str(tmp_path)])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": seed}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    for words in (["script.py"], ["-c", importing], ["-c", importing]):
        command = [sys.executable, *words]
        answer = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        assert answer.stdout.strip() == of()
