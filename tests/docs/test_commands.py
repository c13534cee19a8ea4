"""Commands and code in the docs: short commands run, long ones would be taken, Python and YAML can be read."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from bench import commands as measuring
from impls.catalog import METHODS
from tests.docs import shell
from tests.docs.adding import NAME
from tests.docs.markdown import PAGES, ROOT, Block, blocks, commands

BLOCKS = [block for page in PAGES for block in blocks(page)]
COMMANDS = [pytest.param(words, id=f"{block}-{' '.join(words)[:60]}") for block in BLOCKS for words in commands(block)]

SHORT = (
    "list",
    "list --preset smoke",
    "experiments --list",
    "peers --list",
    "page --markdown",
)
"""Commands of gradratio that take a second or two and write nothing."""


@pytest.fixture
def _with_the_method_that_the_docs_add(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, NAME, replace(METHODS["jfb"], name=NAME))  # type: ignore[arg-type]


def test_there_are_commands_of_every_kind() -> None:
    found = [words for block in BLOCKS for words in commands(block)]
    assert {"make", ".venv/bin/python", ".venv/bin/gradratio"} <= {words[0] for words in found}
    assert {*measuring.COMMANDS, "page"} - {"history", "pytest"} <= {
        words[1] for words in found if Path(words[0]).name == "gradratio"
    }


@pytest.mark.usefixtures("_with_the_method_that_the_docs_add")
@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_would_be_taken(words: Sequence[str]) -> None:
    shell.check(words)


@pytest.mark.parametrize(
    "line",
    [
        "make reprot",
        "make report PREST=smoke",
        "make report PRESET=none",
        "make report FLAGS=--fresh",
        "make gate FLAGS=--margin",
        "gradratio run --preset quik",
        "gradratio run --problem tanh --method jbf",
        "gradratio run --problem tanh --set widht=3",
        "gradratio experiments --only none",
        "gradratio page --markup",
        "gradratio page --results results/none.jsonl",
        "python -m bench.none",
        "python none/none.py --help && rm docs",
        "asv runn",
        "pytest tests/none.py",
        "rm -r docs",
    ],
)
def test_what_does_not_exist_is_found(line: str) -> None:
    block = Block("none.md", 1, "shell", {}, f"{line}  # words\n")
    with pytest.raises(shell.Refused):
        for words in commands(block):
            shell.check(words)


@pytest.mark.parametrize("line", SHORT)
def test_a_short_command_runs(line: str) -> None:
    named = [" ".join(words[1:]) for block in BLOCKS for words in commands(block)]
    assert line in named, f"no page names gradratio {line}: take it out of SHORT"
    done = subprocess.run(
        [sys.executable, "-m", "gradratio", *line.split()],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, bool(done.stdout.strip())) == (0, True), done.stderr


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "python"], ids=str)
def test_python_compiles(block: Block) -> None:
    text = textwrap.dedent(block.text)
    if "in" in block.info:  # entries of a table
        text = f"[\n{text}]" if text.startswith("Method(") else f"{{\n{text}}}"
    compile(text, str(block), "exec")


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language in ("yaml", "yml")], ids=str)
def test_yaml_can_be_read(block: Block) -> None:
    assert yaml.safe_load(block.text)


def test_make_help_names_every_target() -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {line.split()[1] for line in done.stdout.splitlines()} == set(shell.targets())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_in_the_text_exist(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    named = {word for word in re.findall(r"`([^`\n]+)`", text) if shell.looks_like_a_path(word)}
    named -= {block.info.get("title") for block in BLOCKS}  # what a reader is to make
    filled_in = {word for word in named if re.search(r"\b[A-Z]{2,}\b", word)}  # such as NAME
    assert {word for word in named - filled_in if not shell.exists(word)} == set()
