"""What docs/adding.md adds, put into a copy of the sources: the method itself, and one like it that is wrong."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.docs.markdown import ROOT, Block, blocks

NAME = "two_step"
OFF = "two_step_off"
"""The same with its first attached step left out, so that it returns JFB's gradient."""

COPIED = ("impls", "bench", "reports", "tests")


def page() -> list[Block]:
    """The blocks of the page that are files, or go into one."""
    return [block for block in blocks(ROOT / "docs" / "adding.md") if "title" in block.info]


def copied(folder: Path) -> Path:
    """A copy of the sources, and nothing of their results, into ``folder``."""
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("html", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def add(folder: Path, change: Callable[[str], str] = str) -> set[Path]:
    """Do what the page says in ``folder``, each block after ``change``; the files that it touched."""
    touched = set()
    for block in page():
        path, text = folder / change(block.info["title"]), change(block.text)
        if "in" in block.info:
            path.write_text(_inside(path.read_text(encoding="utf-8"), block.info["in"], text), encoding="utf-8")
        elif "before" in block.info:
            path.write_text(_before(path.read_text(encoding="utf-8"), block.info["before"], text), encoding="utf-8")
        else:
            assert not path.exists(), f"{block} would replace {block.info['title']}"
            path.write_text(text, encoding="utf-8")
        touched.add(path)
    return touched


def off(text: str) -> str:
    """A block of the wrong method: in both frameworks its first attached step sees data alone."""
    wrong = re.sub(r"^    z = step\((.+), args\)$", r"    z = step(\1, frozen)", text, flags=re.MULTILINE)
    return wrong.replace(NAME, OFF)


def _inside(text: str, table: str, entry: str) -> str:
    """The text of a file with an entry more at the end of a table."""
    start = re.search(rf"^{table}\b.*[(\{{]$", text, flags=re.MULTILINE)
    assert start is not None, f"there is no table {table}"
    end = re.compile(r"^[)}]$", flags=re.MULTILINE).search(text, start.end())
    assert end is not None, f"the table {table} has no end"
    return text[: end.start()] + entry + text[end.start() :]


def _before(text: str, name: str, more: str) -> str:
    """The text of a file with more before the line that defines ``name``."""
    assert f"\n{name}: " in text, f"there is no {name}"
    return text.replace(f"\n{name}: ", f"\n{more}\n\n{name}: ", 1)


def code_lines(text: str) -> int:
    """Lines that are neither empty, nor a comment, nor in a docstring."""
    lines = {
        number
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.strip().startswith("#")
    }
    try:
        tree = ast.parse(text)
    except SyntaxError:  # entries of a table
        return len(lines)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef) and ast.get_docstring(node) is not None:
            lines -= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return len(lines)
