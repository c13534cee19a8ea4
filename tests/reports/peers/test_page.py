"""The peers on the page and in Markdown, and what the command line makes of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reports.__main__ import main
from reports.page import write as write_page
from reports.papers import read
from reports.parts import Sources
from reports.peers import MARKS, Section, section
from reports.peers.markdown import BEGIN, END, text
from reports.peers.targets import TARGETS
from reports.peers.verdict import VERDICTS
from tests.reports.peers.made_up import SMALL, WIDE, papers, whole
from tests.reports.reader import Reader, data
from tests.rows import part, results, run, timed, write

PAGE = Path(__file__).parents[3] / "docs" / "performance.md"
COMMIT = "0123456789ab"
FEW = results([timed(2.0)])


def test_every_target_stands_on_the_page_with_its_verdict(made: Section, tmp_path: Path) -> None:
    page = write_page(Sources(FEW, beside=made), tmp_path)
    source = page.read_text(encoding="utf-8")
    reader = Reader(source)
    assert reader.stack == [] and len(reader.ids) == len(set(reader.ids))
    assert {f"target-{one.name}" for one in TARGETS} | {"peers", "figure-peers-ratios"} <= set(reader.ids)
    links = {named["href"] for tag, named in reader.tags if tag == "a"}
    assert {href[1:] for href in links if href.startswith("#")} <= set(reader.ids)
    assert all((page.parent / href).exists() for href in links if href.startswith("data/"))
    for one in made.targets:
        assert f"{MARKS[one.verdict]} {one.verdict}</strong>" in source
    assert set(MARKS) == set(VERDICTS) and sum(count for _, count in made.counts) == len(TARGETS)
    assert "optimistix is not installed" in source and "its best error is 0.02" in source
    assert {row["target"] for row in data(page, "peers-targets")} <= {one.name for one in TARGETS}


def test_the_made_up_file_has_every_verdict(made: Section) -> None:
    verdicts = {one.target.name: one.verdict for one in made.targets}
    assert verdicts["torch-jfb"] == "met" and verdicts["torch-ift"] == "missed"
    assert verdicts["jax-jfb-distance"] == "not measured"
    assert set(verdicts.values()) == set(VERDICTS)


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>|[x](y)"
    record = {"cell": evil, "contender": f"ours ift {evil}", "method": "ift", "status": "ok", "seconds": 1.0}
    other = record | {"contender": evil, "seconds": 2.0}
    lost = record | {"contender": evil * 2, "status": "failed", "reason": evil}
    found = section(papers([part("peers", [record, other, lost])]))
    source = write_page(Sources(FEW, beside=found), tmp_path).read_text(encoding="utf-8")
    assert "&lt;script&gt;" in source and source.count("<script") == 1
    Reader(source)
    told = text(found)
    assert "<script" not in told and "[x](y)" not in told and "ours ift" in told


def test_the_markdown_is_made_again_from_a_committed_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    file = Path("results") / COMMIT / "peers-quick.jsonl"
    write(file, [run(preset="peers-quick", commit=COMMIT * 3), *whole()])
    assert main(["--peers", str(file), "--peers-markdown"]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"{BEGIN}\n") and told.endswith(f"{END}\n")
    assert "; jaxopt 1.2.3, optimistix 1.2.3, torchdeq 1.2.3. Rows" in told
    assert f"of commit {COMMIT}," in told and f"Rows: `{file.as_posix()}`" in told
    assert len(re.findall(r"^\| (?:torch|jax): ", told, flags=re.MULTILINE)) == len(TARGETS)
    assert (
        f"| torch | ift | ours ift | torchdeq ift anderson | 0.690 | 0.690 [0.690, 0.690] ({SMALL}) | 2 | 0 | 0 |"
        in told
    )
    assert re.search(rf"^\| {WIDE} \|.* failed \|$", told, flags=re.MULTILINE)
    assert "| optimistix unrolled | – | – | 0 | 0 | 2 |" in told
    assert main(["--peers-markdown"]) == 0 and capsys.readouterr().out == told
    rows = whole()
    for record in (record for row in rows for record in row["records"]):
        if record["contender"] == "torchdeq jfb":
            record |= {"seconds": record["seconds"] / 2, "ratio": record["ratio"] * 2}
    write(file, [run(preset="peers-quick", commit=COMMIT * 3), *rows])
    assert main(["--peers-markdown"]) == 0
    before, after = told.splitlines(), capsys.readouterr().out.splitlines()
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert changed and all("jfb" in one.lower() or "met" in one or one.startswith("| tanh-") for one in changed)


def test_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "results" / "local" / "quick.jsonl", [run(), timed(2.0)])
    assert main(["--peers-markdown"]) == 2 and "run `make peers` first" in capsys.readouterr().err
    page = Path("reports/html/index.html")
    late = run("later", preset="peers-quick", started="2026-04-01T10:00:00Z")
    parts = [row | {"run": "later"} for row in whole()[:2]]
    write(tmp_path / "results" / "local" / "peers-quick.jsonl", [late, *parts])
    write(
        tmp_path / "results" / "local" / "peers-search.jsonl", [late | {"started": "2026-05-01T10:00:00Z"}, *parts[:1]]
    )
    # The newest file of all is one of peers, and none of the grid.
    assert main([]) == 0 and "rows in results/local/peers-quick.jsonl" in page.read_text(encoding="utf-8")
    assert main(["--peers", "none"]) == 0 and 'id="peers"' not in page.read_text(encoding="utf-8")
    capsys.readouterr()
    assert main(["--peers", "gone.jsonl"]) == 2 and "gone.jsonl does not exist" in capsys.readouterr().err


def test_docs_say_nothing_but_what_committed_rows_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PAGE.parents[1])
    written = PAGE.read_text(encoding="utf-8")
    between = f"{BEGIN}{written.partition(BEGIN)[2].partition(END)[0]}{END}\n"
    named = re.search(r"Rows: `(results/[0-9a-f]{12}/peers-\w+\.jsonl)`", between)
    assert named is not None, "docs/performance.md names no committed file of the peers' bench."
    assert text(section(read(named[1]), drawn=False)) == between, (
        f"Make the part between its marks anew: gradratio page --peers {named[1]} --peers-markdown"
    )
