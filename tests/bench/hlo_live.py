"""Bytes that a compiled jax program keeps at once, counted from the text of its schedule: no number of the compiler's.

The text lists what runs, in order, and each array that it makes. An array lies in memory from the instruction that
makes it to the last one that reads it; arguments and constants are not counted. A loop writes its state where it
lies, and an update in place where the array lies that it updates. An instruction may write its result over an operand
that nothing reads later, where both are of one size: the compiler chooses, so there is a least and a most.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from math import prod
from typing import Any

ITEM = {"pred": 1, "s8": 1, "u8": 1, "bf16": 2, "f16": 2, "s32": 4, "u32": 4, "f32": 4, "s64": 8, "u64": 8, "f64": 8}
ARRAY = re.compile(r"\b(" + "|".join(ITEM) + r")\[([\d,]*)\]")
LINE = re.compile(r"^\s+(ROOT )?%([\w.-]+) = (.*?)([a-z][\w-]*)\((.*)$")
HEAD = re.compile(r"^(ENTRY )?%([\w.-]+) \(.*\{$")
ALIASES = ("bitcast", "get-tuple-element", "tuple", "while")
"""Instructions whose results are arrays that are there already."""


@dataclass
class Instruction:
    """One line: what it is called, the bytes of each array of its result, what it does, to what, and the rest."""

    name: str
    sizes: list[int]
    does: str
    operands: list[str]
    rest: str
    number: int
    """Which argument a parameter is."""


@dataclass
class Program:
    """Each computation's instructions in their order, the last of which is its result; and the entry's name."""

    computations: dict[str, list[Instruction]] = field(default_factory=dict)
    entry: str = ""


def kept(text: str) -> tuple[int, int]:
    """The least and the most bytes that the program of ``compiled.as_text()`` may keep at once."""
    assert "is_scheduled=true" in text
    program = parsed(text)
    fused = [
        one for called in re.findall(r" fusion\(.*? calls=%([\w.-]+)", text) for one in program.computations[called]
    ]
    assert not {one.does for one in fused} & {"dot", "convolution", "custom-call", "while"}, "a fusion hides arrays"
    return _peak(program, program.entry, None)


def parsed(text: str) -> Program:
    """The program of a text."""
    found = Program()
    for line in text.splitlines():
        if head := HEAD.match(line):
            lines = found.computations[head[2]] = list[Instruction]()
            found.entry = head[2] if head[1] else found.entry
        elif one := LINE.match(line):
            sizes = [ITEM[kind] * prod(int(n) for n in shape.split(",") if n) for kind, shape in ARRAY.findall(one[3])]
            given, _, rest = one[5].partition(")")
            number = int(given) if one[4] == "parameter" else -1
            lines.append(Instruction(one[2], sizes, one[4], re.findall(r"%([\w.-]+)", given), rest, number))
    return found


def _peak(program: Program, name: str, state: list[int] | None) -> tuple[int, int]:
    """Of the entry, whose results lie in memory of their own from the start; or of a loop's body, by its state's bytes.

    A body's results lie where its state does. What is there between the last use of an old part of the state and the
    making of the new one may be used by others (least) or not (most).
    """
    lines = program.computations[name]
    arrays: dict[str, list[Any]] = {}  # of each instruction: the arrays of its result, each by who made it
    size: dict[Any, int] = {}
    for line in lines:
        given = [arrays[one] for one in line.operands]
        if line.does in ALIASES:
            arrays[line.name] = _aliases(line, given)
        elif (written := _updated(program, line)) is not None:
            arrays[line.name] = given[written]
        else:
            arrays[line.name] = [(line.name, place) for place in range(len(line.sizes))]
            bytes_ = line.sizes
            if line.does in ("parameter", "constant"):
                bytes_ = state if state is not None and line.does == "parameter" else [0] * len(bytes_)
            size |= dict(zip(arrays[line.name], bytes_, strict=True))
    made = {one: place for place, line in reversed(list(enumerate(lines))) for one in arrays[line.name]}
    read = {one: place for place, line in enumerate(lines) for name in line.operands for one in arrays[name]}
    results = dict.fromkeys(arrays[lines[-1].name])
    apart = sum(size[one] for one in results) if state is None else 0
    read |= dict.fromkeys(results, len(lines))
    given = {one for one in made if lines[made[one]].does == "parameter"}
    always = given if state is None else {*given, *results}

    def now(place: int, without: Collection[Any]) -> int:
        alive = [one for one in made if made[one] <= place <= read.get(one, place)]
        return sum(size[one] for one in alive if one not in without and not (state is None and one in results))

    least = most = 0
    for place, line in enumerate(lines):
        inner, within = arrays[line.name] if line.does == "while" else [], (0, 0)
        if body := re.search(r"body=%([\w.-]+)", line.rest):
            mine = [0 if state is None and one in results else size[one] for one in inner]
            within = _peak(program, body[1], mine)
        dying = {size[one] for name in line.operands for one in arrays[name] if read[one] == place}
        shared = sum(size[one] for one in arrays[line.name] if made[one] == place and size[one] in dying)
        least = max(least, now(place, inner) - shared + within[0])
        most = max(most, now(place, [*inner, *always]) + sum(state or ()) + within[1])
    return least + apart, most + apart


def _aliases(line: Instruction, given: list[list[Any]]) -> list[Any]:
    if line.does == "get-tuple-element":
        index = re.search(r"index=(\d+)", line.rest)
        assert index is not None
        return [given[0][int(index[1])]]
    return [one for arrays in given for one in arrays]


def _updated(program: Program, line: Instruction) -> int | None:
    """Which operand an instruction updates in place, if it does."""
    if line.does == "dynamic-update-slice":
        return 0
    called = re.search(r"calls=%([\w.-]+)", line.rest) if line.does == "fusion" else None
    if called is None or program.computations[called[1]][-1].does != "dynamic-update-slice":
        return None
    inner = program.computations[called[1]]
    target = inner[-1].operands[0]
    return next((one.number for one in inner if one.name == target and one.does == "parameter"), None)
