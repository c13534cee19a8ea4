"""docs/architecture.md names files and functions that are there, its journeys are as short as promised, and imports go
one way."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.docs.markdown import ROOT

PAGE = ROOT / "docs" / "architecture.md"
NAMED = re.compile(r"`((?:[\w.*{},-]+/)*[\w.*{},-]+(?:\.py|/))(?::(\w+(?:\.\w+)?))?`")
"""A file or a folder between backticks, and after a colon what is defined in it."""

FOLDERS = ("bench", "gradratio", "impls", "reports")
MOST = {"From a command to its row": 10, "A new method": 4, "A new problem": 5, "From a row to the page": 6}
"""Files of a journey, which is a numbered list below a heading of this name."""

FREE = {"bench.rows", "bench.stats"}
"""Modules that import nothing of ours, and the only ones of bench that reports take."""


def journeys() -> dict[str, list[str]]:
    """The steps of each numbered list, by its heading."""
    found: dict[str, list[str]] = {}
    for part in re.split(r"^#+ ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        title, _, text = part.partition("\n")
        found[title.strip()] = re.findall(r"^\d+\. .*(?:\n   .*)*", text, flags=re.MULTILINE)
    return found


@pytest.mark.parametrize("named", sorted(set(NAMED.findall(PAGE.read_text(encoding="utf-8")))), ids=":".join)
def test_what_is_named_is_there(named: tuple[str, str]) -> None:
    path, name = named
    one = path.replace("<fw>", "torch")
    if "*" in one or "NAME" in one:
        assert list(ROOT.glob(one.replace("NAME", "*"))), path
        return
    assert (ROOT / one).exists(), path
    if name:
        tree: ast.AST = ast.parse((ROOT / one).read_text(encoding="utf-8"))
        for part in name.split("."):
            tree = next(node for node in tree.body if getattr(node, "name", None) == part)  # type: ignore[attr-defined]


@pytest.mark.parametrize("title", MOST)
def test_a_journey_is_as_short_as_promised(title: str) -> None:
    steps = journeys()[title]
    files = {path for step in steps for path, _ in NAMED.findall(step) if path.endswith(".py")}
    assert len(steps) > 1 and 1 < len(files) <= MOST[title]


# Imports ------------------------------------------------------------------------------------------------------------


@cache
def imports(folder: str) -> dict[str, list[tuple[str, bool]]]:
    """What each module of a folder imports of ours, and whether that is at its top."""
    found: dict[str, list[tuple[str, bool]]] = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        first = {id(node) for node in tree.body}
        each = [(one, id(node) in first) for node in ast.walk(tree) for one in _imported(node)]
        found[name] = [(one, top) for one, top in each if one.partition(".")[0] in FOLDERS]
    return found


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [one.name for one in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [f"{node.module}.{one.name}" if _is_module(node.module, one.name) else node.module for one in node.names]
    return []


def _is_module(package: str, name: str) -> bool:
    path = ROOT.joinpath(*package.split("."), name)
    return path.is_dir() or path.with_suffix(".py").exists()


def test_the_arrow_points_one_way() -> None:
    for name, found in imports("impls").items():
        assert {one.partition(".")[0] for one, _ in found} <= {"impls"}, name
    for name, found in imports("reports").items():
        others = {one for one, _ in found if not one.startswith("reports")}
        assert others <= FREE, f"{name} imports {others - FREE}"
    for name in FREE:
        assert not imports("bench")[name], f"{name} imports {imports('bench')[name]}"


def test_bench_takes_reports_at_one_place_and_late() -> None:
    places = [
        (name, top) for name, found in imports("bench").items() for one, top in found if one.startswith("reports")
    ]
    assert len({name for name, _ in places}) == 1 and not any(top for _, top in places), places


def test_no_circle() -> None:
    edges = {name: [one for one, top in found if top] for folder in FOLDERS for name, found in imports(folder).items()}
    done: set[str] = set()

    def follow(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " → ".join((*way[way.index(name) :], name))
        if name in done or name not in edges:
            return
        for one in edges[name]:
            if one != name and not name.startswith(f"{one}."):  # a package's own names
                follow(one, (*way, name))
        done.add(name)

    for name in edges:
        follow(name, ())


def test_no_module_is_subclassed() -> None:
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                bases = [ast.unparse(base) for base in node.bases] if isinstance(node, ast.ClassDef) else []
                assert not any(base.endswith("ModuleType") for base in bases), path.name
