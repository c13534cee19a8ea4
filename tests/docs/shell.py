"""Whether a command of the docs would be taken: its program, target, flags, names and files, without running it."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from tests.docs.markdown import ROOT

FOLDERS = ("impls", "bench", "reports", "gradratio", "tests", "docs", "results", "examples", ".github", ".ci")
"""Of the repository; a word that begins with one of them is a path."""

MADE = ("results/local", "results/asv", "reports/html")
"""Paths that commands make and git does not keep."""

OTHERS = ("git", "pip", "cd", "source", "sudo", "apt-get", ".ci/run")
"""Programs whose words are not looked at further."""

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


class Refused(AssertionError):
    """A command that would not be taken; the message says why."""


def check(words: Sequence[str]) -> None:
    """``Refused`` where a command names a program, target, flag, preset, cell or file that does not exist."""
    program, *rest = words
    if program == "make":
        _make(rest)
    elif Path(program).name.startswith("python"):
        _python(rest)
    elif Path(program).name == "gradratio":
        _command([], rest)
    elif program == "asv":
        _parsed(_asv(), rest)
    elif program == "pytest":
        _paths(rest)
    elif program not in OTHERS:
        raise Refused(f"{program!r} is no program that the docs use")


def _make(words: Sequence[str]) -> None:
    wanted = [word for word in words if "=" not in word and not word.startswith("-")]
    if unknown := set(wanted) - set(targets()):
        raise Refused(f"make has no target {', '.join(sorted(unknown))}")
    given = dict(word.split("=", 1) for word in words if "=" in word)
    if unknown := {name for name in given if f"$({name})" not in MAKEFILE}:
        raise Refused(f"the Makefile reads no {', '.join(sorted(unknown))}")
    for target in wanted:
        _preset(target, given.get("PRESET"))
        if "FLAGS" in given:
            _command(_behind(target), given["FLAGS"].split())


def targets() -> list[str]:
    """Names of what make can be asked for."""
    return re.findall(r"^([a-z]+):", MAKEFILE, flags=re.MULTILINE)


def _behind(target: str) -> list[str]:
    """The words of the command that a target calls, before FLAGS."""
    called = {"gate": ["gate", "BASE", "HEAD"]} | {name: [name] for name in ("experiments", "peers", "pytest")}
    if target not in called:
        raise Refused(f"make {target} hands no FLAGS on")
    return called[target]


def _preset(target: str, name: str | None) -> None:
    from bench.experiments.catalog import SIZES
    from bench.peers.cells import PRESETS as PEERS
    from bench.presets import PRESETS

    known = {"experiments": SIZES, "peers": PEERS}.get(target, PRESETS)
    if name is not None and name not in known:
        raise Refused(f"make {target} knows no preset {name}")


def _python(words: Sequence[str]) -> None:
    if words[0] == "-c":
        compile(words[1], "<docs>", "exec")
    elif words[0] == "-m":
        _module(words[1], words[2:])
    else:
        _paths(words[:1])


def _module(name: str, words: Sequence[str]) -> None:
    if name in ("pytest", "http.server", "pip", "venv", "ruff", "mypy"):
        _paths(words)
    elif not (ROOT / f"{name.replace('.', '/')}.py").is_file():
        raise Refused(f"there is no module {name} that the docs use")


def _command(before: Sequence[str], words: Sequence[str]) -> None:
    """A command of gradratio."""
    from bench.commands import parser
    from reports.__main__ import parser as page

    paged = words[:1] == ["page"]
    _named(_parsed(page() if paged else parser(), [*before, *words[paged:]]))
    _paths([word for word, last in zip(words, ["", *words], strict=False) if last != "--out"])


def _named(given: argparse.Namespace) -> None:
    """The cells that flags mean exist; so do experiments and peers."""
    if hasattr(given, "problem"):
        from bench.select import chosen, says_which

        if says_which(given) or given.set:
            try:
                chosen(given)
            except ValueError as error:
                raise Refused(str(error)) from None
    if getattr(given, "command", None) == "experiments":
        from bench.experiments.catalog import EXPERIMENTS

        if unknown := {name for text in given.only for name in text.split(",")} - set(EXPERIMENTS):
            raise Refused(f"there is no experiment {', '.join(sorted(unknown))}")


def _parsed(parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    try:
        return parser.parse_args(list(words))
    except SystemExit as end:
        if end.code == 0:  # --help
            return argparse.Namespace()
        raise Refused(f"{parser.prog} does not take {' '.join(words)}") from None


@cache
def _asv() -> argparse.ArgumentParser:
    from asv.commands import make_argparser

    return make_argparser()[0]


def _paths(words: Sequence[str]) -> None:
    for word in words:
        path = word.split("::")[0]
        if looks_like_a_path(path) and not exists(path):
            raise Refused(f"there is no {path}")


def looks_like_a_path(word: str) -> bool:
    """Whether a word is a path in the repository, with nothing to be filled in."""
    return bool(re.fullmatch(r"[\w./*-]+", word)) and word.split("/")[0] in FOLDERS and "/" in word


def exists(word: str) -> bool:
    """Whether the repository has the path, or a command makes it."""
    return word.startswith(MADE) or any(ROOT.glob(word.rstrip("/")))
