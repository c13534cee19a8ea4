"""What a Markdown page holds besides its words: blocks of code, commands, links and headings."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")))


@dataclass(frozen=True)
class Block:
    """Code between fences, or indented by four columns (then without a language). line: of its first line, from 1."""

    page: str
    line: int
    language: str
    info: dict[str, str]
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


_FENCE = re.compile(r"^```(\w*) *(.*)$")
_SETTING = re.compile(r'(\w+)="([^"]*)"')


def blocks(path: Path) -> list[Block]:
    """The blocks of a page, in order. Indented code comes after an empty line, and in no list."""
    name, lines = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8").splitlines()
    found: list[Block] = []
    at = 0
    while at < len(lines):
        fence = _FENCE.match(lines[at])
        if fence:
            end = lines.index("```", at + 1)
            text = "\n".join(lines[at + 1 : end]) + "\n"
            found.append(Block(name, at + 2, fence[1], dict(_SETTING.findall(fence[2])), text))
            at = end
        elif lines[at].startswith("    ") and (at == 0 or not lines[at - 1]):
            end = next((n for n in range(at, len(lines)) if lines[n] and not lines[n].startswith("    ")), len(lines))
            text = "\n".join(line[4:] for line in lines[at:end]).rstrip() + "\n"
            found.append(Block(name, at + 1, "", {}, text))
            at = end - 1
        at += 1
    return found


def prose(path: Path) -> str:
    """A page without its blocks and without code inside lines."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^    .*$", "", text, flags=re.MULTILINE))


def links(path: Path) -> list[str]:
    """The targets of a page's links and pictures, Markdown's and HTML's."""
    text = prose(path)
    return re.findall(r"\]\(<?([^)>\s]+)>?[^)]*\)", text) + re.findall(r'(?:href|src|srcset)="([^"]+)"', text)


def anchors(path: Path) -> set[str]:
    """The ids that headings get, as on GitHub: small letters, digits, hyphens; a repeated one is numbered."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    seen: Counter[str] = Counter()
    found = set(re.findall(r'<a (?:id|name)="([^"]+)"', text))
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", text, flags=re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def commands(block: Block) -> list[list[str]]:
    """The commands of a block as words, without comments and without where their output goes; none in other languages.

    ``$(…)`` is a word, and commands that are joined by ``&&`` or ``|`` are several.
    """
    if block.language not in ("", "shell", "sh", "bash", "console"):
        return []
    text = re.sub(r"\$\([^)]*\)", "substituted", block.text.replace("\\\n", " "))
    found: list[list[str]] = []
    for line in text.splitlines():
        words = _words(line.removeprefix("$ "))
        while words:
            end = next((n for n, word in enumerate(words) if word in ("&&", "|", ";")), len(words))
            found.append(_without_output(words[:end]))
            words = words[end + 1 :]
    return [words for words in found if words]


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:  # an apostrophe in words that are no command
        return line.split()


def _without_output(words: list[str]) -> list[str]:
    """The words up to ``>``, and after variables that are set for this command alone."""
    words = words[: words.index(">")] if ">" in words else words
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words = words[1:]
    return words
